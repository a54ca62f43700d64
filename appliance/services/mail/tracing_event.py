"""One thing that a daemon has said of a message, and when it said so."""

from __future__ import annotations

import re
import time
from calendar import month_abbr
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Event", "Step", "moment_of"]


class Step(StrEnum):
    """What happened. In the order in which it happens: logs have whole seconds only."""

    ACCEPTED = "accepted"
    """A client gave it to us (smtpd(8))."""
    SUBMITTED = "submitted"
    """A program on the server gave it to us, or it was put in the queue anew (pickup(8))."""
    LIMITED = "limited"
    """The limits of the account were looked at."""
    SUBJECT = "subject"
    """The keyed hash of its subject."""
    IDENTIFIED = "identified"
    """It has a Message-ID (cleanup(8))."""
    FILTERED = "filtered"
    """What the filter thinks of it."""
    REFUSED = "refused"
    """It was not taken; who sent it was told so."""
    POSTPONED = "postponed"
    """It was not taken now: who sent it shall try again."""
    QUEUED = "queued"
    """It is to be delivered (qmgr(8))."""
    HELD = "held"
    RELEASED = "released"
    REQUEUED = "requeued"
    STORED = "stored"
    """It lies in a folder."""
    DISCARDED = "discarded"
    """The reader's own rules have thrown it away."""
    FORWARDED = "forwarded"
    """The reader's own rules have sent it on."""
    ANSWERED = "answered"
    """The reader's own rules have answered it: vacation."""
    NOT_STORED = "not-stored"
    DELIVERED = "delivered"
    """The mailbox, or the next server, has taken it."""
    DEFERRED = "deferred"
    """It could not be delivered yet."""
    BOUNCED = "bounced"
    """It could not be delivered at all."""
    EXPIRED = "expired"
    """It has waited too long."""
    NOTIFIED = "notified"
    """Its sender was told."""
    WARNED = "warned"
    """Its sender was told that it waits."""
    REMOVED = "removed"
    """The postmaster took it out of the queue."""
    DONE = "done"
    """It has left the queue."""
    COPIED = "copied"
    """The reader's client, from one folder to another."""
    MARKED = "marked"
    """The reader's client has marked it as deleted."""
    EXPUNGED = "expunged"
    """It is gone from a folder."""
    FETCHED = "fetched"
    """The reader has fetched messages by POP3; which, the log does not tell."""


class Event(NamedTuple):
    """What one line tells. Empty: the line does not tell it."""

    at: float
    """Unix time."""
    daemon: str
    step: Step
    queue_id: str = ""
    linked: str = ""
    """Another queue id: of the notification, or the one before it was put in the queue anew."""
    message_id: str = ""
    """With its brackets."""
    session: str = ""
    """Of LMTP: the same in Postfix's line and in Dovecot's."""
    sender: str = ""
    """``<>`` for the sender of notifications."""
    recipient: str = ""
    original: str = ""
    """The recipient before an alias or a list."""
    who: str = ""
    """The client, the login, the reader."""
    folder: str = ""
    source: str = ""
    """The folder before."""
    where: str = ""
    """The relay."""
    score: str = ""
    virus: str = ""
    reason: str = ""
    subject: str = ""
    """The keyed hash of the subject, in hexadecimal digits."""
    noted: int = 0
    """A number: octets, recipients, messages."""


_ISO = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_MONTHS = {name: number for number, name in enumerate(month_abbr) if name}
AHEAD = 86_400.0
"""Seconds that a line may be younger than its file seems."""


@lru_cache(maxsize=8_192)
def moment_of(text: str, year_of: float) -> float | None:
    """The Unix time at the beginning of a line: ``2026-11-23T05:40:04.123+07:00``, ``2026-11-23 05:40:04`` (of the
    machine's zone), or ``Nov 23 05:40:04`` (RFC 3164, without a year). None when there is none.

    ``year_of``: when the file was written last; a line is not younger.
    """
    if found := _ISO.match(text):
        try:
            return datetime.fromisoformat(found[0]).timestamp()
        except ValueError:
            return None
    words = text.split(maxsplit=3)
    if len(words) < 3 or words[0] not in _MONTHS:
        return None
    try:
        day = int(words[1])
        hour, minute, second = (int(one) for one in words[2][:8].split(":"))
    except ValueError:
        return None
    year = time.localtime(year_of).tm_year
    for candidate in (year + 1, year, year - 1):
        moment = time.mktime((candidate, _MONTHS[words[0]], day, hour, minute, second, 0, 0, -1))
        if moment <= year_of + AHEAD:
            return moment
    return None
