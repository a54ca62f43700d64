"""One search through all logs: first what matches, then everything about the same messages.

The logs are read several times and never kept: a million lines are a few
seconds each time, and the memory is that of the messages that are answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from appliance.services.mail import tracing_dovecot, tracing_postfix, tracing_rspamd
from appliance.services.mail.tracing_event import Event, Step, moment_of
from appliance.services.mail.tracing_files import lines_of, logs_of
from appliance.services.mail.tracing_linking import Trace, traces_of

__all__ = ["Found", "Sought", "search"]

MOST_EVENTS = 20_000
"""Beyond that the search ends, and says so."""
ROUNDS = 6
"""How often new ids of the same messages are followed."""
_DELIVERY = 7 * 86_400.0
"""Seconds that lines about a message may come after it: the queue's lifetime, and what its readers do."""
_QUEUE_ID = re.compile(rb"\]: ([0-9A-Za-z]{5,20}): ")
_POSTFIX_LINK = re.compile(rb"message-id=(<[^>]*>)|orig_id=([0-9A-Za-z]+)|notification: ([0-9A-Za-z]+)")
_DOVECOT_ID = re.compile(rb"msgid=(<[^>]*>)")
_RSPAMD_ID = re.compile(rb'"queue_id":"([0-9A-Za-z]+)"|gerbang-subject: ([0-9A-Za-z]+) ')
_RSPAMD_MESSAGE = re.compile(rb'"message_id":"([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is looked for."""

    by: str
    """``sender``, ``recipient``, ``subject`` (its hash), ``message-id``, ``queue-id``, or ``everything``."""
    text: str
    since: float
    """Unix time."""
    until: float
    most: int
    """Traces that are answered: the newest."""


@dataclass(frozen=True, slots=True)
class Found:
    """The traces, the newest first."""

    traces: tuple[Trace, ...]
    matching: int
    """Messages that match, those beyond ``most`` too."""
    lines: int
    """Lines that were looked through."""
    cut: bool
    """There was more than a search may hold."""


class _Search:
    def __init__(self, programs: Path, sought: Sought) -> None:
        self.programs = programs
        self.sought = sought
        self.queue_ids: set[bytes] = set()
        self.message_ids: set[bytes] = set()
        self.lines = 0

    def lines_between(self, daemon: str, until: float) -> Iterator[tuple[bytes, float]]:
        since = self.sought.since
        for path in logs_of(self.programs, daemon, since):
            try:
                written = path.stat().st_mtime
            except OSError:
                continue
            prefix, at, within = b"-", 0.0, False
            for line in lines_of(path):
                self.lines += 1
                if not line.startswith(prefix):
                    # Only what stands before the seconds end: most lines have the same as the one before.
                    prefix = line[:19] if line[:1].isdigit() else line[:15]
                    moment = moment_of(line[:40].decode("ascii", "replace"), written)
                    at, within = moment or 0.0, moment is not None and since <= moment <= until
                if within:
                    yield line, at


def search(programs: Path, sought: Sought) -> Found:
    """What the logs know. ``programs`` is the folder in which each program has its own."""
    one = _Search(programs, sought)
    seeds = _seeds(one)
    matching = len(seeds)
    kept = list(seeds)[-sought.most :]
    one.queue_ids = {key for kind, key in kept if kind == "queue"}
    one.message_ids = {key for kind, key in kept if kind == "message"}
    refused = {key for kind, key in kept if kind == "refused"}
    _grow(one)
    events = list(islice(_events(one, refused), MOST_EVENTS))
    cut = len(events) >= MOST_EVENTS
    traces = [trace for trace in traces_of(events) if _matches(trace, sought)]
    # Several ids may be one message: where all were followed, the messages are what is counted.
    count = max(matching, len(traces)) if matching > sought.most else len(traces)
    return Found(tuple(traces[: sought.most]), count, one.lines, cut)


def _seeds(one: _Search) -> dict[tuple[str, bytes], None]:
    """Keys of what matches, in the order of the last time that each was seen."""
    found: dict[tuple[str, bytes], None] = {}

    def note(kind: str, key: bytes) -> None:
        found.pop((kind, key), None)
        found[kind, key] = None

    sought = one.sought
    if sought.by == "subject":
        needle = sought.text.encode()
        for line, _at in one.lines_between("rspamd", sought.until):
            if needle in line and (number := _RSPAMD_ID.search(line)) is not None:
                note("queue", number[1] or number[2])
        return found
    pattern = _pattern(sought)
    for line, _at in one.lines_between("postfix", sought.until):
        if pattern.search(line) and (number := _QUEUE_ID.search(line)) is not None:
            if number[1] == b"NOQUEUE":
                note("refused", line.partition(b": ")[2])
            else:
                note("queue", number[1])
    if sought.by == "message-id":
        for line, _at in one.lines_between("dovecot", sought.until):
            if pattern.search(line) and (message := _DOVECOT_ID.search(line)) is not None:
                note("message", message[1])
    return found


def _pattern(sought: Sought) -> re.Pattern[bytes]:
    text = re.escape(sought.text.strip("<>").encode())
    inside = rb"[^>,\s]*" + text + rb"[^>,\s]*" if text else rb"[^>,\s]*"
    return {
        "sender": re.compile(rb"\bfrom=<" + inside + rb">|sasl_username=" + inside, re.IGNORECASE),
        "recipient": re.compile(rb"to=<" + inside + rb">", re.IGNORECASE),
        "message-id": re.compile(rb"(?:message-id=|msgid=)<[^>]*" + text, re.IGNORECASE),
        "queue-id": re.compile(rb"\]: " + text + rb": "),
        "everything": re.compile(rb"client=|: pickup|nrcpt=|reject: "),
    }[sought.by]


def _grow(one: _Search) -> None:
    """Follow the ids until there are no new ones: lists, rules that send on, notifications, requeued messages."""
    until = one.sought.until + _DELIVERY
    for _round in range(ROUNDS):
        before = len(one.queue_ids) + len(one.message_ids)
        if not before:
            return
        for line, _at in one.lines_between("postfix", until):
            if not (b"essage-id=" in line or b"orig_id=" in line or b"notification: " in line):
                continue
            link = _POSTFIX_LINK.search(line)
            if link is None or (number := _QUEUE_ID.search(line)) is None:
                continue
            message, other = link[1] if link[1] != b"<>" else None, link[2] or link[3]
            if number[1] in one.queue_ids or message in one.message_ids or other in one.queue_ids:
                one.queue_ids.add(number[1])
                if message:
                    one.message_ids.add(message)
                if other:
                    one.queue_ids.add(other)
        if len(one.queue_ids) + len(one.message_ids) == before:
            return


def _events(one: _Search, refused: set[bytes]) -> Iterator[Event]:
    """All events of these messages, daemon by daemon."""
    yield from _of_postfix(one, refused)
    yield from _of_rspamd(one)
    yield from _of_dovecot(one)


def _of_postfix(one: _Search, refused: set[bytes]) -> Iterator[Event]:
    for line, at in one.lines_between("postfix", one.sought.until + _DELIVERY):
        number = _QUEUE_ID.search(line)
        if number is None:
            continue
        known = number[1] in one.queue_ids or (number[1] == b"NOQUEUE" and line.partition(b": ")[2] in refused)
        if known and (event := tracing_postfix.event_of(_text(line), at)) is not None:
            yield event


def _of_rspamd(one: _Search) -> Iterator[Event]:
    for line, at in one.lines_between("rspamd", one.sought.until + _DELIVERY):
        number, message = _RSPAMD_ID.search(line), _RSPAMD_MESSAGE.search(line)
        known = number is not None and (number[1] or number[2]) in one.queue_ids
        known = known or (message is not None and b"<" + message[1].strip(b"<>") + b">" in one.message_ids)
        if known and (event := tracing_rspamd.event_of(_text(line), at)) is not None:
            yield event


def _of_dovecot(one: _Search) -> Iterator[Event]:
    readers: set[str] = set()
    for line, at in one.lines_between("dovecot", one.sought.until + _DELIVERY):
        message = _DOVECOT_ID.search(line)
        pop3 = message is None and b" pop3(" in line and b"retr=" in line
        if not pop3 and (message is None or message[1] not in one.message_ids):
            continue
        event = tracing_dovecot.event_of(_text(line), at)
        if event is None or (event.step is Step.FETCHED and event.who not in readers):
            continue
        readers.add(event.who)
        yield event


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\n")


def _matches(trace: Trace, sought: Sought) -> bool:
    """A queue id that is used twice brings the lines of a message that nobody looked for."""
    if not any(sought.since <= event.at <= sought.until for event in trace.events):
        return False
    text = sought.text.strip("<>").lower()
    match sought.by:
        case "sender":
            return any(text in event.sender or text in event.who.lower() for event in trace.events)
        case "recipient":
            return any(text in event.recipient or text in event.original for event in trace.events)
        case "message-id":
            return any(text in event.message_id.lower() for event in trace.events)
        case "queue-id":
            return any(text == event.queue_id.lower() for event in trace.events)
        case "subject":
            return any(text == event.subject for event in trace.events)
    return True
