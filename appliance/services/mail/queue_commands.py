"""The queue as commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from appliance.contract.commands import query, work
from appliance.contract.context import Context, Progress
from appliance.language import _
from appliance.services.mail.operations_asking import POSTMASTER, asked, fitting
from appliance.services.mail.queue_model import (
    Flushed,
    Part,
    QueueAsked,
    QueuedContent,
    QueuedHeader,
    QueuedMessage,
    QueuedOnes,
    QueuedRead,
    QueuedStructure,
    QueuePage,
    QueueRow,
)

__all__ = [
    "delete_queued",
    "deliver_queued",
    "flush_queue",
    "hold_queued",
    "queue",
    "queued",
    "read_queued",
    "release_queued",
    "requeue_queued",
]

_AT_ONCE = 1_000
"""Ids of one operation."""


@query(POSTMASTER, name="queue")
def queue(context: Context, wanted: QueueAsked) -> QueuePage:
    """Show the messages that wait in the queue, the oldest first."""
    page = asked(
        context, "queue-list", wanted.search, queue=wanted.queue.value, offset=wanted.offset, count=wanted.count
    )
    queues = page["queues"]
    return QueuePage(
        rows=tuple(_row(context, row) for row in page["rows"]),
        matching=page["matching"],
        octets=page["bytes"],
        oldest=_moment(context, page["oldest"]),
        **{name: queues.get(name, 0) for name in ("active", "incoming", "deferred", "hold")},
    )


def _row(context: Context, row: dict[str, Any]) -> QueueRow:
    recipients = ", ".join(row["recipients"]) + (f" +{row['more']}" if row["more"] else "")
    arrived = _moment(context, row["arrived"])
    assert arrived is not None
    return QueueRow(
        id=row["id"],
        queue=fitting(row["queue"]),
        arrived=arrived,
        size=row["size"],
        sender=fitting(row["sender"]),
        recipients=fitting(recipients),
        reason=fitting(row["reason"]),
    )


def _moment(context: Context, at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).astimezone(context.zone)


@query(POSTMASTER, name="queued")
def queued(context: Context, one: QueuedMessage) -> QueuedStructure:
    """Show the headers and the parts of a message in the queue; neither its subject nor what is written in it."""
    told = asked(context, "queue-view", id=one.id)
    return QueuedStructure(
        id=one.id,
        headers=tuple(QueuedHeader(name=fitting(name), value=fitting(value)) for name, value in told["headers"]),
        parts=tuple(
            Part(depth=part["depth"], type=fitting(part["type"]), octets=part["octets"]) for part in told["parts"]
        ),
        more_parts=told["more_parts"],
    )


@work(POSTMASTER, name="queued.read")
def read_queued(context: Context, wanted: QueuedRead) -> QueuedContent:
    """Read a message in the queue. Who did so and why goes to the audit log first.

    Then the root helper and Postfix keep it in their logs, which this daemon cannot change.
    """
    with context.writing("queued.read", {"id": wanted.id, "reason": wanted.reason}):
        pass
    # No argument of an operation may look like a path that climbs.
    reason = f"{context.person.name}: {wanted.reason}".replace("/../", "/.. /")
    text = asked(context, "queue-content", id=wanted.id, reason=reason)["text"]
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return QueuedContent(id=wanted.id, text="\n".join(fitting(line, 2_000) for line in lines)[:200_000])


@work(POSTMASTER, name="queue.flush")
def flush_queue(context: Context) -> None:
    """Try to deliver everything in the queue now."""
    asked(context, "queue-flush")
    with context.writing("queue.flush", {}) as writing:
        writing.publish("changed", "queue")


@work(POSTMASTER, name="queue.deliver")
def deliver_queued(context: Context, one: QueuedMessage) -> None:
    """Try to deliver one message now."""
    asked(context, "queue-deliver", id=one.id)
    with context.writing("queue.deliver", {"id": one.id}) as writing:
        writing.publish("changed", "queue")


@work(POSTMASTER, name="queue.hold")
def hold_queued(context: Context, ones: QueuedOnes) -> Flushed:
    """Keep messages in the queue until they are released."""
    return _done(context, "hold", ones)


@work(POSTMASTER, name="queue.release")
def release_queued(context: Context, ones: QueuedOnes) -> Flushed:
    """Let messages that were held go on."""
    return _done(context, "release", ones)


@work(POSTMASTER, name="queue.requeue")
def requeue_queued(context: Context, ones: QueuedOnes) -> Flushed:
    """Put messages in the queue anew, so that aliases and routes of now hold for them."""
    return _done(context, "requeue", ones)


@work(POSTMASTER, name="queue.delete")
def delete_queued(context: Context, ones: QueuedOnes) -> Flushed:
    """Delete messages from the queue: nobody gets them, and nobody is told."""
    return _done(context, "delete", ones)


def _done(context: Context, action: str, ones: QueuedOnes) -> Flushed:
    done = 0
    ids = tuple(dict.fromkeys(ones.ids))
    try:
        for first in range(0, len(ids), _AT_ONCE):
            context.tell(Progress(done=first, total=len(ids), doing=_("messages")))
            done += asked(context, f"queue-{action}", list(ids[first : first + _AT_ONCE]))["done"]
    finally:
        # Also of what was done before it was cancelled.
        with context.writing(f"queue.{action}", {"ids": list(ids), "done": done}) as writing:
            writing.publish("changed", "queue")
    return Flushed(asked=len(ids), done=done)
