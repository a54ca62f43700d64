"""Records as messages say them."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.addresses import format_address, parse_address
from compiler.placed.quantities import format_duration
from compiler.simulator.applications.outcome import ConnectionRecord
from compiler.simulator.sockets import Endpoint, FailureKind

__all__ = ["came_through", "counted", "fate", "plain_address", "several", "show_endpoint", "show_record", "why"]


def show_endpoint(endpoint: Endpoint) -> str:
    """``10.0.0.2:1234``, ``[2001:db8::1]:80``; without a port where there is none."""
    text = format_address(endpoint.address, endpoint.family.width)
    if not endpoint.port:
        return text
    return f"[{text}]:{endpoint.port}" if endpoint.family.width == 128 else f"{text}:{endpoint.port}"


def plain_address(text: str) -> str:
    """An address as records show it: ``2001:DB8:0::1`` is ``2001:db8::1``. What is no address stays as it is."""
    try:
        return format_address(*parse_address(text))
    except ValueError:
        return text


def came_through(record: ConnectionRecord) -> bool:
    """Whether the handshake was done, or the question answered."""
    return record.connected is not None or (record.failure is None and record.ended is not None)


def why(record: ConnectionRecord) -> str:
    """What became of it, in words: ``refused``, ``no answer``, ``prohibited, said 10.0.0.1 (ICMP 3/13)``."""
    failure = record.failure
    if failure is None:
        if not came_through(record):
            return "no answer before the lab ended"
        return f"connected at {format_duration(record.connected)}" if record.connected is not None else "answered"
    text = fate(record)
    if failure.reporter is not None:
        text += f", said {format_address(failure.reporter, record.client.family.width)}"
    if failure.icmp_type is not None:
        text += f" (ICMP {failure.icmp_type}/{failure.icmp_code or 0})"
    return text


def fate(record: ConnectionRecord) -> str:
    """What became of it in a word or two, the same for all that went the same way."""
    failure = record.failure
    if failure is None:
        return "came about" if came_through(record) else "no answer before the lab ended"
    return "no answer" if failure.kind is FailureKind.TIMED_OUT and record.connected is None else failure.kind.value


def show_record(traffic: str, record: ConnectionRecord) -> str:
    """One connection with its ends, its moment and what became of it."""
    ends = f"{show_endpoint(record.client)} > {show_endpoint(record.server)}"
    detail = f" [{record.detail}]" if record.detail else ""
    return f"{traffic}#{record.index} {ends} at {format_duration(record.started)}: {why(record)}{detail}"


def several(lines: Sequence[str], most: int = 4) -> str:
    """The first of them, and how many more there are."""
    more = f"; and {len(lines) - most:,} more" if len(lines) > most else ""
    return "; ".join(lines[:most]) + more


def counted(number: int, noun: str) -> str:
    """``1 connection``, ``2,000 connections``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
