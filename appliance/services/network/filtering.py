"""From policies to the nft file of the appliance: read, bound to interfaces, compiled, and proved equal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from appliance.contract.components import Severity
from appliance.services.network.kinds import interface_address
from appliance.services.network.model import Interface, NetworkDescription, Policy
from appliance.services.network.rules import Problem
from compiler.analysis.compilation import FailedProof, compile_tree
from compiler.analysis.equivalence.report import Report
from compiler.dialects.ios.reader import read as read_ios
from compiler.errors import CannotSay, GerbangError, InputError, InputErrors
from compiler.fields import Family
from compiler.lowering.options import Deny, Fragments, Options
from compiler.policy.access_list import AccessList, Binding, Device, Direction, TimeRange

__all__ = ["TABLE", "Filter", "compile_filter", "error_problems"]

TABLE = "gerbang"
"""The name of the tables of nft that are ours: one of ``ip``, one of ``ip6``."""
_MARK = "@"
"""Before the names of our interfaces in the tree: else ``eth0`` would be IOS's Ethernet0."""


class Filter(NamedTuple):
    """What came of it. The text is empty when no interface has a filter, or something is wrong."""

    text: str
    report: Report | None
    problems: tuple[Problem, ...]


def compile_filter(whole: NetworkDescription) -> Filter:
    """Compile and prove. What is wrong is told as problems, each with the line of its policy; nothing is raised."""
    found: list[Problem] = []
    devices = {policy.name: device for policy in whole.policies if (device := _read(policy, found)) is not None}
    bindings = tuple(_bindings(whole, devices, found))
    names = {one.access_list for one in bindings}
    lists = tuple(one for name, device in devices.items() if name in names for one in _lists(device, name))
    ranges = _time_ranges([device for name, device in devices.items() if name in names], found)
    if any(one.severity is Severity.ERROR for one in found) or not bindings:
        return Filter("", None, tuple(found))
    device = Device("the policies", lists, bindings, time_ranges=ranges)
    options = Options(
        interfaces={one.interface: one.interface.removeprefix(_MARK) for one in bindings},
        deny=Deny.REJECT if whole.settings.reject else Deny.DROP,
        fragments=Fragments(whole.settings.fragments),
        counted=True,
    )
    try:
        done = compile_tree(device, "nftables", options)
    except CannotSay as error:
        found += [
            _problem(str(one.span) if one.span.line else "network.policies", f"{one.what}: {one.why}")
            for one in error.refusals
        ]
    except FailedProof as error:
        found.append(_problem("network.policies", "\n".join([str(error), *error.report.lines()])))
    except GerbangError as error:
        found += error_problems("network.policies", error)
    else:
        return Filter(done.text, done.report, tuple(found))
    return Filter("", None, tuple(found))


def _read(policy: Policy, found: list[Problem]) -> Device | None:
    """The tree of one policy, or None with what is wrong."""
    place = f"network.policies/{policy.name}"
    try:
        device = read_ios(policy.text, place)
    except GerbangError as error:
        found += error_problems(place, error)
        return None
    for binding in device.bindings:
        text = "a policy binds nothing itself: name it on interface {interface}"
        found.append(Problem(str(binding.span), Severity.ERROR, text, {"interface": binding.interface}))
    if not tuple(_lists(device, policy.name)):
        text = "no access list here has the name of the policy, {name}"
        found.append(Problem(place, Severity.ERROR, text, {"name": policy.name}))
    for other in device.lists:
        if other.name != policy.name:
            text = "the list {name} is not the policy's own, and does nothing"
            found.append(Problem(str(other.span), Severity.WARNING, text, {"name": other.name}))
    return device


def _lists(device: Device, name: str) -> Iterator[AccessList]:
    return (one for one in device.lists if one.name == name)


def _bindings(whole: NetworkDescription, devices: dict[str, Device], found: list[Problem]) -> Iterator[Binding]:
    for interface in whole.interfaces:
        for policy, direction in ((interface.filter_in, Direction.IN), (interface.filter_out, Direction.OUT)):
            if policy is None or policy not in devices:
                continue
            lists = {one.family: one for one in _lists(devices[policy], policy)}
            for family, access_list in lists.items():
                yield Binding(f"{_MARK}{interface.name}", direction, family, policy, access_list.span)
            found += _unfiltered(interface, policy, lists)


def _unfiltered(interface: Interface, policy: str, lists: dict[Family, AccessList]) -> Iterator[Problem]:
    """Families that the interface speaks and the policy says nothing of."""
    spoken = {interface_address(text).version for text in interface.addresses}
    for family in Family:
        if family not in lists and family.value in spoken:
            yield Problem(
                f"network.interfaces/{interface.name}",
                Severity.WARNING,
                "the policy {policy} has no list for IPv{family}, which is not filtered here",
                {"policy": policy, "family": family.value},
            )


def _time_ranges(devices: list[Device], found: list[Problem]) -> tuple[TimeRange, ...]:
    ranges: dict[str, TimeRange] = {}
    for one in (one for device in devices for one in device.time_ranges):
        other = ranges.setdefault(one.name, one)
        if (other.week_minutes, other.date_minutes) != (one.week_minutes, one.date_minutes):
            text = "the time range {name} is another at {place}"
            found.append(Problem(str(one.span), Severity.ERROR, text, {"name": one.name, "place": str(other.span)}))
    return tuple(ranges.values())


def error_problems(place: str, error: GerbangError) -> Iterator[Problem]:
    """What the compiler refused, each with its place, or this one."""
    errors = error.errors if isinstance(error, InputErrors) else (error,)
    for one in errors:
        if isinstance(one, InputError):
            yield _problem(str(one.span) if one.span.line else place, one.message)
        else:
            yield _problem(place, str(one))


def _problem(place: str, text: str) -> Problem:
    """The compiler's own words are values: they may have braces."""
    plain = re.sub(rf"{_MARK}(?=\w)", "", text)
    return Problem(place, Severity.ERROR, "{what}", {"what": plain})
