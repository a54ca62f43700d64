"""Connections from their first packet to their later ones: mark, table, line. Walked, not guessed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from compiler.addresses import format_address
from compiler.balancing.lints.behaviour import Dealt
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.roles import Uplink, hop_of
from compiler.balancing.lints.rows import MANGLE, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import default_routes, distance_of, interfaces_of, table_of
from compiler.balancing.walking import Beyond, Passage
from compiler.policy.ruleset import Hook
from compiler.policy.stateful import State

__all__ = ["check_connections"]


def check_connections(subject: Subject) -> Iterator[Lint]:
    """Follow each kind of connection for the Internet; each lint is said once for a place."""
    if not subject.behaviour.known or not any(row["action"] == "mark-routing" for row in subject.of(MANGLE)):
        return
    told: set[tuple[str, int]] = set()
    try:
        deals = list(subject.behaviour.dealt(subject.behaviour.outside()))
        found = [one for deal in deals for one in _followed(subject, deal)]
        found += [*_answers(subject), *_one_line(subject, deals)]
    except Beyond:
        return  # said by those who compute the shares
    for one in found:
        if (one.name, one.span.line) not in told:
            told.add((one.name, one.span.line))
            yield one


def _later(subject: Subject, deal: Dealt, connection: str) -> set[str]:
    """The routing marks of later packets of a connection with this mark."""
    assert deal.atom is not None
    start = Passage(deal.ingress, state=State.ESTABLISHED, connection=connection, routing="")
    return {str(walked.routing) for walked in subject.behaviour.walk(deal.atom, start)}


def _followed(subject: Subject, deal: Dealt) -> Iterator[Lint]:
    yield from _too_late(subject, deal)
    kept = {connection: _later(subject, deal, connection) for connection, _ in deal.shares if connection}
    routes = any(marks - {""} for marks in kept.values()) or any(first for _, first in deal.shares)
    for (connection, first), part in deal.shares.items():
        if not connection or first:
            continue
        later = kept[connection] - {""}
        if later:
            yield from _first_unrouted(subject, deal, connection, later.pop())
        elif routes:
            yield from _never_routed(subject, deal, connection, part)


def _givers(subject: Subject, mark: str, chain: str) -> list[Row]:
    outside = subject.roles.uplink_names
    return [
        row
        for row in subject.of(MANGLE)
        if row["new-connection-mark"] == mark
        and row["chain"] == chain
        and subject.roles.name(row["in-interface"]) not in outside
    ]


def _first_unrouted(subject: Subject, deal: Dealt, connection: str, table: str) -> Iterator[Lint]:
    rows = subject.of(MANGLE)
    givers = _givers(subject, connection, "prerouting") or [
        row for row in rows if row["new-connection-mark"] == connection
    ]
    if not givers:
        return
    giver = givers[-1]
    senders = [row for row in rows if row["new-routing-mark"] == table and row["connection-mark"] == connection]
    senders = [row for row in senders if row["chain"] == giver["chain"]]
    message = (
        f"the first packet of a connection marked {connection} gets no routing mark and follows the main table, "
        f"and later ones look in {table}"
    )
    edits: tuple[Edit, ...] = ()
    if giver["passthrough"] == "no":
        message += ": passthrough=no ends the chain before mark-routing"
        edits = (subject.change(giver, {"passthrough": "yes"}),)
    elif senders and senders[0].start < giver.start:
        message += f": mark-routing (line {subject.place(senders[0]).line}) stands before mark-connection"
        last = max((row for row in rows if row["action"] == "mark-connection"), key=lambda row: row.start)
        bodies = [subject.rewritten(row).shown.split(" add ", 1)[1] for row in senders]
        edits = tuple(
            edit
            for row, body in zip(senders, bodies, strict=True)
            for edit in (subject.after(last, MANGLE, body), subject.remove(row))
        )
    yield lint("first-packet-unrouted", subject.place(giver), message, edits)


def _never_routed(subject: Subject, deal: Dealt, connection: str, part: Fraction) -> Iterator[Lint]:
    givers = _givers(subject, connection, "prerouting")
    if not givers:
        return
    rows = subject.of(MANGLE)
    meant = {
        row["new-routing-mark"] for row in rows if row["chain"] == "output" and row["connection-mark"] == connection
    }
    wrong = [
        row
        for row in rows
        if row["chain"] == "prerouting" and row["new-routing-mark"] in meant and row["connection-mark"] != connection
    ]
    message = (
        f"{part} of the connections from {deal.ingress} are marked {connection}, and nothing routes them from there"
    )
    edits = (subject.change(wrong[0], {"connection-mark": connection}),) if len(wrong) == 1 else ()
    hint = "" if edits else f"mark-routing in prerouting for connection-mark={connection}"
    yield lint("mark-without-use", subject.place(givers[0]), message, edits, hint=hint)


def _too_late(subject: Subject, deal: Dealt) -> Iterator[Lint]:
    """Marks that are given in ``forward``: the way of the first packet is chosen already."""
    if ("", "") not in deal.shares or deal.atom is None:
        return
    for uplink in subject.roles.uplinks:
        start = Passage(deal.ingress, uplink.interface, State.NEW, "", "")
        for walked in subject.behaviour.walk(deal.atom, start, Hook.FORWARD):
            mark, row = str(walked.connection), subject.behaviour.row_of(walked.rule)
            tables = _later(subject, deal, mark) - {""} if mark else set()
            lines = {_first_line(subject, table) for table in tables}
            if row is None or not lines or lines == {uplink.interface}:
                continue
            message = (
                f"{mark} is given in chain {row['chain']}, after the way is chosen: a first packet that left by "
                f"{uplink.interface} is followed by packets in {tables.pop()}, by {lines.pop() or 'another line'}"
            )
            wrong = [
                one for one in subject.of(MANGLE) if one["chain"] == row["chain"] and one["action"] == "mark-connection"
            ]
            yield lint("marked-too-late", subject.place(row), message, _moved(subject, wrong))
            return


def _moved(subject: Subject, rows: list[Row]) -> tuple[Edit, ...]:
    """The rows in prerouting, before the marks become tables."""
    senders = [row for row in subject.of(MANGLE) if row["chain"] == "prerouting" and row["action"] == "mark-routing"]
    if not senders or any(row["out-interface"] or row["out-interface-list"] for row in rows):
        return ()
    edits: list[Edit] = []
    for row in rows:
        change = subject.change(row, {"chain": "prerouting"})
        if row.start < senders[0].start:
            edits.append(change)
        else:
            body = change.shown.split(" add ", 1)[1]
            edits += [subject.before(senders[0], MANGLE, body), subject.remove(row)]
    return tuple(edits)


# -- from outside ---------------------------------------------------------------------------------


def _first_line(subject: Subject, table: str) -> str:
    """The interface of a table's first default, or ``""``."""
    rows = [row for row in default_routes(subject.reading) if table_of(row) == table]
    best = min(rows, key=distance_of, default=None)
    return hop_of(subject.reading, best["gateway"].split(",")[0]) if best is not None else ""


def _answers(subject: Subject) -> Iterator[Lint]:
    """Answers to what comes in by a line: they keep the mark, and its table leads by that line."""
    behaviour = subject.behaviour
    for uplink in subject.roles.uplinks:
        for atom in behaviour.atoms(behaviour.outside())[:1]:
            start = Passage(uplink.interface, state=State.NEW, connection="", routing="")
            given = {
                row["new-connection-mark"]
                for row in subject.of(MANGLE)
                if uplink.interface in map(subject.roles.name, interfaces_of(subject.reading, row, "in"))
            }
            marks = {str(walked.connection) for walked in behaviour.walk(atom, start)} & given - {""}
            for name in subject.roles.inside_names:
                for mark in sorted(marks):
                    yield from _answer(subject, uplink, name, mark)


def _answer(subject: Subject, uplink: Uplink, ingress: str, mark: str) -> Iterator[Lint]:
    behaviour = subject.behaviour
    for atom in behaviour.atoms(behaviour.outside()):
        start = Passage(ingress, state=State.ESTABLISHED, connection=mark, routing="")
        for walked in behaviour.walk(atom, start):
            row = behaviour.row_of(walked.rule)
            if walked.connection != mark and row is not None:
                message = (
                    f"answers to connections from {uplink.interface}, marked {mark}, are marked anew "
                    f"({walked.connection}): nothing guards what is marked already, and they leave by another line"
                )
                wrong = [one for one in subject.of(MANGLE) if _unguarded(subject, one)]
                row = next((one for one in wrong if one["new-connection-mark"] == walked.connection), row)
                edits = tuple(subject.change(one, {"connection-mark": "no-mark"}) for one in wrong)
                yield lint("connection-remarked", subject.place(row), message, edits)
                return
            line = _first_line(subject, str(walked.routing)) if walked.routing else ""
            if line and line != uplink.interface and subject.roles.uplink(line) is not None:
                yield from _leads_elsewhere(subject, uplink, str(walked.routing), line, mark)
                return


def _unguarded(subject: Subject, row: Row) -> bool:
    inside = subject.roles.name(row["in-interface"]) not in subject.roles.uplink_names
    gives = row["action"] == "mark-connection" and row["chain"] == "prerouting"
    return gives and inside and not row["connection-mark"]


def _leads_elsewhere(subject: Subject, uplink: Uplink, table: str, line: str, mark: str) -> Iterator[Lint]:
    rows = [row for row in default_routes(subject.reading) if table_of(row) == table]
    row = min(rows, key=distance_of)
    message = (
        f"connections from {uplink.interface} are marked {mark} and answered in table {table}, "
        f"whose default leads by {line}"
    )
    edits: tuple[Edit, ...] = ()
    sent = {one["new-routing-mark"] for one in subject.of(MANGLE) if one["connection-mark"] == mark}
    one_way = len(sent) == 1 and len(rows) == 1 and "," not in row["gateway"]
    if uplink.gateway is not None and one_way:
        edits = (subject.change(row, {"gateway": format_address(uplink.gateway, 32)}),)
    hint = "" if edits else f"look at who is sent to {table}, or lead it by {uplink.interface}"
    yield lint("table-by-another-line", subject.place(row, "gateway"), message, edits, hint=hint)


def _one_line(subject: Subject, deals: list[Dealt]) -> Iterator[Lint]:
    """Several tables that all lead by the same line, while another line carries nothing."""
    marks = sorted({routing for deal in deals for _, routing in deal.shares if routing})
    lines = {mark: _first_line(subject, mark) for mark in marks}
    idle = [one.interface for one in subject.roles.uplinks if one.interface not in lines.values()]
    if len(marks) < 2 or "" in lines.values() or len(set(lines.values())) > 1 or not idle:
        return
    row = min((row for row in default_routes(subject.reading) if table_of(row) == marks[-1]), key=distance_of)
    message = f"the tables {', '.join(marks)} all lead by {lines[marks[0]]}: {', '.join(idle)} carries nothing"
    hint = f"lead one of them by {idle[0]}"
    yield lint("table-by-another-line", subject.place(row, "gateway"), message, hint=hint)
