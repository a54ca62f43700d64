"""The renewal of all that is due: the daemon calls it each hour in which there is something to do.

That is something due, or something renewed that is not served yet, because a commit was not possible then: somebody
else's changes waited, or a generation waited to be confirmed. So it is tried until it is done, and told each time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from appliance.commit.audited import audited
from appliance.commit.results import Outcome
from appliance.contract.commands import work
from appliance.contract.context import Context, Event
from appliance.contract.refusals import NotAllowed, Refused
from appliance.language import _
from appliance.services.certificates.issuing import renew
from appliance.services.certificates.model import KEEPERS, RenewalWish, Renewed, Settings, Source
from appliance.services.certificates.serving import renewals_waiting
from appliance.services.certificates.tables import CERTIFICATES

__all__ = ["anything_to_do", "renew_due"]

UNFINISHED = _("other changes wait for a commit, so nothing was committed")
NOTE = _("renewed certificates")


@work(*KEEPERS)
def renew_due(context: Context, wish: RenewalWish) -> Renewed:
    """Renew the certificates of the own authority that are due, and commit what was renewed and is not served yet.

    It commits renewals only: while changes of others wait, it renews, says so,
    and leaves the commit to people, or to the next time.
    """
    if wish.commit and not context.person.reaches("machine", frozenset({"administrator"})):
        raise NotAllowed(_("{person} may not commit"), person=context.person.name)
    edge = _edge(context)
    with context.reading() as connection:
        due = _due(connection, edge)
    names = tuple(row["name"] for row in due if row["source"] is Source.OWN)
    elsewhere = tuple(row["name"] for row in due if row["source"] is Source.ELSEWHERE)
    if names:
        with context.writing("renew-due", {"names": list(names)}) as writing:
            # Looked up again: somebody may have renewed or removed one meanwhile.
            for row in _due(writing.connection, edge):
                if row["source"] is Source.OWN:
                    renew(writing, row)
    with context.reading() as connection:
        waiting = renewals_waiting(context, connection)
    told = Renewed(names=names, elsewhere=elsewhere, committed=False, generation=0)
    if not (wish.commit and waiting):
        return told
    if others := _others(context, waiting):
        return replace(told, remark=f"{UNFINISHED}: {', '.join(others)}"[:200])
    return _committed(context, waiting, told)


def anything_to_do(context: Context) -> bool:
    """Whether one of the own authority's is due, or a renewal waits for its commit."""
    with context.reading() as connection:
        due = any(row["source"] is Source.OWN for row in _due(connection, _edge(context)))
        return due or bool(renewals_waiting(context, connection))


def _edge(context: Context) -> datetime:
    return context.now + timedelta(days=context.settings(Settings).renew_within)


def _due(connection: Connection, edge: datetime) -> list[RowMapping]:
    wanted = select(CERTIFICATES).where(CERTIFICATES.c.ends < edge).order_by(CERTIFICATES.c.name)
    return list(connection.execute(wanted).mappings())


def _wanted(context: Context) -> tuple[Any, ...]:
    with context.reading() as connection:
        components: tuple[Any, ...] = context.appliance.components(connection)
        return components


def _others(context: Context, waiting: tuple[str, ...]) -> tuple[str, ...]:
    """The components that would change beside the renewals. One that only follows changes nothing."""
    planned = context.appliance.commits.plan(_wanted(context))
    changed = {one.component for one in (*planned.files, *planned.edits)}
    changed |= {act.component for act in planned.acts if act.reason != "follows"}
    return tuple(sorted(changed - {f"certificates.{name}" for name in waiting}))


def _committed(context: Context, waiting: tuple[str, ...], told: Renewed) -> Renewed:
    try:
        ended = context.appliance.commits.commit(_wanted(context), context.person.name, NOTE, 0, context.tell)
    except Refused as refused:  # a generation waits to be confirmed, or somebody else commits
        return replace(told, remark=str(refused)[:200].replace("\n", " "))
    outcome = audited(context, "renew-due", ended, lambda: _write(context, waiting, ended))
    stands = bool(outcome.generation) and outcome.standing == outcome.generation
    why = "; ".join(str(one) for one in outcome.findings)[:200] if not stands else ""
    return replace(told, committed=stands, generation=outcome.generation, remark=why.replace("\n", " "))


def _write(context: Context, waiting: tuple[str, ...], outcome: Outcome) -> None:
    said = {"names": list(waiting), "ending": outcome.ending.value, "generation": outcome.generation}
    with context.writing("renew-due", said) as writing:
        subject = f"generations/{outcome.standing}"
        writing.events.append(Event(service="machine", kind="generation", subject=subject))
        writing.publish("changed", "certificates")
