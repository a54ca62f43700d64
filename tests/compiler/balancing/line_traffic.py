"""Random steps for a balancing router: connections from inside and outside, repeats, answers, errors, dying lines."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from compiler.balancing.plan import Plan, port_of
from compiler.fields import ICMP, TCP, UDP, Family
from compiler.placed.addresses import address
from compiler.simulator.frame import Datagram
from compiler.simulator.wire import WireError, decode, encode
from tests.compiler.balancing.random_intents import CLIENTS, SERVERS
from tests.compiler.balancing.written_router import Step
from tests.compiler.simulator.router.conversations import Conversation

__all__ = ["LineTraffic", "neighbours"]

SYN = 2
_PEERS = (9, 66)
_SERVICES = (21, 25, 53, 80, 80, 443, 443, 5000, 5500, 6005, 8080, 8081, 22)
_KEPT = 24


def neighbours(plan: Plan) -> Iterator[tuple[str, int]]:
    """Everybody next door whom packets may be sent to."""
    for network in plan.balance.networks:
        for last in CLIENTS:
            yield network.interface, network.prefix.value + last
    for uplink in plan.balance.uplinks:
        assert uplink.address is not None
        net = uplink.address.address & 0xFFFFFF00
        for last in (1, *_PEERS):
            yield port_of(uplink), net + last


class LineTraffic(Conversation):
    """Steps, one after the other; tell it what each led to by :meth:`heard`."""

    def __init__(self, chance: Random, plan: Plan) -> None:
        super().__init__(chance, 4)
        self.plan = plan
        self._inside = [network.interface for network in plan.balance.networks]
        self._outside = [port_of(uplink) for uplink in plan.balance.uplinks]
        self._clients = {
            network.interface: [network.prefix.value + last for last in CLIENTS] for network in plan.balance.networks
        }
        ports = (*self._inside, *self._outside)
        self._sent = {port: [] for port in ports}
        self._came = {port: [] for port in ports}
        self._far = [address(text)[1] for text in SERVERS]
        self._far += [host.host for host in plan.hosts]
        self._down: set[str] = set()
        self._gone: frozenset[str] = frozenset()
        self._next = 1024

    # -- steps ------------------------------------------------------------------------------------

    def step(self) -> Step:
        """The next thing that happens."""
        chance, way = self.chance, self.chance.random()
        if way < 0.006:
            port = chance.choice(self._outside)
            (self._down.discard if port in self._down else self._down.add)(port)
            return Step("link", port, is_up=port not in self._down)
        if way < 0.014:
            port = chance.choice(self._outside)
            self._gone ^= {port}
            return Step("routes", gone=self._gone)
        if way < 0.017:
            return Step("load")
        if way < 0.037:
            return Step(
                "udp_own",
                number=40000 + chance.randrange(4),
                address=self._anywhere(),
                to_port=chance.choice((53, 123)),
            )
        if way < 0.05:
            return Step("echo_own", number=self._fresh_number(), address=self._anywhere(), to_port=1)
        while True:
            side, datagram = self._datagram()
            if side in self._down:
                continue
            try:
                octets = encode(datagram)
            except WireError:
                continue
            self.sent(side, datagram)
            return Step("packet", side, octets, to_all=datagram.destination in (0xFFFFFFFF, 0xE00000FB))

    def opening_or_later(self) -> tuple[str, Datagram]:
        """The next packet, and the port that it enters by. Say :meth:`sent` when it was."""
        while True:
            side, datagram = self._datagram()
            try:
                encode(datagram)
            except WireError:
                continue
            return side, datagram

    def sent(self, side: str, datagram: Datagram) -> None:
        """It was sent."""
        sent = self._sent[side]
        sent.append(datagram.copy())
        del sent[:-_KEPT]

    def _anywhere(self) -> int:
        return self.chance.choice((*self._far, self.chance.choice(self._clients[self._inside[0]])))

    def _fresh_number(self) -> int:
        """A port or identifier that nobody else uses: where two clash, Linux draws another at random."""
        self._next = self._next + 1 if self._next < 39000 else 1024
        return self._next

    # -- packets -------------------------------------------------------------------------------------

    def _datagram(self) -> tuple[str, Datagram]:
        chance = self.chance
        way = chance.random()
        outward = chance.random() < 0.5
        side = chance.choice(self._inside if outward else self._outside)
        came, sent = self._came[side], self._sent[side]
        made: Datagram | None = None
        if way < 0.30 and came:
            made = self._answer(chance.choice(came[-8:]))
        elif way < 0.42 and sent:
            made = self._continued(chance.choice(sent[-8:])) if _goes_on(sent[-1]) else None
        elif way < 0.52 and sent:
            made = chance.choice(sent).copy()
        elif way < 0.57 and came:
            made = self._message(side, chance.choice(came))
        elif way < 0.62:
            made = self._near(side)
        if made is None:
            side = chance.choice(self._inside if chance.random() < 0.8 else self._outside)
            made = self._opening(side)
        self._identification = self._identification % 5000 + 1
        made.identification = self._identification
        made.traffic_class = 0
        return side, made

    def _opening(self, side: str) -> Datagram:
        """A new connection: from a client to the world, or from the world to the line's own address."""
        chance = self.chance
        if side in self._inside:
            source, destination = chance.choice(self._clients[side]), chance.choice(self._far)
            if chance.random() < 0.08:
                others = chance.choice(list(self._clients.values()))
                destination = chance.choice([one for one in others if one != source])
        else:
            uplink = next(one for one in self.plan.balance.uplinks if port_of(one) == side)
            assert uplink.address is not None
            source, destination = chance.choice(self._far[:6]), uplink.address.address
            if chance.random() < 0.1:
                source = (uplink.address.address & 0xFFFFFF00) + chance.choice(_PEERS)
            if chance.random() < 0.05:
                destination = chance.choice(self._clients[self._inside[0]])
        return self._first(source, destination)

    def _first(self, source: int, destination: int) -> Datagram:
        chance = self.chance
        protocol = chance.choice((TCP, TCP, TCP, UDP, UDP, ICMP, 47))
        made = self._blank(source, destination, protocol)
        if protocol == TCP:
            made.tcp_flags, made.sequence, made.window = SYN, chance.getrandbits(32), 65535
        if protocol in (TCP, UDP):
            made.source_port, made.destination_port = self._fresh_number(), chance.choice(_SERVICES)
        elif protocol == ICMP:
            made.icmp_type, made.identifier, made.rest = 8, self._fresh_number(), 1
        self._fill(made, 0 if protocol == TCP else chance.choice((0, 8, 30)))
        return made

    def _near(self, side: str) -> Datagram:
        """To the router itself, to a whole network, to groups, or to networks next door."""
        chance = self.chance
        balance = self.plan.balance
        own = [one.address.address for one in balance.ends if one.address is not None]
        whole = [network.prefix.value | 255 for network in balance.networks]
        modems = [one.gateway for one in balance.uplinks if one.gateway is not None]
        destination = chance.choice(
            (chance.choice(own), chance.choice(whole), 0xFFFFFFFF, 0xE00000FB, chance.choice(modems))
        )
        if side in self._inside:
            return self._first(chance.choice(self._clients[side]), destination)
        return self._first(chance.choice(self._far[:6]), destination)

    def _message(self, side: str, about: Datagram) -> Datagram | None:
        """An ICMP error by whoever got this, or by a router on the way."""
        if about.fragment_offset or about.quoted is not None:
            return None
        chance = self.chance
        kind, code = chance.choice(((3, 0), (3, 1), (3, 3), (3, 13), (11, 0), (12, 0)))
        source = about.destination if chance.random() < 0.5 else chance.choice(self._far[:6])
        if side in self._inside:
            source = about.destination
        made = self._blank(source, about.source, ICMP)
        made.icmp_type, made.icmp_code = kind, code
        made.data = encode(about)[: 20 + len(about.options) + chance.choice((8, 28, 1000))]
        made.size = 28 + len(made.data)
        return decode(encode(made)) if len(made.data) >= 28 else None


def _goes_on(one: Datagram) -> bool:
    return one.protocol in (TCP, UDP, ICMP, 47) and one.quoted is None and one.family is Family.IPV4
