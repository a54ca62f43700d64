"""What became of a property: whether it holds, how sure that is, and the packet that shows that it does not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from compiler.errors import GerbangError
from compiler.source import Span
from compiler.testing.recording import recorder

__all__ = ["Answer", "DecidingRule", "Hop", "PropertyFailed", "Sureness", "Witness", "demand", "hides"]


class Sureness(Enum):
    """How much an answer says."""

    PROVED = "proved"
    """Symbolic: over all packets, none left out."""
    TESTED = "tested"
    """Simulated: for the packets, connections or moments that were tried."""
    OBSERVED = "observed"
    """Seen in the Linux kernel: for what was sent there."""


class DecidingRule(NamedTuple):
    """A line that decided: its place, its text, and the verdict or the reason in a word or two."""

    span: Span
    text: str
    did: str

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span.line else ""
        return f"{place}{self.text} [{self.did}]" if self.text else f"{place}{self.did}"


class Hop(NamedTuple):
    """A device on the packet's way: in by one port, out by another, and the rules that decided there."""

    node: str
    ingress: str = ""
    egress: str = ""
    rules: tuple[DecidingRule, ...] = ()

    def __str__(self) -> str:
        ways = " ".join(
            word for word in (self.ingress and f"in {self.ingress}", self.egress and f"out {self.egress}") if word
        )
        return f"{self.node} ({ways})" if ways else self.node


class Witness(NamedTuple):
    """A packet, its way as far as it came, and the command that shows the same again."""

    packet: str
    """In the words of :mod:`compiler.policy.packet_text`; or of a lab's record, where a connection is the witness."""
    path: tuple[Hop, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One property and how it went. ``decided`` says by what means, ``said`` what was found."""

    question: str
    held: bool
    sureness: Sureness
    decided: str
    """``over all IPv4 packets, in 6 contexts``; ``1,000 packets in the simulator``."""
    said: str = ""
    witness: Witness | None = None

    def lines(self) -> list[str]:
        """For a person: the verdict, the packet, its way with the deciding rules, the command."""
        verdict = "holds" if self.held else "FAILED"
        lines = [f"{self.question}: {verdict} ({self.sureness.value}: {self.decided})"]
        if self.said:
            lines.append(f"  {self.said}")
        if self.witness is not None:
            lines.append(f"  packet:  {self.witness.packet}")
            for number, hop in enumerate(self.witness.path):
                lines.append(f"  {'path:   ' if number == 0 else '        '} {hop}")
                lines += [f"             {rule}" for rule in hop.rules]
            if self.witness.command:
                lines.append(f"  repeat:  {self.witness.command}")
        return lines

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        witness = self.witness and {
            "packet": self.witness.packet,
            "path": [
                {
                    "node": hop.node,
                    "in": hop.ingress,
                    "out": hop.egress,
                    "rules": [
                        {"file": rule.span.source, "line": rule.span.line, "text": rule.text, "did": rule.did}
                        for rule in hop.rules
                    ],
                }
                for hop in self.witness.path
            ],
            "command": self.witness.command,
        }
        return {
            "question": self.question,
            "held": self.held,
            "sureness": self.sureness.value,
            "decided": self.decided,
            "said": self.said,
            "witness": witness,
        }


class PropertyFailed(AssertionError):
    """A property does not hold; ``answer`` tells all."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("\n".join(answer.lines()))
        self.answer = answer

    def __reduce__(self) -> tuple[type[PropertyFailed], tuple[Answer]]:
        """From process to process: made anew from its answer."""
        return PropertyFailed, (self.answer,)


def demand(answer: Answer) -> Answer:
    """The answer, if the property holds. Raises PropertyFailed."""
    if (watcher := recorder()) is not None:
        watcher.answered(answer)
    if not answer.held:
        raise PropertyFailed(answer)
    return answer


def hides(failure: object) -> bool:
    """For ``__tracebackhide__``: of a failed property, or of wrong use, our own frames tell a tester nothing."""
    return isinstance(getattr(failure, "value", None), PropertyFailed | GerbangError)


__tracebackhide__ = hides
