"""Two machines in one context: are they equal, and if not, by which packet?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.equivalence.equality import Lazy, Region, asks_ttl, regions
from compiler.analysis.equivalence.report import Witness
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import ANY
from compiler.policy.packet import Packet
from compiler.semantics.decision import decide
from compiler.semantics.machine import Context, Stage, Step

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.analysis.shadowing.overlap import OverlapIndex

__all__ = ["Comparison", "Difference", "one_hop"]

_NOTHING = Stage("no list", (), True)
_FEW = 400
"""Steps that are folded into sets at once; more are tried with single packets first."""
_SECOND_DIRECTION = 400
"""Regions that are searched for a witness of the other direction once one is found."""
_SAMPLES = 24
_INDEX_FROM = 200
"""Steps from which an overlap index is worth its making (numpy costs 70 ms)."""


class Difference(NamedTuple):
    """Packets of one region that only the left, or only the right side passes."""

    left_only: BDDFunction
    right_only: BDDFunction


class Comparison:
    """Compares stage sequences and remembers what it found.

    Stages are compared by identity first, so machines that keep their stages
    (and all of ours do) are compared once for each pair of lists, however many
    interfaces use them.
    """

    def __init__(self, *, narrower: bool = False) -> None:
        self.narrower = narrower
        self._regions: dict[tuple[int, int], tuple[Region, ...]] = {}
        self._found: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[Witness, ...]] = {}
        self._kept: list[Stage] = []
        self._indexes: dict[int, OverlapIndex] = {}

    def witnesses(self, left: Sequence[Stage], right: Sequence[Stage], context: Context) -> tuple[Witness, ...]:
        """At most one witness for each direction; none means equal (or never wider)."""
        ids = (tuple(map(id, left)), tuple(map(id, right)))
        if ids not in self._found:
            self._refuse_incomparable(left, right, context.family)
            self._kept += [*left, *right]  # an identity is good only while its object lives
            self._found[ids] = tuple(self._search(left, right, context))
        return self._found[ids]

    def differences(self, left: Sequence[Stage], right: Sequence[Stage], context: Context) -> Iterator[Difference]:
        """All packets that the two sides decide differently, in disjoint parts."""
        self._refuse_incomparable(left, right, context.family)
        seen: BDDFunction | None = None
        for region in self._all_regions(left, right, context):
            packets = region.packets if seen is None else region.packets & ~seen
            seen = region.packets if seen is None else seen | region.packets
            if packets.satisfiable():
                part = Region(region.within, packets)
                mine = [self._near(stage, part, context.family) for stage in left]
                theirs = [self._near(stage, part, context.family) for stage in right]
                yield self._difference(mine, theirs, part, context)

    # -- regions of a context ----------------------------------------------------

    def _all_regions(self, left: Sequence[Stage], right: Sequence[Stage], context: Context) -> Iterator[Region]:
        """Passing all stages is a conjunction: equal stages cancel in any order."""
        unpaired: list[Stage] = []
        others = list(right)
        for stage in left:
            equal = [at for at, other in enumerate(others) if not self._pair(stage, other, context.family)]
            if equal:
                del others[equal[0]]
            else:
                unpaired.append(stage)
        for stage, other in zip(unpaired, others, strict=False):
            yield from self._pair(stage, other, context.family)
        both = min(len(unpaired), len(others))
        for stage in (*unpaired[both:], *others[both:]):
            yield from self._pair(stage, _NOTHING, context.family)

    def _pair(self, left: Stage, right: Stage, family: Family) -> tuple[Region, ...]:
        ids = (id(left), id(right))
        if left is right:
            return ()
        if ids not in self._regions:
            self._kept += [left, right]
            self._regions[ids] = tuple(_possible(regions(left, right, Lazy(family)), family))
        return self._regions[ids]

    def _refuse_incomparable(self, left: Sequence[Stage], right: Sequence[Stage], family: Family) -> None:
        """A later fragment has layer-4 fields where its whole packet is seen, and none (or its payload) elsewhere.

        Raises UsageError where stages of the two kinds that look at layer 4
        would have to be compared: they speak of different things.
        """
        asking = [
            [stage for stage in side if any(_asks_layer4(step) for step in stage.steps)] for side in (left, right)
        ]
        if len({stage.reassembled for side in asking for stage in side}) < 2:
            return
        for whole in (False, True):
            mine, theirs = ([stage for stage in side if stage.reassembled is whole] for side in asking)
            for stage in mine:
                equal = [at for at, other in enumerate(theirs) if not self._pair(stage, other, family)]
                if not equal:
                    break
                del theirs[equal[0]]
            else:
                if not theirs:
                    continue
            names = ", ".join(dict.fromkeys(stage.name for side in asking for stage in side if stage.reassembled))
            raise UsageError(
                f"fragments are put together before some chains that look at layer 4 ({names}) and not before others, "
                "so the fate of later fragments cannot be compared; --fragments reassembled compares whole packets only"
            )

    # -- one packet of a region ----------------------------------------------------

    def _search(self, left: Sequence[Stage], right: Sequence[Stage], context: Context) -> Iterator[Witness]:
        wanted = {(False, True)} if self.narrower else {(True, False), (False, True)}
        if not right:  # no stage passes everything: nothing is stopped on that side
            wanted.discard((True, False))
        if not left:
            wanted.discard((False, True))
        found = False
        for looked, region in enumerate(self._all_regions(left, right, context)):
            if not wanted or (found and looked > _SECOND_DIRECTION):
                return
            mine = [self._near(stage, region, context.family) for stage in left]
            theirs = [self._near(stage, region, context.family) for stage in right]
            for witness in self._tried(region, mine, theirs, context, frozenset(wanted)):
                verdicts = (witness.left.passes, witness.right.passes)
                if verdicts in wanted:
                    wanted.discard(verdicts)
                    found = True
                    yield witness

    def _tried(
        self,
        region: Region,
        left: Sequence[Stage],
        right: Sequence[Stage],
        context: Context,
        wanted: frozenset[tuple[bool, bool]],
    ) -> Iterator[Witness]:
        """A witness for each wanted direction in one region, if there is one: by tries where sets would be slow.

        Tries that show only an unwanted direction settle nothing: the sets are asked then.
        """
        if sum(len(stage.steps) for stage in (*left, *right)) > _FEW:
            tries = (_witness(packet, left, right) for packet in self._samples(region, context))
            tried = [witness for witness in tries if (witness.left.passes, witness.right.passes) in wanted]
            if tried:
                yield from tried
                return
        difference = self._difference(left, right, region, context)
        for verdicts, packets in (((True, False), difference.left_only), ((False, True), difference.right_only)):
            if verdicts in wanted and packets.satisfiable():
                yield _shortest(packets, left, right, context)

    def _samples(self, region: Region, context: Context) -> Iterator[Packet]:
        """Cheap tries before the exact search: most faults show in the first."""
        from compiler.symbolic.witness import random_packet, shortest_packet

        space = Lazy(context.family)()
        yield shortest_packet(region.packets, space, context)
        source = random.Random(0)
        for _ in range(_SAMPLES):
            yield random_packet(region.packets, space, context, source)

    # -- sets ------------------------------------------------------------------------

    def _difference(
        self, left: Sequence[Stage], right: Sequence[Stage], region: Region, context: Context
    ) -> Difference:
        region = region._replace(packets=region.packets & one_hop((*left, *right), context.family))
        passes_left = _passing(left, region, context)
        passes_right = _passing(right, region, context)
        return Difference(passes_left & ~passes_right, passes_right & ~passes_left)

    def _near(self, stage: Stage, region: Region, family: Family) -> Stage:
        """The stage with only the steps that may meet the region."""
        if len(stage.steps) < _INDEX_FROM or region.within == ANY:
            return stage
        index = self._indexes.get(id(stage))
        if index is None:
            from compiler.analysis.shadowing.overlap import OverlapIndex

            index = OverlapIndex([step.match for step in stage.steps], family)
            self._indexes[id(stage)] = index
            self._kept.append(stage)
        return stage._replace(steps=tuple(stage.steps[position] for position in index.overlapping(region.within)))


def _asks_layer4(step: Step) -> bool:
    return step.match.looks_at_layer4 or any(_asks_layer4(inner) for inner in step.body)


def _possible(found: Iterator[Region], family: Family) -> Iterator[Region]:
    for region in found:
        packets = region.packets & Lazy(family)().possible
        if packets.satisfiable():
            yield Region(region.within, packets)


def one_hop(stages: Sequence[Stage], family: Family) -> BDDFunction:
    """The packets whose TTL before the router fits the one after it, where a stage asks for the one after it."""
    space = Lazy(family)()
    if any(stage.ttl_decremented and asks_ttl(stage.steps) for stage in stages):
        return space.one_hop()
    return space.full


def _passing(stages: Sequence[Stage], region: Region, context: Context) -> BDDFunction:
    from compiler.symbolic.evaluate import passing

    space = Lazy(context.family)()
    packets = region.packets
    for stage in stages:
        packets = passing(stage, packets, space)
    return packets


def _shortest(packets: BDDFunction, left: Sequence[Stage], right: Sequence[Stage], context: Context) -> Witness:
    from compiler.symbolic.witness import shortest_packet

    return _witness(shortest_packet(packets, Lazy(context.family)(), context), left, right)


def _witness(packet: Packet, left: Sequence[Stage], right: Sequence[Stage]) -> Witness:
    return Witness(packet, decide(left, packet), decide(right, packet))
