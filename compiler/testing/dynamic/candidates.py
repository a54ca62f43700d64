"""Which packets are tried where a proof ends: those of rules that would refute the claim, the plainest,
those at the corners of rules, then some by chance.

Of a device that proofs can read the corners are those of what each rule really
decides (:mod:`compiler.testing.sampling`); of another, those of what each rule
asks for, where the set has such packets.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet
from compiler.fields import ICMP, ICMPV6, TCP, WIDTH, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Device
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.packet import Packet, Path
from compiler.policy.ruleset import Ruleset
from compiler.policy.stateful import Translate, Translation
from compiler.semantics.machine import Context
from compiler.symbolic.space import PacketSpace, space
from compiler.testing.networks.ends import Place, addresses_of
from compiler.testing.networks.model import HostEnd, NetworkModel, RouterEnd

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.testing.headers import Headers

__all__ = ["candidates", "context_for", "doors", "drawn", "openings", "plain_class", "region_of"]

_FIELDS = ("source", "destination", "destination_port", "source_port", "protocol", "icmp_type")
_MOST_READ = 200
"""Rules of a device up to which what each really decides is worked out."""
_TTL = 64
_INWARDS = (Translation.DESTINATION, Translation.NETMAP_DESTINATION)
_OPENING_MESSAGES = {ICMP: (8, 13, 15, 17), ICMPV6: (128, 139)}
"""ICMP messages that begin a connection (Linux, ``nf_conntrack_proto_icmp.c`` and ``…icmpv6.c``)."""
_DISCOVERY = IntegerSet.of(((130, 137), (141, 143), (148, 149), (151, 153)))
"""ICMPv6 messages that stay on their own link (RFC 4890, 4.4.1)."""


@lru_cache(maxsize=256)
def region_of(
    headers: Headers,
    source: Place,
    destination: Place | None,
    family: Family,
    *,
    opening: bool = False,
    noninitial: bool = False,
) -> BDDFunction:
    """The packets between two ends that may be sent through a network: with a TTL that lasts, none that stays on a
    link. With ``opening`` those that begin a connection, if the set has any; with ``noninitial`` later fragments.
    """
    family_space = space(family)
    own = addresses_of(source, family)
    theirs = addresses_of(destination, family) if destination is not None else None
    asked = headers.encode(family_space, noninitial=noninitial)
    region = asked & family_space.encode(Match(source=own, destination=theirs))
    region = region & family_space.possible
    if family is Family.IPV6:
        local = Match(protocol=IntegerSet.values(ICMPV6), icmp_type=_DISCOVERY, noninitial=False)
        region = region & ~family_space.encode(local)
    lasting = family_space.encode(Match(ttl=IntegerSet.values(_TTL), week_minute=IntegerSet.values(0)))
    for wish in (lasting, openings(family_space)) if opening else (lasting,):
        narrower = region & wish
        region = narrower if narrower.satisfiable() else region
    return region


def openings(family_space: PacketSpace) -> BDDFunction:
    """Packets that can be the first of a connection: SYN, a question of ICMP, and whatever else has no such order."""
    tcp, icmp = IntegerSet.values(TCP), ICMP if family_space.family is Family.IPV4 else ICMPV6
    ordered = IntegerSet.values(TCP, ICMP, ICMPV6)
    found = family_space.encode(Match(protocol=tcp, tcp_flags=IntegerSet.values(2), noninitial=False))
    asked = IntegerSet.values(*_OPENING_MESSAGES[icmp])
    codes = IntegerSet.values(0)
    found = found | family_space.encode(
        Match(protocol=IntegerSet.values(icmp), icmp_type=asked, icmp_code=codes, noninitial=False)
    )
    return found | ~family_space.encode(Match(protocol=ordered))


def context_for(family: Family, *, noninitial: bool = False) -> Context:
    """Packets as an end sends them: nobody's interfaces yet."""
    return Context(family, Path.FORWARD, "", "", noninitial)


def candidates(
    model: NetworkModel,
    region: BDDFunction,
    family: Family,
    most: int,
    *,
    first: Sequence[BDDFunction] = (),
    noninitial: bool = False,
    seed: str = "1",
) -> Iterator[Packet]:
    """The plainest packet, one of each set of ``first``, and up to ``most`` of the rest of the set, all different; a
    quarter of the rest by chance.
    """
    from compiler.symbolic.witness import plainest_packet

    if not region.satisfiable():
        return
    context, family_space = context_for(family, noninitial=noninitial), space(family)
    seen: set[Packet] = set()
    for part in first:
        packet = plainest_packet(part, family_space, context)
        if packet not in seen:
            seen.add(packet)
            yield packet
    most += len(seen)
    corners = [part for part in _parts(model, region, family_space, noninitial=noninitial) if part.satisfiable()]
    room = max(most * 3 // 4, 1)
    if len(corners) > room:  # of a long list some of all over it
        corners = [corners[number * len(corners) // room] for number in range(room)]
    for part in (region, *corners):
        packet = plainest_packet(part, family_space, context)
        if packet not in seen and len(seen) < most:
            seen.add(packet)
            yield packet
    for packet in drawn(region, family, most - len(seen), noninitial=noninitial, seed=seed):
        if packet not in seen:
            seen.add(packet)
            yield packet


def plain_class(region: BDDFunction, family: Family) -> BDDFunction:
    """Those of traffic class 0, where the set has such: nobody asks for another."""
    plain = region & space(family).encode(Match(traffic_class=IntegerSet.values(0)))
    return plain if plain.satisfiable() else region


def drawn(
    region: BDDFunction, family: Family, number: int, *, noninitial: bool = False, seed: str = "1"
) -> Iterator[Packet]:
    """Packets of the set, each with the same chance; none of an empty set."""
    from compiler.symbolic.drawing import Drawing

    if number <= 0:
        return
    try:
        drawing = Drawing(region, space(family), noninitial=noninitial)
    except ValueError:
        return
    yield from drawing.packets(context_for(family, noninitial=noninitial), random.Random(f"{seed}/drawn"), number)


# -- corners -----------------------------------------------------------------------------------


def _parts(
    model: NetworkModel, region: BDDFunction, family_space: PacketSpace, *, noninitial: bool
) -> Iterator[BDDFunction]:
    """The set at each rule and its corners, router by router."""
    for router in model.routers:
        matches = tuple(_matches(router.policy))
        if router.tree is not None and len(matches) <= _MOST_READ:
            yield from _read(router.tree, region, family_space, noninitial=noninitial)
        else:
            yield from _asked(matches, region, family_space)
    yield from _routed(model, region, family_space)


def _read(
    tree: Device | Ruleset, region: BDDFunction, family_space: PacketSpace, *, noninitial: bool
) -> Iterator[BDDFunction]:
    from compiler.analysis.traffic.situations import Question, situations
    from compiler.semantics.lower import machine
    from compiler.testing.sampling import strata

    match = Match(family=family_space.family, noninitial=noninitial)
    for stratum in strata(tuple(situations(machine(tree), Question(match, permitted=True)))):
        yield stratum.region & region
        for edge in stratum.edges:
            yield edge.region & region


def _matches(policy: Device | Ruleset | None) -> Iterator[Match]:
    if isinstance(policy, Device):
        for one in policy.lists:
            for entry in one.entries:
                yield from entry.matches
    elif policy is not None:
        for chain in policy.chains:
            for rule in chain.rules:
                if not rule.disabled:
                    yield rule.match


def _asked(matches: tuple[Match, ...], region: BDDFunction, family_space: PacketSpace) -> Iterator[BDDFunction]:
    """What each rule asks for of a packet as it is sent: translations before it are not looked through."""
    for match in dict.fromkeys(one._replace(family=None, ingress=None, egress=None, ttl=None) for one in matches):
        if match == Match():
            continue
        yield family_space.encode(match) & region
        for name in _FIELDS:
            values = getattr(match, name)
            if values is None:
                continue
            others = family_space.encode(_without(match, name)) & region
            for value in _borders(values, WIDTH.get(name, family_space.family.width)):
                here = others & family_space.field(name, value)
                # A corner that the rule's other clauses keep from the set is still a corner of the set.
                yield here if here.satisfiable() else region & family_space.field(name, value)


def _without(match: Match, name: str) -> Match:
    if name != "protocol":
        return match._replace(**{name: None})
    bare = {"source_port": None, "destination_port": None, "tcp_flags": None, "icmp_type": None, "icmp_code": None}
    return match._replace(protocol=None, **bare)


def _borders(values: IntegerSet | AddressSet, width: int) -> Iterator[IntegerSet | AddressSet]:
    """The first and the last value, and those just beyond."""
    if isinstance(values, AddressSet):
        if values.width != width or values.is_empty:
            return
        low, high = values.hull()
    elif values.intervals:
        low, high = values.intervals[0][0], values.intervals[-1][1]
    else:
        return
    for value in dict.fromkeys((low, high, low - 1, high + 1)):
        if 0 <= value < 1 << width:
            yield _only(value, width) if isinstance(values, AddressSet) else IntegerSet.values(value)


def _routed(model: NetworkModel, region: BDDFunction, family_space: PacketSpace) -> Iterator[BDDFunction]:
    """The first address of each network that routes tell apart."""
    family = family_space.family
    prefixes = {route.prefix for router in model.routers for route in router.network.routes}
    for prefix in sorted(prefixes):
        if prefix.family is family and prefix.length:
            low = prefix.value + (prefix.length < family.width)
            yield region & family_space.field("destination", _only(low, family.width))


def _only(value: int, width: int) -> AddressSet:
    return AddressSet.of(width, ranges=[(value, value)])


# -- destination NAT ---------------------------------------------------------------------------


def doors(model: NetworkModel, destination: Place | None, family: Family) -> tuple[int, ...]:
    """Addresses that a router turns into those of the end: what people outside call it by."""
    if not isinstance(destination, HostEnd):
        return ()
    own = addresses_of(destination, family)
    if own is None:
        return ()
    found: dict[int, None] = {}
    for router in model.routers:
        found |= dict.fromkeys(_doors(router, own, family))
    return tuple(islice((one for one in found if not own.contains(one)), 8))


def _doors(router: RouterEnd, own: AddressSet, family: Family) -> Iterator[int]:
    for static in router.network.static_translations:
        if family is Family.IPV4 and own.contains(static.local):
            if static.global_address is not None:
                yield static.global_address
            else:
                found = router.network.interface(static.interface)
                yield from (one.address for one in (found.addresses if found else ()) if one.family is family)
    if not isinstance(router.policy, Ruleset):
        return
    for chain in router.policy.chains:
        for rule in chain.rules:
            for clause in rule.unmodelled:
                meaning = clause.meaning
                if isinstance(meaning, Translate) and meaning.kind in _INWARDS and _leads_to(meaning, own):
                    asked = rule.match.destination
                    if asked is not None and not asked.is_empty and asked.width == family.width:
                        yield from asked.hull()
                    else:
                        yield from _held(router, rule.match.ingress, family)


def _held(router: RouterEnd, ingress: InterfaceSet | None, family: Family) -> Iterator[int]:
    """The router's own addresses, those of the interfaces that the rule asks for first."""
    near = [one for one in router.network.interfaces if ingress is not None and ingress.contains(one.name)]
    for interface in dict.fromkeys((*near, *router.network.interfaces)):
        yield from (one.address for one in interface.addresses if one.family is family)


def _leads_to(meaning: Translate, own: AddressSet) -> bool:
    ranges = [*meaning.addresses, *(one for _, one in meaning.table)]
    return any(
        one.family.width == own.width
        and not own.intersection(AddressSet.of(own.width, ranges=[(one.first, one.last)])).is_empty
        for one in ranges
    )
