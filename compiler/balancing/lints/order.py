"""Rules in the wrong order, rules that never come to be looked at, and the way past all of them."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Lint
from compiler.balancing.lints.rows import MANGLE, Row
from compiler.balancing.lints.subject import Subject
from compiler.dialects.routeros.script import Path

__all__ = ["check_exceptions", "check_fasttrack", "check_overwritten", "check_shadowed"]

_FILTER: Path = ("ip", "firewall", "filter")
_SAID = frozenset({"comment", "log", "log-prefix", "passthrough", "disabled", "action", "chain", "jump-target"})
_MARKS = frozenset({"new-connection-mark", "new-routing-mark", "new-packet-mark"})
_DRAWS = ("nth", "per-connection-classifier", "random", "limit", "dst-limit", "connection-limit", "psd", "content")


def _asked(row: Row) -> dict[str, str]:
    return {name: value for name, value in row.item.properties.items() if name not in _SAID | _MARKS and value}


def check_exceptions(subject: Subject) -> Iterator[Lint]:
    """``accept`` for some traffic below all the rules that send it."""
    rows = [row for row in subject.of(MANGLE) if row["chain"] == "prerouting"]
    senders = [row for row in rows if row["action"] == "mark-routing"]
    for row in rows:
        asks = {name for name in _asked(row) if name.startswith(("dst-", "src-", "protocol"))}
        if row["action"] != "accept" or not asks:
            continue
        above = [one for one in senders if rows.index(one) < rows.index(row) and _may_meet(one, row)]
        below = [one for one in senders if rows.index(one) > rows.index(row)]
        if not above or below:
            continue
        first = next(
            one for one in rows if one["action"] in ("mark-connection", "mark-routing") and _may_meet(one, row)
        )
        told = " ".join(f"{name}={value}" for name, value in _asked(row).items())
        message = f"the exception for {told} stands below the rules that mark it: it excepts nothing"
        body = subject.change(row, {}).shown.split(" add ", 1)[1]
        edits = (subject.before(first, MANGLE, body), subject.remove(row))
        yield lint("marks-before-exceptions", subject.place(row), message, edits)


def check_overwritten(subject: Subject) -> Iterator[Lint]:
    """Ways for some clients or services that a rule further down takes back."""
    behaviour = subject.behaviour
    if not behaviour.known:
        return
    for row in subject.of(MANGLE):
        special = {name for name in _asked(row) if name.startswith(("src-address", "dst-address", "dst-port"))}
        plain = row["action"] == "mark-routing" and row["passthrough"] != "no" and row["chain"] == "prerouting"
        if not plain or not special - {"dst-address-type"} or row["connection-mark"] or any(row[one] for one in _DRAWS):
            continue
        wanted = row["new-routing-mark"]
        for deal in behaviour.dealt(behaviour.region_of(row) & behaviour.outside()):
            others = {routing for _, routing in deal.shares} - {wanted, ""}
            if others and any(routing == wanted for _, routing in deal.shares):
                told = " ".join(f"{name}={row[name]}" for name in sorted(special))
                message = (
                    f"the way for {told} by {wanted} is overwritten further down by {', '.join(sorted(others))}: "
                    "the packets go on to the rules below"
                )
                place = subject.place(row)
                yield lint("marks-before-exceptions", place, message, (subject.change(row, {"passthrough": "no"}),))
                break


def _may_meet(one: Row, other: Row) -> bool:
    """Whether both rules may see the same packet, as far as interfaces and protocols tell."""
    for name in ("in-interface", "in-interface-list", "protocol"):
        if one[name] and other[name] and one[name] != other[name]:
            return False
    return not any(
        one[name] == "!" + other[name] for name in ("dst-address", "dst-address-list", "src-address") if other[name]
    )


def check_shadowed(subject: Subject) -> Iterator[Lint]:
    """Marking rules whose every packet an earlier rule ends or marks."""
    seen: dict[str, list[Row]] = {}
    for row in subject.of(MANGLE):
        earlier = seen.setdefault(row["chain"], [])
        if row["action"] in ("mark-connection", "mark-routing"):
            for one in earlier:
                if _takes_all(one, row):
                    what = one["new-connection-mark"] or one["new-routing-mark"] or one["action"]
                    message = (
                        f"no packet comes here: the rule on line {subject.place(one).line} ({what}) takes all of them"
                    )
                    yield lint("shadowed-marking", subject.place(row), message, (subject.remove(row),))
                    break
        earlier.append(row)


def _takes_all(one: Row, row: Row) -> bool:
    if any(one[name] for name in _DRAWS):
        return False
    asked, wider = _asked(row), _asked(one)
    ends = one["action"] in ("accept", "mark-connection", "mark-routing") and one["passthrough"] == "no"
    if (ends or one["action"] == "accept") and wider.items() <= asked.items():
        return True
    if one["action"] == row["action"] == "mark-connection" and asked.get("connection-mark") == "no-mark":
        wider.pop("connection-mark", None)
        guarded = one["connection-mark"] in ("", "no-mark")
        return guarded and wider.items() <= asked.items()
    return False


def check_fasttrack(subject: Subject) -> Iterator[Lint]:
    """Fasttrack that takes marked connections too."""
    if not any(row["action"] == "mark-routing" for row in subject.of(MANGLE)):
        return
    for path in (_FILTER, MANGLE):
        rows = subject.of(path)
        for row in rows:
            if row["action"] != "fasttrack-connection" or row["connection-mark"] or row["routing-mark"]:
                continue
            before = rows[: rows.index(row)]
            if any(one["connection-mark"] == "!no-mark" and one["action"] == "accept" for one in before):
                continue
            message = "fasttrack takes marked connections past their marks, and they change lines in the middle"
            place = subject.place(row, "action")
            yield lint("fasttrack-skips-marks", place, message, (subject.change(row, {"connection-mark": "no-mark"}),))
