"""Claims about packets between two ends, tried in the simulator: for what sets of packets cannot decide.

Each packet has a network of its own that has seen no other, so that a packet
that fails alone fails again whenever it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from compiler.policy.access_list import Device
from compiler.policy.match import Match
from compiler.policy.packet import Packet
from compiler.symbolic.space import space
from compiler.symbolic.witness import plainest_packet
from compiler.testing.answer import Answer, Sureness
from compiler.testing.dynamic.candidates import candidates, context_for, doors, region_of
from compiler.testing.dynamic.needles import Named, needles
from compiler.testing.dynamic.paths import arrival_of, witness_of
from compiler.testing.dynamic.world import NetworkWorld
from compiler.testing.networks.claims import Begin, Claim
from compiler.testing.networks.ends import Beyond
from compiler.testing.networks.flows import Arrival, End
from compiler.testing.networks.model import NetworkModel, PortName
from compiler.testing.networks.refuting import while_dead

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.testing.headers import Headers

__all__ = ["MOST", "MOST_RULES", "Sender", "Tried", "exactly", "senders", "shrunk", "try_claim"]

MOST = 200
"""Packets that one claim is tried with, beside one for each rule that would refute it."""
MOST_RULES = 5000
"""Such rules over all cases of a claim."""
_FEWEST = 12
"""Packets of each case, where a claim has many."""
_FIELDS = (
    "traffic_class",
    "tcp_flags",
    "icmp_code",
    "icmp_type",
    "source_port",
    "protocol",
    "destination_port",
    "source",
    "destination",
)
"""What is made plainer, the least telling first."""

Sender = str | PortName


class Tried(NamedTuple):
    """How many packets were tried in one case, and the answer where one of them speaks against the claim."""

    packets: int
    failed: Answer | None
    rules: frozenset[Named] = frozenset()
    """Rules that would refute the claim, of which a packet was tried."""
    known: frozenset[Named] = frozenset()
    """All rules that would, and that packets of the question can meet."""

    def joined(self, later: Tried) -> Tried:
        """Both, as one."""
        rules, known = self.rules | later.rules, self.known | later.known
        return Tried(self.packets + later.packets, later.failed, rules, known)


@dataclass(frozen=True, slots=True)
class _Trial:
    model: NetworkModel
    claim: Claim
    begin: Begin
    dead: frozenset[str]
    doors: tuple[int, ...]

    def against(self, sender: Sender, packet: Packet) -> Packet | None:
        """The packet as it speaks against the claim: perhaps to another address of the same end; None if none does."""
        ways = (packet, *(packet._replace(destination=door) for door in self.doors))
        if not self.claim.by_any_address:
            return next((one for one in ways if self._is_wrong(sender, one)), None)
        if all(self._is_wrong(sender, one) for one in ways):
            return ways[1] if self.doors else packet  # to the address that people there know
        return None

    def is_against(self, sender: Sender, packet: Packet) -> bool:
        """Whether it does."""
        return self.against(sender, packet) is not None

    def _is_wrong(self, sender: Sender, packet: Packet) -> bool:
        world = NetworkWorld(self.model, self.dead)
        return self.claim.wrong(self.begin, arrival_of(world, world.send(sender, packet)))


def senders(begin: Begin, dead: frozenset[str]) -> Iterator[Sender]:
    """The ends that send: a host, or each port that the addresses are behind. What is dead sends nothing."""
    if isinstance(begin.source, Beyond):
        yield from (port for port in begin.source.ports if port.node not in dead)
    elif begin.source.name not in dead:
        yield begin.source.name


def try_claim(model: NetworkModel, claim: Claim, headers: Headers, begin: Begin, cases: int = 1) -> Tried:
    """Try one beginning, end by end, as one of so many ``cases``.

    A lone later fragment begins no connection: of what must arrive it is not tried.
    """
    if begin.noninitial and claim.by_any_address:
        return Tried(0, None)
    tried, pairs = Tried(0, None), tuple(begin.pairs())
    share = cases * max(len(pairs), 1)
    for pair in pairs:
        tried = tried.joined(_try_pair(model, claim, headers, pair, share))
        if tried.failed is not None:
            break
    return tried


def _try_pair(model: NetworkModel, claim: Claim, headers: Headers, begin: Begin, share: int) -> Tried:
    """``share``: among how many of its kind the packets are divided."""
    dead = begin.dead | model.dead
    region = region_of(
        headers,
        begin.source,
        begin.destination,
        begin.family,
        opening=claim.by_any_address,
        noninitial=begin.noninitial,
    )
    trial = _Trial(model, claim, begin, dead, doors(model, begin.destination, begin.family))
    asked = partial(needles, stops=claim.by_any_address, noninitial=begin.noninitial)
    known = tuple(asked(model, region, begin.family, begin.destination, trial.doors))
    first = known[: max(MOST_RULES // share, _FEWEST)]
    rules, every = frozenset(one.rule for one in first), frozenset(one.rule for one in known)
    most, count = max(MOST // share, _FEWEST), 0
    parts = [one.region for one in first]
    for packet in candidates(model, region, begin.family, most, first=parts, noninitial=begin.noninitial):
        for sender in senders(begin, dead):
            count += 1
            wrong = trial.against(sender, packet)
            if wrong is not None:
                found = shrunk(model, region, begin, packet, partial(trial.is_against, sender))
                return Tried(count, _refuted(trial, sender, trial.against(sender, found) or wrong))
    return Tried(count, None, rules if count else frozenset(), every)


def _refuted(trial: _Trial, sender: Sender, packet: Packet) -> Answer:
    witness, arrival = witness_of(trial.model, trial.dead, sender, packet)
    said = f"{trial.claim.said}: {_told(arrival)}{while_dead(trial.dead)}"
    return Answer(trial.claim.question, False, Sureness.TESTED, "this packet in the simulator", said, witness)


def _told(arrival: Arrival) -> str:
    if arrival.why:
        return arrival.why
    return f"it came to {arrival.port.node}" if arrival.end is End.DELIVERED else arrival.end.value


# -- the plainest packet that fails ------------------------------------------------------------


def shrunk(
    model: NetworkModel, region: BDDFunction, begin: Begin, packet: Packet, fails: Callable[[Packet], bool]
) -> Packet:
    """A packet of the same set that fails too, as plain as can be: of the rule that decided, then field by field."""
    family_space, context = space(begin.family), context_for(begin.family, noninitial=begin.noninitial)
    plain = plainest_packet(region, family_space, context)
    if packet == plain:
        return packet
    if fails(plain):
        return plain
    for match in _meeting(model, packet):
        narrower = region & family_space.encode(match)
        if narrower.satisfiable():
            plainer = plainest_packet(narrower, family_space, context)
            if plainer == packet:
                break
            if fails(plainer):
                packet = plainer
                break
    for name in _FIELDS:
        wanted = packet._replace(**{name: getattr(plain, name)})
        if wanted != packet and _holds(region, family_space.encode(exactly(wanted))) and fails(wanted):
            packet = wanted
    return packet


def _meeting(model: NetworkModel, packet: Packet) -> Iterator[Match]:
    """What the rules ask for that the packet meets as it was sent, the narrow ones of a router first."""
    from compiler.policy.packet import matches

    for router in model.routers:
        if router.policy is None:
            continue
        if isinstance(router.policy, Device):
            every = [match for one in router.policy.lists for entry in one.entries for match in entry.matches]
        else:
            every = [rule.match for chain in router.policy.chains for rule in chain.rules]
        for match in every:
            bare = match._replace(family=None, ingress=None, egress=None, ttl=None, noninitial=None)
            if bare != Match() and matches(bare, packet):
                yield bare


def _holds(region: BDDFunction, one: BDDFunction) -> bool:
    return (region & one).satisfiable()


def exactly(packet: Packet) -> Match:
    """The headers of one packet as a set; what its protocol does not carry is left free."""
    from compiler.addresses import AddressSet
    from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, TCP
    from compiler.integers import IntegerSet

    width = packet.family.width

    def address(value: int) -> AddressSet:
        return AddressSet.of(width, ranges=[(value, value)])

    match = Match(
        source=address(packet.source),
        destination=address(packet.destination),
        protocol=IntegerSet.values(packet.protocol),
        traffic_class=IntegerSet.values(packet.traffic_class),
        ttl=IntegerSet.values(packet.ttl),
        noninitial=packet.noninitial,
    )
    if packet.noninitial:
        return match
    carried = (
        ("source_port", PORT_PROTOCOLS.contains(packet.protocol)),
        ("destination_port", PORT_PROTOCOLS.contains(packet.protocol)),
        ("tcp_flags", packet.protocol == TCP),
        ("icmp_type", ICMP_PROTOCOLS.contains(packet.protocol)),
        ("icmp_code", ICMP_PROTOCOLS.contains(packet.protocol)),
    )
    values: dict[str, Any] = {name: IntegerSet.values(getattr(packet, name)) for name, has in carried if has}
    return match._replace(**values)
