"""Small networks for tests of end systems, and applications that remember what they heard."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.hosts.host import Host
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port, link_address
from compiler.simulator.sockets import Endpoint, Failure, Stream

V4, V6 = Family.IPV4, Family.IPV6
CLIENT, SERVER = 0x0A000001, 0x0A000002
CLIENT6, SERVER6 = 0xFD << 120 | 1, 0xFD << 120 | 2
ADDRESSES = {"client": (CLIENT, CLIENT6), "server": (SERVER, SERVER6)}

Judge = Callable[[Datagram], "list[tuple[int, Datagram]]"]
"""What becomes of a datagram on its way: copies, each with a further delay."""


def host(engine: Engine, name: str, parameters: TcpParameters | None = None, **options: object) -> Host:
    """A host with an address of each family, without ARP unless asked for."""
    made = Host(engine, name, "seed", parameters or TcpParameters())
    four, six = ADDRESSES[name]
    links = {
        (family, address): link_address(other, "eth0")
        for other, pair in ADDRESSES.items()
        for family, address in zip((V4, V6), pair, strict=True)
        if other != name
    }
    options.setdefault("neighbours", links)
    made.add_interface("eth0", (InterfaceAddress(V4, four, 24), InterfaceAddress(V6, six, 64)), **options)  # type: ignore[arg-type]
    return made


class Interferer:
    """A node between two links that passes frames on as a judge says."""

    name = "between"

    def __init__(self, engine: Engine, judge: Judge | None = None) -> None:
        self.engine = engine
        self.judge = judge
        self.left = Port(self, "left", 1)
        self.right = Port(self, "right", 2)
        self.seen: list[tuple[int, str, Datagram]] = []

    def receive(self, port: Port, frame: Frame) -> None:
        if not isinstance(frame, Datagram):
            self._pass((port, frame))
            return
        self.seen.append((self.engine.now, port.name, frame.copy()))
        for delay, copy in [(0, frame)] if self.judge is None else self.judge(frame):
            self.engine.after(delay, self._pass, (port, copy))

    def _pass(self, what: tuple[Port, Frame]) -> None:
        port, frame = what
        other = self.right if port is self.left else self.left
        if other.direction is not None:
            other.direction.send(frame)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """It has none of its own."""


class Pair:
    """A client and a server with an interferer between them."""

    def __init__(
        self,
        judge: Judge | None = None,
        wire: Wire | None = None,
        back: Wire | None = None,
        parameters: TcpParameters | None = None,
        server: TcpParameters | None = None,
        **options: object,
    ) -> None:
        self.engine = engine = Engine()
        self.client = host(engine, "client", parameters, **options)
        self.server = host(engine, "server", server or parameters, **options)
        self.between = Interferer(engine, judge)
        wire = wire or Wire(delay=1_000_000, queue=None)
        plain = Wire(queue=None)
        ends = self.client.interfaces["eth0"].port, self.between.left
        self.near = Link(engine, "near", ends, (wire, back or wire), "seed")
        ends = self.between.right, self.server.interfaces["eth0"].port
        self.far = Link(engine, "far", ends, (plain, plain), "seed")

    def connect(self, log: Log, port: int = 80, family: Family = V4, local_port: int = 0) -> Stream:
        remote = Endpoint(family, SERVER if family is V4 else SERVER6, port)
        return self.client.sockets.connect(remote, log, local_port=local_port)

    def flags(self) -> list[tuple[str, int]]:
        """From which side, and with which flags, segments came by."""
        return [(side, one.tcp_flags) for _, side, one in self.between.seen if one.protocol == 6]


class Log:
    """An application that remembers, and may do something when it hears of something."""

    def __init__(self, engine: Engine, **reactions: Callable[[Stream], object]) -> None:
        self.engine = engine
        self.reactions = reactions
        self.events: list[str] = []
        self.times: list[int] = []
        self.octets = 0
        self.data = bytearray()
        self.failure: Failure | None = None
        self.stream: Stream | None = None

    def _heard(self, what: str, stream: Stream) -> None:
        self.stream = stream
        if what != "received" or self.events[-1:] != ["received"]:
            self.events.append(what)
            self.times.append(self.engine.now)
        if what in self.reactions:
            self.reactions[what](stream)

    def connected(self, stream: Stream) -> None:
        self._heard("connected", stream)

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        self.octets += octets
        assert data is None or len(data) == octets
        self.data += bytes(octets) if data is None else data
        self._heard("received", stream)

    def drained(self, stream: Stream) -> None:
        self._heard("drained", stream)

    def finished(self, stream: Stream) -> None:
        self._heard("finished", stream)

    def closed(self, stream: Stream) -> None:
        self._heard("closed", stream)

    def failed(self, stream: Stream, failure: Failure) -> None:
        self.failure = failure
        self._heard("failed", stream)


def losing(share: float, jitter: int = 0, doubled: float = 0.0, seed: int = 1) -> Judge:
    """Lose, delay and double datagrams at random."""
    random = Random(seed)

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        if random.random() < share:
            return []
        kept = [(random.randrange(jitter) if jitter else 0, datagram)]
        if random.random() < doubled:
            kept.append((random.randrange(jitter + 1), datagram.copy()))
        return kept

    return judge
