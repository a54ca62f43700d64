"""What becomes of new connections: shares, what stays unmarked, what a repeated packet does. Computed, not guessed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from compiler.balancing.lints.behaviour import Dealt
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.dealing import dealt_anew, group_of, is_guarded, nth_of
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.rows import MANGLE, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.turns import bound, furthest
from compiler.balancing.walking import Passage
from compiler.policy.stateful import State

__all__ = ["check_shares"]


def check_shares(subject: Subject) -> Iterator[Lint]:
    """Walk new connections that are for the Internet; each group of rules is spoken of once."""
    behaviour = subject.behaviour
    if not behaviour.known:
        return
    told: set[tuple[str, int]] = set()
    for deal in behaviour.dealt(behaviour.outside()):
        counting = [row for row in deal.rows if row["nth"]]
        for one in (*_turns(subject, deal, counting), *_hashes(subject, deal)):
            key = one.name, one.span.line
            if key not in told:
                told.add(key)
                yield one
    yield from _kept(subject)


def _turns(subject: Subject, deal: Dealt, counting: list[Row]) -> Iterator[Lint]:
    if not counting:
        return
    first = min(counting, key=lambda row: row.start)
    group = group_of(subject, first)
    place = subject.place(first, "nth")
    marks = deal.marks()
    unmarked = marks.pop("", Fraction(0))
    starved = any(row["new-connection-mark"] not in marks for row in group)
    wanted = _wanted(group, marks) or (_even(group) if starved and not unmarked else None)
    uneven = unmarked > 0 or (wanted is not None and any(marks.get(name, 0) != part for name, part in wanted.items()))
    marked = first["action"] == "mark-connection"
    if uneven and marked:
        told = ", ".join(f"{name} {marks.get(name, Fraction(0))}" for name in (wanted or marks))
        lost = f", and {unmarked} ({_percent(unmarked)}) stay unmarked and follow the main table" if unmarked else ""
        meant = f" (meant: {', '.join(str(part) for part in wanted.values())})" if wanted else ""
        message = f"new connections from {deal.ingress} are dealt: {told}{meant}{lost}"
        yield lint("nth-uneven", place, message, dealt_anew(subject, group, wanted or _even(group)))
    bare = any(not is_guarded(row) for row in counting)
    if deal.recounted and marked and (bare or not uneven):
        if deal.remarked:
            what = f"changes the mark in {_percent(deal.remarked)} of cases"
        else:
            what = "moves the counters of the turns"
        message = (
            f"a first packet from {deal.ingress} that is repeated at once {what}: no connection-mark=no-mark guards it"
        )
        edits: tuple[Edit, ...] = dealt_anew(subject, group, wanted or marks)
        yield lint("nth-counts-retransmits", place, message, edits)
    elif marked and not uneven and deal.turns and len(marks) > 1:
        yield from _drift(subject, deal, group, marks)


def _wanted(group: list[Row], marks: dict[str, Fraction]) -> dict[str, Fraction] | None:
    """Equal shares, where the numbers show that they are meant: each mark once, ``K,1 … K,K`` or ``K,1 … 2,1``."""
    names = [row["new-connection-mark"] for row in group]
    count = len(names)
    numbers = [nth for row in group if (nth := nth_of(row)) is not None]
    everys = [every for every, _ in numbers]
    if count < 2 or len(set(names)) != count or not numbers:
        return None
    same = len(set(everys)) == 1 and everys[0] == count
    steps = sorted(everys, reverse=True) in (list(range(count, 0, -1)), list(range(count, 1, -1)))
    return dict.fromkeys(names, Fraction(1, count)) if same or steps else None


def _even(group: list[Row]) -> dict[str, Fraction]:
    """Shares by how many rules give each mark."""
    names = [row["new-connection-mark"] for row in group]
    return {name: Fraction(names.count(name), len(names)) for name in dict.fromkeys(names)}


def _drift(subject: Subject, deal: Dealt, group: list[Row], marks: dict[str, Fraction]) -> Iterator[Lint]:
    names = list(marks)
    total = len(deal.turns)
    weights = [int(marks[name] * total) for name in names]
    turns = [names.index(turn) for turn in deal.turns]
    off = furthest(turns, weights)
    if off > 1:  # less than a connection is nothing to rewrite a script for
        told = ":".join(map(str, weights))
        message = (
            f"weights {told} stand in one run: a line is up to {float(off):.1f} connections off its share; "
            f"spread, it is at most {float(bound(len(names))):.2f}"
        )
        first = min(group, key=lambda row: row.start)
        yield lint("nth-contiguous-weights", subject.place(first, "nth"), message, dealt_anew(subject, group, marks))


def _hashes(subject: Subject, deal: Dealt) -> Iterator[Lint]:
    """What no remainder takes, where the remainders themselves look whole."""
    hashing = [row for row in deal.rows if row["per-connection-classifier"]]
    if not hashing or any(row["nth"] for row in deal.rows):
        return
    unmarked = deal.marks().get("", Fraction(0))
    if not unmarked:
        return
    seen = {row["per-connection-classifier"].split("/")[0] for row in hashing}
    whole = all(
        _is_whole([row for row in hashing if row["per-connection-classifier"].startswith(name)]) for name in seen
    )
    if whole and len(seen) == 1:
        message = (
            f"{unmarked} of new connections from {deal.ingress} stay unmarked, though all remainders are asked for"
        )
        place = subject.place(hashing[0], "per-connection-classifier")
        yield lint("pcc-remainders-incomplete", place, message, hint="see what the rules ask beside the hash")


def _is_whole(rows: list[Row]) -> bool:
    denominator = rows[0]["per-connection-classifier"].rpartition(":")[2].partition("/")[0]
    return denominator.isdigit() and len(rows) >= int(denominator)


def _kept(subject: Subject) -> Iterator[Lint]:
    """Routing marks that only the first packets get, or only the later ones."""
    behaviour = subject.behaviour
    if any(row["chain"] in ("forward", "postrouting") and row["new-connection-mark"] for row in subject.of(MANGLE)):
        return  # the connection is marked when it leaves
    told: set[int] = set()
    for deal in behaviour.dealt(behaviour.outside()):
        for (connection, routing), part in deal.shares.items():
            if connection or not routing:
                continue
            row = next((row for row in deal.rows), None) or next(
                (one for one in subject.of(MANGLE) if one["new-routing-mark"] == routing), None
            )
            drawn = row is not None and (row["nth"] or row["connection-state"] == "new" or row["random"])
            if row is None or not drawn or row.start in told:
                continue
            told.add(row.start)
            message = (
                f"new-routing-mark={routing} goes to single packets "
                f"({_percent(part)} of the first from {deal.ingress}), "
                "and no connection mark keeps the rest of the connection on that line"
            )
            place = subject.place(row, "new-routing-mark")
            yield lint("connection-not-kept", place, message, _keeping(subject, row))


def _keeping(subject: Subject, row: Row) -> tuple[Edit, ...]:
    """All such rules of the group as a mark of the connection, and then one of the packets."""
    group = group_of(subject, row)
    edits = []
    for number, one in enumerate(group):
        mark = one["new-routing-mark"] + "_conn"
        left = len(group) - number
        values: dict[str, str | None] = {
            "connection-state": one["connection-state"] or "new",
            "connection-mark": "no-mark",
            "action": "mark-connection",
            "new-routing-mark": None,
            "new-connection-mark": mark,
            "passthrough": "yes",
        }
        if one["nth"]:
            values["nth"] = f"{left},1" if left > 1 else None
        edits.append(subject.change(one, values))
    end = edits[-1].end
    for one in group:
        values = dict.fromkeys(("nth", "random", "connection-state", "per-connection-classifier"))
        values |= {"connection-mark": one["new-routing-mark"] + "_conn", "passthrough": "no"}
        edit = subject.change(one, values)
        edits.append(Edit(end, end, "\n" + edit.shown, edit.shown))
    return tuple(edits)


def _percent(part: Fraction) -> str:
    return f"{float(part) * 100:.3g} %"


def established(connection: str, ingress: str) -> Passage:
    """A later packet of a connection."""
    return Passage(ingress, state=State.ESTABLISHED, connection=connection, routing="")
