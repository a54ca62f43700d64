"""From the files of a change to its review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from compiler.analysis.equivalence.proof import Progress
from compiler.analysis.equivalence.report import Witness
from compiler.analysis.review.deciding import deciding_lines, example
from compiler.analysis.review.files import ChangedFile, Version, is_configuration, text_of
from compiler.analysis.review.outcome import DecidingLine, FileReview, Problem, Review, Verdict
from compiler.analysis.traffic.difference import Change, ChangedPackets, change_of, changed_packets, unpaired
from compiler.dialects import read
from compiler.errors import GerbangError, InputError, InputErrors
from compiler.policy.access_list import Device
from compiler.policy.ruleset import Ruleset
from compiler.semantics.decision import decide
from compiler.semantics.lower import machine
from compiler.semantics.machine import Machine
from compiler.source import Span

__all__ = ["review", "review_file"]

Reading = Literal["refuse", "bound"]

_GRAVEST = list(Verdict)


def review(
    changed: Iterable[ChangedFile],
    old: str,
    new: str,
    *,
    unmodelled: Reading = "refuse",
    whole_packets_only: bool = False,
    skipped: Sequence[str] = (),
    progress: Progress | None = None,
) -> Review:
    """All configurations among the files, the gravest verdict first.

    ``old`` and ``new`` are how the two sides are called, ``skipped`` names
    files that the caller left out already. A file that cannot be read is part
    of the review; nothing is raised.
    """
    files = list(changed)
    configurations = [one for one in files if is_configuration(one)]
    others = {one.path for one in files} - {one.path for one in configurations}
    found = []
    for number, one in enumerate(configurations):
        if progress is not None:
            progress(number, len(configurations))
        found.append(review_file(one, unmodelled=unmodelled, whole_packets_only=whole_packets_only))
    found.sort(key=lambda one: (_GRAVEST.index(one.verdict), one.path))
    return Review(old, new, tuple(found), tuple(sorted(others.union(skipped))), unmodelled == "bound")


def review_file(
    changed: ChangedFile, *, unmodelled: Reading = "refuse", whole_packets_only: bool = False
) -> FileReview:
    """One configuration, before and after."""
    trees: list[Device | Ruleset | None] = []
    problems: list[Problem] = []
    for version in (changed.old, changed.new):
        try:
            trees.append(_tree(version, unmodelled))
        except GerbangError as error:
            trees.append(None)
            assert version is not None
            problems += _problems(error, version)
    if problems:
        return FileReview(changed.path, Verdict.UNREADABLE, changed.old_path, problems=tuple(problems))
    before, after = trees
    try:
        if before is None or after is None:
            return _alone(changed, before, after)
        return _compared(changed, before, after, unmodelled, whole_packets_only=whole_packets_only)
    except GerbangError as error:  # such as chains of one name that could be paired in several ways
        version = changed.new or changed.old
        assert version is not None
        return FileReview(changed.path, Verdict.UNREADABLE, changed.old_path, problems=tuple(_problems(error, version)))


def _tree(version: Version | None, unmodelled: Reading) -> Device | Ruleset | None:
    if version is None:
        return None
    return read(text_of(version).text, version.name, unmodelled=unmodelled)


def _compared(
    changed: ChangedFile,
    before: Device | Ruleset,
    after: Device | Ruleset,
    unmodelled: Reading,
    *,
    whole_packets_only: bool,
) -> FileReview:
    bound: Literal["exact", "lower"] = "lower" if unmodelled == "bound" else "exact"
    old, new = machine(before, bound=bound), machine(after, bound=bound)
    changes = []
    lines: list[DecidingLine] = []
    for found in changed_packets(old, new, whole_packets_only=whole_packets_only):
        changes.append(_change(found))
        lines += deciding_lines(found, after)
    notes = tuple(unpaired(old, new))
    outside = tuple(_outside(old, new))
    directions = {change.newly for change in changes}
    verdict = (
        Verdict.BOTH
        if len(directions) == 2
        else Verdict.WIDER
        if "permitted" in directions
        else Verdict.NARROWER
        if directions
        else Verdict.LISTS
        if notes
        else Verdict.OUTSIDE
        if outside
        else Verdict.EQUAL
    )
    return FileReview(changed.path, verdict, changed.old_path, tuple(changes), _merged(lines), notes, outside)


def _change(found: ChangedPackets) -> Change:
    """With the packet that a person would choose as its example."""
    from compiler.symbolic.space import space

    packet = example(found.packets, space(found.view.context.family), found.view.context)
    witness = Witness(packet, decide(found.view.left, packet), decide(found.view.right, packet))
    return replace(change_of(found), example=witness)


def _alone(changed: ChangedFile, before: Device | Ruleset | None, after: Device | Ruleset | None) -> FileReview:
    """A configuration that came or went: its lists are named, for there is nothing to compare them with."""
    tree = after or before
    assert tree is not None
    what, held = ("list", tree.lists) if isinstance(tree, Device) else ("chain", tree.chains)
    names = ", ".join(dict.fromkeys(one.name for one in held))
    note = f"{what}{'s' if ',' in names else ''} {names}" if names else f"no {what}"
    verdict = Verdict.ADDED if after is not None else Verdict.DELETED
    return FileReview(changed.path, verdict, changed.old_path, notes=(note,))


def _outside(old: Machine, new: Machine) -> Iterator[Problem]:
    """What each side does to packets elsewhere and the other does not (NAT, fasttrack), told and not compared."""
    held = {side.source: Counter(clause.text for clause in side.features) for side in (old, new)}
    for side, other in ((old, new), (new, old)):
        for text in held[side.source] - held[other.source]:
            span = next(clause.span for clause in side.features if clause.text == text)
            yield Problem(span, f"{text} is only in {side.source} and is not compared")


def _merged(lines: Sequence[DecidingLine]) -> tuple[DecidingLine, ...]:
    """One line is told once for each direction, with the first situation and how many more there are."""
    found: dict[tuple[Span, str, str], list[DecidingLine]] = {}
    for line in lines:
        found.setdefault((line.span, line.newly, line.did), []).append(line)
    merged = []
    for (span, _, _), several in sorted(found.items(), key=lambda item: item[0]):
        where = several[0].where
        more = len({line.where for line in several}) - 1
        merged.append(several[0]._replace(span=span, where=f"{where} and {more} more" if more else where))
    return tuple(merged)


def _problems(error: GerbangError, version: Version) -> list[Problem]:
    if isinstance(error, InputErrors):
        return [_problem(one, version) for one in error.errors]
    if isinstance(error, InputError):
        return [_problem(error, version)]
    return [Problem(Span(version.name, 0), str(error))]


def _problem(error: InputError, version: Version) -> Problem:
    span = error.span if error.span.line else Span(version.name, 0)
    return Problem(span, error.message)
