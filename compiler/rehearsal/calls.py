"""The second act: strangers call by each uplink, and the router itself asks its way out. All lines are well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.fields import ICMP, TCP, UDP, Family
from compiler.rehearsal.flows import Flow, ipv4
from compiler.rehearsal.packets import SYN, datagram, segment
from compiler.rehearsal.result import IncomingSeen, OwnSeen
from compiler.rehearsal.scene import Line
from compiler.rehearsal.world import World, server_addresses
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Tuple
from compiler.simulator.router.transit import Transit
from compiler.simulator.sockets import EchoAnswer, Endpoint, Stream, UdpSocket

__all__ = ["call_from_outside", "call_from_router"]

_EACH = 5
_GAP = 20 * MILLISECOND
_PATIENCE = 4 * SECOND
_ECHO = 0x0800
_TCP_PORT = 8291
"""WinBox: what administrators reach routers by."""


class _Calls:
    """Strangers' first packets, and by which line their answers came."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.flows: dict[Tuple, Flow] = {}
        self.answers: dict[Tuple, str] = {}
        world.internet.on_heard.append(self._heard)

    def call(self, line: Line, wanted: Tuple) -> None:
        """Send the first packet by a line."""
        flow = self.flows[wanted] = self.world.observer.flows[wanted] = Flow(wanted, 32, 32)
        source = wanted.source, wanted.source_port
        destination = wanted.destination, wanted.destination_port
        if wanted.protocol == TCP:
            self.world.internet.send(line.name, segment(source, destination, SYN, (7000, 0)))
        else:
            self.world.internet.send(line.name, datagram(wanted.protocol, source, destination, flow.request))

    def _heard(self, line: str, frame: Datagram) -> bool:
        port = frame.identifier if frame.protocol == ICMP else frame.destination_port
        kind = _ECHO if frame.protocol == ICMP else frame.source_port
        wanted = ipv4(frame.protocol, frame.destination, frame.source, port, kind)
        if wanted not in self.flows or frame.quoted is not None:
            return False
        self.answers.setdefault(wanted, line)
        return True


def call_from_outside(world: World) -> Iterator[IncomingSeen]:
    """Pings and TCP to the router by each uplink, and every port forward."""
    calls = _Calls(world)
    callers = server_addresses(world.scene, world.random, _EACH)
    planned: list[tuple[Line, str, list[Tuple]]] = []
    for line in world.scene.lines:
        own = line.addresses[0].address
        pings = [ipv4(ICMP, caller, own, 900 + number, _ECHO) for number, caller in enumerate(callers)]
        planned.append((line, "ping to the router", pings))
        logins = [ipv4(TCP, caller, own, 40000 + number, _TCP_PORT) for number, caller in enumerate(callers)]
        planned.append((line, f"tcp {_TCP_PORT} to the router", logins))
        for forward in world.scene.forwards:
            if forward.interface == line.interface:
                host = format_address(forward.host, 32)
                what = f"{'tcp' if forward.protocol == TCP else 'udp'} {forward.port} to {host}:{forward.host_port}"
                made = [
                    ipv4(forward.protocol, caller, own, 41000 + number, forward.port)
                    for number, caller in enumerate(callers)
                ]
                planned.append((line, what, made))
    start = world.engine.now
    number = 0
    for line, _, made in planned:
        for wanted in made:
            world.engine.at(start + number * _GAP, lambda sent: calls.call(*sent), (line, wanted))
            number += 1
    world.engine.run(start + number * _GAP + _PATIENCE)
    for line, what, made in planned:
        yield _seen(calls, line, what, made)


def _seen(calls: _Calls, line: Line, what: str, made: list[Tuple]) -> IncomingSeen:
    answered = sum(calls.answers.get(wanted) == line.name for wanted in made)
    flows = [calls.flows[wanted] for wanted in made]
    elsewhere = sum(any(port != line.interface for port in flow.uplinks) for flow in flows)
    silent = [flow for flow in flows if calls.answers.get(flow.wanted) != line.name]
    reasons = Counter(_reason(flow, line) for flow in silent)
    return IncomingSeen(line.name, what, len(made), answered, elsewhere, tuple(sorted(reasons.items())))


def _reason(flow: Flow, line: Line) -> str:
    wrong = [port for port in flow.uplinks if port != line.interface]
    if wrong:
        return f"the answer left by {wrong[0]}"
    reasons = [one for one in flow.reasons if not one.startswith("delivered")]
    return reasons[0] if reasons else "no answer"


class _Fetch:
    """One TCP connection or one DNS question of the router's own."""

    def __init__(self) -> None:
        self.answered = False

    def connected(self, stream: Stream) -> None:
        self.answered = True
        stream.close()

    def received(self, _from: object, _what: object, *_more: object) -> None:
        self.answered = True

    def drained(self, stream: Stream) -> None:
        """Nothing to do."""

    def finished(self, stream: Stream) -> None:
        """Nothing to do."""

    def closed(self, stream: Stream) -> None:
        """Nothing to do."""

    def failed(self, _from: object, *_what: object) -> None:
        """It stays unanswered."""

    def echoed(self, answer: EchoAnswer) -> None:
        """A reply, or an error about the request."""
        self.answered = self.answered or answer.failure is None


def call_from_router(world: World) -> Iterator[OwnSeen]:
    """TCP connections, DNS questions and pings of the router itself."""
    servers = server_addresses(world.scene, world.random, 2 * _EACH)
    names = [server for server in world.scene.network.name_servers if server < 1 << 32] or servers[:1]
    left: dict[int, dict[Tuple, str]] = {TCP: {}, UDP: {}, ICMP: {}}
    wanted = {TCP: set(servers), UDP: set(names), ICMP: set(servers)}
    ports = {line.interface: line.name for line in world.scene.lines}

    def sent(transit: Transit) -> None:
        connection = transit.connection
        if not transit.ingress and transit.egress in ports and connection is not None:
            original = connection.original
            if original.destination in wanted.get(original.protocol, ()):
                left[original.protocol].setdefault(original, ports[transit.egress])

    world.observer.on_sent = sent
    stack = world.router.stack
    fetches: dict[int, list[_Fetch]] = {TCP: [], UDP: [], ICMP: []}
    for number, server in enumerate(servers):
        fetch = _Fetch()
        fetches[TCP].append(fetch)
        stack.connect(Endpoint(Family.IPV4, server, 443), fetch)
        asked = _Fetch()
        fetches[UDP].append(asked)
        socket: UdpSocket = stack.udp(0, asked)
        socket.send(Endpoint(Family.IPV4, names[number % len(names)], 53), None, 40)
        echo = _Fetch()
        fetches[ICMP].append(echo)
        stack.echo(Family.IPV4, server, echo.echoed, identifier=700 + number)
        world.engine.run(world.engine.now + _GAP)
    world.engine.run(world.engine.now + _PATIENCE)
    world.observer.on_sent = None
    for protocol, what in ((TCP, "tcp 443"), (UDP, "dns"), (ICMP, "ping")):
        ways = Counter(left[protocol].values())
        order = tuple((line.name, ways[line.name]) for line in world.scene.lines if ways[line.name])
        done = fetches[protocol]
        yield OwnSeen(what, len(done), sum(one.answered for one in done), order)
