"""What a proof says: the theorem, its assumptions, the claims, the witnesses."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.policy.access_list import Entry
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.semantics.decision import Decision

__all__ = ["Claim", "Report", "Witness"]


@dataclass(frozen=True, slots=True)
class Witness:
    """One packet that the two sides decide differently, with both decisions."""

    packet: Packet
    left: Decision
    right: Decision

    def lines(self, left: str, right: str) -> list[str]:
        """The packet and who decided it where."""
        return [
            f"packet  {format_packet(self.packet)}",
            f"  {left}: {_decision_text(self.left)}",
            f"  {right}: {_decision_text(self.right)}",
        ]

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "packet": format_packet(self.packet),
            "left": _decision_json(self.left),
            "right": _decision_json(self.right),
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """One comparison: of the whole devices, or of two lists.

    ``witnesses`` is empty exactly when the claim holds: in ``"equal"`` claims at
    most one for each direction, in ``"narrower"`` claims only packets that the
    right side passes and the left does not.
    """

    what: str
    relation: str
    """``"equal"`` or ``"narrower"`` (the right side passes nothing that the left does not)."""
    contexts: int
    """How many combinations of family, path, interfaces and fragment were compared."""
    entries: int
    witnesses: tuple[Witness, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no witness speaks against it."""
        return not self.witnesses


@dataclass(frozen=True, slots=True)
class Report:
    """The proof of one pair of configurations."""

    left: str
    right: str
    theorem: str
    assumptions: tuple[str, ...]
    claims: tuple[Claim, ...]

    @property
    def holds(self) -> bool:
        """Whether each claim holds."""
        return all(claim.holds for claim in self.claims)

    def lines(self) -> list[str]:
        """The proof for a person."""
        lines = [("PROVED: " if self.holds else "DISPROVED: ") + self.theorem]
        for claim in self.claims:
            word = {"equal": "equal", "narrower": "never wider"}[claim.relation]
            size = f"{claim.entries} steps in {claim.contexts} contexts"
            lines.append(f"  {claim.what}: {word if claim.holds else 'DIFFERENT'} ({size})")
            for witness in claim.witnesses:
                lines += [f"    {line}" for line in witness.lines(self.left, self.right)]
        lines += [f"  assumed: {assumption}" for assumption in self.assumptions]
        return lines

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "holds": self.holds,
            "left": self.left,
            "right": self.right,
            "theorem": self.theorem,
            "assumptions": list(self.assumptions),
            "claims": [
                {
                    "what": claim.what,
                    "relation": claim.relation,
                    "holds": claim.holds,
                    "contexts": claim.contexts,
                    "entries": claim.entries,
                    "witnesses": [witness.as_json() for witness in claim.witnesses],
                }
                for claim in self.claims
            ],
        }


def _decision_text(decision: Decision) -> str:
    verdict = "passes" if decision.passes else "stopped"
    where = f" in {decision.stage}" if decision.stage else ""
    if decision.span.line:
        return f"{verdict}{where} by {decision.span}{_label(decision)}"
    return f"{verdict}{where}: {decision.why}"


def _label(decision: Decision) -> str:
    origin = decision.step.origin if decision.step else None
    if isinstance(origin, Entry) and origin.sequence:
        return f" (entry {origin.sequence})"
    return ""


def _decision_json(decision: Decision) -> dict[str, object]:
    return {
        "passes": decision.passes,
        "stage": decision.stage,
        "place": str(decision.span) if decision.span.line else None,
        "why": decision.why,
    }
