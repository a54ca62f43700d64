"""Flows to a ``udp-echo`` of which no answer came back: the server saw them, and yet they went unanswered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.sockets import Failure, FailureKind
from labs.requests import addresses_of, server_of
from labs.topology import Lab, Node, Traffic, TrafficKind

__all__ = ["with_unanswered"]

_ECHO_PORT = 7
"""RFC 862: what is asked there is echoed, on whatever node it is in the end."""


def with_unanswered(lab: Lab, outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes, in which a flow that waits for echoes and got none has timed out.

    A flow to a ``sink`` is one-way: there it is enough that something arrived.
    """
    echoed = {traffic.name for traffic in lab.traffic if _is_echoed(lab, traffic)}
    return tuple(_told(outcome) if outcome.traffic in echoed else outcome for outcome in outcomes)


def _told(outcome: Outcome) -> Outcome:
    return replace(outcome, connections=tuple(_timed_out(record) for record in outcome.connections))


def _timed_out(record: ConnectionRecord) -> ConnectionRecord:
    if record.failure is not None or record.ended is None or "answers" in record.detail:
        return record
    return replace(record, failure=Failure(FailureKind.TIMED_OUT))


def _is_echoed(lab: Lab, traffic: Traffic) -> bool:
    if traffic.kind is not TrafficKind.UDP:
        return False
    node = _server(lab, traffic)
    service = next((one.name for one in node.services if one.port == traffic.port), "") if node is not None else ""
    # Behind a translation the server is another node: then the port tells.
    return service == "udp-echo" if service else traffic.port == _ECHO_PORT


def _server(lab: Lab, traffic: Traffic) -> Node | None:
    named = lab.node(traffic.server)
    if named is not None:
        return named
    end = server_of(lab, traffic)
    return next((node for node in lab.nodes if (end.family, end.address) in set(addresses_of(node))), None)
