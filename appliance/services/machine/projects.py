"""Changes of the network: opened, carried through their phases, linked to generations, finished, printed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, select

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.documents import Document
from appliance.contract.listings import Listing, Order
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.machine.model import KEEPERS, WATCHERS
from appliance.services.machine.project import (
    ChangeChanged,
    ChangeKept,
    ChangeLinked,
    ChangeNamed,
    ChangePaper,
    ChangeRecord,
    ChangeRow,
    ChangesAsked,
    ChangeSeen,
    ChangesPaper,
    NewChange,
    PhaseEntered,
    State,
    total_minutes,
)
from appliance.services.machine.tables import CHANGES
from appliance.store.numbering import next_number
from appliance.store.rows import add_row, change_row, made, row_of, values_of

__all__ = [
    "LISTINGS",
    "add_change",
    "change_change",
    "finish_change",
    "get_change",
    "link_change",
    "link_noted",
    "print_change",
    "print_changes",
]

WHAT = "change"
NUMBER = re.compile(r"\bCH[0-9]{9,12}\b")
"""As ``next_number`` gives them: ``CH202611001``."""
LISTINGS = (
    Listing(
        name="changes",
        row=ChangeRow,
        see=frozenset(WATCHERS),
        key="number",
        order=(Order(column="number", descending=True),),
        select=lambda _asking: select(CHANGES),
    ),
)


@query(*WATCHERS, name="changes.get")
def get_change(context: Context, named: ChangeNamed) -> ChangeKept:
    """Look at a change with its steps."""
    return _kept(context, named.number)


@change(*KEEPERS, name="changes.add")
def add_change(context: Context, wish: NewChange) -> ChangeKept:
    """Open a change of the network: phase, description, estimate, rollback, reference and steps."""
    number = next_number(context, CHANGES.c.number, "CH")
    opened = ChangeRecord(
        **values_of(wish),
        number=number,
        state=State.OPEN,
        total=total_minutes(wish.minutes, wish.steps),
        opened_by=context.person.name,
        opened_at=context.now,
        history=(_entered(context, wish.phase),),
    )
    add_row(context, CHANGES, "number", values_of(opened), WHAT)
    context.publish(
        "added", f"changes/{number}", _("{person} has opened {number}"), person=context.person.name, number=number
    )
    return _kept(context, number)


@change(*KEEPERS, name="changes.change")
def change_change(context: Context, changed: ChangeChanged) -> ChangeKept:
    """Change what is known of a change that is open, or bring it into another phase."""
    row = _open(context, changed.number)
    values = values_of(changed)
    del values["number"], values["version"]
    values["total"] = total_minutes(changed.minutes, changed.steps)
    if changed.phase is not row["phase"]:
        values["history"] = (*row["history"], _entered(context, changed.phase))
    return _changed(context, changed.number, changed.version, values)


@change(*KEEPERS, name="changes.link")
def link_change(context: Context, linked: ChangeLinked) -> ChangeKept:
    """Note that a generation was committed for a change: the one that stands, unless another is named."""
    row = _open(context, linked.number)
    number = context.appliance.commits.status().current if linked.generation is None else linked.generation
    if number not in {one.number for one in context.appliance.commits.generations()}:
        raise RuleBroken(_("there is no generation {number}"), field="generation", number=number)
    return _changed(context, linked.number, linked.version, {"generations": _with(row, number)})


@change(*KEEPERS, name="changes.finish")
def finish_change(context: Context, seen: ChangeSeen) -> ChangeKept:
    """Finish a change: from then on nobody changes it any more."""
    _open(context, seen.number)
    values = {"state": State.DONE, "done_by": context.person.name, "done_at": context.now}
    return _changed(context, seen.number, seen.version, values)


@query(*WATCHERS)
def print_change(context: Context, named: ChangeNamed) -> Document:
    """Print the record of one change with its steps."""
    kept = _kept(context, named.number).row
    return Document(
        template="machine/change",
        title=_("Change of the network"),
        subject=kept.number,
        values=ChangePaper(
            change=kept,
            step_minutes=total_minutes(0, kept.steps),
            printed_at=context.now,
            printed_by=context.person.name,
        ),
    )


@query(*WATCHERS)
def print_changes(context: Context, asked: ChangesAsked) -> Document:
    """Print the record of all changes, or of those of a phase or state."""
    wanted = select(CHANGES).order_by(CHANGES.c.number)
    if asked.phase is not None:
        wanted = wanted.where(CHANGES.c.phase == asked.phase)
    if asked.state is not None:
        wanted = wanted.where(CHANGES.c.state == asked.state)
    found = tuple(_record(context, row) for row in context.connection.execute(wanted).mappings())
    return Document(
        template="machine/changes",
        title=_("Changes of the network"),
        subject=" ".join(filter(None, (asked.phase, asked.state))),
        values=ChangesPaper(
            phase=asked.phase,
            state=asked.state,
            changes=found,
            total=sum(one.total for one in found),
            printed_at=context.now,
            printed_by=context.person.name,
        ),
    )


def link_noted(context: Context, note: str, generation: int) -> None:
    """Link a generation that was committed to each open change that the commit's note names."""
    for number in dict.fromkeys(NUMBER.findall(note)):
        found = context.connection.execute(select(CHANGES).where(CHANGES.c.number == number)).mappings().one_or_none()
        if found is not None and found["state"] is State.OPEN and generation not in found["generations"]:
            _changed(context, number, found["version"], {"generations": _with(found, generation)})


def _with(row: RowMapping, generation: int) -> tuple[int, ...]:
    return tuple(sorted({*row["generations"], generation}))


def _open(context: Context, number: str) -> RowMapping:
    """The row, if it is not finished. Raises RuleBroken."""
    row = row_of(context, CHANGES, "number", number, WHAT)
    if row["state"] is State.DONE:
        raise RuleBroken(_("{number} is finished: nobody changes it any more"), field="number", number=number)
    return row


def _changed(context: Context, number: str, version: int, values: dict[str, Any]) -> ChangeKept:
    change_row(context, CHANGES, "number", number, version, values, WHAT)
    context.publish("changed", f"changes/{number}")
    return _kept(context, number)


def _entered(context: Context, phase: Any) -> PhaseEntered:
    return PhaseEntered(phase=phase, at=context.now, who=context.person.name)


def _kept(context: Context, number: str) -> ChangeKept:
    row = row_of(context, CHANGES, "number", number, WHAT)
    return ChangeKept(
        version=row["version"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"].astimezone(context.zone),
        row=_record(context, row),
    )


def _record(context: Context, row: RowMapping) -> ChangeRecord:
    """With the moments as clocks show them here."""
    kept = made(ChangeRecord, row)
    done_at = kept.done_at.astimezone(context.zone) if kept.done_at else None
    return replace(kept, opened_at=kept.opened_at.astimezone(context.zone), done_at=done_at)
