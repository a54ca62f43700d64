"""The scene of a RouterOS script: which interfaces lead to ISPs, what must answer behind them, who is inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from compiler.addresses import format_address
from compiler.balancing.lints.roles import Inside as InsidePort
from compiler.balancing.lints.roles import Roles, Uplink, network_of, roles
from compiler.dialects.routeros.network import read_network
from compiler.dialects.routeros.reader import read
from compiler.errors import UsageError
from compiler.fields import TCP, UDP, Family
from compiler.policy.match import InterfaceSet
from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Prefix, Route
from compiler.policy.ruleset import Chain, ChainKind, Hook, Rule, Ruleset
from compiler.policy.stateful import Translate, Translation
from compiler.rehearsal.leases import leased
from compiler.rehearsal.scene import Forward, Inside, Line, Scene, assumed_of

__all__ = ["script_scene"]

_DEFAULT = Prefix(Family.IPV4, 0, 0)
_ASSUMED = tuple(InterfaceAddress(Family.IPV4, own, 24) for own in (0xC0A85801, 0xAC1D5801, 0x0ABC5801, 0xC0A8E901))
"""192.168.88.1, as the routers are delivered with, and others for when that is taken."""
_ASSUMED_NAME = "inside"
_MOST_NAMED = 16
"""Hosts inside that rules name, and that are clients therefore."""


def script_scene(
    text: str, source: str, version: int | None = None, inside: tuple[str, ...] = (), uplinks: tuple[str, ...] = ()
) -> Scene:
    """Read the script, and find its uplinks and networks. Raises InputErrors, and UsageError for no uplink."""
    ruleset = read(text, source, version=version, unmodelled="simulate")
    network = read_network(text, source, version=version)
    known = roles(text, source, version, inside, uplinks)
    names = known.uplink_names
    if not names:
        raise UsageError(f"{source}: no uplink: no default route, lease or masquerade leads to an interface")
    network = _with_ports(network, (*known.inside_names, *names))
    network, lines, notes = _lines(network, known)
    network, known, assumed = _with_inside(network, known)
    notes += assumed
    insides = tuple(_insides(known, ruleset))
    notes += assumed_of(lines)
    notes += [f"{other} is taken for {name}, which has the address" for other, name in known.aliases]
    ruleset = _renamed(ruleset, known)
    target = f"RouterOS {network.version}"
    return Scene(source, target, network, ruleset, lines, insides, tuple(_forwards(ruleset, lines)), None, tuple(notes))


def _with_ports(network: Network, names: Iterable[str]) -> Network:
    """Interfaces that only rules name are ports of the router too."""
    there = {port.name for port in network.interfaces}
    more = tuple(Interface(name) for name in names if name not in there)
    return replace(network, interfaces=(*network.interfaces, *more))


def _with_inside(network: Network, known: Roles) -> tuple[Network, Roles, list[str]]:
    """Pieces of scripts often give the inside no address: then it has one that nothing else in the script has."""
    if any(one.length <= 30 for port in known.inside for one in port.addresses):
        return network, known, []
    taken = [network_of(one) for port in network.interfaces for one in port.addresses if one.family is Family.IPV4]
    own = next(own for own in _ASSUMED if not any(network_of(own).contains(one.value) for one in taken))
    name = known.inside_names[0] if known.inside else _ASSUMED_NAME
    port = network.interface(name) or Interface(name)
    rest = tuple(one for one in network.interfaces if one.name != name)
    changed = replace(network, interfaces=(*rest, replace(port, addresses=(*port.addresses, own))))
    others = tuple(one for one in known.inside if one.interface != name)
    text = f"{name}: the script gives it no address, {format_address(own.address, 32)}/{own.length} assumed"
    return changed, known._replace(inside=(InsidePort(name, (own,)), *others)), [text]


def _renamed(ruleset: Ruleset, known: Roles) -> Ruleset:
    """Rules that call an interface by another name than the addresses do look at the one that they must mean."""
    if not known.aliases:
        return ruleset

    def ports(named: InterfaceSet | None) -> InterfaceSet | None:
        return None if named is None else named._replace(names=frozenset(known.name(name) for name in named.names))

    def rule(one: Rule) -> Rule:
        match = one.match
        return replace(one, match=match._replace(ingress=ports(match.ingress), egress=ports(match.egress)))

    def chain(one: Chain) -> Chain:
        return replace(one, rules=tuple(rule(each) for each in one.rules))

    return replace(ruleset, chains=tuple(chain(one) for one in ruleset.chains))


# -- uplinks ------------------------------------------------------------------------------


def _lines(network: Network, known: Roles) -> tuple[Network, tuple[Line, ...], list[str]]:
    lines, notes = [], []
    for number, uplink in enumerate(known.uplinks, 1):
        name = uplink.interface
        port = network.interface(name)
        assert port is not None
        addresses = tuple(one for one in port.addresses if one.family is Family.IPV4)
        gateways = tuple(_gateways(network, port))
        for_all = uplink.kind == "pppoe" or any(
            hop.address is None and hop.interface == name for route in network.routes for hop in route.next_hops
        )
        if not addresses:
            address, gateway = leased(number, alone=uplink.kind == "pppoe")
            addresses = (address,)
            notes.append(f"{name}: an address out of 100.64.0.0/10 stands for the one that the ISP would give")
            network = _leased(network, port, addresses, gateway if _gives_route(uplink) else None)
            gateways = (*gateways, *(() if gateway is None else (gateway,)))
        if not gateways and not for_all:
            gateways = (_next(addresses[0]),)
            notes.append(f"{name}: no route names a gateway there beside the router itself")
        lines.append(Line(name, name, addresses, gateways, answers_for_all=for_all, is_dialled=uplink.kind == "pppoe"))
    return network, tuple(lines), notes


def _gives_route(uplink: Uplink) -> bool:
    """Whether the lease makes a default route: yes, unless routes of the script lead there already."""
    return uplink.kind == "dhcp" and uplink.distance is None


def _gateways(network: Network, port: Interface) -> Iterator[int]:
    own = {one.address for other in network.interfaces for one in other.addresses}
    found: dict[int, None] = {}
    for route in network.routes:
        for hop in route.next_hops:
            if hop.address is None or hop.address in own:
                continue
            if hop.interface == port.name or (not hop.interface and _is_on(port, hop.address)):
                found[hop.address] = None
    return iter(found)


def _is_on(port: Interface, address: int) -> bool:
    return any(network_of(one).contains(address) for one in port.addresses if one.family is Family.IPV4)


def _next(one: InterfaceAddress) -> int:
    network = network_of(one).value
    return next(address for address in (network + 1, network + 2, network) if address != one.address)


def _leased(network: Network, port: Interface, addresses: tuple[InterfaceAddress, ...], gateway: int | None) -> Network:
    ports = tuple(replace(one, addresses=addresses) if one is port else one for one in network.interfaces)
    routes = network.routes
    if gateway is not None:
        routes = (*routes, Route(_DEFAULT, (NextHop(gateway),), comment="by DHCP"))
    return replace(network, interfaces=ports, routes=routes)


# -- inside, and port forwards ------------------------------------------------------------------


def _insides(known: Roles, ruleset: Ruleset) -> Iterator[Inside]:
    named = _named(ruleset)
    for port in known.inside:
        for one in port.addresses:
            prefix = network_of(one)
            if one.length <= 30:
                hosts = tuple(host for host in named if prefix.contains(host) and host != one.address)
                yield Inside(port.interface, one.address, prefix, hosts[:_MOST_NAMED])
                break


def _named(ruleset: Ruleset) -> list[int]:
    """The first address of each short list of sources in the rules."""
    found: dict[int, None] = {}
    for chain in ruleset.chains:
        for rule in chain.rules:
            source = rule.match.source
            if source is not None and not rule.disabled and not source.is_any and source.width == 32:
                for low, high in source.runs()[:16]:
                    if high - low < 256:
                        found[low + (high > low)] = None
    return list(found)


def _translating(ruleset: Ruleset, hook: Hook) -> Iterator[Rule]:
    for chain in ruleset.chains:
        if chain.kind is ChainKind.NAT and chain.hook is hook:
            yield from (rule for rule in chain.rules if not rule.disabled)


def _forwards(ruleset: Ruleset, lines: tuple[Line, ...]) -> Iterator[Forward]:
    for rule in _translating(ruleset, Hook.PREROUTING):
        for clause in rule.unmodelled:
            meaning = clause.meaning
            if not isinstance(meaning, Translate) or meaning.kind is not Translation.DESTINATION:
                continue
            ports, protocols = rule.match.destination_port, rule.match.protocol
            if not meaning.addresses or ports is None or protocols is None:
                continue
            protocol = next((number for number in (TCP, UDP) if protocols.contains(number)), None)
            port = ports.intervals[0][0]
            for line in lines:
                if protocol is not None and _takes(rule, line):
                    target = meaning.addresses[0]
                    host_port = meaning.ports[0] if meaning.ports else port
                    yield Forward(line.interface, protocol, port, target.first, host_port)


def _takes(rule: Rule, line: Line) -> bool:
    match = rule.match
    if match.ingress is not None and not match.ingress.contains(line.interface):
        return False
    return match.destination is None or any(match.destination.contains(one.address) for one in line.addresses)
