"""The trace, and the rotation of the logs that it reads, as commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from appliance.contract.commands import work
from appliance.contract.context import Context
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.mail.operations_asking import POSTMASTER, asked, fitting
from appliance.services.mail.tracing_model import (
    Rotated,
    RotationWish,
    TraceAsked,
    TraceBy,
    Traced,
    TraceFound,
    TraceOutcome,
    TraceStep,
)

__all__ = ["rotate_logs", "trace"]

_DAEMONS = ("postfix", "dovecot", "rspamd")


@work(POSTMASTER, name="trace")
def trace(context: Context, wanted: TraceAsked) -> Traced:
    """Follow a message through all daemons: where is it?"""
    until = wanted.until or context.now
    since = until - timedelta(days=wanted.days)
    text = _hashed(context, wanted.text) if wanted.by is TraceBy.SUBJECT else wanted.text.strip()
    told = asked(
        context,
        "trace",
        text,
        by=wanted.by.value,
        since=max(0, int(since.timestamp())),
        until=int(until.timestamp()) + 1,
        most=wanted.most,
    )
    # Who looks for whose mail is itself something that is looked for later.
    with context.writing("trace", {"by": wanted.by.value, "text": text, "found": len(told["traces"])}):
        pass
    return Traced(
        found=tuple(_found(context, one) for one in told["traces"]),
        matching=told["matching"],
        lines=told["lines"],
        cut=told["cut"],
    )


def _hashed(context: Context, subject: str) -> str:
    from appliance.services.mail.described import describe
    from appliance.services.mail.subjects import subject_hash

    with context.reading() as connection:
        described = describe(connection)
    if described is None:
        raise Refused(_("the settings of mail were never set"))
    return subject_hash(described.subject_key, subject)


def _found(context: Context, one: dict[str, Any]) -> TraceFound:
    return TraceFound(
        began=_moment(context, one["began"]),
        sender=fitting(one["sender"]),
        message_id=fitting(one["message_id"]),
        queue_ids=tuple(one["queue_ids"]),
        outcomes=tuple(TraceOutcome(**_fields(context, each)) for each in one["outcomes"]),
        steps=tuple(TraceStep(**_fields(context, each, leaving="subject session")) for each in one["steps"]),
        more=one["more"],
    )


def _fields(context: Context, told: dict[str, Any], leaving: str = "") -> dict[str, Any]:
    fields = {
        name: fitting(value) if isinstance(value, str) else value
        for name, value in told.items()
        if name not in leaving.split()
    }
    return fields | {"at": _moment(context, told["at"])}


def _moment(context: Context, at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(context.zone)


@work(POSTMASTER, name="logs.rotate")
def rotate_logs(context: Context, wish: RotationWish) -> Rotated:
    """Put the daemons' logs aside, compress them, and remove those that are too old."""
    running = {one.program: one.process for one in context.appliance.machine.status()}
    told = asked(
        context,
        "rotate-logs",
        days=wish.days,
        **{daemon: max(0, running.get(f"mail.{daemon}", 0)) for daemon in _DAEMONS},
    )
    rotated = Rotated(rotated=tuple(told["rotated"]), removed=told["removed"])
    with context.writing("logs.rotate", {"rotated": list(rotated.rotated), "removed": rotated.removed}):
        pass
    return rotated
