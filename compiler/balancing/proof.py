"""The proof by reading back: the text that was written does what the intent asks.

The theorem, for IPv4 and whole packets, on a router without other rules. For
every header, and with it every address, protocol and port:

1. A new unmarked connection from inside gets exactly one mark, of an uplink of
   its class (by ECMP and failover: when it leaves, that of the uplink it leaves
   by); local and excepted traffic gets none.
2. The first packet and all later ones of a connection with a mark look in the
   table of the mark; no packet of a marked connection changes the mark, draws a
   hash or counts, but for the first that leaves by another uplink than its own.
3. By turns each uplink has, after every prefix of connections, had within
   :func:`~compiler.balancing.turns.bound` of its share; by hashes each has its
   exact fraction of the hash values.
4. What comes in by an uplink belongs to it, is never routed by a mark, and is
   answered by the same uplink, by the router itself and through port forwards.
5. Each table's defaults lead by the planned uplinks in the planned order; no
   gateway is the router's own; each probe is reached by its own uplink alone.
6. Nothing of this is dropped. Only unmarked connections are fasttracked; TCP that leaves by a wrong uplink
   is reset; what leaves by an uplink has that one's address.
7. Nothing else is translated: what comes from inside, or from the router, goes
   where it was sent, and what does not leave by an uplink keeps its source.
8. Where the router serves names, what comes in by an uplink for its
   port 53, by TCP or UDP, is dropped; what comes from inside is not.

Other programs' bits of Linux marks stay (the proof sets some).
"""

from __future__ import annotations

from typing import NamedTuple

from compiler.balancing.finding import Finding
from compiler.balancing.plan import Plan
from compiler.balancing.proof_marks import MarkProof
from compiler.balancing.proof_routes import RouteProof
from compiler.balancing.proof_translations import TranslationProof
from compiler.balancing.view import View
from compiler.balancing.walking import Beyond, NeedHash
from compiler.errors import GerbangError

__all__ = ["MOST_FINDINGS", "BalanceProof", "FailedBalance", "prove"]

MOST_FINDINGS = 20


class BalanceProof(NamedTuple):
    """What came of a proof: the cases that were looked at, and what is wrong (at most twenty findings)."""

    cases: int
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, object]:
        """For ``--format json``."""
        findings = [
            {"claim": one.claim, "witness": one.witness or None, "place": str(one.span) if one.span.line else None}
            for one in self.findings
        ]
        return {"proved": self.holds, "cases": self.cases, "findings": findings}


class FailedBalance(GerbangError):
    """The written text does not do what the intent asks; nothing is written."""

    exit_code = 1

    def __init__(self, target: str, proof: BalanceProof) -> None:
        super().__init__(f"{target}: NOT PROVED: {len(proof.findings)} finding(s)")
        self.proof = proof

    def render(self) -> str:
        """Each finding with its witness."""
        return "\n".join([str(self), *(str(finding) for finding in self.proof.findings)])


def prove(plan: Plan, view: View, most: int = MOST_FINDINGS) -> BalanceProof:
    """Check the theorem on what was read back; it ends with ``most`` findings."""
    found: dict[Finding, None] = {}
    cases = 0
    for part in (RouteProof(plan, view), TranslationProof(plan, view), MarkProof(plan, view)):
        try:
            for finding in part.findings():
                found[finding] = None
                if len(found) >= most:
                    break
        except Beyond as error:
            found[Finding(f"outside this proof: {error.message}", "", error.span)] = None
        except NeedHash as need:
            found[Finding(f"a hash over {', '.join(need.number.fields)} decides where none should")] = None
        cases += part.cases
        if len(found) >= most:
            break
    return BalanceProof(cases, tuple(found))
