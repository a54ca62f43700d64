"""Words of RouterOS 6 in a script for 7, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.rows import MANGLE, ROUTES, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import distance_of
from compiler.dialects.routeros.script import Path

__all__ = ["check_versions"]

_OLD_RULES: Path = ("ip", "route", "rule")
_RULES: Path = ("routing", "rule")
_TABLES: Path = ("routing", "table")


def check_versions(subject: Subject) -> Iterator[Lint]:
    """Routes, tables, rules and paths in words of the other version."""
    yield from _for_seven(subject) if subject.version != 6 else _for_six(subject)


def _for_seven(subject: Subject) -> Iterator[Lint]:
    declared = {row["name"] for row in subject.of(_TABLES)}
    for row in subject.of(ROUTES):
        mark, kind, gateway = row["routing-mark"], row["type"], row["gateway"]
        if mark:
            table = () if mark in declared else (_table(subject, row, mark),)
            declared.add(mark)
            message = (
                f"routing-mark={mark} in a route: version 7 has routing-table={mark}, and declares the table first"
            )
            change = {"routing-mark": None, "routing-table": mark}
            yield _old(subject, row, "routing-mark", message, (*table, subject.change(row, change)))
        if kind == "blackhole":
            change_kind: dict[str, str | None] = {"type": None, "blackhole": "yes"}
            message = "type=blackhole: version 7 has the flag blackhole"
            yield _old(subject, row, "type", message, (subject.change(row, change_kind),))
        elif kind and kind != "unicast":
            yield _old(subject, row, "type", f"type={kind}: version 7 has a rule with action={kind}", ())
        if "," in gateway:
            yield _old(subject, row, "gateway", *_several(subject, row, gateway))
    for row in subject.of(_OLD_RULES):
        message = "/ip route rule is /routing rule in version 7"
        yield _old(subject, row, "", message, (subject.change(row, {}, _RULES),))


def _several(subject: Subject, row: Row, gateway: str) -> tuple[str, tuple[Edit, ...]]:
    parts = list(dict.fromkeys(gateway.split(",")))
    first = subject.change(row, {"gateway": parts[0]})
    more = []
    end = first.end
    for part in parts[1:]:
        shown = subject.change(row, {"gateway": part}).shown
        more.append(Edit(end, end, "\n" + shown, shown))
    weights = len(gateway.split(",")) != len(parts)
    lost = "; weights by repeating a gateway are gone" if weights else ""
    message = f"gateway={gateway}: version 7 shares among routes of one distance ({distance_of(row)}){lost}"
    return message, (first, *more)


def _for_six(subject: Subject) -> Iterator[Lint]:
    for row in subject.of(ROUTES):
        table = row["routing-table"]
        if table:
            change: dict[str, str | None] = {"routing-table": None, "routing-mark": None if table == "main" else table}
            message = f"routing-table={table} in a route: version 6 has routing-mark={table}"
            yield _new(subject, row, "routing-table", message, (subject.change(row, change),))
        if row["blackhole"]:
            flag: dict[str, str | None] = {"blackhole": None, "type": "blackhole"}
            yield _new(subject, row, "", "blackhole: version 6 has type=blackhole", (subject.change(row, flag),))
    for row in subject.of(_TABLES):
        message = f"/routing table add name={row['name']}: in version 6 a table comes to be by the routes' routing-mark"
        yield _new(subject, row, "", message, (subject.remove(row),))
    for row in subject.of(_RULES):
        message = "/routing rule is /ip route rule in version 6"
        yield _new(subject, row, "", message, (subject.change(row, {}, _OLD_RULES),))
    yield from _slashes(subject)


def _slashes(subject: Subject) -> Iterator[Lint]:
    script = subject.reading.script
    for statement in script.statements:
        word = script.words(statement)[0]
        text = script.text[word.start : word.end]
        if re.match(r"/[a-z0-9-]+/[a-z]", text):
            right = "/" + text.strip("/").replace("/", " ")
            rest = script.text[word.end : script.words(statement)[-1].end]
            message = f"{text}: version 6 has blanks between the words of a path"
            yield lint(
                "new-words-on-v6",
                script.span(word.start),
                message,
                (Edit(word.start, word.end, right, (right + rest).strip()),),
            )


def _table(subject: Subject, row: Row, name: str) -> Edit:
    # In front of everything: marks and routes that name the table come after it.
    shown = f"/routing table add name={name} fib"
    first = min((one.start for one in (*subject.of(MANGLE), *subject.of(ROUTES))), default=row.start)
    statements = subject.reading.script.statements
    begin = next((one.start for one in statements if one.start == first), first)
    return Edit(begin, begin, shown + "\n", shown)


def _old(subject: Subject, row: Row, name: str, message: str, mended: tuple[Edit, ...]) -> Lint:
    return lint("old-words-on-v7", subject.place(row, name), message, mended)


def _new(subject: Subject, row: Row, name: str, message: str, mended: tuple[Edit, ...]) -> Lint:
    return lint("new-words-on-v6", subject.place(row, name), message, mended)
