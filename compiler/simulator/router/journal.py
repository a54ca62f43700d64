"""What a router writes down: drops with their reasons, and the steps of packets that somebody follows."""

from __future__ import annotations

from collections import Counter

from compiler.addresses import format_address
from compiler.policy.ruleset import Rule, Verdict
from compiler.simulator.frame import Datagram
from compiler.simulator.router.transit import Transit
from compiler.simulator.tracing import Tracer
from compiler.source import NOWHERE, Span

__all__ = ["Ends", "Journal"]

Ends = tuple[tuple[int, int], tuple[int, int]]
"""Source and destination, each with its port."""


class Journal:
    """The journal of one router. Words are made only for packets that are followed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.drops: Counter[tuple[str, Span]] = Counter()
        """Packets that ended here, by reason and the line that said so."""
        self.tracer: Tracer | None = None

    def dropped(self, transit: Transit, reason: str, rule: Rule | None = None, span: Span = NOWHERE) -> None:
        """A packet ends here."""
        self.lost(transit.datagram, reason, rule.span if rule is not None else span)

    def lost(self, datagram: Datagram, reason: str, span: Span = NOWHERE) -> None:
        """A datagram ends here that is on no way through the router (any more)."""
        self.drops[(reason, span)] += 1
        if self.tracer is not None and self.tracer.follows(datagram.number):
            self.tracer.note(self.name, datagram.number, "drop", reason, span)

    def noted(self, transit: Transit, station: str, text: str, span: Span = NOWHERE) -> None:
        """Something happened to a packet."""
        if self.tracer is not None and self.tracer.follows(transit.datagram.number):
            self.tracer.note(self.name, transit.datagram.number, station, text, span)

    def translated(self, transit: Transit, before: Ends, after: Ends) -> None:
        """Addresses or ports were rewritten."""
        if self.tracer is not None and self.tracer.follows(transit.datagram.number):
            width = transit.datagram.family.width
            for name, old, new in zip(("source", "destination"), before, after, strict=True):
                if old != new:
                    text = f"{name} {_end(old, width)} becomes {_end(new, width)}"
                    self.tracer.note(self.name, transit.datagram.number, "nat", text)

    def answered(self, about: Datagram, answer: Datagram) -> None:
        """The router sends something about a packet: whoever follows the one follows the other."""
        if self.tracer is not None and self.tracer.follows(about.number):
            self.tracer.follow(answer.number)

    def met(self, transit: Transit, chain: str, rule: Rule, reason: str | None) -> None:
        """A packet met a rule: ``""`` when that matches, the words of the clause that does not, None for the header."""
        datagram, tracer = transit.datagram, self.tracer
        if tracer is None or not tracer.follows(datagram.number):
            return
        if reason is None:
            from compiler.analysis.explanation.mismatch import mismatch

            packet = datagram.packet(transit.ingress, transit.egress, transit.path)
            text = mismatch(rule.match, packet) or "the header does not match"
        elif reason:
            text = f"{reason!r} does not hold"
        else:
            words = [clause.text for clause in rule.unmodelled]
            if rule.verdict is not Verdict.CONTINUE or not words:
                words.append(f"{rule.verdict.value} {rule.target}".strip())
            text = f"matches: {', '.join(words)}"
        tracer.note(self.name, datagram.number, f"chain {chain}", text, rule.span)


def _end(end: tuple[int, int], width: int) -> str:
    address = format_address(end[0], width)
    return f"{address if width == 32 else f'[{address}]'}:{end[1]}" if end[1] else address
