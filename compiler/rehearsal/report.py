"""The report of a rehearsal: plain tables, and a verdict in one line to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compiler.rehearsal.verdicts import WAYS, failure_verdict, share_verdict, sticky_verdict

if TYPE_CHECKING:
    from compiler.rehearsal.result import DownloadSeen, Rehearsal

__all__ = ["report", "table"]

_MOST_REASONS = 6


def report(seen: Rehearsal) -> Iterator[str]:
    """All lines."""
    yield f"{seen.source}, {seen.target}: {seen.connections:,} connections of {seen.clients} clients, seed {seen.seed}"
    if seen.repeated:
        yield f"{seen.repeated} of them ask twice, for the first answer is lost"
    for note in seen.notes:
        yield f"note: {note}"
    yield ""
    yield from _shares(seen)
    yield from _classes(seen)
    yield from _calls(seen)
    yield from _downloads(seen)
    yield from _failures(seen)
    yield ""
    wrong = seen.problems
    if not wrong:
        yield "VERDICT: nothing is wrong"
    for one in wrong:
        yield f"WRONG: {one}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Columns of one width each: the first to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head))]
    numeric = [index > 0 and all(_is_number(row[index]) for row in cells[1:]) for index in range(len(head))]
    for row in cells:
        parts = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        yield ("  " + "  ".join(parts)).rstrip()


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit() or cell in ("", "-")


def _shares(seen: Rehearsal) -> Iterator[str]:
    rows = [
        (one.uplink, one.weight, f"{one.connections:,}", f"{float(one.share):.2%}", f"{one.octets:,}", one.unmarked)
        for one in seen.uplinks
    ]
    yield from table(("uplink", "weight", "connections", "share", "octets", "unmarked"), rows)
    yield f"  {share_verdict(seen)}; Jain's index of octets by weight {float(seen.fairness):.3f}"
    if not seen.marks:
        yield "  no connection is marked"
    yield f"  marked anew {seen.remarked}, moved {seen.moved}, never finished {seen.unfinished}"
    for reason, count in seen.reasons[:_MOST_REASONS]:
        yield f"    {count:,}: {reason}"
    if len(seen.reasons) > _MOST_REASONS:
        yield f"    and {len(seen.reasons) - _MOST_REASONS} reasons more"
    yield f"  {sticky_verdict(seen)}"


def _classes(seen: Rehearsal) -> Iterator[str]:
    if not seen.classes:
        return
    yield ""
    rows = []
    for one in seen.classes:
        for part in one.parts:
            bounds = str(part.low) if part.low == part.high else f"{part.low}..{part.high}"
            verdict = "ok" if part.holds else "OUT OF BOUNDS"
            rows.append((one.name, one.method, part.uplink, f"{part.count} of {one.total}", bounds, one.unit, verdict))
    yield from table(("class", "method", "uplink", "has", "should have", "unit", ""), rows)
    for one in seen.classes:
        if one.wandering:
            yield f"  {one.name}: {one.wandering} {one.unit} went by more than one uplink"


def _calls(seen: Rehearsal) -> Iterator[str]:
    if seen.incoming:
        yield ""
        rows = [
            (one.uplink, one.what, f"{one.answered} of {one.asked}", ", ".join(reason for reason, _ in one.reasons))
            for one in seen.incoming
        ]
        yield from table(("called from", "what", "answered by the same line", "why not"), rows)
    if seen.own:
        yield ""
        left = [
            (one.what, f"{one.answered} of {one.asked}", ", ".join(f"{name} {count}" for name, count in one.uplinks))
            for one in seen.own
        ]
        yield from table(("the router's own", "answered", "left by"), left)


def _downloads(seen: Rehearsal) -> Iterator[str]:
    if not seen.downloads:
        return
    yield ""
    rows = [
        (one.client, one.uplink or "none", _rate(one.rate), "together" if one.together else "alone")
        for one in seen.downloads
    ]
    yield from table(("download by", "uplink", "Mbit/s", ""), rows)
    for name, down, up in seen.rates:
        total = _together([one for one in seen.downloads if one.uplink == name and one.together])
        yield f"  {name}: {_rate(total)} of {_rate(down)} Mbit/s down ({_rate(up)} up)"


def _together(downloads: list[DownloadSeen]) -> int:
    """Bits a second of some downloads, from the first's beginning to the last's end."""
    if not downloads:
        return 0
    lasted = max(one.ended for one in downloads) - min(one.began for one in downloads)
    return sum(one.octets for one in downloads) * 8 * 1_000_000_000 // lasted if lasted > 0 else 0


def _failures(seen: Rehearsal) -> Iterator[str]:
    if not seen.failures:
        return
    yield ""
    rows = [
        (
            one.uplink,
            WAYS[one.way],
            _time(one.noticed),
            _time(one.detected) if one.used or one.detected is None else "-",
            f"{one.failed} of {one.attempts}",
            f"{one.kept}/{one.reset}/{one.silent}",
            _time(one.returned) if one.used else "-",
            one.astray,
        )
        for one in seen.failures
    ]
    head = (
        "uplink",
        "failure",
        "noticed",
        "saved",
        "lost till then",
        "old: go on/reset/hang",
        "used again",
        "astray",
    )
    yield from table(head, rows)
    for one in seen.failures:
        yield f"  {one.uplink}, {WAYS[one.way]}: {failure_verdict(one, seen)}"


def _time(moment: int | None) -> str:
    return "never" if moment is None else f"{moment / 1e9:.1f} s"


def _rate(bits: int) -> str:
    return f"{bits / 1e6:.2f}"
