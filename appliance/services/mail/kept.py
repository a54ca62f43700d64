"""What commands answer of master data: the record as it is kept, in its present version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.contract.context import Context
from appliance.contract.master_data import MasterData
from appliance.contract.refusals import Conflict
from appliance.store.rows import made, row_of

if TYPE_CHECKING:
    from sqlalchemy import RowMapping, Table

__all__ = ["kept_of", "seen"]


def kept_of(context: Context, master: MasterData, table: Table, key: str) -> Any:
    """The row of this key. Raises NotFound."""
    row = row_of(context, table, master.key, key, master.title)
    described = {one: row[one] for one in ("id", "version", "changed_by")}
    at = row["changed_at"].astimezone(context.zone)
    return master.kept(**described, changed_at=at, row=made(master.record, row))


def seen(context: Context, master: MasterData, table: Table, key: str, version: int) -> RowMapping:
    """The row, if nobody has changed it since the caller looked. Raises NotFound and Conflict."""
    row = row_of(context, table, master.key, key, master.title)
    if row["version"] != version:
        at = row["changed_at"].astimezone(context.zone)
        raise Conflict(master.title, key, changed_by=row["changed_by"], changed_at=at, version=row["version"])
    return row
