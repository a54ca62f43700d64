"""Packets for tests, rule by rule: those that a rule really decides, and those at its corners.

Uniform draws of all packets find large rules only: of 453 permits the last
wildcard may hold 98 % of the space. So first a rule, each with the same
chance, then a packet of what earlier rules leave to it (exactly uniform), then
its corners: the first and last value of each field that it asks for, and the
values just beyond.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet
from compiler.analysis.traffic.situations import Situation
from compiler.fields import WIDTH
from compiler.integers import IntegerSet
from compiler.policy.access_list import Entry
from compiler.policy.match import ANY, Match, without_layer4
from compiler.policy.packet import Packet
from compiler.policy.ruleset import Rule
from compiler.semantics.machine import Stage, Step
from compiler.symbolic.deciding import decided, permits
from compiler.symbolic.drawing import Drawing, carried
from compiler.symbolic.space import PacketSpace, space

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Edge", "Stratum", "strata", "stratified"]

_FIELDS = ("protocol", "source", "destination", "destination_port", "source_port", "icmp_type", "icmp_code")
"""Fields whose corners people get wrong."""


class Stratum:
    """The packets that one rule decides in a situation: what earlier rules leave to it, and earlier lists let pass."""

    def __init__(
        self, situation: Situation, stage: Stage, step: Step | None, region: BDDFunction, family_space: PacketSpace
    ) -> None:
        self.situation = situation
        self.stage = stage
        self.step = step
        """None for the stage's default."""
        self.region = region
        self.space = family_space

    @property
    def origin(self) -> Entry | Rule | None:
        """The line that says it, or None for what is implicit."""
        return self.step.origin if self.step is not None else None

    @property
    def match(self) -> Match:
        """What the rule asks for."""
        return self.step.match if self.step is not None else ANY

    @cached_property
    def drawing(self) -> Drawing:
        """Uniform draws of the region."""
        return Drawing(self.region, self.space, noninitial=self.situation.context.noninitial)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The corners of the rule, field by field; a default has none."""
        return tuple(_edges(self))

    def packets(self, source: random.Random, number: int) -> Iterator[Packet]:
        """Packets that the rule decides, each with the same chance."""
        return self.drawing.packets(self.situation.context, source, number)


class Edge:
    """The packets of a rule with one field at its border: the first or last value, or the one just beyond."""

    def __init__(self, stratum: Stratum, field: str, inside: bool, region: BDDFunction) -> None:
        self.stratum = stratum
        self.field = field
        self.inside = inside
        """Whether the rule asks for the value; false just beyond."""
        self.region = region

    @cached_property
    def drawing(self) -> Drawing:
        """Uniform draws of the region."""
        return Drawing(self.region, self.stratum.space, noninitial=self.stratum.situation.context.noninitial)

    def packets(self, source: random.Random, number: int) -> Iterator[Packet]:
        """Packets of the edge. Inside, some may belong to an earlier rule where that overlaps; that is the point."""
        return self.drawing.packets(self.stratum.situation.context, source, number)


def strata(situations: Sequence[Situation]) -> Iterator[Stratum]:
    """Every rule that decides a packet in any of the situations, defaults too; dead rules have no stratum."""
    for situation in situations:
        family_space = space(situation.context.family)
        region = family_space.possible
        for stage in situation.stages:
            passed = family_space.empty
            for step, part in decided(stage, region, family_space):
                if part.satisfiable():
                    yield Stratum(situation, stage, step, part, family_space)
                passed = passed | part if permits(stage, step) else passed
            region = passed


def _edges(stratum: Stratum) -> Iterator[Edge]:
    later = stratum.situation.context.noninitial
    for name in _FIELDS:
        asked = getattr(stratum.match, name)
        if asked is None:
            continue
        # Another protocol has no ports to ask for.
        rest = without_layer4(stratum.match) if name == "protocol" else stratum.match
        others = stratum.space.encode(rest._replace(**{name: None})) & stratum.space.possible
        for value, inside in _values(asked, WIDTH.get(name, 0)):
            region = others & stratum.space.field(name, value)
            if carried(region, stratum.space, noninitial=later).satisfiable():
                yield Edge(stratum, name, inside, region)


def _values(asked: IntegerSet | AddressSet, width: int) -> Iterator[tuple[IntegerSet | AddressSet, bool]]:
    """The first and the last value, which are inside, and the ones just beyond, as far as the field can hold them."""
    if isinstance(asked, AddressSet):
        width = asked.width
        low, high = asked.hull()
    else:
        low, high = asked.intervals[0][0], asked.intervals[-1][1]
    for value, inside in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        if 0 <= value < 1 << width:
            one = AddressSet.of(width, ranges=[(value, value)]) if isinstance(asked, AddressSet) else None
            yield one or IntegerSet.values(value), inside


def stratified(situations: Sequence[Situation], source: random.Random, number: int) -> Iterator[Packet]:
    """That many packets: a rule by chance, then half the time one that it decides, else one at its corners."""
    every = list(strata(situations))
    chosen: list[Stratum | Edge] = []
    while len(chosen) < number and every:
        stratum = source.choice(every)
        at_edge = stratum.edges and source.random() < 0.5
        chosen.append(source.choice(stratum.edges) if at_edge else stratum)
    # Drawn together, a thousand cost little more than one.
    drawn = {one: one.packets(source, count) for one, count in Counter(chosen).items()}
    for one in chosen:
        yield next(drawn[one])
