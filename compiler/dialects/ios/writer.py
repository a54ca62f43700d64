"""The tree -> a Cisco IOS configuration that may be pasted twice.

Order: what is named comes before what names it, and a list has all its entries
before an interface is bound to it, so that it never fails open. Entries have
explicit sequence numbers, so that a second paste changes nothing. Ports, ICMP
types and code points are numbers.

Lines that use lists for other purposes (NAT, access-class) are not written:
the tree keeps only that they are there.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.dialects.ios.clock_lines import time_range_lines
from compiler.dialects.ios.entry_lines import Groups
from compiler.dialects.ios.group_lines import inner_first, network_lines, service_lines
from compiler.dialects.ios.interfaces import interface_name
from compiler.dialects.ios.list_lines import list_lines
from compiler.dialects.ios.names import is_word, list_name_fault
from compiler.dialects.ios.phrases import Unsayable
from compiler.errors import CannotSay, Refusal
from compiler.fields import ICMPV6, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Binding, Device, NetworkGroup, ServiceGroup
from compiler.rendering import render
from compiler.source import NOWHERE, Span

__all__ = ["write"]


def write(device: Device, header: tuple[str, ...] = ()) -> str:
    """The whole configuration; ``header`` lines become comments at its head.

    Raises CannotSay with all that IOS has no words for.
    """
    writing = _Writing(device)
    lines = list(writing.lines())
    if writing.refusals:
        raise CannotSay("Cisco IOS", tuple(writing.refusals))
    comments = [line for text in header for line in text.splitlines() or [""]]
    return render("ios/device.ios.j2", header=comments, lines=lines)


class _Writing:
    """One device while it is written; collects what cannot be said."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.refusals: list[Refusal] = []
        self.groups = Groups(
            {group.name: group for group in device.network_groups},
            {group.name: group for group in device.service_groups},
        )

    def lines(self) -> Iterator[str]:
        """All lines in a safe order."""
        if self.device.hostname:
            yield from ("!", f"hostname {self.device.hostname}")
            if not is_word(self.device.hostname):
                self._refuse(f"the hostname {self.device.hostname!r}", "IOS cannot have this name", NOWHERE)
        yield from self._time_ranges()
        for network in inner_first(self.device.network_groups):
            kind = "v6-network" if network.addresses.width == 128 else "network"
            yield from self._group(kind, network, network_lines(network))
        families = self._service_families()
        for service in inner_first(self.device.service_groups):
            family = families.get(service.name, Family.IPV4)
            kind = "v6-service" if family is Family.IPV6 else "service"
            yield from self._group(kind, service, service_lines(service, family))
        for access_list in self.device.lists:
            fault = list_name_fault(access_list.name, access_list.family, access_list.kind)
            if fault:
                self._refuse(f"the list name {access_list.name!r}", fault, access_list.span)
            yield "!"
            yield from list_lines(access_list, self.groups, self.refusals.append)
        yield from self._interfaces()

    def _refuse(self, what: str, why: str, span: Span) -> None:
        self.refusals.append(Refusal(what, why, span))

    def _block(self, header: str, name: str, span: Span, lines: Iterator[str]) -> Iterator[str]:
        """A header with its lines; a name or a line that IOS cannot have is refused."""
        if not is_word(name):
            self._refuse(f"the name {name!r}", "IOS cannot have it", span)
        yield from ("!", f"{header} {name}")
        try:
            for line in lines:
                yield f" {line}"
        except Unsayable as unsayable:
            self._refuse(f"{header} {name}: {unsayable.what}", unsayable.why, span)

    def _time_ranges(self) -> Iterator[str]:
        for time_range in self.device.time_ranges:
            yield from self._block("time-range", time_range.name, time_range.span, time_range_lines(time_range))

    def _group(self, kind: str, group: NetworkGroup | ServiceGroup, members: Iterator[str]) -> Iterator[str]:
        description = " ".join(group.description.split())
        lines = [f"description {description}"] if description else []

        def all_lines() -> Iterator[str]:
            yield from lines
            yield from members

        yield from self._block(f"object-group {kind}", group.name, group.span, all_lines())

    def _service_families(self) -> dict[str, Family]:
        """Service groups of IPv6: those that IPv6 lists use, and those with messages of ICMPv6."""
        found: dict[str, Family] = {}

        def mark(name: str) -> None:
            group = self.groups.service.get(name)
            if group is None or name in found:
                return
            found[name] = Family.IPV6
            for member in group.members:
                if isinstance(member, str):
                    mark(member)

        for access_list in self.device.lists:
            if access_list.family is Family.IPV6:
                for name in {entry.service_group for entry in access_list.entries}:
                    mark(name)
        only = IntegerSet.values(ICMPV6)
        for group in self.device.service_groups:
            if any(match.protocol == only and match.icmp_type is not None for match in group.matches):
                mark(group.name)
        return found

    def _interfaces(self) -> Iterator[str]:
        """Every interface with its bindings: the last thing, when all lists are complete."""
        bindings: dict[str, list[Binding]] = {name: [] for name in self.device.interfaces}
        for binding in self.device.bindings:
            bindings.setdefault(binding.interface, []).append(binding)
        for name, bound in bindings.items():
            span = bound[0].span if bound else NOWHERE
            meant = interface_name(name)
            if not is_word(name):
                self._refuse(f"the interface name {name!r}", "IOS cannot have it", span)
            elif meant != name:
                self._refuse(f"the interface name {name}", f"IOS completes it to {meant}", span)
            yield from ("!", f"interface {name}")
            for binding in bound:
                command = "ip access-group" if binding.family is Family.IPV4 else "ipv6 traffic-filter"
                if not is_word(binding.access_list):
                    self._refuse(f"the list name {binding.access_list!r}", "IOS cannot have it", binding.span)
                yield f" {command} {binding.access_list} {binding.direction.value}"
