"""A run as one JSON document: everything that was observed, and the verdicts. Times are nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from compiler.addresses import format_address
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from labs.agreement import Difference
from labs.assertions import say
from labs.report.page import World
from labs.topology import Lab
from labs.words.showing import show_endpoint

__all__ = ["document"]


def document(lab: Lab, worlds: Sequence[World], differences: Sequence[Difference] | None) -> dict[str, object]:
    """The document; ``differences`` only where two worlds were compared."""
    found: dict[str, object] = {"lab": lab.name, "source": lab.source, "worlds": [_world(world) for world in worlds]}
    if differences is not None:
        found["differences"] = [difference._asdict() for difference in differences]
    return found


def _world(world: World) -> dict[str, object]:
    observation = world.observation
    return {
        "world": observation.world,
        "seed": observation.seed,
        "duration": observation.duration,
        "lacks": dict(observation.lacks),
        "assertions": [
            {
                "assertion": say(verdict.assertion),
                "place": str(verdict.assertion.span),
                "verdict": verdict.state.value,
                "message": verdict.message,
            }
            for verdict in world.verdicts
        ],
        "traffic": [_outcome(outcome) for outcome in observation.outcomes],
        "links": [one._asdict() for one in observation.links],
        "drops": [one._asdict() for one in observation.drops],
        "rules": [one._asdict() for one in observation.rules],
        "trace": [event.line() for event in observation.trace],
        "commands": [asdict(one) for one in observation.commands],
        "programs": [asdict(one) for one in observation.programs],
        "captures": [{"link": link, "path": path} for link, path in observation.captures],
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.traffic,
        "sent": outcome.sent,
        "received": outcome.received,
        "transferred": outcome.transferred,
        "connections": [_connection(record) for record in outcome.connections],
        "samples": [list(sample) for sample in outcome.samples],
        "delays": list(outcome.delays),
    }


def _connection(record: ConnectionRecord) -> dict[str, object]:
    failure = record.failure
    reporter = failure.reporter if failure else None
    return {
        "index": record.index,
        "client": show_endpoint(record.client),
        "server": show_endpoint(record.server),
        "seen_as": show_endpoint(record.seen_as) if record.seen_as else None,
        "started": record.started,
        "connected": record.connected,
        "ended": record.ended,
        "transferred": record.transferred,
        "failure": failure.kind.value if failure else None,
        "reporter": format_address(reporter, record.client.family.width) if reporter is not None else None,
        "icmp": None if failure is None or failure.icmp_type is None else [failure.icmp_type, failure.icmp_code],
        "detail": record.detail,
    }
