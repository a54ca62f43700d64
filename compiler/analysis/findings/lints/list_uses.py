"""Names: lists, groups and time ranges that are used and do not exist, or exist and are not used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from compiler.analysis.findings.finding import Finding
from compiler.analysis.findings.lints.catalogue import finding
from compiler.integers import is_number
from compiler.policy.access_list import Device, NetworkGroup, ServiceGroup, TimeRange

__all__ = ["group_findings", "list_findings", "time_range_findings"]

_WEEK = 7 * 24 * 60
_EPOCH = datetime(1970, 1, 1)
_EPOCH_DAY = 3  # 1970-01-01 was a Thursday


def list_findings(device: Device) -> Iterator[Finding]:
    """Lists that are bound and missing, empty, without a permit, or never used."""
    used = {binding.access_list for binding in device.bindings} | {use.access_list for use in device.uses}
    for binding in device.bindings:
        if device.find(binding.access_list, binding.family) is None:
            yield finding(
                "undefined-list",
                f"interface {binding.interface} has the list {binding.access_list} ({binding.direction.value}), "
                "which does not exist: IOS permits everything; define the list first",
                binding.span,
            )
    for use in device.uses:
        if device.find(use.access_list) is None and _is_ip_list(use.access_list):
            yield finding(
                "undefined-list",
                f"'{use.purpose}' names the list {use.access_list}, which does not exist in this text",
                use.span,
            )
    whole = bool(device.bindings or device.uses or device.interfaces)
    for access_list in device.lists:
        name = access_list.name
        if not access_list.entries:
            yield finding(
                "empty-list",
                f"the list {name} has no entries: where it is bound, IOS permits everything",
                access_list.span,
            )
        elif not any(entry.action.permits for entry in access_list.entries):
            yield finding(
                "no-permit",
                f"the list {name} has no permit, so the implicit deny at its end denies all the rest too",
                access_list.span,
            )
        if name not in used:
            hint = (
                "no interface, line, route-map, NAT rule, class-map or service names it"
                if whole
                else "this text has no interfaces; bind it with 'ip access-group' where its traffic comes in"
            )
            yield finding("never-bound", f"nothing uses the list {name}: {hint}", access_list.span)


def _is_ip_list(name: str) -> bool:
    """Whether the name can be one of an IP list; numbers of other protocols cannot."""
    if not is_number(name):
        return True
    number = int(name)
    return 1 <= number <= 199 or 1300 <= number <= 2699


def group_findings(device: Device) -> Iterator[Finding]:
    """Object groups that are missing or never used."""
    network = {group.name for group in device.network_groups}
    service = {group.name for group in device.service_groups}
    groups: tuple[NetworkGroup | ServiceGroup, ...] = (*device.network_groups, *device.service_groups)
    used: set[str] = set()
    for group in groups:
        used |= {member for member in group.members if isinstance(member, str)}
    for access_list in device.lists:
        for entry in access_list.entries:
            for name, known in (
                (entry.source_group, network),
                (entry.destination_group, network),
                (entry.service_group, service),
            ):
                if name:
                    used.add(name)
                    if name not in known:
                        yield finding(
                            "undefined-group",
                            f"the object group {name} does not exist: the entry matches nothing that can be known",
                            entry.span,
                        )
    for group in groups:
        if group.name not in used:
            yield finding("unused-group", f"nothing uses the object group {group.name}", group.span)


def time_range_findings(device: Device, now: datetime) -> Iterator[Finding]:
    """Time ranges that are missing, never used, never active, or over."""
    known = {time_range.name for time_range in device.time_ranges}
    used: set[str] = set()
    for access_list in device.lists:
        for entry in access_list.entries:
            if entry.time_range:
                used.add(entry.time_range)
                if entry.time_range not in known:
                    yield finding(
                        "undefined-time-range",
                        f"the time range {entry.time_range} does not exist: IOS keeps the entry ACTIVE at all times",
                        entry.span,
                    )
    minute = int((now - _EPOCH).total_seconds()) // 60
    for time_range in device.time_ranges:
        if time_range.name not in used:
            yield finding("unused-time-range", f"nothing uses the time range {time_range.name}", time_range.span)
        if not _ever_active(time_range):
            yield finding(
                "time-range-never-active",
                f"the time range {time_range.name} holds no minute: its entries never match",
                time_range.span,
            )
        elif time_range.date_minutes is not None and time_range.date_minutes.intervals[-1][1] < minute:
            yield finding(
                "time-range-expired",
                f"the time range {time_range.name} is over: its entries never match again",
                time_range.span,
            )


def _ever_active(time_range: TimeRange) -> bool:
    week, dates = time_range.week_minutes, time_range.date_minutes
    if week is None or dates is None:
        return all(one is None or one.intervals for one in (week, dates))
    for low, high in dates.intervals:
        if high - low + 1 >= _WEEK and week.intervals:
            return True
        first = (low + _EPOCH_DAY * 24 * 60) % _WEEK
        last = first + min(high - low, _WEEK)
        # The span of dates as one or two pieces of a week.
        for start, end in ((first, min(last, _WEEK - 1)), (0, last - _WEEK)):
            if any(one <= end and start <= other for one, other in week.intervals):
                return True
    return False
