"""A listing as a file for a spreadsheet, streamed: its rows are read as they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from appliance.contract.listings import Asking, Listing, columns_of
from appliance.contract.refusals import Refused
from appliance.exporting import LARGEST_SHEET, Sheet, csv_of, xlsx_into
from appliance.language import _, translator
from appliance.store.listing import rows_of

__all__ = ["Export", "export_csv", "export_xlsx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is exported, and for whom. ``ids`` are those of the question, in its order."""

    listing: Listing
    ids: Sequence[int]
    asking: Asking
    zone: ZoneInfo

    @property
    def sheet(self) -> Sheet:
        """The columns, in the reader's language and the appliance's zone."""
        fields = tuple(column.field for column in columns_of(self.listing.row))
        return Sheet(fields=fields, translate=translator(self.asking.person.language), zone=self.zone)

    def rows(self, connection: Connection) -> Iterator[Sequence[Any]]:
        """The values of each row."""
        return (row.values for row in rows_of(connection, self.listing, self.ids, self.asking))


def export_csv(connection: Connection, export: Export, *, plain: bool = False) -> Iterator[bytes]:
    """As ``exporting.csv_of``."""
    return csv_of(export.sheet, export.rows(connection), plain=plain)


def export_xlsx(
    connection: Connection, export: Export, file: IO[bytes], tell: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """As ``exporting.xlsx_into``. Raises Refused for more rows than a sheet has."""
    if len(export.ids) > LARGEST_SHEET:
        raise Refused(
            _("a sheet has room for {most} rows, and these are {count}: take CSV, or ask for fewer"),
            most=LARGEST_SHEET,
            count=len(export.ids),
        )
    xlsx_into(file, export.sheet, export.rows(connection), lambda done: tell(done, len(export.ids)))
