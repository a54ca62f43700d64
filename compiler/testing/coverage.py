"""Which rules of a policy the properties of a test suite have exercised, and how much of each.

A property over a set of packets exercises a rule as far as the set meets the
packets that the rule decides; a single packet exercises the rule that decides
it. ``equivalent_to`` and ``no_wider_than`` are about all packets, and exercise
every rule that decides any, on both sides. ``no_shadowed_rule`` exercises none:
it would hold whatever a rule did. What a network word sends through a router
exercises the router's rules, but not those behind a list that stops it. Of a
simulated packet every rule counts that matches it, those that only mark too.

A rule that no property has met may be wrong without any test failing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.traffic.situations import Question, Situation, situations
from compiler.policy.access_list import Device
from compiler.policy.match import ANY
from compiler.symbolic.drawing import Drawing
from compiler.testing.sampling import Stratum, strata

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.policy.packet import Packet
    from compiler.policy.ruleset import Ruleset
    from compiler.semantics.decision import Decision
    from compiler.semantics.machine import Machine, Stage
    from compiler.source import Span
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


class _Node(NamedTuple):
    """Some neighbouring strata joined, so that a set that meets none of them is done with at once."""

    region: BDDFunction
    first: int
    parts: tuple[_Node, ...]


class _Situation:
    """The rules of one situation, with what was asked about them so far."""

    def __init__(self, situation: Situation) -> None:
        self._later = situation.context.noninitial
        self.strata = [one for one in strata([situation]) if one.origin is not None]
        self.sets = [0] * len(self.strata)
        self._tree = _tree([_Node(one.region, number, ()) for number, one in enumerate(self.strata)])
        self._asked: BDDFunction | None = None
        self._seen: set[BDDFunction] = set()

    def ask(self, region: BDDFunction) -> None:
        """A set went through. The same set again, as under another failure, says nothing new."""
        if self._tree is None or region in self._seen:
            return
        self._seen.add(region)
        self._asked = region if self._asked is None else self._asked | region
        waiting = [self._tree]
        while waiting:
            node = waiting.pop()
            if not (node.region & region).satisfiable():
                continue
            waiting += node.parts
            if not node.parts:
                self.sets[node.first] += 1

    def shares(self) -> Iterator[tuple[Stratum, int, Fraction]]:
        """Of each rule that was met: how many sets met it, and how much of it all of them together."""
        for stratum, sets in zip(self.strata, self.sets, strict=True):
            if sets and self._asked is not None:
                met = stratum.region & self._asked
                whole = met == stratum.region
                yield (
                    stratum,
                    sets,
                    Fraction(1) if whole else Fraction(self._count(met, stratum), stratum.drawing.count),
                )

    def _count(self, met: BDDFunction, stratum: Stratum) -> int:
        try:
            return min(Drawing(met, stratum.space, noninitial=self._later).count, stratum.drawing.count)
        except ValueError:  # only bits that no packet of its protocol has
            return 0


def _tree(nodes: list[_Node]) -> _Node | None:
    while len(nodes) > 1:
        pairs = [tuple(nodes[first : first + 2]) for first in range(0, len(nodes), 2)]
        nodes = [pair[0] if len(pair) == 1 else _Node(pair[0].region | pair[1].region, 0, pair) for pair in pairs]
    return nodes[0] if nodes else None


@dataclass
class Coverage:
    """A recorder (see :mod:`compiler.testing.recording`). ``rules`` is what it knows, in the order of the files."""

    _rules: dict[tuple[str, int], _Rule] = field(default_factory=dict)
    _situations: dict[tuple[int, ...], tuple[str, tuple[Stage, ...], _Situation]] = field(default_factory=dict)
    """By tree and stages, which are kept, so that an identity stays theirs."""
    _machines: dict[int, Machine] = field(default_factory=dict)
    _known: dict[int, Device | Ruleset] = field(default_factory=dict)
    """Trees by identity; kept, so that an identity stays theirs."""

    def answered(self, answer: Answer) -> None:
        """Nothing: rules are told of elsewhere."""

    def asked(self, tree: Device | Ruleset, situation: Situation, region: BDDFunction) -> None:
        """A set went through."""
        self._know(tree)
        key = (id(tree), *map(id, situation.stages), situation.context.family.value, situation.context.noninitial)
        if key not in self._situations:
            self._situations[key] = (tree.source, situation.stages, _Situation(situation))
        self._situations[key][2].ask(region)

    def proved(self, tree: Device | Ruleset) -> None:
        """All packets went through all of it: every rule that decides any was met, over all that it decides."""
        from compiler.semantics.lower import machine
        from compiler.symbolic.space import space

        lowered = self._machines.get(id(tree))
        if lowered is None:
            lowered = self._machines[id(tree)] = machine(tree, bound="lower")
        for situation in situations(lowered, Question(ANY, permitted=True)):
            self.asked(tree, situation, space(situation.context.family).possible)

    def decided(self, tree: Device | Ruleset, stages: tuple[Stage, ...], packet: Packet, decision: Decision) -> None:
        """A packet did."""
        self._know(tree)
        if decision.span.line:
            self._rules[tree.source, decision.span.line].packets += 1

    @property
    def follows_packets(self) -> bool:
        """Always."""
        return True

    def met(self, policy: Device | Ruleset, span: Span) -> None:
        """A simulated packet did. A rule that no file has counts for nothing."""
        self._know(policy)
        rule = self._rules.get((policy.source, span.line))
        if rule is not None:
            rule.packets += 1

    def rules(self) -> tuple[RuleCoverage, ...]:
        """Every rule of every policy that was asked anything."""
        sets: Counter[tuple[str, int]] = Counter()
        shares: dict[tuple[str, int], Fraction] = {}
        for source, _, situation in self._situations.values():
            for stratum, number, share in situation.shares():
                assert stratum.origin is not None
                key = source, stratum.origin.span.line
                sets[key] += number
                shares[key] = max(share, shares.get(key, Fraction(0)))
        return tuple(
            RuleCoverage(*key, rule.text, rule.packets, sets[key], int(shares.get(key, Fraction(0)) * 10**6) / 10**6)
            for key, rule in sorted(self._rules.items())
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
    """What several processes saw, together: counts add up.

    Of the shares only the largest is sure: processes tell shares, not which
    packets. With pytest-xdist a rule that two workers asked about in halves
    shows a half. Keep a policy's tests on one worker (``--dist loadfile``)
    where the share matters; whether a rule was met is exact in any case.
    """
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
