"""Words that no router knows: broken lines, commands without a menu, misspelt properties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.joining import BreakKind
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.rows import KNOWN, Row
from compiler.balancing.lints.subject import Subject
from compiler.dialects.routeros.network_facts import OLD_NAMES, SETTINGS
from compiler.dialects.routeros.script import Statement
from compiler.errors import Unmodelled

__all__ = ["check_properties", "check_statements", "check_values"]


def check_statements(subject: Subject) -> Iterator[Lint]:
    """Broken lines, commands without a menu, and what even patience cannot read."""
    reading = subject.reading
    homeless = {statement.start: path for statement, path in reading.homeless}
    for statement in reading.script.statements:
        words = reading.script.words(statement)
        if not words:
            continue
        begin, end = reading.extent(statement)
        path = homeless.get(begin)
        broken = list(reading.breaks_in(begin, end))
        if broken:
            by: dict[BreakKind, list[str]] = {}
            for one in broken:
                by.setdefault(one.kind, []).append(one.word)
            said = "; it ".join(kind.value.format(" and ".join(names)) for kind, names in by.items())
            text = _one_line(subject, statement)
            shown = _shown(text, path or statement.path)
            yield lint(
                "broken-line", reading.original.span(begin), f"the command {said}", (Edit(begin, end, text, shown),)
            )
        if path:
            menu = "/" + " ".join(path)
            text = _one_line(subject, statement)
            message = f"{statement.command} stands in no menu; its properties are those of {menu}"
            edit = Edit(begin, end, f"{menu} {text}", f"{menu} {text}")
            yield lint("no-menu", reading.original.span(begin), message, (edit,))
    for fault in reading.unread:
        span = fault.span
        severity = "not-simulated" if isinstance(fault, Unmodelled) else "unreadable"
        yield lint(severity, span, fault.message, hint="write the line anew" if severity == "unreadable" else "")


def _one_line(subject: Subject, statement: Statement) -> str:
    text = subject.reading.clean
    parts = [text[one.start : one.end].strip() for one in subject.reading.script.words(statement)]
    return " ".join(re.sub(r"\\\r?\n[ \t]*", "", part) for part in parts)


def _shown(text: str, path: tuple[str, ...]) -> str:
    return text if text.startswith("/") else f"/{' '.join(path)} {text}"


def check_properties(subject: Subject) -> Iterator[Lint]:
    """Properties that the menu does not have, with the nearest right name."""
    for row in subject.reading.rows:
        known = KNOWN.get(row.path)
        if known is None or (row.path[0] == "interface" and row.path[1:2] != ("list",)):
            continue
        if row.path == ("ip", "dns"):
            yield from _name_servers(subject, row)
        for right, wrong in row.misspelt.items():
            message = f"{wrong!r} is no property of {row.menu}: {right} is meant"
            yield lint("unknown-property", subject.place(row, right), message, (_respelt(subject, row),))
        for name, value in row.item.properties.items():
            if name in known or name in OLD_NAMES:
                continue
            near = get_close_matches(name, sorted(known), 1)
            hint = f"; the nearest is {near[0]}" if near else ""
            message = f"{name!r} is no property of {row.menu}{hint}"
            mended = () if row.path in SETTINGS else (subject.change(row, {name: None}),)
            yield lint("unknown-property", subject.place(row, name), message, mended, hint=f"take {name}={value} away")


def _respelt(subject: Subject, row: Row) -> Edit:
    if row.path not in SETTINGS:
        return subject.rewritten(row)
    return _settings(subject, row)


def _settings(subject: Subject, row: Row) -> Edit:
    """All that is set in a menu without rows, in right words."""
    values = {name: row[name] for name in row.item.properties if name not in OLD_NAMES}
    old = [row[name] for name in ("primary-dns", "secondary-dns") if row[name]]
    if old:
        values["servers"] = ",".join([part for part in (values.get("servers"), *old) if part])
    body = " ".join(f"{name}={value}" for name, value in values.items())
    shown = f"{row.menu} set {body}"
    return Edit(*subject.reading.extent(row.item.statement), shown, shown)


def _name_servers(subject: Subject, row: Row) -> Iterator[Lint]:
    for name in OLD_NAMES:
        if row[name]:
            old = ",".join(row[one] for one in ("primary-dns", "secondary-dns") if row[one])
            message = f"{name!r} is a word of versions before 5: /ip dns has servers={old} now"
            yield lint("unknown-property", subject.place(row, name), message, (_settings(subject, row),))


def check_values(subject: Subject) -> Iterator[Lint]:
    """Values that a property does not have, where it is plain which one is meant."""
    for row, name, value, right in subject.unknown_values:
        message = f"{name}={value} is none of its values; did you mean {right}?"
        yield lint("unknown-value", subject.place(row, name), message, (subject.change(row, {name: right}),))
