"""What a Cisco router does with the lists that it has (Cisco, "Configuring IP Access Lists").

Fragments (RFC 1858 and Cisco's document 8014): an entry that looks at layer 3
only matches every fragment; a permit that looks at layer 4 also permits
non-initial fragments that match in layer 3 and protocol; a deny that looks at
layer 4 skips them; ``fragments`` matches them alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.errors import InputErrors, Unmodelled
from compiler.fields import ICMPV6, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import AccessList, Action, Device, Direction, Entry, TimeRange
from compiler.policy.match import Match, intersect, without_layer4
from compiler.policy.packet import Path
from compiler.semantics.machine import Context, ListName, Outcome, Stage, Standing, Step

__all__ = ["NEIGHBOUR_DISCOVERY", "RouterMachine", "entry_matches"]

NEIGHBOUR_DISCOVERY = (
    Match(protocol=IntegerSet.values(ICMPV6), icmp_type=IntegerSet.values(136)),
    Match(protocol=IntegerSet.values(ICMPV6), icmp_type=IntegerSet.values(135)),
)
"""Advertisements and solicitations (RFC 4861), permitted before the implicit deny of IPv6 lists."""

IMPLICIT_DISCOVERY = "the implicit permit of neighbour discovery"
_IMPLICIT_DENY = "the implicit deny at the end of the list"


def entry_matches(entry: Entry, times: dict[str, TimeRange], *, noninitial: bool) -> Iterator[Match]:
    """The packets of one half (fragments other than the first, or all else) that the entry decides.

    The matches speak about that half only, so they leave ``noninitial`` free.
    """
    time_range = times.get(entry.time_range) if entry.time_range else None
    for match in entry.matches:
        layer4 = entry.layer4_named or match.looks_at_layer4
        if entry.fragments:
            if not noninitial:
                continue
            decided = without_layer4(match)
        elif noninitial and layer4:
            if entry.action is Action.DENY:
                continue
            decided = without_layer4(match)
        else:
            decided = match
        if time_range is None:
            yield decided
            continue
        active = intersect(decided, Match(week_minute=time_range.week_minutes, date_minute=time_range.date_minutes))
        if active is not None:
            yield active


class RouterMachine:
    """The machine of a Cisco device: an in-list, then an out-list."""

    dialect = "ios"

    def __init__(self, device: Device, bound: str = "exact") -> None:
        self.source = device.source
        self.features = device.features
        self._device = device
        self._bound = bound
        self._times = {time_range.name: time_range for time_range in device.time_ranges}
        self._lists = {(access_list.name, access_list.family): access_list for access_list in device.lists}
        self._bound_lists = {
            (binding.interface, binding.direction, binding.family): binding.access_list for binding in device.bindings
        }
        self._stages: dict[tuple[str, Family, bool, bool], tuple[Stage, ...]] = {}
        if bound == "exact":
            self._refuse_unmodelled()

    def _refuse_unmodelled(self) -> None:
        errors = tuple(
            Unmodelled(f"{clause.text!r} is not modelled", clause.span)
            for access_list in self._device.lists
            for entry in access_list.entries
            for clause in entry.unmodelled
        )
        if errors:
            raise InputErrors(errors)

    def interfaces(self) -> frozenset[str]:
        """The interfaces that have a list."""
        return frozenset(binding.interface for binding in self._device.bindings)

    def stages(self, context: Context) -> tuple[Stage, ...]:
        """The in-list of the ingress, then the out-list of the egress; own packets meet none."""
        if context.path is Path.OUTPUT:
            return ()
        stages = self._bound_stages(context, context.ingress, Direction.IN)
        if context.path is Path.FORWARD:
            stages += self._bound_stages(context, context.egress, Direction.OUT)
        return stages

    def is_placed(self) -> bool:
        """Whether a list is bound."""
        return bool(self._device.bindings)

    def ways(self, context: Context) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        """The in-list of the ingress, and the out-list of the egress."""
        return (
            self._bound_stages(context, context.ingress, Direction.IN),
            self._bound_stages(context, context.egress, Direction.OUT),
        )

    def lists(self) -> tuple[ListName, ...]:
        """Each list by name and family."""
        return tuple(ListName(name, family) for name, family in self._lists)

    def standing(self, name: ListName) -> Standing:
        """Bound to an interface, named by another feature, or neither."""
        if any((binding.access_list, binding.family) == name[:2] for binding in self._device.bindings):
            return Standing.BOUND
        used = any(use.access_list == name.name for use in self._device.uses)
        return Standing.USED if used else Standing.FREE

    def list_stages(self, name: ListName, *, noninitial: bool) -> tuple[Stage, ...]:
        """One list alone."""
        return self._list(name.name, name.family, noninitial, decremented=False)

    def _bound_stages(self, context: Context, interface: str, direction: Direction) -> tuple[Stage, ...]:
        name = self._bound_lists.get((interface, direction, context.family))
        if name is None:
            return ()
        return self._list(name, context.family, context.noninitial, decremented=direction is Direction.OUT)

    def _list(self, name: str, family: Family, noninitial: bool, *, decremented: bool) -> tuple[Stage, ...]:
        key = (name, family, noninitial, decremented)
        if key not in self._stages:
            access_list = self._lists.get((name, family))
            # An undefined or empty list permits everything.
            if access_list is None or not access_list.entries:
                self._stages[key] = ()
            else:
                steps = tuple(self._steps(access_list, noninitial))
                self._stages[key] = (Stage(f"list {name}", steps, False, _IMPLICIT_DENY, decremented),)
        return self._stages[key]

    def _steps(self, access_list: AccessList, noninitial: bool) -> Iterator[Step]:
        for entry in access_list.entries:
            # Lower: an unknown permit matches nothing, an unknown deny everything; upper: reversed.
            if entry.unmodelled and entry.action.permits == (self._bound == "lower"):
                continue
            outcome = Outcome.PERMIT if entry.action.permits else Outcome.DENY
            for match in entry_matches(entry, self._times, noninitial=noninitial):
                yield Step(match, outcome, (), entry)
        if access_list.family is Family.IPV6:
            for match in NEIGHBOUR_DISCOVERY:
                # A permit that looks at layer 4: its non-initial fragments pass too.
                seen = without_layer4(match) if noninitial else match
                yield Step(seen, Outcome.PERMIT, (), None, IMPLICIT_DISCOVERY)
