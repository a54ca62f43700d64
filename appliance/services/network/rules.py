"""What is wrong between the records of a network: pure, over all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netaddr import IPNetwork

from appliance.contract.components import Severity
from appliance.contract.refusals import Value
from appliance.services.network.kinds import address, interface_address, network
from appliance.services.network.model import Interface, NetworkDescription, Route

__all__ = ["Problem", "connected", "problems"]


class Problem(NamedTuple):
    """``template`` is English with ``{names}``; ``place`` names the record: ``network.routes/uplink``."""

    place: str
    severity: Severity
    template: str
    values: dict[str, Value]


def problems(whole: NetworkDescription) -> tuple[Problem, ...]:
    """All of them, in the order of the records."""
    return (*_references(whole), *_addresses(whole), *_routes(whole), *_management(whole))


def connected(whole: NetworkDescription) -> Iterator[tuple[Interface, IPNetwork]]:
    """Each address of an interface that is enabled, with the length of its network."""
    for interface in whole.interfaces:
        if interface.enabled:
            for text in interface.addresses:
                yield interface, interface_address(text)


def _error(place: str, template: str, **values: Value) -> Problem:
    return Problem(place, Severity.ERROR, template, values)


def _references(whole: NetworkDescription) -> Iterator[Problem]:
    """The store holds these already; a description that was written by hand may not."""
    interfaces = {one.name for one in whole.interfaces}
    policies = {one.name for one in whole.policies}
    for kind, names in (
        ("interfaces", [one.name for one in whole.interfaces]),
        ("policies", [one.name for one in whole.policies]),
    ):
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield _error(f"network.{kind}/{name}", "{name} stands twice", name=name)
    for one in whole.interfaces:
        for policy in (one.filter_in, one.filter_out):
            if policy is not None and policy not in policies:
                yield _error(f"network.interfaces/{one.name}", "there is no policy {policy}", policy=policy)
    for kind, referring in (("routes", whole.routes), ("management", whole.management)):
        for other in referring:
            if other.interface is not None and other.interface not in interfaces:
                yield _error(
                    f"network.{kind}/{other.name}", "there is no interface {interface}", interface=other.interface
                )


def _addresses(whole: NetworkDescription) -> Iterator[Problem]:
    seen: list[tuple[Interface, IPNetwork]] = []
    for interface, found in connected(whole):
        place = f"network.interfaces/{interface.name}"
        for other, earlier in seen:
            if other.name == interface.name:
                continue
            if earlier.ip == found.ip:
                yield _error(place, "{address} is on {interface} too", address=str(found.ip), interface=other.name)
            elif earlier.version == found.version and (earlier.ip in found.cidr or found.ip in earlier.cidr):
                values: dict[str, Value] = {
                    "network": str(found.cidr),
                    "other": str(earlier.cidr),
                    "interface": other.name,
                }
                template = "the network {network} overlaps {other} of {interface}"
                yield Problem(place, Severity.WARNING, template, values)
        seen.append((interface, found))


def _routes(whole: NetworkDescription) -> Iterator[Problem]:
    seen: dict[tuple[str, int], str] = {}
    ways = list(connected(whole))
    disabled = {one.name for one in whole.interfaces if not one.enabled}
    for route in whole.routes:
        place = f"network.routes/{route.name}"
        key = (str(network(route.destination)), route.metric)
        if key in seen:
            yield _error(place, "the route {other} has the same destination and metric", other=seen[key])
        seen.setdefault(key, route.name)
        if route.interface in disabled:
            yield _error(place, "its interface {interface} is not enabled", interface=route.interface)
        elif route.gateway:
            yield from _gateway(route, place, ways)


def _gateway(route: Route, place: str, ways: list[tuple[Interface, IPNetwork]]) -> Iterator[Problem]:
    gateway = address(route.gateway)
    if gateway.version == 6 and gateway.is_link_local():
        return
    found = [(one, net) for one, net in ways if gateway in net.cidr and route.interface in (None, one.name)]
    if not found:
        where = f" of {route.interface}" if route.interface else ""
        yield _error(
            place,
            "the gateway {gateway} is in no network{where}: it cannot be reached",
            gateway=route.gateway,
            where=where,
        )
    elif any(net.ip == gateway for _, net in found):
        yield _error(place, "the gateway {gateway} is the appliance itself", gateway=route.gateway)


def _management(whole: NetworkDescription) -> Iterator[Problem]:
    """Answers must find their way back."""
    by_name = {one.name: one for one in whole.interfaces}
    for one in whole.management:
        place = f"network.management/{one.name}"
        interface = by_name.get(one.interface)
        if interface is None:
            continue
        if not interface.enabled or not interface.addresses:
            yield _error(
                place,
                "{interface} has no address or is not enabled: the appliance cannot be reached by it",
                interface=one.interface,
            )
            continue
        target = network(one.network)
        if not _has_way(whole, target):
            yield _error(place, "no route leads back to {network}", network=one.network)


def _has_way(whole: NetworkDescription, target: IPNetwork) -> bool:
    if whole.settings.balance:
        return True  # its uplinks are default routes
    networks = [found.cidr for _, found in connected(whole)]
    networks += [network(route.destination) for route in whole.routes if route.kind == "unicast"]
    return any(one.version == target.version and target in one for one in networks)
