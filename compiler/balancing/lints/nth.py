"""Nth as it is written: forms that are errors, and what its comments claim."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.dealing import group_of
from compiler.balancing.lints.lint import Lint
from compiler.balancing.lints.rows import MANGLE
from compiler.balancing.lints.subject import Subject

__all__ = ["check_nth"]

_CLAIM = re.compile(
    r"bandwi[dt]+h|kecepatan|\bspeed\b|[km]bps|[km]bit/s|\bload[- ]?(?:based|aware)|beban|least[- ]?load|fair(?:ness)?",
    re.I,
)


def check_nth(subject: Subject) -> Iterator[Lint]:
    """The form of each ``nth``; one note that it counts connections."""
    rows = [row for row in subject.of(MANGLE) if row["nth"]]
    for row in rows:
        parts = row["nth"].split(",")
        place = subject.place(row, "nth")
        if len(parts) == 3 and all(part.isdigit() for part in parts):
            every, _, packet = (int(part) for part in parts)
            # The packet counted from 0 to EVERY then, and EVERY was one less than the size of the cycle.
            right = f"{every + 1},{packet + 1}"
            message = f"nth={row['nth']} has three numbers; what it meant is nth={right} now"
            yield lint("nth-three-arguments", place, message, (subject.change(row, {"nth": right}),))
        elif len(parts) != 2 or not all(part.isdigit() for part in parts):
            yield lint("nth-never-matches", place, f"nth={row['nth']}: expected EVERY,PACKET as in nth=2,1")
        elif not 1 <= int(parts[1]) <= int(parts[0]):
            every, packet = int(parts[0]), int(parts[1])
            taken = {one["nth"] for one in rows}
            free = next((n for n in range(1, every + 1) if f"{every},{n}" not in taken), None)
            message = f"nth={row['nth']}: packet {packet} of {every} never comes"
            edits = (subject.change(row, {"nth": f"{every},{free}"}),) if free else ()
            yield lint("nth-never-matches", place, message, edits)
    if rows:
        group = group_of(subject, rows[0])
        marks = list(dict.fromkeys(row["new-connection-mark"] or row["new-routing-mark"] for row in group))
        message = f"nth deals connections to {', '.join(marks)} in turn, whatever each of them carries"
        yield lint(
            "nth-knows-no-bandwidth", subject.place(rows[0], "nth"), message, hint="by client: use PCC over src-address"
        )
    for row in rows:
        claim = _CLAIM.search(row["comment"])
        if claim:
            message = f"the comment {row['comment']!r} speaks of {claim[0]}, which nth does not know"
            mended = (subject.change(row, {"comment": "each new connection in turn"}),)
            yield lint(
                "nth-knows-no-bandwidth", subject.place(row, "comment"), message, mended, severity=Severity.WARNING
            )
