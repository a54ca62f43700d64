"""The measures: pure functions from a lab, what was observed, and a pattern of activities, to a number or a text.

``None`` says that there is nothing to measure. Rates are bits a second, times
seconds, shares parts of one, sizes octets.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from compiler.addresses import format_address
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.engine import SECOND
from labs.observation import Observation
from labs.published.failures import first_fault, lost_at, octets_before, recovery
from labs.published.lines import line_of, lines_of, public_address
from labs.topology import Lab
from labs.words.figures import jain
from labs.words.word import matching

__all__ = ["MEASURES", "Measure", "Unit", "Value", "log_ins", "log_outs"]

Value = float | str
Measuring = Callable[[Lab, Observation, str], Value | None]

_LOGGED_IN = "200 Logged in"


class Unit(Enum):
    """How a value is read and shown."""

    RATE = "bit/s"
    SECONDS = "s"
    SHARE = "%"
    OCTETS = "octets"
    NUMBER = ""
    TEXT = "text"


class Measure(NamedTuple):
    """One measure. ``name`` is its title in tables of whole labs."""

    name: str
    unit: Unit
    measure: Measuring


def _rate(_: Lab, observation: Observation, pattern: str) -> Value | None:
    """Payload of all these activities together, each over its own time."""
    rates = [_rate_of(outcome, observation) for outcome in matching(observation, pattern)]
    return sum(rates) if rates else None


def _rate_of(outcome: Outcome, observation: Observation) -> float:
    starts = [one.started for one in outcome.connections]
    ends = [observation.duration if one.ended is None else one.ended for one in outcome.connections]
    span = max(ends, default=0) - min(starts, default=0)
    return outcome.transferred * 8 * SECOND / span if span else 0.0


def _records(observation: Observation, pattern: str) -> list[tuple[Outcome, ConnectionRecord]]:
    return [(outcome, one) for outcome in matching(observation, pattern) for one in outcome.connections]


def _addresses(_: Lab, observation: Observation, pattern: str) -> Value | None:
    """The public addresses that servers saw."""
    seen = {one.seen_as for _, one in _records(observation, pattern) if one.seen_as is not None}
    return ", ".join(sorted({format_address(one.address, one.family.width) for one in seen})) or None


def _addresses_each(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    """How many public addresses a server sees of one client, on average over all such pairs, before anything breaks."""
    fault = first_fault(lab)
    seen: dict[tuple[int, int], set[int]] = {}
    for _outcome, one in _records(observation, pattern):
        address = public_address(one)
        if address is not None and (fault is None or (one.connected or one.started) < fault):
            seen.setdefault((one.client.address, one.server.address), set()).add(address)
    return sum(map(len, seen.values())) / len(seen) if seen else None


def _octets_by_line(lab: Lab, observation: Observation, pattern: str) -> dict[str, float]:
    """Payload of each line, before anything breaks."""
    lines, fault = lines_of(lab), first_fault(lab)
    found: dict[str, float] = {line.name: 0.0 for line in lines}
    moment = observation.duration if fault is None else fault
    for outcome, one in _records(observation, pattern):
        line = line_of(lines, one)
        if line is not None:
            found[line.name] += octets_before(outcome, one, moment, observation.duration)
    return found


def _fair_lines(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    octets = _octets_by_line(lab, observation, pattern)
    return jain(list(octets.values())) if len(octets) > 1 and any(octets.values()) else None


def _fair_clients(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    fault = first_fault(lab)
    moment = observation.duration if fault is None else fault
    octets: dict[int, float] = {}
    for outcome, one in _records(observation, pattern):
        had = octets_before(outcome, one, moment, observation.duration)
        octets[one.client.address] = octets.get(one.client.address, 0.0) + had
    return jain(list(octets.values())) if len(octets) > 1 and any(octets.values()) else None


def _together(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    """Payload of all lines a second, from the first connection until something breaks."""
    records = _records(observation, pattern)
    octets = sum(_octets_by_line(lab, observation, pattern).values())
    if not records or not octets:
        return None
    fault = first_fault(lab)
    span = (observation.duration if fault is None else fault) - min(one.started for _, one in records)
    return octets * 8 * SECOND / span if span > 0 else None


def _difference(values: list[float]) -> float | None:
    """By how much the largest exceeds the smallest."""
    return max(values) / min(values) - 1 if len(values) > 1 and min(values) else None


def _payload_difference(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    return _difference(list(_octets_by_line(lab, observation, pattern).values()))


def _upstream_difference(lab: Lab, observation: Observation, _: str) -> Value | None:
    """Of what went from the LAN to each modem: what a mangle rule with ``in-interface=LAN`` counts."""
    counts = {(one.link, one.direction): one.octets for one in observation.links}
    return _difference([float(counts.get(line.upstream, 0)) for line in lines_of(lab)])


def _connections_difference(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    """By how many connections the lines differ, before anything breaks."""
    lines, fault = lines_of(lab), first_fault(lab)
    records = [
        one for _, one in _records(observation, pattern) if fault is None or (one.connected or one.started) < fault
    ]
    names = Counter(line.name for one in records if (line := line_of(lines, one)))
    counts = [names[line.name] for line in lines]
    return float(max(counts) - min(counts)) if len(counts) > 1 and any(counts) else None


def _recovery(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    fault = first_fault(lab)
    records = [one for _, one in _records(observation, pattern)]
    if fault is None or not any(one.started >= fault for one in records):
        return None
    return recovery(records, fault, observation.duration) / SECOND


def _failed_after(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    """Connections begun after the failure that never came about."""
    fault = first_fault(lab)
    if fault is None:
        return None
    later = [one for _, one in _records(observation, pattern) if one.started >= fault]
    return float(sum(one.connected is None and one.failure is not None for one in later))


def _lost(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    fault = first_fault(lab)
    if fault is None:
        return None
    names = {outcome.traffic for outcome in matching(observation, pattern)}
    return float(sum(name in names for name, _ in lost_at(observation, fault)))


def _told_after(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    """Until the last client whose connection was lost knew it."""
    fault = first_fault(lab)
    names = {outcome.traffic for outcome in matching(observation, pattern)}
    lost = [one for name, one in lost_at(observation, fault) if name in names] if fault is not None else []
    if fault is None or not lost:
        return None
    ends = [math.inf if one.ended is None or one.failure is None else one.ended - fault for one in lost]
    return max(ends) / SECOND


def log_ins(outcome: Outcome) -> tuple[int, ...]:
    """The moments at which a reader of a forum logged in."""
    return tuple(
        one.connected or one.started for one in outcome.connections for _ in range(one.detail.count(_LOGGED_IN))
    )


def log_outs(outcome: Outcome, before: int | None = None) -> int:
    """How often the forum made a reader log in again."""
    return max(sum(before is None or moment < before for moment in log_ins(outcome)) - 1, 0)


def _log_outs(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    readers = [outcome for outcome in matching(observation, pattern) if log_ins(outcome)]
    return float(sum(log_outs(one, first_fault(lab)) for one in readers)) if readers else None


def _visits(lab: Lab, observation: Observation, pattern: str) -> Value | None:
    """When each visit was, on the clock on the wall, and by which line (numbered from 1)."""
    lines = lines_of(lab)
    midnight = datetime(1970, 1, 1)
    told = []
    for _, one in _records(observation, pattern):
        line = line_of(lines, one)
        moment = midnight + timedelta(minutes=lab.clock, microseconds=one.started // 1000)
        told.append(f"{moment:%H:%M:%S} {f'ISP {lines.index(line) + 1}' if line else 'nobody'}")
    return ", ".join(told) or None


MEASURES: dict[str, Measure] = {
    "rate": Measure("rate", Unit.RATE, _rate),
    "addresses": Measure("public addresses", Unit.TEXT, _addresses),
    "addresses-each": Measure("public addresses per client and server", Unit.NUMBER, _addresses_each),
    "fair-lines": Measure("Jain's index, payload of lines", Unit.NUMBER, _fair_lines),
    "fair-clients": Measure("Jain's index, payload of clients", Unit.NUMBER, _fair_clients),
    "together": Measure("payload of all lines", Unit.RATE, _together),
    "payload-difference": Measure("difference of the lines' payload", Unit.SHARE, _payload_difference),
    "upstream-difference": Measure("difference of the lines' octets upstream", Unit.SHARE, _upstream_difference),
    "connections-difference": Measure("difference of the lines' connections", Unit.NUMBER, _connections_difference),
    "log-outs": Measure("forum: log-outs", Unit.NUMBER, _log_outs),
    "visits": Measure("forum: visits", Unit.TEXT, _visits),
    "recovery": Measure("failover: new connections come about after", Unit.SECONDS, _recovery),
    "failed-after": Measure("failover: connections that never came about", Unit.NUMBER, _failed_after),
    "told-after": Measure("failover: a client knows that its connection is lost after", Unit.SECONDS, _told_after),
    "lost": Measure("failover: connections lost", Unit.NUMBER, _lost),
}
"""Every measure by the word that a file of published values calls it."""
