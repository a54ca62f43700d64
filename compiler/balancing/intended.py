"""What the intent asks for each set of headers, told from the intent alone: proofs compare what was written with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from compiler.addresses import AddressSet, Wildcard
from compiler.balancing.checks import network_of
from compiler.fields import PORT_PROTOCOLS, Family
from compiler.integers import IntegerSet
from compiler.policy.balance import Balance, Method, Selection, TrafficClass
from compiler.policy.match import Match, layer4
from compiler.policy.network import Prefix
from compiler.source import NOWHERE, Span
from compiler.symbolic.space import PacketSpace

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Wanted", "WantedKind", "addresses", "atoms", "shares", "wanted_regions"]


class WantedKind(NamedTuple):
    """What is to become of a new connection: ``how`` with the class, uplink or table that it is about."""

    how: str
    """``none``, ``via``, ``only``, ``turns``, ``hash`` or ``table``."""
    name: str = ""
    traffic: TrafficClass | None = None


class Wanted(NamedTuple):
    """A set of headers and what is wanted of it. The sets of an intent are disjoint and make up everything."""

    region: BDDFunction
    kind: WantedKind
    span: Span = NOWHERE
    is_local: bool = False


def addresses(prefixes: Iterable[Prefix]) -> AddressSet:
    """The addresses of some networks."""
    return AddressSet.of(32, wildcards=[Wildcard.prefix(one.value, one.length, 32) for one in prefixes])


def _region(selection: Selection, space: PacketSpace) -> BDDFunction:
    match = Match(
        source=addresses(selection.sources) if selection.sources else None,
        destination=addresses(selection.destinations) if selection.destinations else None,
        protocol=None if selection.protocol is None else IntegerSet.values(selection.protocol),
        destination_port=selection.ports,
    )
    return space.encode(layer4(match))


def wanted_regions(balance: Balance, space: PacketSpace) -> Iterator[Wanted]:
    """The first that takes a connection decides: local, exceptions, name servers of one uplink, classes."""
    rest = space.possible
    own = [network.prefix for network in balance.networks] + list(balance.inside)
    own += [network_of(uplink.address) for uplink in balance.uplinks if uplink.address is not None]
    # Multicast and broadcast, and what no packet on a wire may have.
    own += [Prefix(Family.IPV4, 0xE0000000, 3), Prefix(Family.IPV4, 127 << 24, 8)]
    local = space.encode(Match(destination=addresses(own)))
    yield Wanted(rest & local, WantedKind("none"), is_local=True)
    rest = rest & ~local
    for one in balance.exceptions:
        region = rest & _region(one.selection, space)
        rest = rest & ~region
        how = ("only" if one.strict else "via") if one.uplink else "none"
        yield Wanted(region, WantedKind(how, one.uplink), one.span)
    for uplink in balance.uplinks:
        if uplink.name_servers:
            servers = AddressSet.of(32, ranges=[(host, host) for host in uplink.name_servers])
            region = rest & space.encode(Match(destination=servers))
            rest = rest & ~region
            yield Wanted(region, WantedKind("via", uplink.name), uplink.span)
    for traffic in balance.classes:
        region = rest & _region(traffic.selection, space)
        rest = rest & ~region
        yield from _of_class(traffic, region, space)


def _of_class(traffic: TrafficClass, region: BDDFunction, space: PacketSpace) -> Iterator[Wanted]:
    if traffic.method is Method.ADDRESS_LIST:
        for uplink, members in traffic.members:
            inside = region & space.encode(Match(source=addresses(members)))
            region = region & ~inside
            yield Wanted(inside, WantedKind("via", uplink), traffic.span)
        yield Wanted(region, WantedKind("via", traffic.otherwise), traffic.span)
    elif traffic.method is Method.NTH:
        yield Wanted(region, WantedKind("turns", traffic.name, traffic), traffic.span)
    elif traffic.method is Method.PCC:
        # What has ports and what has none hash different keys.
        ports = space.encode(Match(protocol=PORT_PROTOCOLS))
        yield Wanted(region & ports, WantedKind("hash", traffic.name, traffic), traffic.span)
        yield Wanted(region & ~ports, WantedKind("hash", traffic.name, traffic), traffic.span)
    else:
        yield Wanted(region, WantedKind("table", f"class-{traffic.name}", traffic), traffic.span)


def atoms(region: BDDFunction, cuts: Iterable[BDDFunction]) -> list[BDDFunction]:
    """The region, cut wherever one of the sets has its border."""
    found = [region] if region.satisfiable() else []
    for cut in cuts:
        parts = [part for atom in found for part in (atom & cut, atom & ~cut)]
        found = [part for part in parts if part.satisfiable()]
    return found


def shares(traffic: TrafficClass, balance: Balance) -> dict[str, Fraction]:
    """Each uplink's part of a class."""
    weights = {name: balance.uplink(name).weight for name in traffic.uplinks}
    total = sum(weights.values())
    return {name: Fraction(weight, total) for name, weight in weights.items()}
