"""Two ordered lists side by side: equal steps paired, the gaps between them.

Alignment is a hint for the proof, found by equality of the steps alone and
never by comments: a pair that is missed costs time, never truth.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compiler.policy.match import Match
from compiler.semantics.machine import Outcome, Step

__all__ = ["Gap", "Key", "gaps", "key"]

Key = tuple[Match, Outcome, tuple["Key", ...]]


class Gap(NamedTuple):
    """Steps ``left[left_start:left_end]`` stand where ``right[right_start:right_end]`` stand."""

    left_start: int
    left_end: int
    right_start: int
    right_end: int


def key(step: Step) -> Key:
    """What a step does, without where it is written. Equal keys mean equal functions."""
    return (step.match, step.outcome, tuple(key(inner) for inner in step.body) if step.body else ())


def gaps(left: Sequence[Key], right: Sequence[Key]) -> Iterator[Gap]:
    """The unpaired stretches, in order; what lies between them is equal step by step."""
    start = 0
    shorter = min(len(left), len(right))
    while start < shorter and left[start] == right[start]:
        start += 1
    end_left, end_right = len(left), len(right)
    while end_left > start and end_right > start and left[end_left - 1] == right[end_right - 1]:
        end_left -= 1
        end_right -= 1
    if start == end_left and start == end_right:
        return
    previous_left, previous_right = start, start
    for at_left, at_right in _anchors(left, right, start, end_left, end_right):
        yield from _trimmed(left, right, Gap(previous_left, at_left, previous_right, at_right))
        previous_left, previous_right = at_left + 1, at_right + 1
    yield from _trimmed(left, right, Gap(previous_left, end_left, previous_right, end_right))


def _trimmed(left: Sequence[Key], right: Sequence[Key], gap: Gap) -> Iterator[Gap]:
    """The gap without equal steps at its two ends; nothing when nothing is left."""
    left_start, left_end, right_start, right_end = gap
    while left_start < left_end and right_start < right_end and left[left_start] == right[right_start]:
        left_start += 1
        right_start += 1
    while left_start < left_end and right_start < right_end and left[left_end - 1] == right[right_end - 1]:
        left_end -= 1
        right_end -= 1
    if left_start < left_end or right_start < right_end:
        yield Gap(left_start, left_end, right_start, right_end)


def _anchors(
    left: Sequence[Key], right: Sequence[Key], start: int, end_left: int, end_right: int
) -> list[tuple[int, int]]:
    """Pairs of equal steps, each unique on its side, in the order of both (patience sorting)."""
    seen: dict[Key, int] = {}
    for position in range(start, end_left):
        seen[left[position]] = -1 if left[position] in seen else position
    places: dict[Key, int] = {}
    for position in range(start, end_right):
        places[right[position]] = -1 if right[position] in places else position
    pairs = [
        (position, places[left[position]])
        for position in range(start, end_left)
        if seen[left[position]] == position and places.get(left[position], -1) >= 0
    ]
    # The longest run of pairs that ascends on both sides.
    tails: list[int] = []
    tail_pairs: list[int] = []
    before: list[int] = []
    for index, (_, at_right) in enumerate(pairs):
        at = bisect_left(tails, at_right)
        before.append(tail_pairs[at - 1] if at else -1)
        if at == len(tails):
            tails.append(at_right)
            tail_pairs.append(index)
        else:
            tails[at] = at_right
            tail_pairs[at] = index
    chain: list[tuple[int, int]] = []
    index = tail_pairs[-1] if tail_pairs else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]
