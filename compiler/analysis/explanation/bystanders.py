"""Lines that a stage leaves out because its context already says no: for traces that name every earlier line.

The machine drops entries that cannot apply to a fragment, and rules of other
interfaces. A trace walks the stage and asks here what stood between its steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.analysis.explanation.mismatch import mismatch
from compiler.policy.access_list import Device, Entry
from compiler.policy.packet import Packet
from compiler.policy.ruleset import Rule, Ruleset, Verdict

__all__ = ["Bystander", "Bystanders"]


class Bystander(NamedTuple):
    """A line that is no step, and why the packet passes it by."""

    line: Entry | Rule
    reason: str


class Bystanders:
    """Where each line of a tree stands, and up to where each list has been walked."""

    def __init__(self, tree: Device | Ruleset | None, packet: Packet) -> None:
        self._packet = packet
        self._containers: list[tuple[Entry | Rule, ...]] = []
        if isinstance(tree, Device):
            self._containers = [access_list.entries for access_list in tree.lists]
        elif tree is not None:
            self._containers = [chain.rules for chain in tree.chains]
        self._place = {
            id(line): (number, position)
            for number, lines in enumerate(self._containers)
            for position, line in enumerate(lines)
        }
        self._next: dict[int, int] = {}

    def before(self, line: Entry | Rule) -> Iterator[Bystander]:
        """The lines between the last one asked about and this one."""
        place = self._place.get(id(line))
        if place is None:
            return
        number, position = place
        yield from self._between(number, position)
        self._next[number] = max(position + 1, self._next.get(number, 0))

    def remaining(self) -> Iterator[Bystander]:
        """What stands behind the last step of each list that was walked."""
        for number in tuple(self._next):
            yield from self._between(number, len(self._containers[number]))
            self._next[number] = len(self._containers[number])

    def _between(self, number: int, end: int) -> Iterator[Bystander]:
        for line in self._containers[number][self._next.get(number, 0) : end]:
            reason = _entry_reason(line, self._packet) if isinstance(line, Entry) else _rule_reason(line, self._packet)
            if reason:
                yield Bystander(line, reason)


def _entry_reason(entry: Entry, packet: Packet) -> str:
    if entry.fragments and not packet.noninitial:
        return "'fragments': the packet is whole or a first fragment"
    if packet.noninitial and not entry.fragments and not entry.action.permits:
        return "a deny that looks at layer 4 skips fragments other than the first"
    return next((reason for match in entry.matches if (reason := mismatch(match, packet))), "")


def _rule_reason(rule: Rule, packet: Packet) -> str:
    """Empty for a matching jump: its chain's rules are steps of their own."""
    if rule.disabled:
        return "is disabled"
    reason = mismatch(rule.match, packet)
    if not reason and rule.verdict is Verdict.CONTINUE:
        return "matches, and only counts or logs"
    return reason
