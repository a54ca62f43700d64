"""A forwarding network from what is known of machines: their interfaces, addresses, static routes, and cables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from compiler.fields import Family
from compiler.policy.network import Network
from compiler.policy.stateful import AddressKind
from compiler.simulator.forwarding.network import ForwardingNetwork
from compiler.simulator.forwarding.values import ForwardingLink, ForwardingNode, Hop, NodeKind
from compiler.simulator.link import Wire
from compiler.simulator.neighbour_messages import group_link_address
from compiler.simulator.router.routes import Asked, Routes, checked

__all__ = ["Attachment", "Cable", "Description", "describe", "label"]


class Attachment(NamedTuple):
    """An end of a cable."""

    node: str
    interface: str


@dataclass(frozen=True, slots=True)
class Cable:
    """A link: ``wires`` from the first end to the second, and back."""

    name: str
    ends: tuple[Attachment, Attachment]
    wires: tuple[Wire, Wire]


@dataclass(frozen=True, slots=True)
class Description:
    """Machines and cables. ``hosts`` have networks like routers (a default route, as a rule), but forward nothing.

    Neighbours are taken to know each other, and switches to know everyone's
    port, as they do once ARP has been through.
    """

    routers: Mapping[str, Network]
    hosts: Mapping[str, Network]
    switches: frozenset[str]
    cables: tuple[Cable, ...]
    seed: str = "1"
    """Of the losses, as :class:`compiler.simulator.link.Link` takes it."""
    owners: Mapping[tuple[Family, int], Attachment] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        owners: dict[tuple[Family, int], Attachment] = {}
        for name, network in self.machines.items():
            for interface in network.interfaces:
                for one in interface.addresses:
                    end = Attachment(name, interface.name)
                    if owners.setdefault((one.family, one.address), end) != end:
                        raise ValueError(f"{one.address:#x} is an address of {name} and of another interface")
        object.__setattr__(self, "owners", owners)

    @property
    def machines(self) -> dict[str, Network]:
        """Routers and hosts."""
        return {**self.routers, **self.hosts}


def label(family: Family, address: int) -> str:
    """The name of an address as a flow's destination."""
    return f"{family.name.lower()}/{address:x}"


def describe(description: Description, destinations: Iterable[tuple[Family, int]]) -> ForwardingNetwork:
    """The network that carries packets to these addresses as the described machines do.

    Flows have :func:`label` of an address as their destination. Where a
    machine has no route, or its next hop is not there, packets are dropped.

    Raises ValueError for what is not static forwarding: routing rules, policy
    routing, several next hops, checked gateways, translations, interfaces that are off;
    for a switched network with a loop; for destinations that are groups.
    """
    wanted = tuple(dict.fromkeys(destinations))
    for family, address in wanted:
        if group_link_address(family, address) is not None:
            raise ValueError(f"{address:#x} is the address of a group: only single destinations are compiled")
    machines = description.machines
    for name, network in machines.items():
        _check_static(name, network)
    outgoing = _outgoing(description)
    links = {link.name: link for link in outgoing.values()}
    next_hops: dict[tuple[str, str], Hop] = {}
    switching: dict[tuple[str, str], str] = {}
    for name, network in machines.items():
        ports = {end.interface for end in outgoing if end.node == name}
        routes = Routes(network, ports.__contains__, lambda *_: True)
        if routes.has_multipath:
            raise ValueError(f"{name} has a route with several next hops: only static ones are compiled")
        for family, address in wanted:
            way = routes.find(Asked(family, 0, address))
            if way.kind is AddressKind.BROADCAST:
                raise ValueError(f"{address:#x} is a broadcast address at {name}")
            if way.kind is not AddressKind.UNICAST:
                continue
            hop = _hop(description, outgoing, switching, Attachment(name, way.interface), (family, way.next_hop))
            if hop is not None:
                next_hops[name, label(family, address)] = hop
    kinds = {**dict.fromkeys(description.routers, NodeKind.ROUTER), **dict.fromkeys(description.hosts, NodeKind.HOST)}
    nodes = [ForwardingNode(name, kind) for name, kind in kinds.items()]
    nodes += [ForwardingNode(name, NodeKind.SWITCH) for name in sorted(description.switches)]
    owned = {label(*one): description.owners[one].node for one in wanted if one in description.owners}
    unowned = [label(*one) for one in wanted if one not in description.owners]
    return ForwardingNetwork(
        nodes, tuple(links.values()), next_hops, switching=switching, addresses=owned, unowned=unowned
    )


def _check_static(name: str, network: Network) -> None:
    unfit = [
        ("routing rules", network.rules),
        ("policy routing", [one for one in network.interfaces if one.policy]),
        ("translations", network.static_translations or network.dynamic_translations),
        ("checked gateways", tuple(checked(network.routes))),
        ("interfaces that are off", [one for one in network.interfaces if not one.enabled]),
    ]
    for what, found in unfit:
        if found:
            raise ValueError(f"{name} has {what}: only static forwarding is compiled")


def _outgoing(description: Description) -> dict[Attachment, ForwardingLink]:
    """The link that leaves each attachment."""
    found: dict[Attachment, ForwardingLink] = {}
    machines = description.machines
    for cable in description.cables:
        for way, (here, there), wire in (
            ("forward", cable.ends, cable.wires[0]),
            ("backward", cable.ends[::-1], cable.wires[1]),
        ):
            if here in found:
                raise ValueError(f"{here.node}:{here.interface} has a link already")
            mtu = None
            if here.node in machines:
                interface = machines[here.node].interface(here.interface)
                mtu = interface.mtu if interface is not None else 1500
            seed = f"{description.seed}/{cable.name}/{way}"
            found[here] = ForwardingLink(f"{cable.name}/{way}", here.node, there.node, wire, seed, mtu)
    return found


def _hop(
    description: Description,
    outgoing: Mapping[Attachment, ForwardingLink],
    switching: dict[tuple[str, str], str],
    egress: Attachment,
    next_hop: tuple[Family, int],
) -> Hop | None:
    """The hop to a neighbour, None where it is not there; notes what the switches between need."""
    neighbour = description.owners.get(next_hop)
    if neighbour is None or egress not in outgoing:
        return None
    name = f"{neighbour.node}:{neighbour.interface}"
    first = outgoing[egress]
    if first.target not in description.switches:
        there = _far_end(description, egress)
        return Hop(first.name) if there == neighbour else None
    ways = _through_switches(description, outgoing, _far_end(description, egress), neighbour)
    if ways is None:
        return None
    for link in ways:
        switching[link.source, name] = link.name
    return Hop(first.name, name)


def _through_switches(
    description: Description,
    outgoing: Mapping[Attachment, ForwardingLink],
    entered: Attachment,
    neighbour: Attachment,
) -> list[ForwardingLink] | None:
    """The links from the switch that was entered to the neighbour. ValueError where switches form a loop."""
    found: list[ForwardingLink] | None = None
    seen = {entered.node}
    waiting: list[tuple[Attachment, list[ForwardingLink]]] = [(entered, [])]
    while waiting:
        ingress, ways = waiting.pop()
        for end, link in outgoing.items():
            if end.node != ingress.node or end == ingress:
                continue
            there = _far_end(description, end)
            if there == neighbour:
                found = [*ways, link]
            if there.node in description.switches:
                if there.node in seen:
                    raise ValueError(f"the switches {ingress.node} and {there.node} are in a loop")
                seen.add(there.node)
                waiting.append((there, [*ways, link]))
    return found


def _far_end(description: Description, end: Attachment) -> Attachment:
    return next(cable.ends[1 - cable.ends.index(end)] for cable in description.cables if end in cable.ends)
