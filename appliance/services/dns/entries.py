"""Records: added, changed, removed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.kinds import Code, Count, Line, Moment
from appliance.contract.records import record
from appliance.contract.refusals import AlreadyThere
from appliance.services.dns.model import HOSTMASTERS, Entry, EntryChange, EntryRow, EntrySeen
from appliance.services.dns.names import absolute
from appliance.services.dns.tables import RECORDS
from appliance.services.dns.zoning import add_entries, row_of_entry
from appliance.store.rows import change_row, made, remove_row, row_of, values_of

__all__ = ["EntryKept", "records_add", "records_change", "records_get", "records_remove"]


@record
class EntryNamed:
    """A record's number."""

    number: Code


@record
class EntryKept:
    """A record in its present version."""

    id: Count
    version: Count
    changed_by: Line
    changed_at: Moment
    row: EntryRow


@query(*HOSTMASTERS, name="records.get")
def records_get(context: Context, named: EntryNamed) -> EntryKept:
    """Look at a record."""
    return _kept(context, named.number)


@change(*HOSTMASTERS, name="records.add")
def records_add(context: Context, entry: Entry) -> EntryKept:
    """Add a record to a zone."""
    (number,) = add_entries(context, [entry])
    context.publish("added", f"records/{number}")
    return _kept(context, number)


@change(*HOSTMASTERS, name="records.change")
def records_change(context: Context, changed: EntryChange) -> EntryKept:
    """Change a record."""
    row = row_of_entry(changed, changed.number)
    _refuse_twin(context, row)
    change_row(context, RECORDS, "number", changed.number, changed.version, values_of(row), "record")
    context.publish("changed", f"records/{changed.number}")
    return _kept(context, changed.number)


@change(*HOSTMASTERS, name="records.remove")
def records_remove(context: Context, seen: EntrySeen) -> None:
    """Remove a record."""
    remove_row(context, RECORDS, "number", seen.number, seen.version, "record")
    context.publish("removed", f"records/{seen.number}")


def _refuse_twin(context: Context, row: EntryRow) -> None:
    same: list[Any] = [RECORDS.c[name] == getattr(row, name) for name in ("zone", "owner", "type", "value")]
    asked = select(RECORDS.c.id).where(*same, RECORDS.c.number != row.number).limit(1)
    if context.connection.execute(asked).first() is not None:
        what = f"{absolute(row.owner, row.zone)} {row.type} {row.value}"[:200]
        raise AlreadyThere("record", what, field="value")


def _kept(context: Context, number: str) -> EntryKept:
    row = row_of(context, RECORDS, "number", number, "record")
    return EntryKept(
        id=row["id"],
        version=row["version"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"].astimezone(context.zone),
        row=made(EntryRow, row),
    )
