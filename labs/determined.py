"""Which counts of datagrams a lab determines, so that two worlds must agree on them, and which are left to chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from compiler.policy.stateful import AddToSet, Counter, Hash, Limit, RandomNumber
from compiler.simulator.applications.outcome import ConnectionRecord
from compiler.simulator.engine import SECOND
from labs.observation import Observation
from labs.topology import Fault, FaultKind, Lab, Traffic, TrafficKind

__all__ = ["Moments", "finding_out", "is_determined", "uncompared", "unsettled"]

_CHANCE = (AddToSet, Counter, Hash, Limit, RandomNumber)
"""What a rule asks of chance, of the clock, or of the packets of others."""


_SLACK = SECOND // 2
"""What a busy machine may be late by."""


class Moments(NamedTuple):
    """From one moment until before another, nanoseconds."""

    begin: int
    end: int

    def touch(self, record: ConnectionRecord) -> bool:
        """Whether a connection was there then, or was tried."""
        return record.started < self.end and (record.ended is None or record.ended >= self.begin)


def finding_out(lab: Lab) -> tuple[Moments, ...]:
    """When a watch may be finding out what has broken or mended: what is there meanwhile goes either way."""
    watches = [node.balance.watch for node in lab.nodes if node.balance is not None]
    longest = max(
        (one.interval * max(one.misses, one.replies) + one.timeout + _SLACK for one in watches if one is not None),
        default=0,
    )
    return tuple(Moments(moment, moment + longest) for moment in _turns(lab.faults)) if longest else ()


def _turns(faults: tuple[Fault, ...]) -> Iterator[int]:
    for fault in faults:
        yield fault.at
        if fault.kind is FaultKind.LINK_FLAP:
            for turn in range(fault.count):
                yield from (begins := fault.at + turn * (fault.duration + fault.interval), begins + fault.duration)


def unsettled(lab: Lab, observation: Observation) -> tuple[str, ...]:
    """How many connections of each activity were there while a watch was finding out: ``web 4 of 90``."""
    windows = finding_out(lab)
    found = []
    for outcome in observation.outcomes:
        count = sum(any(one.touch(record) for one in windows) for record in outcome.connections)
        if count:
            found.append(f"{outcome.traffic} {count:,} of {len(outcome.connections):,}")
    return tuple(found)


def is_determined(lab: Lab, traffic: Traffic) -> bool:
    """Whether the lab says how many datagrams or echoes are sent, and which of them arrive.

    Not so where the number is drawn or ended by time, where a link has a rate
    (and so a queue that overflows) or loses at random, where something breaks,
    and where a rule counts, limits or draws lots.
    """
    if traffic.kind is TrafficKind.PING:
        return True
    is_given = traffic.kind is TrafficKind.UDP and traffic.arrivals == "constant" and traffic.duration is None
    return is_given and not lab.faults and not _has_losses(lab) and not _has_chance(lab)


def uncompared(lab: Lab, left: Observation, right: Observation) -> tuple[str, ...]:
    """The counts that differ between the worlds and need not agree: ``flow 52 | 58 of 100``."""
    found = []
    for traffic in lab.traffic:
        one, other = left.outcome(traffic.name), right.outcome(traffic.name)
        if traffic.kind is not TrafficKind.UDP or one is None or other is None or is_determined(lab, traffic):
            continue
        if (one.sent, one.received) != (other.sent, other.received):
            of = f"{one.sent:,}" if one.sent == other.sent else f"{one.sent:,} | {other.sent:,}"
            found.append(f"{traffic.name} {one.received:,} | {other.received:,} of {of}")
    return tuple(found)


def _has_losses(lab: Lab) -> bool:
    return any(way.rate is not None or way.loss for link in lab.links for way in (link.up, link.down))


def _has_chance(lab: Lab) -> bool:
    policies = (node.configuration.policy for node in lab.nodes if node.configuration is not None)
    return any(isinstance(part, _CHANCE) for policy in policies for part in _parts(policy))


def _parts(value: object) -> Iterator[object]:
    """A description and all that it is made of."""
    yield value
    if isinstance(value, tuple):
        for one in value:
            yield from _parts(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
