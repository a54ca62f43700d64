"""The per-connection-classifier as it is written: its fields, its remainders, ports where there are none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.dealing import matchers
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.rows import MANGLE, Row
from compiler.balancing.lints.subject import Subject
from compiler.dialects.routeros.stateful_matchers import CLASSIFIER_FIELDS

__all__ = ["check_pcc"]

_PCC = "per-connection-classifier"
_WITH_PORTS = frozenset({"tcp", "udp", "udp-lite", "sctp", "dccp", "6", "17", "136", "132", "33"})


class _Classifier(NamedTuple):
    row: Row
    fields: str
    denominator: int
    remainder: int


def check_pcc(subject: Subject) -> Iterator[Lint]:
    """Each rule that classifies, then the groups that divide one denominator."""
    groups: dict[tuple[object, ...], list[_Classifier]] = {}
    for row in subject.of(MANGLE):
        if not row[_PCC]:
            continue
        place = subject.place(row, _PCC)
        found = re.fullmatch(r"!?([^:]+):(\d+)/(\d+)", row[_PCC])
        if found is None:
            yield lint("pcc-unknown-fields", place, f"{row[_PCC]!r}: expected FIELDS:DENOMINATOR/REMAINDER")
            continue
        if found[1] not in CLASSIFIER_FIELDS:
            near = get_close_matches(found[1], list(CLASSIFIER_FIELDS), 1)
            message = f"{found[1]!r} is no set of fields" + (f": {near[0]} is meant" if near else "")
            edits = (subject.change(row, {_PCC: row[_PCC].replace(found[1], near[0])}),) if near else ()
            yield lint("pcc-unknown-fields", place, message, edits)
            continue
        one = _Classifier(row, found[1], int(found[2]), int(found[3]))
        key = (one.fields, row["action"], row["connection-mark"], *sorted(matchers(row).items()))
        groups.setdefault(key, []).append(one)
    for group in groups.values():
        yield from _remainders(subject, group)
        yield from _ports(subject, group[0])


def _remainders(subject: Subject, group: list[_Classifier]) -> Iterator[Lint]:
    denominators = Counter(one.denominator for one in group)
    usual = max(denominators, key=lambda one: (denominators[one], one == len(group)))
    if usual != len(group) and len(group) > 1 and len(denominators) > 1:
        usual = len(group)
    free = [
        number for number in range(usual) if number not in {one.remainder for one in group if one.denominator == usual}
    ]
    seen: set[int] = set()
    for one in group:
        wrong = ""
        if one.denominator != usual:
            wrong = f"the other rules divide by {usual}"
        elif one.remainder >= usual:
            wrong = f"a remainder by {usual} is at most {usual - 1}"
        elif one.remainder in seen:
            wrong = f"the remainder {one.remainder} stands twice"
        seen.add(one.remainder if one.denominator == usual else -1)
        if not wrong:
            continue
        keep = one.denominator != usual and one.remainder in free
        right = one.remainder if keep else free[0] if free else None
        edits: tuple[Edit, ...] = ()
        if right is not None:
            free.remove(right)
            edits = (subject.change(one.row, {_PCC: f"{one.fields}:{usual}/{right}"}),)
        message = f"{one.row[_PCC]}: {wrong}" + (
            f"; the remainder {right} is asked for by nobody" if right is not None else ""
        )
        yield lint("pcc-remainders-incomplete", subject.place(one.row, _PCC), message, edits)
    if free and not _caught(subject, group[-1].row) and _leaves_some(subject, group):
        told = ", ".join(map(str, free))
        message = f"of {usual} remainders nobody asks for {told}: {len(free)}/{usual} of the connections stay unmarked"
        last = group[-1].row
        # Denominator and rules do not agree: what divides by the number of rules is whole.
        if len(group) > 1:
            edits = tuple(
                subject.change(one.row, {_PCC: f"{one.fields}:{len(group)}/{number}"})
                for number, one in enumerate(group)
            )
        else:
            edits = (subject.change(last, {_PCC: None, "connection-mark": "no-mark"}),)
        yield lint("pcc-remainders-incomplete", subject.place(last, _PCC), message, edits)


def _leaves_some(subject: Subject, group: list[_Classifier]) -> bool:
    """Whether new connections that these rules look at stay unmarked; where that is not known, it is so."""
    behaviour = subject.behaviour
    rows = {one.row.start for one in group}
    if not behaviour.known or group[0].row["chain"] == "output":
        return True
    deals = list(behaviour.dealt(behaviour.outside()))
    looked = [deal for deal in deals if rows & {row.start for row in deal.rows}]
    return not looked or any(deal.marks().get("") for deal in looked)


def _caught(subject: Subject, last: Row) -> bool:
    """Whether a later rule takes what no remainder took."""
    rows = subject.of(MANGLE)
    later = rows[rows.index(last) + 1 :]
    asked = matchers(last)
    return any(
        row["action"] == last["action"] and not row[_PCC] and not row["nth"] and matchers(row).items() <= asked.items()
        for row in later
    )


def _ports(subject: Subject, one: _Classifier) -> Iterator[Lint]:
    names = CLASSIFIER_FIELDS[one.fields]
    if all(name.endswith("port") for name in names) and one.row["protocol"] not in _WITH_PORTS:
        message = f"{one.fields} on {one.row['protocol'] or 'every protocol'}: what has no ports all goes by one line"
        rows = [row for row in subject.of(MANGLE) if row[_PCC].startswith(one.fields + ":")]
        edits = tuple(
            subject.change(row, {_PCC: row[_PCC].replace(one.fields, "both-addresses-and-ports", 1)}) for row in rows
        )
        yield lint("pcc-ports-without-ports", subject.place(one.row, _PCC), message, edits)
