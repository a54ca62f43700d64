"""Names that should be the same: interfaces, routing marks and tables, connection marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from compiler.addresses import format_address
from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Lint
from compiler.balancing.lints.rows import MANGLE, ROUTES, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import list_members, table_of
from compiler.dialects.routeros.script import Path

__all__ = ["check_interfaces", "check_lists", "check_marks", "check_tables"]

_TABLES: Path = ("routing", "table")
_RULES: tuple[Path, ...] = (("routing", "rule"), ("ip", "route", "rule"))
_LIST_MEMBERS: Path = ("interface", "list", "member")
_BUILT_IN = frozenset({"", "main", "no-mark"})


def check_interfaces(subject: Subject) -> Iterator[Lint]:
    """Rules that call an interface otherwise than the addresses do."""
    aliases = dict(subject.roles.aliases)
    ports = {row["interface"] for row in subject.of(("interface", "bridge", "port"))}
    for row in subject.reading.rows:
        for name in ("in-interface", "out-interface", "interface"):
            if name == "interface" and row.path != _LIST_MEMBERS:
                continue
            written = row[name]
            plain = written.removeprefix("!")
            if row.active and plain in ports and plain in aliases:
                right = aliases[plain]
                message = f"{name}={written}: {plain} is a port of the bridge {right}, and packets come by the bridge"
                edit = subject.change(row, {name: "!" * (written != plain) + right})
                yield lint("bridge-port-in-rule", subject.place(row, name), message, (edit,))
            elif row.active and plain in aliases:
                right = aliases[plain]
                message = f"{name}={written}: no interface is called {plain}; the addresses call it {right}"
                edit = subject.change(row, {name: "!" * (written != plain) + right})
                yield lint("interface-names-disagree", subject.place(row, name), message, (edit,))


def check_lists(subject: Subject) -> Iterator[Lint]:
    """Rules for interface lists that this text makes and leaves empty."""
    lists = subject.of(("interface", "list"))
    empty = {row["name"] for row in lists if not list_members(subject.reading, row["name"]) and not row["include"]}
    told: set[str] = set()
    for row in subject.reading.rows:
        for name in ("in-interface-list", "out-interface-list"):
            group = row[name].removeprefix("!")
            if not row.active or group not in empty or group in told:
                continue
            told.add(group)
            side = subject.roles.inside_names if name.startswith("in-") else subject.roles.uplink_names
            last = next(one for one in lists if one["name"] == group)
            edits = tuple(subject.after(last, _LIST_MEMBERS, f"list={group} interface={one}") for one in side)
            message = f"{name}={row[name]}: the interface list {group} has no member, so that no packet matches"
            yield lint(
                "interface-list-empty", subject.place(row, name), message, edits, hint="" if edits else "fill it"
            )


def _near(name: str, known: Iterable[str]) -> str:
    """The known name that a name must mean: the same but for a prefix, a sign or a letter."""
    names = sorted(known)
    bare = re.sub(r"^(to|via|rm|route)[-_]?|[^a-z0-9]", "", name.lower())
    same = [one for one in names if re.sub(r"^(to|via|rm|route)[-_]?|[^a-z0-9]", "", one.lower()) == bare]
    if len(same) == 1:
        return same[0]
    digits = re.findall(r"\d+", name)
    near = [one for one in get_close_matches(name, names, 3, 0.7) if re.findall(r"\d+", one) == digits]
    return near[0] if near else ""


def check_tables(subject: Subject) -> Iterator[Lint]:
    """Routing marks that lead to no table, and tables that no mark leads to."""
    given = [row for row in subject.of(MANGLE) if row["action"] == "mark-routing" and row["new-routing-mark"]]
    routes = [row for row in subject.of(ROUTES) if table_of(row) not in _BUILT_IN]
    rules = [row for path in _RULES for row in subject.of(path)]
    declared = {row["name"]: row for row in subject.of(_TABLES)}
    filled = {table_of(row) for row in routes}
    ruled = {row["routing-mark"] for row in rules} | {row["table"] for row in rules}
    marks = {row["new-routing-mark"] for row in given}
    asked = {row["routing-mark"].removeprefix("!") for row in subject.of(MANGLE)}
    free = (filled | set(declared)) - marks - ruled
    for row in given:
        mark = row["new-routing-mark"]
        if mark in filled or mark in ruled or mark in _BUILT_IN or "$" in mark or mark[0] in "[(":
            continue
        near = _near(mark, free & filled) if mark not in declared else ""
        if near:
            edit = subject.change(row, {"new-routing-mark": near})
            message = f"new-routing-mark={mark}, and the routes are in table {near}"
            yield lint("mark-names-disagree", subject.place(row, "new-routing-mark"), message, (edit,))
        else:
            yield _without_table(subject, row, mark, mark in declared)
    yield from _undeclared(subject, routes, given, declared)
    if not subject.of(MANGLE) and not rules:
        return
    meant = {_near(mark, free & filled) for mark in marks - filled - ruled}
    for row in routes:
        table = table_of(row)
        if table in marks or table in ruled or table in meant or table in asked:
            continue
        name = "routing-table" if row["routing-table"] else "routing-mark"
        meant.add(table)
        hint = f"mark-routing to {table}, or take its routes away"
        yield lint("table-without-mark", subject.place(row, name), f"nothing looks in table {table}", hint=hint)


def _without_table(subject: Subject, row: Row, mark: str, is_declared: bool) -> Lint:
    piece = Severity.NOTE if not subject.of(ROUTES) else None
    what = f"table {mark} has no route" if is_declared else f"no route and no rule knows the mark {mark}"
    message = f"new-routing-mark={mark}: {what}; these packets follow the main table"
    by = [one["in-interface"] for one in subject.of(MANGLE) if one["new-connection-mark"] == row["connection-mark"]]
    used = {table for one in subject.roles.uplinks for table in one.tables}
    line = next((one for one in subject.roles.uplinks if one.interface in by), None)
    if line is None:  # the one that no other mark leads by
        idle = [one for one in subject.roles.uplinks if not used & set(one.tables)]
        line = idle[0] if len(idle) == 1 else None
    if line is None or line.gateway is None:
        place, hint = subject.place(row, "new-routing-mark"), f"add a default to {mark}"
        return lint("mark-without-table", place, message, hint=hint, severity=piece)
    word = "routing-mark" if subject.version == 6 else "routing-table"
    edits = [subject.append(ROUTES, f"gateway={format_address(line.gateway, 32)} {word}={mark} check-gateway=ping")]
    if subject.version != 6 and not is_declared:
        edits.insert(0, subject.before(row, _TABLES, f"name={mark} fib"))
    return lint("mark-without-table", subject.place(row, "new-routing-mark"), message, tuple(edits))


def _undeclared(subject: Subject, routes: list[Row], given: list[Row], declared: dict[str, Row]) -> Iterator[Lint]:
    """Version 7: tables are declared, with ``fib``, before marks and routes name them."""
    if subject.version == 6:
        return
    filled = {table_of(row) for row in routes if row["routing-table"]}
    told: set[str] = set()
    for row in (*given, *(row for row in routes if row["routing-table"])):
        name = row["new-routing-mark"] or row["routing-table"]
        if name in declared or name in told or name not in filled or "$" in name or name[0] in "[(":
            continue
        told.add(name)
        near = _near(name, set(declared) - filled)
        message = f"table {name} is not declared: /routing table add name={name} fib is missing"
        first = min((*given, *routes), key=lambda one: one.start)
        edit = (
            subject.change(declared[near], {"name": name})
            if near
            else subject.before(first, _TABLES, f"name={name} fib")
        )
        piece = not declared and not subject.of(("ip", "address"))
        severity = Severity.NOTE if piece else None
        yield lint("mark-without-table", subject.place(row), message, (edit,), severity=severity)


def check_marks(subject: Subject) -> Iterator[Lint]:
    """Connection marks that no rule turns into a way, and rules for marks that nobody gives."""
    mangle = subject.of(MANGLE)
    given = {row["new-connection-mark"] for row in mangle if row["action"] == "mark-connection"} - _BUILT_IN
    senders = [row for row in mangle if row["action"] == "mark-routing" and row["connection-mark"] not in _BUILT_IN]
    everywhere = (row["connection-mark"].removeprefix("!") for row in subject.reading.rows if row.active)
    asked = set(everywhere) - _BUILT_IN
    idle = given - asked
    for row in senders:
        mark = row["connection-mark"]
        if mark.startswith("!") or mark in given or not given:
            continue
        near = _near(mark, idle) or (next(iter(idle)) if len(idle) == 1 else _near(mark, given))
        message = f"connection-mark={mark}: no rule gives this mark" + (f"; {near} is given" if near else "")
        edits = (subject.change(row, {"connection-mark": near}),) if near else ()
        idle -= {near}
        yield lint("mark-names-disagree", subject.place(row, "connection-mark"), message, edits)
    balances = any(row["action"] == "mark-routing" for row in mangle)
    for row in mangle:
        mark = row["new-connection-mark"]
        if row["action"] == "mark-connection" and mark in idle:
            idle -= {mark}
            hint = f"mark-routing for connection-mark={mark}"
            message = f"no rule looks at the connection mark {mark}"
            place = subject.place(row, "new-connection-mark")
            severity = None if balances else Severity.NOTE  # it may be there to be counted
            yield lint("mark-without-use", place, message, hint=hint, severity=severity)
