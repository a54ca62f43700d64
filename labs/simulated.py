"""A lab, run in the simulator: virtual time, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from compiler.policy.packet import Packet
from compiler.policy.packet_text import parse_packet
from compiler.simulator.applications.clients import start
from compiler.simulator.applications.matching import complete
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.applications.running import Running
from compiler.simulator.applications.server_log import ServerLog
from compiler.simulator.applications.servers import serve
from compiler.simulator.engine import SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.host import Host
from compiler.simulator.hosts.icmp import failure
from compiler.simulator.sockets import Endpoint, Failure
from compiler.simulator.switch import Switch
from labs.building import SimulatedLab, wire_of
from labs.observation import DropCount, LinkCount, Observation, RuleCount
from labs.programs import not_in_the_simulator
from labs.raw_packets import datagram_of
from labs.requests import request_of
from labs.topology import Fault, FaultKind, Lab, Traffic, TrafficKind
from labs.tracing import follow
from labs.unanswered import with_unanswered

__all__ = ["Progress", "Watch", "run"]

Progress = Callable[[int, int], None]
"""Called now and then with the virtual nanoseconds that have passed and those that there may be."""
Watch = Callable[[SimulatedLab], None]
"""Called as often, to look at the network while it runs; it changes nothing there."""

_STEPS = 100
"""Parts of the run between which progress is told, and the end of all traffic is noticed."""
_AFTERMATH = SECOND // 2
"""How long a run goes on when all traffic is over, so that what is under way arrives."""


def run(
    lab: Lab,
    *,
    seed: int | None = None,
    captures: Sequence[str] = (),
    folder: Path | None = None,
    progress: Progress | None = None,
    trace: Sequence[str] = (),
    watch: Watch | None = None,
) -> Observation:
    """Run the lab until all its traffic is over, or its duration is.

    ``captures`` names links whose frames are written to ``folder``,
    ``trace`` traffics whose packets are followed from node to node.
    """
    used = lab.seed if seed is None else seed
    world = SimulatedLab(lab, used)
    with ExitStack() as stack:
        written = _capture(world, captures, folder or Path(), stack)
        tracer = follow(world, trace) if trace else None
        activities = _Activities(world)
        for fault in lab.faults:
            _plan(world, fault)
        _run(world, activities, progress, watch)
    return Observation(
        "simulator",
        used,
        world.engine.now,
        with_unanswered(lab, activities.outcomes()),
        tuple(_link_counts(world)),
        tuple(_drop_counts(world)),
        tuple(_rule_counts(world)),
        tuple(not_in_the_simulator(lab)),
        captures=written,
        trace=tuple(tracer.events) if tracer is not None else (),
    )


def _run(world: SimulatedLab, activities: _Activities, progress: Progress | None, watch: Watch | None) -> None:
    engine, duration = world.engine, world.lab.duration
    last_fault = max((fault.at for fault in world.lab.faults), default=0)
    step = max(duration // _STEPS, 1)
    while engine.now < duration and not (activities.are_over and engine.now >= last_fault):
        engine.run(min(engine.now + step, duration))
        if progress is not None:
            progress(engine.now, duration)
        if watch is not None:
            watch(world)
    if engine.now < duration:
        engine.run(min(engine.now + _AFTERMATH, duration))
        if watch is not None:
            watch(world)


# -- traffic -----------------------------------------------------------------------------


class _Activities:
    """Servers and clients of the lab, and what they have seen."""

    def __init__(self, world: SimulatedLab) -> None:
        lab = world.lab
        self._logs: list[ServerLog] = []
        for node in lab.nodes:
            for service in node.services:
                host = world.host(node.name)
                self._logs.append(serve(host.sockets, service.name, service.port, service.settings))
        self._clients: dict[str, Running] = {}
        self._raw: dict[str, _RawPackets] = {}
        for traffic in lab.traffic:
            if traffic.command is not None:
                continue  # a real process: said among what the simulator lacks
            if traffic.kind in (TrafficKind.PACKETS, TrafficKind.REPLAY):
                self._raw[traffic.name] = _RawPackets(world, traffic)
            else:
                sockets = world.host(traffic.client).sockets
                self._clients[traffic.name] = start(sockets, request_of(lab, traffic))
        self._order = [traffic.name for traffic in lab.traffic]

    @property
    def are_over(self) -> bool:
        """Whether no client has anything left to do."""
        return all(one.is_over for one in self._clients.values()) and all(one.is_over for one in self._raw.values())

    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of each traffic, in the lab's order."""
        found = {outcome.traffic: outcome for outcome in complete(tuple(self._clients.values()), self._logs)}
        found |= {name: raw.outcome() for name, raw in self._raw.items()}
        return tuple(found[name] for name in self._order if name in found)


class _RawPackets:
    """Packets sent as they are: which of them reached a host, and which came back as an ICMP error."""

    def __init__(self, world: SimulatedLab, traffic: Traffic) -> None:
        self._world = world
        self._traffic = traffic
        self._records: list[ConnectionRecord] = []
        self._indices: dict[int, int] = {}
        self._left = 0
        self._last = 0
        self._host = world.host(traffic.client)
        self._plan()
        for name, node in world.nodes.items():
            if isinstance(node, Host):
                node.on_datagram(self._listener(name))

    @property
    def is_over(self) -> bool:
        """Whether all is sent and has had a second to arrive."""
        return not self._left and self._world.engine.now >= self._last + SECOND

    def outcome(self) -> Outcome:
        """A record for each packet: ``connected`` when it reached ``detail``, or what came back."""
        arrived = [one for one in self._records if one.connected is not None]
        delays = tuple(one.connected - one.started for one in arrived if one.connected is not None)
        return Outcome(
            self._traffic.name, tuple(self._records), sent=len(self._records), received=len(arrived), delays=delays
        )

    def _plan(self) -> None:
        traffic, engine = self._traffic, self._world.engine
        if traffic.kind is TrafficKind.REPLAY:
            from compiler.simulator.traffic.arrivals import replay
            from compiler.simulator.traffic.sender import Sender
            from labs.capture import read_capture

            assert traffic.capture is not None
            reader = read_capture(traffic.capture)
            self._left = 1
            sender = Sender(engine, replay(reader), self._replayed, start=traffic.start)
            engine.at(traffic.start, self._watch, sender)
            return
        for spec in traffic.packets:
            packet = parse_packet(spec.text)
            for turn in range(spec.times):
                self._left += 1
                engine.at(traffic.start + turn * spec.interval, self._send, packet)

    def _watch(self, sender: object) -> None:
        """Notice when a replay has come to its end."""
        if getattr(sender, "is_done", True):
            self._left = 0
        else:
            self._world.engine.after(SECOND // 10, self._watch, sender)

    def _send(self, packet: Packet) -> None:
        self._left -= 1
        self._sent(datagram_of(packet, len(self._records) + 1))

    def _replayed(self, datagram: Datagram) -> None:
        self._sent(datagram)

    def _sent(self, datagram: Datagram) -> None:
        index = len(self._records)
        self._indices[datagram.number] = index
        self._last = now = self._world.engine.now
        family = datagram.family
        client = Endpoint(family, datagram.source, datagram.source_port)
        server = Endpoint(family, datagram.destination, datagram.destination_port)
        self._records.append(ConnectionRecord(index, client, server, now))
        self._host.send_raw(datagram)

    def _listener(self, name: str) -> Callable[[int, Datagram], None]:
        def heard(time: int, datagram: Datagram) -> None:
            quoted = datagram.quoted
            index = self._indices.get(quoted.number if quoted is not None else datagram.number)
            if index is None:
                return
            record = self._records[index]
            if quoted is not None:
                self._records[index] = _failed(record, time, failure(datagram))
            elif record.connected is None and name != self._traffic.client:
                seen = Endpoint(datagram.family, datagram.source, datagram.source_port)
                self._records[index] = _arrived(record, time, name, seen, datagram.size)

        return heard


def _failed(record: ConnectionRecord, time: int, why: Failure | None) -> ConnectionRecord:
    return replace(record, ended=time, failure=why)


def _arrived(record: ConnectionRecord, time: int, name: str, seen: Endpoint, octets: int) -> ConnectionRecord:
    return replace(record, connected=time, ended=time, detail=name, seen_as=seen, transferred=octets)


# -- faults ---------------------------------------------------------------------------------


def _plan(world: SimulatedLab, fault: Fault) -> None:
    engine = world.engine
    if fault.kind is FaultKind.LINK_FLAP:
        for turn in range(fault.count):
            begins = fault.at + turn * (fault.duration + fault.interval)
            engine.at(begins, lambda _: world.set_link(fault.target, False, fault.direction))
            engine.at(begins + fault.duration, lambda _: world.set_link(fault.target, True, fault.direction))
        return
    engine.at(fault.at, lambda _: _happen(world, fault))


def _happen(world: SimulatedLab, fault: Fault) -> None:
    if fault.kind in (FaultKind.LINK_DOWN, FaultKind.LINK_UP):
        world.set_link(fault.target, fault.kind is FaultKind.LINK_UP, fault.direction)
    elif fault.kind is FaultKind.LINK_CHANGE:
        link = world.links[fault.target]
        if fault.up is not None:
            link.forward.set_wire(wire_of(fault.up))
        if fault.down is not None:
            link.backward.set_wire(wire_of(fault.down))
    else:
        world.power(fault.target, fault.kind is FaultKind.NODE_UP)


# -- what was seen ------------------------------------------------------------------------------


def _capture(
    world: SimulatedLab, captures: Sequence[str], folder: Path, stack: ExitStack
) -> tuple[tuple[str, str], ...]:
    if not captures:
        return ()
    from labs.capture import Capture

    epoch = world.lab.clock * 60 * SECOND
    written = []
    for name in captures:
        # A file for each link: Wireshark takes a segment seen on two links for a retransmission.
        path = folder / f"{world.lab.name}-{name}.pcapng"
        stack.enter_context(Capture(world.engine, path, [world.links[name]], epoch=epoch))
        written.append((name, str(path)))
    return tuple(written)


def _link_counts(world: SimulatedLab) -> list[LinkCount]:
    return [
        LinkCount(name, way, one.frames, one.octets, one.drops_queue + one.drops_loss + one.drops_down)
        for name, link in world.links.items()
        for way, one in (("up", link.forward), ("down", link.backward))
    ]


def _drop_counts(world: SimulatedLab) -> list[DropCount]:
    found: list[DropCount] = []
    for name, node in world.nodes.items():
        router = world.routers.get(name)
        if router is not None:
            found += [
                DropCount(name, reason, packets, str(span) if span.line else "")
                for (reason, span), packets in router.journal.drops.items()
            ]
        elif isinstance(node, Host):
            found += _named(name, node.drops)
        elif isinstance(node, Switch):
            found += _named(name, {"shut": node.drops_shut, "back where it came from": node.drops_same_port})
    for name, link in world.links.items():
        for one in (link.forward, link.backward):
            lost = {"queue full": one.drops_queue, "lost on the link": one.drops_loss, "link down": one.drops_down}
            found += _named(name, lost)
    return found


def _named(name: str, counts: Mapping[str, int]) -> list[DropCount]:
    return [DropCount(name, reason, packets) for reason, packets in counts.items() if packets]


def _rule_counts(world: SimulatedLab) -> list[RuleCount]:
    return [
        RuleCount(name, str(span), packets)
        for name, router in world.routers.items()
        for span, packets in router.rule_counts()
    ]
