"""What only the whole lab shows: cables that lead nowhere, addresses that stand twice, neighbours without a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from compiler.balancing.plan import port_of
from compiler.fields import Family
from compiler.placed.addresses import show
from compiler.placed.complaints import Complaints
from compiler.policy.balance import Uplink
from compiler.policy.network import Route
from compiler.source import Span
from labs.reading.activities import SERVICE_OF
from labs.reading.asked_times import check_times
from labs.reading.program_checks import check_programs
from labs.reading.services import SERVICES
from labs.topology import Attachment, Lab, Link, Node, NodeKind, Traffic, TrafficKind

__all__ = ["check"]


_LEAST_IPV6_MTU = 1280
_FAILURES = frozenset({"refused", "failed", "filtered"})


class _Address(NamedTuple):
    node: str
    interface: str
    family: Family
    address: int
    length: int
    span: Span

    def shares_network(self, other: _Address) -> bool:
        """Whether each finds the other on its link."""
        shift = self.family.width - max(self.length, other.length)
        short = self.family.width - min(self.length, other.length)
        return self.address >> short == other.address >> short or self.address >> shift == other.address >> shift

    def reaches(self, address: int) -> bool:
        """Whether the address lies in the network of this one."""
        shift = self.family.width - self.length
        return self.address >> shift == address >> shift


def check(lab: Lab, complaints: Complaints) -> None:
    """Complain about what does not fit together."""
    addresses = {node.name: tuple(_addresses(node)) for node in lab.nodes}
    plugged = {end for link in lab.links for end in link.ends}
    for node in lab.nodes:
        _check_plugs(node, plugged, complaints)
        _check_own(node, addresses[node.name], complaints)
        _check_intent(node, plugged, complaints)
    for segment in _segments(lab):
        _check_segment(segment, addresses, complaints)
    for link in lab.links:
        if link.ends[0].node == link.ends[1].node:
            complaints.error(f"both ends of {link.name} are on {link.ends[0].node}", link.span)
        _check_mtu(link, addresses, complaints)
    _check_rings(lab, complaints)
    expected = [dict(one.arguments).get("traffic") for one in lab.assertions if one.word in _FAILURES]
    for traffic in lab.traffic:
        if not any(fnmatchcase(traffic.name, str(pattern)) for pattern in expected):
            _check_service(traffic, lab.node(traffic.server), complaints)
        if traffic.start >= lab.duration:
            complaints.error(f"{traffic.name} begins when the lab is over", traffic.span)
    for fault in lab.faults:
        if fault.at >= lab.duration:
            complaints.error(f"this happens to {fault.target} when the lab is over", fault.span)
    check_times(lab, complaints)
    check_programs(lab, complaints)


def _check_mtu(link: Link, addresses: Mapping[str, tuple[_Address, ...]], complaints: Complaints) -> None:
    """RFC 8200, section 5: no link of IPv6 carries less than 1280 octets. Linux takes no IPv6 address there."""
    if link.mtu >= _LEAST_IPV6_MTU:
        return
    for end in link.ends:
        if any(one.family is Family.IPV6 and one.interface == end.interface for one in addresses[end.node]):
            complaints.error(
                f"{link.name} has an MTU of {link.mtu}, and {end.node}:{end.interface} an IPv6 address: "
                f"IPv6 needs {_LEAST_IPV6_MTU}",
                link.span,
            )
            return


def _check_rings(lab: Lab, complaints: Complaints) -> None:
    """Warn where a cable closes a ring of switches: one broadcast goes round it until the lab is over."""
    switches = {node.name for node in lab.nodes if node.kind is NodeKind.SWITCH}
    joined = {name: {name} for name in switches}
    for link in lab.links:
        first, second = (end.node for end in link.ends)
        if not (first in switches and second in switches and link.is_up) or first == second:
            continue
        if joined[first] is joined[second]:
            complaints.warn(f"{link.name} closes a ring of switches, and they speak no spanning tree", link.span)
            continue
        joined[first] |= joined[second]
        for name in joined[second]:
            joined[name] = joined[first]


def _check_service(traffic: Traffic, server: Node | None, complaints: Complaints) -> None:
    """Warn where nothing listens: refusals are worth testing, but then an assertion says so."""
    if server is None or traffic.kind in (TrafficKind.PING, TrafficKind.TRACEROUTE, TrafficKind.RUN):
        return
    protocol = "udp" if traffic.kind in (TrafficKind.UDP, TrafficKind.DNS) else "tcp"
    ports = {service.port: service.name for service in server.services if SERVICES[service.name].protocol == protocol}
    wanted = SERVICE_OF.get(traffic.kind)
    if traffic.port not in ports:
        complaints.warn(f"nothing serves {protocol} port {traffic.port} of {server.name}", traffic.span)
    elif wanted is not None and ports[traffic.port] != wanted:
        complaints.warn(f"{protocol} port {traffic.port} of {server.name} is {ports[traffic.port]}", traffic.span)


def _addresses(node: Node) -> Iterator[_Address]:
    if node.configuration is None:
        for one in node.addresses:
            yield _Address(node.name, one.interface, one.family, one.address, one.length, node.span)
        return
    for interface in node.configuration.network.interfaces:
        for own in interface.addresses:
            yield _Address(node.name, interface.name, *own, node.span)


def _check_plugs(node: Node, plugged: set[Attachment], complaints: Complaints) -> None:
    ends = [name for name in node.interfaces if Attachment(node.name, name) in plugged]
    if not ends:
        complaints.error(f"{node.name} is on no link", node.span)
        return
    if node.kind is NodeKind.SWITCH:
        return
    from_configuration = node.configuration is not None and node.configuration.policy is not None
    for name in node.interfaces:
        interface = node.configuration.network.interface(name) if node.configuration else None
        # A device has ports that no cable is in; what the lab file itself names is meant to have one.
        if name in ends or (from_configuration and interface and interface.span.source != node.span.source):
            continue
        place = interface.span if interface is not None else node.span
        complaints.error(f"{node.name}:{name} is plugged in nowhere", place)


def _check_intent(node: Node, plugged: set[Attachment], complaints: Complaints) -> None:
    """Warn of what an intent is about and no cable leads to: its interface has another name, or is missing here."""
    if node.balance is None:
        return
    for end in node.balance.plan.balance.ends:
        name = port_of(end) if isinstance(end, Uplink) else end.interface
        if Attachment(node.name, name) not in plugged:
            place = node.balance.span
            complaints.warn(f"{name} of {node.balance.intent.name} is plugged in nowhere in this lab", place)


def _check_own(node: Node, addresses: tuple[_Address, ...], complaints: Complaints) -> None:
    seen: dict[tuple[Family, int], str] = {}
    for one in addresses:
        key = one.family, one.address
        if key in seen:
            where = f"{seen[key]} and {one.interface}"
            complaints.error(f"{node.name} has {show(*key)} twice, on {where}", node.span)
        seen[key] = one.interface
    if node.configuration is None:
        return
    for route in node.configuration.network.routes:
        if route.span.source == node.span.source:
            _check_route(node, route, addresses, complaints)
    for rule in node.configuration.network.rules:
        if rule.span.source == node.span.source and rule.ingress and rule.ingress not in node.interfaces:
            complaints.error(f"{node.name} has no interface {rule.ingress!r}", rule.span)


def _check_route(node: Node, route: Route, addresses: tuple[_Address, ...], complaints: Complaints) -> None:
    for hop in route.next_hops:
        if hop.interface and hop.interface not in node.interfaces:
            complaints.error(f"{node.name} has no interface {hop.interface!r}", route.span)
        if hop.address is None or not addresses:
            continue
        near = [one for one in addresses if one.family is route.prefix.family and one.reaches(hop.address)]
        if not near:
            gateway = show(route.prefix.family, hop.address)
            complaints.error(f"the gateway {gateway} is in none of the networks of {node.name}", route.span)
        elif any(one.address == hop.address for one in near):
            complaints.error(f"the gateway {show(route.prefix.family, hop.address)} is {node.name} itself", route.span)


# -- segments -----------------------------------------------------------------------


def _segments(lab: Lab) -> Iterable[list[Attachment]]:
    """The interfaces that hear each other: joined by links and switches."""
    root: dict[object, object] = {}

    def find(one: object) -> object:
        while root.setdefault(one, one) != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    switches = {node.name for node in lab.nodes if node.kind is NodeKind.SWITCH}
    groups: dict[object, list[Attachment]] = defaultdict(list)
    for link in lab.links:
        ends = [end.node if end.node in switches else end for end in link.ends]
        root[find(ends[0])] = find(ends[1])
    for link in lab.links:
        for end in _stations(link, switches):
            groups[find(end)].append(end)
    return groups.values()


def _stations(link: Link, switches: set[str]) -> Iterator[Attachment]:
    return (end for end in link.ends if end.node not in switches)


def _check_segment(
    segment: list[Attachment], addresses: Mapping[str, tuple[_Address, ...]], complaints: Complaints
) -> None:
    here = [one for end in segment for one in addresses[end.node] if one.interface == end.interface]
    seen: dict[tuple[Family, int], _Address] = {}
    for one in here:
        key = one.family, one.address
        if key in seen and seen[key].node != one.node:
            complaints.error(
                f"{show(*key)} of {one.node} is {seen[key].node}'s too (line {seen[key].span.line}), on the same link",
                one.span,
            )
        seen.setdefault(key, one)
    networks = {(one.family, one.length, one.address >> (one.family.width - one.length)) for one in here}
    if len(networks) < 2:
        return
    for family in Family:
        _check_neighbours([one for one in here if one.family is family], complaints)


def _check_neighbours(here: list[_Address], complaints: Complaints) -> None:
    """Every address needs a neighbour in its network, where there is any neighbour at all."""
    if len({one.node for one in here}) < 2:
        return
    for one in here:
        if not any(one.shares_network(other) for other in here if other.node != one.node):
            neighbour = next(other for other in here if other.node != one.node)
            complaints.error(
                f"{one.node}:{one.interface} has {_with_length(one)}, but its link leads to "
                f"{neighbour.node} with {_with_length(neighbour)}: they share no network",
                one.span,
            )


def _with_length(one: _Address) -> str:
    return f"{show(one.family, one.address)}/{one.length}"
