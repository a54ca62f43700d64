"""Two worlds, one lab: where they differ, connection by connection.

Compared is what the lab and the policies determine: whether each connection
came about, the kind of its failure, how much of a bounded transfer arrived, what
the protocol said, as whom the server saw it, and how many datagrams arrived
where the lab determines that (:mod:`labs.determined`). Left out is what depends
on the speed of the machine: moments, delays, the octets of transfers that time
ends, ports that a host chose by itself and the lines that follow from them,
visits of a forum that last into the next (:func:`labs.determined.entangled`),
what a real program says where the other world has a stand-in
(:func:`labs.determined.answered_by_programs`),
and connections that are there while a watch finds out what has broken
(:func:`labs.determined.finding_out`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from compiler.addresses import format_address
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.sockets import FailureKind
from labs.determined import Moments, answered_by_programs, entangled, finding_out, hangs_on_ports, is_determined
from labs.observation import Observation
from labs.topology import Lab, Traffic, TrafficKind
from labs.words.showing import came_through, show_endpoint, why

__all__ = ["Difference", "compare", "in_both"]

_TOLD = frozenset({TrafficKind.DNS, TrafficKind.HTTP, TrafficKind.FTP, TrafficKind.FORUM})
"""Protocols whose answers are the same in both worlds."""

_NO_ANSWER = frozenset({None, FailureKind.TIMED_OUT})
_FOUND_OUT = frozenset({FailureKind.NO_ROUTE, FailureKind.UNREACHABLE})
"""How a host finds out by itself that nobody is there: by its carrier, or by ARP."""


class Difference(NamedTuple):
    """One thing that the worlds do not agree on. ``connection`` is its index, None for the whole activity."""

    traffic: str
    connection: int | None
    what: str
    left: str
    right: str

    def __str__(self) -> str:
        place = self.traffic if self.connection is None else f"{self.traffic}#{self.connection}"
        return f"{place}: {self.what}: {self.left} | {self.right}"


class _Lenient(NamedTuple):
    """What makes the worlds tell one fate in two ways.

    Where something ``is_broken`` a host's own timers decide whether it gives up
    with its patience or with its neighbour table. Where a list ``is_compiled``
    to nftables for the kernel, what it denies is dropped in silence there. Where a
    world cannot hash ports as a wire would, or hosts choose the ports that are
    hashed, connections take other lines.
    """

    is_broken: bool
    is_compiled: bool
    hashes_otherwise: bool = False
    is_entangled: bool = False
    """Whether it is one of the visits of :func:`labs.determined.entangled`."""
    is_stood_in: bool = False
    """Whether a program answers it in one world, and what stands for it in the other."""
    ends: int = 0
    """When the lab ends, and cuts off what is under way."""


def compare(lab: Lab, left: Observation, right: Observation) -> tuple[Difference, ...]:
    """Every difference, by activity and connection; without what a world could not realise."""
    configurations = [node.configuration for node in lab.nodes if node.configuration is not None]
    is_compiled = any(one.dialect != "nftables" and one.policy is not None for one in configurations)
    skipped = {feature for observation in (left, right) for feature, _ in observation.lacks}
    first_fault = min((fault.at for fault in lab.faults), default=math.inf)
    windows = finding_out(lab)
    stood_in = answered_by_programs(lab, left, right)
    return tuple(
        difference
        for traffic in lab.traffic
        if f"traffic {traffic.name}" not in skipped
        for difference in _activity(
            traffic,
            left.outcome(traffic.name),
            right.outcome(traffic.name),
            _Lenient(
                False,
                is_compiled,
                "hashes of ports" in skipped or hangs_on_ports(lab, traffic),
                is_stood_in=traffic.name in stood_in,
                ends=lab.duration,
            ),
            first_fault=first_fault,
            windows=windows,
            is_counted=is_determined(lab, traffic),
        )
    )


def in_both(lab: Lab, left: Observation, right: Observation) -> tuple[int, int]:
    """How many of the lab's activities ran in both worlds, and how many there are. Only those are compared."""
    skipped = {feature for observation in (left, right) for feature, _ in observation.lacks}
    names = [traffic.name for traffic in lab.traffic]
    return sum(f"traffic {name}" not in skipped for name in names), len(names)


def _activity(
    traffic: Traffic,
    left: Outcome | None,
    right: Outcome | None,
    usual: _Lenient,
    *,
    first_fault: float,
    windows: tuple[Moments, ...],
    is_counted: bool,
) -> Iterator[Difference]:
    if left is None or right is None:
        if left is not right:
            yield Difference(
                traffic.name, None, "outcome", *("none" if one is None else "there" for one in (left, right))
            )
        return
    mine = {record.index: record for record in left.connections}
    theirs = {record.index: record for record in right.connections}
    if len(mine) != len(theirs):
        yield Difference(traffic.name, None, "connections", f"{len(mine):,}", f"{len(theirs):,}")
    hanging = entangled(left) | entangled(right) if traffic.kind is TrafficKind.FORUM else frozenset()
    for index in sorted(mine.keys() & theirs.keys()):
        if any(window.touch(record) for window in windows for record in (mine[index], theirs[index])):
            continue
        lenient = usual._replace(is_broken=mine[index].started >= first_fault, is_entangled=index in hanging)
        for what, one, other in _records(traffic, mine[index], theirs[index], lenient=lenient):
            if one != other:
                yield Difference(traffic.name, index, what, one, other)
    is_over = all(one.ended is not None for one in (*left.connections, *right.connections))
    if is_counted and (is_over or traffic.kind is TrafficKind.PING):
        counts = [f"{one.sent}, {one.received}" for one in (left, right)]
        if counts[0] != counts[1]:
            yield Difference(traffic.name, None, "sent and received", *counts)


def _records(
    traffic: Traffic, left: ConnectionRecord, right: ConnectionRecord, *, lenient: _Lenient
) -> Iterator[tuple[str, str, str]]:
    """Pairs of texts that ought to be equal."""
    views: list[tuple[str, Callable[[ConnectionRecord], str]]] = [
        ("server", lambda record: show_endpoint(record.server)),
        ("client", lambda record: format_address(record.client.address, record.client.family.width)),
        ("came about", lambda record: _fate(record, lenient=lenient)),
    ]
    if not lenient.hashes_otherwise and not lenient.is_stood_in:
        views.append(("seen as", lambda record: _seen(traffic, record)))
    # How far a transfer came that broke in both worlds, time decided.
    is_whole = left.failure is None or right.failure is None
    # What the lab's end cut off had not its time.
    is_whole = is_whole and not lenient.is_stood_in
    is_cut_off = any(one.ended is None and one.started + traffic.timeout > lenient.ends for one in (left, right))
    if traffic.octets is not None and traffic.duration is None and is_whole and not is_cut_off:
        views.append(("octets", lambda record: f"{record.transferred:,}"))
    # A forum tells readers by their addresses: what it says follows from the line.
    hangs = (
        lenient.is_entangled or lenient.is_stood_in or (lenient.hashes_otherwise and traffic.kind is TrafficKind.FORUM)
    )
    is_told = traffic.kind in _TOLD and not hangs
    if is_told and came_through(left) and came_through(right):
        views.append(("answer", lambda record: record.detail))
    for what, view in views:
        yield what, view(left), view(right)


def _fate(record: ConnectionRecord, *, lenient: _Lenient) -> str:
    """What became of it without its moment; waiting in vain is one thing, however it ended."""
    if came_through(record) and record.failure is None:
        return "yes"
    kind = record.failure.kind if record.failure else None
    if record.connected is None:
        silent = kind in _NO_ANSWER or (lenient.is_broken and _told_itself(record))
        if silent or (lenient.is_compiled and kind is FailureKind.PROHIBITED):
            return "filtered" if lenient.is_compiled else "no answer"
    return why(record) if record.connected is None else f"broke: {kind.value if kind else 'unfinished'}"


def _told_itself(record: ConnectionRecord) -> bool:
    failure = record.failure
    return failure is not None and failure.kind in _FOUND_OUT and failure.reporter in (None, record.client.address)


def _seen(traffic: Traffic, record: ConnectionRecord) -> str:
    """The address, and the port where it can be compared: chosen by the lab, or kept.

    Where a translation cannot keep a port it takes any that is free, by chance.
    """
    seen = record.seen_as
    if seen is None:
        return "nobody"
    address = format_address(seen.address, seen.family.width)
    if seen.port != record.client.port:
        return f"{address}, port changed"
    return show_endpoint(seen) if traffic.source_ports else f"{address}, port kept"
