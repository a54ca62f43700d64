"""A page of Postfix's queue out of the JSON lines of ``postqueue -j`` (postqueue(1), JSON OBJECT FORMAT).

A queue may hold 100,000 messages: they are read one by one, and no more than the
page is kept.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["RECIPIENTS", "Wanted", "page_of"]

RECIPIENTS = 5
"""How many recipients of one message are told; the rest are counted."""
REASON = 300
"""Characters of why a message waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages."""

    queue: str
    """``active``, ``incoming``, ``deferred``, ``hold``, ``maildrop``, or ``all``."""
    search: str
    """Stands in the id, an address or the reason; without regard to case."""
    offset: int
    count: int


def page_of(lines: Iterable[bytes], wanted: Wanted) -> dict[str, Any]:
    """The page, the oldest message first, and what there is altogether: ``rows``, ``matching``, ``queues``, ``bytes``,
    ``oldest`` (Unix time, None in an empty queue). A line that is no message is counted as ``unread``."""
    tally = _Tally()
    matching = _Counted(_matching(lines, wanted, tally))
    first = heapq.nsmallest(wanted.offset + wanted.count, matching, key=_by_age)
    return {
        "rows": [_row(message) for message in first[wanted.offset :]],
        "matching": matching.count,
        "queues": dict(sorted(tally.queues.items())),
        "bytes": tally.bytes,
        "oldest": tally.oldest,
        "unread": tally.unread,
    }


class _Tally:
    """What is counted of all messages."""

    def __init__(self) -> None:
        self.queues: Counter[str] = Counter()
        self.bytes = 0
        self.oldest: int | None = None
        self.unread = 0

    def add(self, message: dict[str, Any]) -> None:
        self.queues[message["queue_name"]] += 1
        self.bytes += message["message_size"]
        arrived = message["arrival_time"]
        self.oldest = arrived if self.oldest is None else min(self.oldest, arrived)


class _Counted:
    """How many went through."""

    def __init__(self, messages: Iterator[dict[str, Any]]) -> None:
        self._messages = messages
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for message in self._messages:
            self.count += 1
            yield message


def _matching(lines: Iterable[bytes], wanted: Wanted, tally: _Tally) -> Iterator[dict[str, Any]]:
    search = wanted.search.casefold()
    for line in lines:
        if not line.strip():
            continue
        message = _message(line)
        if message is None:
            tally.unread += 1
            continue
        tally.add(message)
        if wanted.queue not in {"all", message["queue_name"]}:
            continue
        if not search or any(search in text.casefold() for text in _texts(message)):
            yield message


def _message(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
        told = {
            "queue_name": str(message["queue_name"]),
            "queue_id": str(message["queue_id"]),
            "arrival_time": int(message["arrival_time"]),
            "message_size": int(message["message_size"]),
            "sender": str(message["sender"]),
        }
        told["recipients"] = [
            (str(one["address"]), str(one.get("delay_reason", ""))) for one in message.get("recipients", ())
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return told


def _texts(message: dict[str, Any]) -> Iterator[str]:
    yield message["queue_id"]
    yield message["sender"]
    for address, reason in message["recipients"]:
        yield address
        yield reason


def _by_age(message: dict[str, Any]) -> tuple[int, str]:
    return message["arrival_time"], message["queue_id"]


def _row(message: dict[str, Any]) -> dict[str, Any]:
    recipients = message["recipients"]
    reasons = dict.fromkeys(reason for _address, reason in recipients if reason)
    return {
        "id": message["queue_id"],
        "queue": message["queue_name"],
        "arrived": message["arrival_time"],
        "size": message["message_size"],
        "sender": message["sender"],
        "recipients": [address for address, _reason in recipients[:RECIPIENTS]],
        "more": max(0, len(recipients) - RECIPIENTS),
        "reason": "; ".join(reasons)[:REASON],
    }
