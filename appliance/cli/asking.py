"""A listing on the command line: ``--search``, ``--sort``, ``--where``; as a table, JSON or CSV."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from appliance.cli.tables import in_columns, shown

if TYPE_CHECKING:
    from appliance.client.blocking import Client

__all__ = ["add_question", "show_rows", "with_order"]

CONDITION = re.compile(
    r"\s*([A-Za-z0-9_.-]+?)\s*(!=|<=|>=|=|<|>|\s(?:contains|starts|empty|filled)(?=\s|$))\s*(.*)", re.S
)


def add_question(parser: ArgumentParser) -> None:
    """Add the options of a listing."""
    parser.add_argument("--search", metavar="TEXT", default="", help="stands in one of the text columns")
    parser.add_argument(
        "--sort", metavar="COLUMN", action="append", default=[], help="-rate: the largest first; may be repeated"
    )
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        action="append",
        default=[],
        type=_condition,
        help="'rate>300000', 'name contains lotus', 'email empty'; all of them hold",
    )
    parser.add_argument("--limit", metavar="N", type=_count, help="at most so many rows")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text", help="how the rows are shown")


def with_order(words: Sequence[str]) -> list[str]:
    """``--sort -rate`` as ``--sort=-rate``: argparse would take the column for an option."""
    made: list[str] = []
    for word in words:
        if made and made[-1] == "--sort" and re.fullmatch(r"-[^-].*", word, re.S):
            made[-1] = f"--sort={word}"
        else:
            made.append(word)
    return made


def _condition(text: str) -> dict[str, str]:
    found = CONDITION.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r}: expected such as 'rate>300000', 'name contains lotus', 'email empty'")
    column, operator, value = found.groups()
    return {"column": column, "operator": operator.strip(), "value": value.strip()}


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def show_rows(client: Client, service: str, name: str, columns: Sequence[Mapping[str, Any]], given: Namespace) -> int:
    """Ask, and show what is found."""
    order = [{"column": one.lstrip("-"), "descending": one.startswith("-")} for one in given.sort]
    query = client.ask(service, name, {"order": order, "conditions": given.where, "search": given.search})
    if given.format == "csv":
        for part in client.export(query, "csv", plain=True, limit=given.limit):
            sys.stdout.buffer.write(part)
        sys.stdout.flush()
        return 0
    rows: Iterable[Mapping[str, Any]] = client.rows(query)
    if given.limit is not None:
        rows = (row for row, _place in zip(rows, range(given.limit), strict=False))
    names = [str(one["name"]) for one in columns]
    if given.format == "json":
        found = [
            {"id": row["id"], "version": row["version"], **dict(zip(names, row["values"], strict=True))} for row in rows
        ]
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _table(names, columns, [[shown(one) for one in row["values"]] for row in rows], query.count)
    return 0


def _table(names: list[str], columns: Sequence[Mapping[str, Any]], rows: list[list[str]], count: int) -> None:
    right = [str(one["kind"]) in {"whole", "rupiah", "share", "decimals"} for one in columns]
    print("\n".join(in_columns(names, rows, right)))
    print(f"{len(rows)} of {count} rows" if len(rows) != count else f"{count} rows", file=sys.stderr)
