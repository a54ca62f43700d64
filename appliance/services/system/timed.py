"""What runs by itself: how it stands, and a run by hand."""

from __future__ import annotations

from typing import Any

from appliance.contract.commands import query, work
from appliance.contract.context import Context
from appliance.contract.timed import Daily
from appliance.services.system.timed_model import CommandNamed, TimedRow

__all__ = ["run_timed", "timed"]


@query("administrator")
def timed(context: Context) -> tuple[TimedRow, ...]:
    """List what the services do by themselves: when, how it went, and when next."""
    return tuple(_row(context, one) for one in context.appliance.timer.standings(context.connection))


@work("administrator", name="timed.run")
def run_timed(context: Context, named: CommandNamed) -> TimedRow:
    """Run one of them now, as who asks."""
    timer = context.appliance.timer
    timer.run_now(context.person, named.service, named.command, context.tell)
    with context.reading() as connection:
        standing = next(
            one
            for one in timer.standings(connection)
            if (one.service, one.timed.command) == (named.service, named.command)
        )
    return _row(context, standing)


def _row(context: Context, standing: Any) -> TimedRow:
    when, last = standing.timed.when, standing.last
    return TimedRow(
        service=standing.service,
        command=standing.timed.command,
        daily=f"{when.at:%H:%M}" if isinstance(when, Daily) else "",
        hours=0 if isinstance(when, Daily) else when.hours,
        last=last.began.astimezone(context.zone) if last else None,
        by=last.person if last else "",
        outcome=last.outcome.value if last else "",
        said=last.said if last else "",
        next=standing.next.astimezone(context.zone) if standing.next else None,
    )
