"""Many connections through a compiled router in the simulator: how they are shared, and whether each keeps its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from compiler.balancing.ip_batch import read_batch, write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.plan import Plan, make_plan
from compiler.balancing.reading import read_balance
from compiler.balancing.routeros import write_routeros
from compiler.fields import ICMP, TCP, UDP, Family
from compiler.policy.balance import CLASSIFIER_FIELDS
from compiler.policy.network import Network
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connection
from compiler.simulator.wire import decode, encode
from tests.compiler.simulator.rig import Heard, Rig

__all__ = ["MIXES", "Figures", "Judge", "intent", "texts"]

MIXES = ((1, 1), (1, 2), (1, 1, 1), (3, 1, 2), (1, 1, 1, 1), (5, 1, 1, 3), (1, 1, 1, 1, 1), (4, 1, 2, 1, 3))
"""Weights of two to five uplinks, equal and not."""
_SYN, _ACK, _PSH = 2, 16, 8
_CLIENTS, _SERVERS = 4000, 4000
_LAN = 0xAC100000
_WORLD = 0xC6120000
_REPEATED = 0.1
_ALIKE = 0.33
_ALL_FIELDS = 4
_LIVES = 40
"""One connection in so many is followed further: answered, asked again, carried on, complained about."""


def intent(weights: Sequence[int], method: str, fields: str = "") -> str:
    """A large network and an uplink for each weight."""
    lines = [
        f"  line{number}: {{interface: ISP{number}, address: 10.{number}.0.2/24, "
        f"gateway: 10.{number}.0.1, weight: {weight}}}"
        for number, weight in enumerate(weights, 1)
    ]
    head = ["networks: {lan: {interface: LAN, address: 172.16.0.1/12}}", "uplinks:", *lines, f"method: {method}"]
    return "\n".join([*head, *([f"fields: {fields}"] if fields else [])]) + "\n"


class Figures(NamedTuple):
    """What came of it. ``furthest`` is the furthest that a line was from its share, in connections, after any prefix.

    ``keys`` are distinct hash keys; ``deviations`` is how many standard
    deviations of the binomial distribution the worst line was from its share of them.
    """

    connections: int
    repeated: int
    followed: int
    unmarked: int
    remarked: int
    moved: int
    furthest: float
    keys: int
    deviations: float


class Judge:
    """One router, one run."""

    def __init__(self, world: str, weights: Sequence[int], method: str, fields: str = "", seed: str = "1") -> None:
        self.world, self.weights, self.fields = world, tuple(weights), fields
        plan = make_plan(read_balance(intent(weights, method, fields), "many.yaml"))
        self._text, self._network = texts(plan, world)
        self._dialect = "nftables" if world == "linux" else "routeros"
        self.rig = Rig(self._text, self._dialect, self._network, seed=seed)
        self.rig.answering = {name for name in self.rig.testers if name.startswith("ISP")}
        self.chance = Random(f"{seed}/{world}/{weights}/{fields}")
        self._identification = 0
        self._connections: list[Connection | None] = []
        """What the router made of each: kept, for UDP is forgotten before the end."""
        self._opened: list[tuple[Datagram, int, str]] = []
        """Each connection: its first packet, its line, what it was translated to."""
        self._ends: set[tuple[int, ...]] = set()
        self._had = [0] * len(self.weights)
        self._since = 0
        self._by_key: dict[tuple[int, ...], int] = {}
        self._counts: Counter[str] = Counter()
        self._furthest = 0.0

    def run(self, count: int) -> Figures:
        """So many connections; the script is loaded once more in the middle."""
        for number in range(count):
            if number == count // 2:
                self._reload()
            self._open(number)
            if self.chance.random() < _REPEATED:
                self._again(self._opened[-1])
            if number % _LIVES == 0:
                self._follow(self.chance.choice(self._opened[-2000:]))
        return self._figures()

    # -- packets --------------------------------------------------------------------------------

    def _open(self, number: int) -> None:
        first = self._fresh(number)
        heard = self._sent("LAN", first)
        line = int(heard.interface.removeprefix("ISP")) - 1
        self._opened.append((first, line, heard.text))
        self._connections.append(self._known(first))
        self._had[line] += 1
        self._since += 1
        for had, weight in zip(self._had, self.weights, strict=True):
            self._furthest = max(self._furthest, abs(had - self._since * weight / sum(self.weights)))
        if self.fields:
            key = tuple(getattr(first, field) for field in CLASSIFIER_FIELDS[self.fields])
            self._counts["moved"] += self._by_key.setdefault(key, line) != line

    def _known(self, one: Datagram) -> Connection | None:
        ends = (one.family, one.protocol, one.source, one.destination, one.source_port, one.destination_port)
        found = self.rig.router.memory.connections.find(ends)
        return found[0] if found is not None else None

    def _fresh(self, number: int) -> Datagram:
        """In a third of all cases with the hash key of an earlier one, and else as different as can be."""
        made = self._different(number)
        if self.fields and self._opened and self.chance.random() < _ALIKE:
            earlier = self.chance.choice(self._opened)[0]
            for field in CLASSIFIER_FIELDS[self.fields]:
                setattr(made, field, getattr(earlier, field))
            if len(CLASSIFIER_FIELDS[self.fields]) == _ALL_FIELDS:
                made.protocol, made.size = (UDP, 36) if earlier.protocol == TCP else (TCP, 40)
                made.tcp_flags, made.sequence = (_SYN, number) if made.protocol == TCP else (0, 0)
                made.window = 65535 if made.protocol == TCP else 0
        ends = (made.protocol, made.source, made.destination, made.source_port, made.destination_port)
        if ends in self._ends:
            return self._fresh(number)  # that would be an old connection, begun anew with other sequence numbers
        self._ends.add(ends)
        return made

    def _different(self, number: int) -> Datagram:
        """The port goes on with the number: hardly two connections have one tuple before or after translation."""
        chance = self.chance
        source, target = _LAN + 2 + chance.randrange(_CLIENTS), _WORLD + chance.randrange(_SERVERS)
        udp = chance.random() < 0.2
        made = Datagram(Family.IPV4, source, target, UDP if udp else TCP, 36 if udp else 40)
        made.source_port, made.destination_port = 1024 + number % 64000, 1 + chance.randrange(20_000)
        if not udp:
            made.tcp_flags, made.sequence, made.window = _SYN, number, 65535
        return made

    def _sent(self, port: str, datagram: Datagram) -> Heard:
        heard = self.rig.send(port, datagram.copy())
        assert len(heard) == 1, heard
        return heard[0]

    def _again(self, one: tuple[Datagram, int, str]) -> None:
        """The same first packet once more."""
        first, line, text = one
        heard = self._sent("LAN", first)
        self._counts["repeated"] += 1
        self._counts["moved"] += heard.interface != f"ISP{line + 1}" or heard.text != text

    def _follow(self, one: tuple[Datagram, int, str]) -> None:
        """Answered, asked again behind its translation, carried on both ways, complained about from both sides."""
        first, line, _ = one
        port = f"ISP{line + 1}"
        out = self._sent("LAN", first).datagram
        self._counts["moved"] += self._sent(port, _about(out, 11)).interface != "LAN"
        back = _reply(out)
        inward = self._sent(port, back)
        self._counts["moved"] += (inward.interface, inward.datagram.destination) != ("LAN", first.source)
        self._again(one)
        carried = first.copy()
        if first.protocol == TCP:
            carried.tcp_flags, carried.sequence, carried.acknowledgement = _ACK, first.sequence + 1, 7001
        heard = self._sent("LAN", carried)
        self._counts["moved"] += heard.interface != port or heard.datagram.source_port != out.source_port
        self._counts["moved"] += self._sent("LAN", _about(inward.datagram, 3)).interface != port
        self._counts["followed"] += 1

    def _reload(self) -> None:
        """The same text once more: rules count anew, connections stay."""
        self.rig.load(self._text, self._dialect)
        self._had, self._since = [0] * len(self.weights), 0

    # -- figures ------------------------------------------------------------------------------------

    def _figures(self) -> Figures:
        memory = self.rig.router.memory
        names: dict[int, int | str] = {}
        unmarked = remarked = 0
        for connection, (_, line, _) in zip(self._connections, self._opened, strict=True):
            if connection is None or connection.mark == memory.no_mark:
                unmarked += 1
            else:
                remarked += names.setdefault(line, connection.mark) != connection.mark
        return Figures(
            len(self._opened),
            self._counts["repeated"],
            self._counts["followed"],
            unmarked,
            remarked,
            self._counts["moved"],
            self._furthest,
            len(self._by_key),
            self._deviations(),
        )

    def _deviations(self) -> float:
        keys, worst = Counter(self._by_key.values()), 0.0
        for line, weight in enumerate(self.weights):
            share, total = weight / sum(self.weights), len(self._by_key)
            spread = (total * share * (1 - share)) ** 0.5
            worst = max(worst, abs(keys[line] - total * share) / spread if total else 0.0)
        return worst


def texts(plan: Plan, world: str) -> tuple[str, Network | None]:
    """What is written for a target: the text, and what its routes are where they stand elsewhere."""
    if world == "linux":
        return write_nftables(plan), read_batch(write_batch(plan), "router.ip")
    return write_routeros(plan, int(world[-1])), None


def _reply(out: Datagram) -> Datagram:
    made = Datagram(Family.IPV4, out.destination, out.source, out.protocol, out.size)
    made.source_port, made.destination_port = out.destination_port, out.source_port
    if out.protocol == TCP:
        made.tcp_flags, made.sequence, made.acknowledgement, made.window = _SYN | _ACK, 7000, out.sequence + 1, 65535
    return made


def _about(one: Datagram, kind: int) -> Datagram:
    """An ICMP error by whoever got this."""
    made = Datagram(Family.IPV4, one.destination, one.source, ICMP, 0, icmp_type=kind)
    made.data = encode(one)[:28]
    made.size = 28 + len(made.data)
    return decode(encode(made))
