"""Which rules of a policy the properties of a test suite have exercised, and how much of each.

A property over a set of packets exercises a rule as far as the set meets the
packets that the rule decides; a single packet exercises the rule that decides
it. A rule that no property has met may be wrong without any test failing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.traffic.situations import Situation
from compiler.policy.access_list import Device
from compiler.symbolic.drawing import Drawing
from compiler.testing.sampling import strata

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.policy.packet import Packet
    from compiler.policy.ruleset import Ruleset
    from compiler.semantics.decision import Decision
    from compiler.semantics.machine import Stage
    from compiler.testing.answer import Answer

__all__ = ["Coverage", "RuleCoverage", "as_json", "as_lcov", "joined", "lines_of_report"]


class RuleCoverage(NamedTuple):
    """One rule: where it stands, how many packets and sets it decided, and how much of it was asked about."""

    source: str
    line: int
    text: str
    packets: int
    sets: int
    share: float
    """Of the packets that it decides, in the situation where most were asked about; 0 to 1, rounded down."""

    @property
    def is_met(self) -> bool:
        """Whether any property has met it."""
        return bool(self.packets or self.sets)


@dataclass
class _Rule:
    text: str
    packets: int = 0
    sets: int = 0
    share: Fraction = Fraction(0)


class _Situation:
    """The rules of one situation, with what of each was asked about so far."""

    def __init__(self, situation: Situation) -> None:
        self.strata = [one for one in strata([situation]) if one.origin is not None]
        self.asked: dict[int, BDDFunction] = {}


@dataclass
class Coverage:
    """A recorder (see :mod:`compiler.testing.recording`). ``rules`` is what it knows, in the order of the files."""

    _rules: dict[tuple[str, int], _Rule] = field(default_factory=dict)
    _situations: dict[tuple[int, ...], _Situation] = field(default_factory=dict)
    _known: dict[int, Device | Ruleset] = field(default_factory=dict)
    """Trees by identity; kept, so that an identity stays theirs."""

    def answered(self, answer: Answer) -> None:
        """Nothing: rules are told of elsewhere."""

    def asked(self, tree: Device | Ruleset, situation: Situation, region: BDDFunction) -> None:
        """A set went through."""
        self._know(tree)
        key = (id(tree), *(id(stage) for stage in situation.stages), situation.context.noninitial)
        held = self._situations.get(key)
        if held is None:
            held = self._situations[key] = _Situation(situation)
        for number, stratum in enumerate(held.strata):
            met = stratum.region & region
            if not met.satisfiable():
                continue
            assert stratum.origin is not None
            rule = self._rules[tree.source, stratum.origin.span.line]
            rule.sets += 1
            asked = held.asked.get(number)
            held.asked[number] = asked = met if asked is None else asked | met
            later = situation.context.noninitial
            share = Fraction(Drawing(asked, stratum.space, noninitial=later).count, stratum.drawing.count)
            rule.share = max(rule.share, min(share, Fraction(1)))

    def decided(self, tree: Device | Ruleset, stages: tuple[Stage, ...], packet: Packet, decision: Decision) -> None:
        """A packet did."""
        self._know(tree)
        if decision.span.line:
            self._rules[tree.source, decision.span.line].packets += 1

    def rules(self) -> tuple[RuleCoverage, ...]:
        """Every rule of every policy that was asked anything."""
        return tuple(
            RuleCoverage(source, line, rule.text, rule.packets, rule.sets, int(rule.share * 10**6) / 10**6)
            for (source, line), rule in sorted(self._rules.items())
        )

    def _know(self, tree: Device | Ruleset) -> None:
        if id(tree) in self._known:
            return
        self._known[id(tree)] = tree
        holders = tree.lists if isinstance(tree, Device) else tree.chains
        for holder in holders:
            for one in holder.entries if hasattr(holder, "entries") else holder.rules:
                if one.span.line and not getattr(one, "disabled", False):
                    text = tree.lines[one.span.line - 1].strip() if one.span.line <= len(tree.lines) else ""
                    self._rules.setdefault((tree.source, one.span.line), _Rule(text))


def joined(parts: Iterable[Iterable[RuleCoverage]]) -> tuple[RuleCoverage, ...]:
    """What several processes saw, together: counts add up; of the shares the largest is sure."""
    found: dict[tuple[str, int], RuleCoverage] = {}
    for part in parts:
        for one in part:
            key = one.source, one.line
            held = found.get(key, one._replace(packets=0, sets=0, share=0.0))
            found[key] = one._replace(
                packets=one.packets + held.packets, sets=one.sets + held.sets, share=max(one.share, held.share)
            )
    return tuple(found[key] for key in sorted(found))


def lines_of_report(rules: Iterable[RuleCoverage]) -> Iterator[str]:
    """For a person: each policy with its sum, then the rules that nothing has met."""
    by_source: dict[str, list[RuleCoverage]] = {}
    for one in rules:
        by_source.setdefault(one.source, []).append(one)
    width = max((len(source) for source in by_source), default=0)
    for source, several in by_source.items():
        met = [one for one in several if one.is_met]
        whole = [one for one in several if one.share == 1]
        yield (
            f"{source:<{width}}  {len(met):>5} of {len(several):>5} rules met ({len(met) / len(several):4.0%}), "
            f"{len(whole)} over all their packets"
        )
        for one in several:
            if not one.is_met:
                yield f"  {one.source}:{one.line}: never met: {one.text}"


def as_lcov(rules: Iterable[RuleCoverage]) -> str:
    """The tracefile of lcov(1), which viewers of code coverage read: how often each line was met."""
    by_source: dict[str, list[RuleCoverage]] = {}
    for one in rules:
        by_source.setdefault(one.source, []).append(one)
    records = []
    for source, several in by_source.items():
        lines = [f"DA:{one.line},{one.packets + one.sets}" for one in several]
        met = sum(one.is_met for one in several)
        records.append("\n".join(["TN:", f"SF:{source}", *lines, f"LF:{len(several)}", f"LH:{met}", "end_of_record"]))
    return "\n".join(records) + "\n" if records else ""


def as_json(rules: Iterable[RuleCoverage]) -> str:
    """Plain data."""
    return json.dumps([one._asdict() for one in rules], indent=1)
