"""What clients and servers saw of one another, put together: the complete outcomes of a lab."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.applications.request import Activity
from compiler.simulator.applications.running import Running
from compiler.simulator.applications.server_log import Flow, Meter, Seen, ServerLog
from compiler.simulator.sockets import Endpoint, Failure, FailureKind

__all__ = ["complete"]

Key = Callable[[Endpoint, Endpoint], Hashable]

_KEYS: tuple[Key, ...] = (
    lambda client, server: (client, server),
    lambda client, server: (client.port, server),
    lambda client, server: server,
    lambda client, server: client,
    lambda client, server: client.port,
    lambda client, server: None,
)
"""What a connection without a token and its log entry have in common, the surest first; within one, order in time."""


@dataclass(slots=True)
class _Logs:
    """All logs: who said a token, who did not, and the flows of datagrams."""

    named: dict[str, Seen]
    unnamed: list[Seen]
    flows: dict[str, Flow]


def complete(runnings: Sequence[Running], logs: Iterable[ServerLog]) -> tuple[Outcome, ...]:
    """The outcomes of all activities, with what only the servers know.

    ``seen_as`` comes from the token that a client sent along; bare handshakes
    have none and are known by address and port, or, behind a translation that
    changes both, by their order.
    """
    gathered = _gather(logs)
    outcomes = [_with_tokens(running, gathered) for running in runnings]
    return tuple(_without_tokens(outcomes, gathered.unnamed))


def _gather(logs: Iterable[ServerLog]) -> _Logs:
    gathered = _Logs({}, [], {})
    for log in logs:
        gathered.flows.update(log.flows)
        for seen in log.entries:
            if seen.token:
                gathered.named.setdefault(seen.token, seen)
            else:
                gathered.unnamed.append(seen)
    gathered.unnamed.sort(key=lambda seen: seen.moment)
    return gathered


def _with_tokens(running: Running, logs: _Logs) -> Outcome:
    outcome = running.outcome()
    tokens = running.tokens
    connections = []
    meters = []
    for record in outcome.connections:
        seen = logs.named.get(tokens[record.index])
        if seen is not None:
            record = replace(record, seen_as=seen.remote)  # noqa: PLW2901  # the same record, more of it
            if running.request.activity in (Activity.UPLOAD, Activity.UDP):
                record = replace(record, transferred=seen.octets)  # noqa: PLW2901
            if running.request.activity is Activity.UPLOAD and seen.meter is not None:
                meters.append(seen.meter)
                if running.request.duration is not None and record.ended is not None:
                    # What was in queues when the time was up arrives later, and belongs to no duration.
                    until = seen.meter.total_at(record.ended)
                    record = replace(record, transferred=until)  # noqa: PLW2901
        elif running.request.activity is Activity.UDP and record.ended is not None and record.failure is None:
            # Nobody tells the client of a one-way flow that none of it arrived: its server knows.
            record = replace(record, failure=Failure(FailureKind.TIMED_OUT))  # noqa: PLW2901
        connections.append(record)
    outcome = replace(outcome, connections=tuple(connections))
    if running.request.activity is Activity.UDP:
        return _with_flows(outcome, [logs.flows[name] for name in tokens.values() if name in logs.flows])
    return replace(outcome, samples=_joined(meters)) if meters else outcome


def _with_flows(outcome: Outcome, flows: list[Flow]) -> Outcome:
    return replace(
        outcome,
        received=sum(len(flow.numbers) for flow in flows),
        delays=tuple(delay for flow in flows for delay in flow.delays),
        samples=_joined([flow.meter for flow in flows]),
        connections=tuple(_with_order(record, flows) for record in outcome.connections),
    )


def _with_order(record: ConnectionRecord, flows: list[Flow]) -> ConnectionRecord:
    flow = next((flow for flow in flows if flow.seen.remote == record.seen_as), None)
    if flow is None or not (flow.late or flow.repeated):
        return record
    words = f"{flow.late} out of order, {flow.repeated} repeated"
    return replace(record, detail=f"{record.detail}; {words}" if record.detail else words)


def _joined(meters: list[Meter]) -> tuple[tuple[int, int], ...]:
    """One curve of several."""
    if len(meters) == 1:
        return meters[0].samples
    steps = []
    for meter in meters:
        before = 0
        for moment, total in meter.samples:
            steps.append((moment, total - before))
            before = total
    joined = Meter(meters[0].period) if meters else Meter()
    for moment, octets in sorted(steps):
        joined.count(moment, octets)
    return joined.samples


def _without_tokens(outcomes: list[Outcome], unnamed: list[Seen]) -> list[Outcome]:
    open_records = sorted(
        (
            (record.connected, place, record)
            for place, outcome in enumerate(outcomes)
            for record in outcome.connections
            if record.seen_as is None and record.connected is not None and record.client.port
        ),
        key=lambda entry: entry[:2],
    )
    found: dict[tuple[int, int], Seen] = {}
    for key in _KEYS:
        taken = {id(seen) for seen in found.values()}
        free: dict[Hashable, deque[Seen]] = {}
        for seen in unnamed:
            if id(seen) not in taken:
                free.setdefault(key(seen.remote, seen.local), deque()).append(seen)
        for _, place, record in open_records:
            if (place, record.index) in found:
                continue
            entries = free.get(key(record.client, record.server), deque())
            while entries and entries[0].moment < record.started:
                entries.popleft()
            if entries:
                found[place, record.index] = entries.popleft()
    return [
        replace(
            outcome,
            connections=tuple(
                replace(record, seen_as=found[place, record.index].remote) if (place, record.index) in found else record
                for record in outcome.connections
            ),
        )
        for place, outcome in enumerate(outcomes)
    ]
