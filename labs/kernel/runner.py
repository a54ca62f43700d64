"""A lab, run in the kernel: real time, real TCP, the same observation as from the simulator."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from compiler.errors import UsageError
from compiler.simulator.applications.clients import start
from compiler.simulator.applications.matching import complete
from compiler.simulator.applications.outcome import Outcome
from compiler.simulator.applications.running import Running
from compiler.simulator.applications.server_log import ServerLog
from compiler.simulator.applications.servers import serve
from compiler.simulator.engine import MILLISECOND, SECOND
from labs.kernel.cables import link_counts
from labs.kernel.captures import KernelCapture
from labs.kernel.firewall import rule_counts
from labs.kernel.processes import Processes
from labs.kernel.raw import Listeners, RawPackets
from labs.kernel.sockets import KernelSockets
from labs.kernel.watching import KernelWatch
from labs.kernel.world import KernelWorld
from labs.observation import DropCount, LinkCount, Observation, RuleCount
from labs.requests import request_of
from labs.topology import Lab, TrafficKind
from labs.unanswered import with_unanswered

__all__ = ["Progress", "run"]

Progress = Callable[[int, int], None]
"""Called now and then with the nanoseconds that have passed and those that there may be."""

_LOOK = 20 * MILLISECOND
"""How often the end of all traffic is looked for."""
_AFTERMATH = 50 * MILLISECOND
"""How long a run goes on when all traffic is over, so that what is under way arrives."""
_RAW = (TrafficKind.PACKETS, TrafficKind.REPLAY)


def run(
    lab: Lab,
    *,
    seed: int | None = None,
    captures: Sequence[str] = (),
    folder: Path | None = None,
    progress: Progress | None = None,
    outputs: Path | None = None,
) -> Observation:
    """Run the lab until all its traffic is over, or its duration is.

    ``captures`` names links whose frames are written to ``folder``; what programs
    and commands say is kept in ``outputs`` when that is given. What the
    kernel world lacks, and what depends on it, is in the observation's
    ``lacks``; traffic that was skipped has no outcome. UsageError where this
    machine cannot do it (:func:`labs.kernel.possible.why_not`).
    """
    used = lab.seed if seed is None else seed
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with (
        _room_for_sockets(),
        KernelWorld(lab, used) as world,
        Processes(world, descriptors, outputs) as processes,
        _one_processor(),
    ):
        watches = _watches(world)
        recorders = [_capture(world, name, _path(world, folder or Path(), name)) for name in captures]
        world.loop.start()
        activities = _Activities(world, processes)
        for fault in lab.faults:
            world.plan(fault)
        for recorder in recorders:
            recorder.start()
        _run(world, activities, progress)
        lasted = world.loop.now()
        commands, programs = processes.records()
        world.lacks += [("watch", watch.why_ended) for watch in watches if watch.why_ended]
        links = link_counts(world.room, world.cables.values())
        return Observation(
            "kernel",
            used,
            lasted,
            with_unanswered(lab, activities.outcomes()),
            links,
            tuple(_drop_counts(links)),
            _rule_counts(world),
            tuple(world.lacks),
            tuple((name, str(_path(world, folder or Path(), name))) for name in captures),
            commands=commands,
            programs=programs,
        )


def _watches(world: KernelWorld) -> list[KernelWatch]:
    """The daemons of balanced routers, before time begins: an ISP may die at any moment after."""
    found = []
    for node in world.nodes.values():
        if node.node.balance is not None and node.node.balance.watch is not None and node.node.is_up:
            watch = KernelWatch(node, node.node.balance)
            world.at_close(watch.close)
            found.append(watch)
    return found


def _run(world: KernelWorld, activities: _Activities, progress: Progress | None) -> None:
    loop, duration = world.loop, world.lab.duration
    last_fault = max((fault.at for fault in world.lab.faults), default=0)
    ends: list[int] = []

    def look() -> None:
        now = loop.now()
        activities.look(now)
        if progress is not None:
            progress(min(now, duration), duration)
        if activities.are_over and now >= last_fault and not ends:
            ends.append(now + _AFTERMATH)
        if ends and now >= ends[0]:
            loop.stop()
            return
        loop.after(_LOOK, look)

    look()
    loop.run(duration)
    if progress is not None:
        progress(duration, duration)


class _Activities:
    """Servers and clients of the lab, and what they have seen."""

    def __init__(self, world: KernelWorld, processes: Processes) -> None:
        self._world = world
        self._processes = processes
        self._logs: list[ServerLog] = []
        self._clients: dict[str, Running] = {}
        self._raw: dict[str, RawPackets] = {}
        self._sockets: dict[str, KernelSockets] = {}
        lab = world.lab
        for node in lab.nodes:
            if node.name in world.nodes:
                for service in node.services:
                    if processes.is_stood_for(node, service):
                        continue
                    self._logs.append(self._serve(node.name, service.name, service.port, service.settings))
        number = 0
        for traffic in lab.traffic:
            reason = world.why_skip(traffic) or ("" if traffic.command is None else processes.why_skip(traffic))
            if reason:
                world.lacks.append((f"traffic {traffic.name}", reason))
            elif traffic.command is not None:
                processes.command(traffic)
            elif traffic.kind in _RAW:
                way = partial(world.way, traffic.client)
                client = world.nodes[traffic.client].namespace
                self._raw[traffic.name] = RawPackets(world.loop, client, traffic, way, number)
                number += sum(spec.times for spec in traffic.packets)
            else:
                self._clients[traffic.name] = start(self._of(traffic.client), request_of(lab, traffic))
        if self._raw:
            entries = tuple(self._raw.values())
            for entry in entries:
                world.at_close(entry.close)
            world.at_close(Listeners(world.loop, world.hosts(), entries).close)

    @property
    def are_over(self) -> bool:
        """Whether no client has anything left to do."""
        clients = all(one.is_over for one in self._clients.values())
        return clients and all(one.is_over for one in self._raw.values()) and self._processes.are_over

    def look(self, now: int) -> None:
        """Notice programs that have ended."""
        self._processes.look(now)

    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of each traffic, in the lab's order."""
        found = {outcome.traffic: outcome for outcome in complete(tuple(self._clients.values()), self._logs)}
        found |= {name: raw.outcome() for name, raw in self._raw.items()}
        return tuple(found[traffic.name] for traffic in self._world.lab.traffic if traffic.name in found)

    def _of(self, name: str) -> KernelSockets:
        if name not in self._sockets:
            self._sockets[name] = self._world.sockets(name)
        return self._sockets[name]

    def _serve(self, node: str, service: str, port: int, settings: tuple[tuple[str, str], ...]) -> ServerLog:
        try:
            return serve(self._of(node), service, port, settings)
        except ValueError as error:
            raise UsageError(f"{self._world.lab.source or self._world.lab.name}: {node}: {service}: {error}") from error


def _capture(world: KernelWorld, name: str, path: Path) -> KernelCapture:
    """A file for each link: Wireshark takes a segment seen on two links for a retransmission."""
    if name not in world.cables:
        raise UsageError(f"there is no link {name!r} to capture on")
    epoch = world.lab.clock * 60 * SECOND
    recorder = KernelCapture(world.loop, world.room, {name: world.cables[name]}, path, epoch)
    world.at_close(recorder.close)
    return recorder


def _path(world: KernelWorld, folder: Path, link: str) -> Path:
    return folder / f"{world.lab.name}-{link}-kernel.pcapng"


def _drop_counts(links: tuple[LinkCount, ...]) -> Iterator[DropCount]:
    for link in links:
        if link.drops:
            yield DropCount(link.link, "queue full", link.drops)


def _rule_counts(world: KernelWorld) -> tuple[RuleCount, ...]:
    return tuple(
        count
        for name, node in world.nodes.items()
        if node.rules is not None and node.node.configuration is not None
        for count in rule_counts(name, node.node.configuration, node.rules)
    )


@contextmanager
def _one_processor() -> Iterator[None]:
    """The kernel keeps the order of packets where one processor handles them all."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def _room_for_sockets() -> Iterator[None]:
    """As many descriptors as the process may have: a lab has two a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
