"""What a database refuses by itself, in the words of a refusal: a second row, a reference to nothing."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import IntegrityError

from appliance.contract.refusals import AlreadyThere, Refused, RuleBroken
from appliance.language import _

__all__ = ["NotUnique", "refusal_of"]

# https://www.sqlite.org/rescode.html and PostgreSQL's documentation, Appendix A, class 23.
_SQLITE = {2067: "unique", 1555: "unique", 787: "reference", 1811: "reference", 1299: "missing", 275: "condition"}
_POSTGRESQL = {
    "23505": "unique",
    "23503": "reference",
    "23001": "reference",
    "23502": "missing",
    "23514": "condition",
}


class NotUnique(AlreadyThere):
    """A row with the same values in columns that are unique together."""

    def __init__(self, others: str, columns: tuple[str, ...]) -> None:
        Refused.__init__(
            self,
            _("there is one with the same {fields} among {records} already"),
            field=columns[0] if columns else "",
            fields=", ".join(one.replace("_", " ") for one in columns) or "values",
            records=others,
        )


def refusal_of(error: IntegrityError) -> Refused:
    """The refusal for what a statement has violated."""
    cause: Any = error.orig
    kind = _SQLITE.get(getattr(cause, "sqlite_errorcode", 0)) or _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "")
    table, columns = _place(cause)
    others = table.partition("_")[2].replace("_", " ") or table
    if kind == "unique":
        return NotUnique(others, columns)
    if kind == "reference":
        words = _("a record that {records} refer to is not there, or is still used")
        return RuleBroken(words, records=others or "others")
    if kind == "missing":
        field = columns[0] if columns else ""
        return RuleBroken(_("{fields} of {records} is missing"), field=field, fields=field, records=others)
    return RuleBroken(_("a condition of the table is not met: {reason}"), reason=str(cause).partition("\n")[0])


def _place(cause: Any) -> tuple[str, tuple[str, ...]]:
    """The table and the columns, as far as the database says."""
    said = getattr(cause, "diag", None)
    if said is not None:
        found = re.search(r"Key \((.*?)\)=", said.message_detail or "")
        columns = found[1].split(", ") if found else [said.column_name] if said.column_name else []
        return said.table_name or "", tuple(columns)
    places = [one.partition(".") for one in str(cause).partition("failed: ")[2].split(", ") if "." in one]
    return (places[0][0], tuple(column for _table, _dot, column in places)) if places else ("", ())
