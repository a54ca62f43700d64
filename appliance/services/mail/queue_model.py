"""What the commands of the queue take and answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, StringConstraints

from appliance.contract.kinds import Count, Entry, Line, Moment, Unit, Whole, one_line
from appliance.contract.records import record
from appliance.language import _

__all__ = [
    "Flushed",
    "Part",
    "QueueAsked",
    "QueueId",
    "QueueName",
    "QueuePage",
    "QueueRow",
    "QueuedContent",
    "QueuedHeader",
    "QueuedMessage",
    "QueuedOnes",
    "QueuedRead",
    "QueuedStructure",
]

QueueId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{5,20}$", max_length=20), MaxLen(20), Entry("line")]
"""Postfix's name of a message while it has it."""
Text = Annotated[str, MaxLen(1_000), Entry("line")]
"""What came from outside: shown through ``plain``, and cut."""


class QueueName(StrEnum):
    """Postfix's queues (qmgr(8))."""

    ALL = "all"
    ACTIVE = "active"
    INCOMING = "incoming"
    DEFERRED = "deferred"
    HOLD = "hold"
    MAILDROP = "maildrop"


@record(title=_("queue"))
class QueueAsked:
    """A page of the queue, the oldest message first."""

    queue: QueueName = QueueName.ALL
    search: Line = ""
    """Stands in the id, an address or the reason."""
    offset: Count = 0
    count: Annotated[int, Ge(1), Le(1_000)] = 200


@record(title=_("message in the queue"))
class QueueRow:
    """One message that waits."""

    id: QueueId
    queue: Text
    arrived: Moment
    size: Annotated[int, Ge(0), Le(10**12), Unit("bytes")]
    sender: Text
    recipients: Text
    """The first ones, and how many more."""
    reason: Text


@record(title=_("queue"))
class QueuePage:
    """A page, and what there is altogether."""

    rows: tuple[QueueRow, ...]
    matching: Count
    active: Count
    incoming: Count
    deferred: Count
    hold: Count
    octets: Whole
    oldest: Moment | None


@record(title=_("message in the queue"))
class QueuedMessage:
    """One, by its id."""

    id: QueueId


@record(title=_("message in the queue"))
class QueuedRead:
    """One whose content is to be read. The reason goes to the audit log, and to those of the helper and of the mail."""

    id: QueueId
    reason: Annotated[str, MinLen(8), MaxLen(200), AfterValidator(one_line), Entry("line")]


@record(title=_("messages in the queue"))
class QueuedOnes:
    """Some, by their ids."""

    ids: Annotated[tuple[QueueId, ...], MinLen(1), MaxLen(10_000)]


@record
class Flushed:
    """How many messages something was done to."""

    asked: Count
    done: Count
    """Those that were still there."""


@record
class QueuedHeader:
    """One header."""

    name: Text
    value: Text


@record
class Part:
    """A part of a message (RFC 2046)."""

    depth: Count
    type: Text
    octets: Count


@record(title=_("message in the queue"))
class QueuedStructure:
    """A message without what is written in it."""

    id: QueueId
    headers: tuple[QueuedHeader, ...]
    parts: tuple[Part, ...]
    more_parts: Count


@record
class QueuedContent:
    """A message with what is written in it, as it lies in the queue."""

    id: QueueId
    text: Annotated[str, MaxLen(250_000), Entry("note")]
