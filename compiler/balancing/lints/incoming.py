"""Connections that come in from a provider: they must be answered by the line they came by."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.behaviour import PRIVATE
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.roles import Uplink
from compiler.balancing.lints.rows import MANGLE, NAT, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import interfaces_of
from compiler.balancing.walking import Beyond, Passage
from compiler.fields import Family
from compiler.policy.network import Prefix
from compiler.policy.ruleset import Hook
from compiler.policy.stateful import State

__all__ = ["check_incoming"]


def check_incoming(subject: Subject) -> Iterator[Lint]:
    """Walk new connections from each uplink through prerouting and input, and their answers through output."""
    mangle = subject.of(MANGLE)
    senders = [row for row in mangle if row["action"] == "mark-routing"]
    if not subject.behaviour.known or len(subject.roles.uplinks) < 2 or not senders:
        return
    bare: list[tuple[Uplink, str]] = []
    for uplink in subject.roles.uplinks:
        try:
            before, after = _marks(subject, uplink)
        except Beyond:
            return
        forwards = _forwards(subject, uplink)
        if before:
            yield from _answers(subject, uplink, before)
        elif after:
            yield from _answers(subject, uplink, after)
            if forwards:
                yield _only_input(subject, uplink, after, forwards[0])
        else:
            bare.append((uplink, forwards[0]["dst-port"] if forwards else ""))
    yield from _unmarked(subject, bare, senders[0])


def _marks(subject: Subject, uplink: Uplink) -> tuple[str, str]:
    """The connection mark after prerouting, and after input, of what comes in new by the uplink."""
    behaviour = subject.behaviour
    own = uplink.address
    target = Prefix(Family.IPV4, own.address, 32) if own else Prefix(Family.IPV4, 0xC6336401, 32)
    start = Passage(uplink.interface, state=State.NEW, connection="", routing="")
    before = after = ""
    for atom in behaviour.atoms(behaviour.to([target]) & behaviour.from_internet()):
        for first in behaviour.walk(atom, start):
            before = before or str(first.connection)
            for second in behaviour.walk(atom, start._replace(connection=first.connection), Hook.INPUT):
                after = after or str(second.connection)
    return before, after


def _forwards(subject: Subject, uplink: Uplink) -> list[Row]:
    rows = [row for row in subject.of(NAT) if row["chain"] == "dstnat" and row["action"] in ("dst-nat", "netmap")]
    own = format_address(uplink.address.address, 32) if uplink.address else "-"
    found = []
    for row in rows:
        asked = {subject.roles.name(name) for name in interfaces_of(subject.reading, row, "in")}
        inside = asked and asked <= set(subject.roles.inside_names)
        here = uplink.interface in asked or row["dst-address"] == own or (not asked and not row["dst-address"])
        if here and not inside:
            found.append(row)
    return found


def _mark_for(subject: Subject, uplink: Uplink) -> str:
    """The connection mark that leads by the uplink."""
    return uplink.marks[0] if uplink.marks else ""


def _first(subject: Subject) -> Row:
    return subject.of(MANGLE)[0]


def _unmarked(subject: Subject, bare: list[tuple[Uplink, str]], sender: Row) -> Iterator[Lint]:
    marked = [(uplink, port) for uplink, port in bare if _mark_for(subject, uplink)]
    if not bare:
        return
    names = ", ".join(uplink.interface for uplink, _ in bare)
    ports = next((port for _, port in bare if port), "")
    public = any(_is_public(one) for one, _ in bare)
    forwarded = any(_forwards(subject, one) for one, _ in bare)
    message = f"connections that come in by {names} get no mark: their answers may leave by another line"
    if forwarded:
        message += f" (the forward of port {ports or 'any'} is such)"
    edits: list[Edit] = []
    for uplink, _ in marked:
        mark = _mark_for(subject, uplink)
        body = f"chain=prerouting in-interface={uplink.interface} connection-state=new connection-mark=no-mark"
        edits.append(
            subject.before(
                _first(subject), MANGLE, f"{body} action=mark-connection new-connection-mark={mark} passthrough=yes"
            )
        )
    edits += [edit for uplink, _ in marked for edit in _output(subject, uplink, _mark_for(subject, uplink))]
    severity = None if forwarded or public else Severity.NOTE
    hint = (
        "" if edits else "mark connections, not packets: one connection mark for each line, given by in-interface too"
    )
    place = subject.place(sender)
    yield lint("uplink-connections-unmarked", place, message, tuple(edits), hint=hint, severity=severity)


def _is_public(uplink: Uplink) -> bool:
    """Whether connections can come to the uplink's own address."""
    return uplink.address is not None and not any(net.contains(uplink.address.address) for net in PRIVATE)


def _only_input(subject: Subject, uplink: Uplink, mark: str, forward: Row) -> Lint:
    row = next(
        (row for row in subject.of(MANGLE) if row["chain"] == "input" and row["new-connection-mark"] == mark),
        _first(subject),
    )
    message = (
        f"connections from {uplink.interface} are marked in chain input alone, and the forward to "
        f"{forward['to-addresses'] or 'the inside'} is never seen there"
    )
    # New connections from the line alone: the guard keeps marks that are there.
    values: dict[str, str | None] = {"chain": "prerouting", "connection-state": "new", "connection-mark": "no-mark"}
    edits = (subject.change(row, values),)
    return lint("uplink-connections-only-in-input", subject.place(row, "chain"), message, edits)


def _answers(subject: Subject, uplink: Uplink, mark: str) -> Iterator[Lint]:
    """Whether the router's own answers follow the mark."""
    edits = tuple(_output(subject, uplink, mark))
    if not edits:
        return
    row = next((row for row in subject.of(MANGLE) if row["new-connection-mark"] == mark), _first(subject))
    message = (
        f"connections from {uplink.interface} are marked {mark}, and no rule of chain output sends the answers by it"
    )
    severity = None if _is_public(uplink) or _forwards(subject, uplink) else Severity.NOTE
    yield lint("answers-not-routed", subject.place(row), message, edits, severity=severity)


def _output(subject: Subject, uplink: Uplink, mark: str) -> Iterator[Edit]:
    """The rule for the router's own answers, where it is missing."""
    behaviour = subject.behaviour
    if not uplink.tables or not mark:
        return
    atoms = behaviour.atoms(behaviour.outside())
    passage = Passage("", "", State.ESTABLISHED, mark, "")
    if any(one.routing for atom in atoms[:16] for one in behaviour.walk(atom, passage, Hook.OUTPUT)):
        return
    table = next(
        (
            row["new-routing-mark"]
            for row in subject.of(MANGLE)
            if row["connection-mark"] == mark and row["new-routing-mark"]
        ),
        uplink.tables[0],
    )
    last = subject.of(MANGLE)[-1]
    body = f"chain=output connection-mark={mark} action=mark-routing new-routing-mark={table} passthrough=no"
    yield subject.after(last, MANGLE, body)
