"""What a failure does: octets before it, connections that were under way, when new ones come about again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.engine import SECOND
from labs.observation import Observation
from labs.topology import FaultKind, Lab
from labs.words.figures import octets_until
from labs.words.showing import came_through

__all__ = ["PROMPT", "first_fault", "lost_at", "octets_before", "recovery"]

PROMPT = SECOND
"""Nanoseconds in which a new connection comes about where nothing is wrong: less than TCP's first repetition."""

_BROKEN = frozenset({FaultKind.LINK_DOWN, FaultKind.LINK_FLAP, FaultKind.NODE_DOWN})


def first_fault(lab: Lab) -> int | None:
    """The moment at which something breaks for the first time, or None."""
    return min((fault.at for fault in lab.faults if fault.kind in _BROKEN), default=None)


def octets_before(outcome: Outcome, record: ConnectionRecord, moment: int, end: int) -> float:
    """Payload that a connection had by then.

    Known where the activity is that one connection, or where it was over. What
    else was under way is taken to have come evenly. ``end`` is the end of the run.
    """
    if record.ended is not None and record.ended <= moment:
        return float(record.transferred)
    if record.connected is None or record.connected >= moment:
        return 0.0
    if len(outcome.connections) == 1:
        return octets_until(outcome, moment)
    span = (end if record.ended is None else record.ended) - record.started
    return record.transferred * (moment - record.started) / span if span else 0.0


def recovery(records: Sequence[ConnectionRecord], fault: int, end: int) -> float:
    """Nanoseconds from the fault to the first attempt from which on all come about promptly; infinity: none does.

    Attempts in the last moments of the run, which nobody waited for, do not count.
    """
    later = sorted(
        (one for one in records if one.started >= fault and (came_through(one) or one.started + PROMPT < end)),
        key=lambda one: one.started,
    )
    wrong = [number for number, one in enumerate(later) if not _is_prompt(one)]
    if not wrong:
        return 0.0
    first = wrong[-1] + 1
    return float(later[first].started - fault) if first < len(later) else math.inf


def _is_prompt(record: ConnectionRecord) -> bool:
    return (
        came_through(record)
        and record.connected is not None
        and record.connected - record.started < PROMPT
        and (record.failure is None or (record.ended or 0) > record.connected + PROMPT)
    )


def lost_at(observation: Observation, fault: int) -> tuple[tuple[str, ConnectionRecord], ...]:
    """Connections under way at the fault that broke, or of which nothing came any more."""
    found = []
    for outcome in observation.outcomes:
        for record in outcome.connections:
            if record.connected is None or record.connected >= fault or (record.ended or math.inf) <= fault:
                continue
            if record.failure is not None or _is_silent(outcome, fault):
                found.append((outcome.traffic, record))
    return tuple(found)


def _is_silent(outcome: Outcome, fault: int) -> bool:
    """Whether the transfer of a single connection stood still; of several nobody knows which."""
    if len(outcome.connections) != 1 or not outcome.samples:
        return False
    return outcome.samples[-1][0] <= fault + PROMPT
