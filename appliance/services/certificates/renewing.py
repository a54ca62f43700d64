"""The renewal of all that is due: the daemon calls it each night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from appliance.contract.commands import work
from appliance.contract.context import Context, Event
from appliance.contract.refusals import NotAllowed, Refused
from appliance.language import _
from appliance.services.certificates.issuing import renew
from appliance.services.certificates.model import KEEPERS, RenewalWish, Renewed, Settings, Source
from appliance.services.certificates.tables import CERTIFICATES

__all__ = ["renew_due"]

UNFINISHED = _("other changes wait for a commit, so nothing was committed")
NOTE = _("renewed certificates")


@work(*KEEPERS)
def renew_due(context: Context, wish: RenewalWish) -> Renewed:
    """Renew the certificates of the own authority that are due; by itself once a day.

    It commits only what it has renewed itself: while changes of others wait, it
    renews, says so, and leaves the commit to people.
    """
    if wish.commit and not context.person.reaches("machine", frozenset({"administrator"})):
        raise NotAllowed(_("{person} may not commit"), person=context.person.name)
    edge = context.now + timedelta(days=context.settings(Settings).renew_within)
    with context.reading() as connection:
        due = _due(connection, edge)
    names = tuple(row["name"] for row in due if row["source"] is Source.OWN)
    elsewhere = tuple(row["name"] for row in due if row["source"] is Source.ELSEWHERE)
    if not names:
        return Renewed(names=(), elsewhere=elsewhere, committed=False, generation=0)
    clean = wish.commit and _nothing_waits(context)
    with context.writing("renew-due", {"names": list(names)}) as writing:
        # Looked up again: somebody may have renewed or removed one meanwhile.
        for row in _due(writing.connection, edge):
            if row["source"] is Source.OWN:
                renew(writing, row)
    if not wish.commit:
        return Renewed(names=names, elsewhere=elsewhere, committed=False, generation=0)
    if not clean:
        return Renewed(names=names, elsewhere=elsewhere, committed=False, generation=0, remark=UNFINISHED)
    return _committed(context, names, elsewhere)


def _due(connection: Connection, edge: datetime) -> list[RowMapping]:
    wanted = select(CERTIFICATES).where(CERTIFICATES.c.ends < edge).order_by(CERTIFICATES.c.name)
    return list(connection.execute(wanted).mappings())


def _wanted(context: Context) -> tuple[Any, ...]:
    with context.reading() as connection:
        components: tuple[Any, ...] = context.appliance.components(connection)
        return components


def _nothing_waits(context: Context) -> bool:
    planned = context.appliance.commits.plan(_wanted(context))
    return bool(planned.empty and not planned.edits)


def _committed(context: Context, names: tuple[str, ...], elsewhere: tuple[str, ...]) -> Renewed:
    try:
        outcome = context.appliance.commits.commit(_wanted(context), context.person.name, NOTE, 0, context.tell)
    except Refused as refused:  # a generation waits to be confirmed, or somebody else commits
        return Renewed(
            names=names,
            elsewhere=elsewhere,
            committed=False,
            generation=0,
            remark=str(refused)[:200].replace("\n", " "),
        )
    said = {"names": list(names), "ending": outcome.ending.value, "generation": outcome.generation}
    with context.writing("renew-due", said) as writing:
        subject = f"generations/{outcome.standing}"
        writing.events.append(Event(service="machine", kind="generation", subject=subject))
    stands = bool(outcome.generation) and outcome.standing == outcome.generation
    why = "; ".join(str(one) for one in outcome.findings)[:200] if not stands else ""
    return Renewed(
        names=names, elsewhere=elsewhere, committed=stands, generation=outcome.generation, remark=why.replace("\n", " ")
    )
