"""Tables whose order decides: which rules stay, move, come and go.

A longest common subsequence of what rules say stays where it is. The others are
placed from the last to the first, each before its successor: a chain is whole
before the rule that jumps into it. Where the last one goes: behind the last of
ours, so that rules of others keep their place relative to ours; on a device
without ours at the end, as the script adds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.deploy.routeros.menus import Menu, Row, Values
from compiler.deploy.routeros.steps import Step, Verb, changes_of

__all__ = ["order_steps"]


def order_steps(menu: Menu, rows: Sequence[Row], wanted: Sequence[Values]) -> Iterator[Step]:
    """The steps for the static rows of one ordered menu, removals last."""
    ours = [row for row in rows if row.is_ours]
    stays = dict(_common([_said(row.values) for row in ours], [_said(values) for values in wanted]))
    paired = {number: ours[place] for place, number in stays.items()}
    free = [row for place, row in enumerate(ours) if place not in stays]
    moved: set[int] = set()
    for number, values in enumerate(wanted):
        if number in paired:
            continue
        row = next((row for row in free if _said(row.values) == _said(values)), None)
        if row is not None:
            free.remove(row)
            paired[number] = row
            moved.add(number)
    end = _after_last(rows, [paired[number] for number in paired if number not in moved] or ours)
    for number in range(len(wanted) - 1, -1, -1):
        values, row = wanted[number], paired.get(number)
        follower, anchor = number + 1, end
        if follower < len(wanted):
            anchor = paired[follower].id if follower in paired else ""
        fresh = follower if follower < len(wanted) and not anchor else -1
        if row is None:
            yield Step(Verb.ADD, menu, values=values, number=number, anchor=anchor, anchor_number=fresh)
            continue
        if number in moved:
            yield Step(Verb.MOVE, menu, row.id, {}, row.values, number, anchor, fresh)
        given = changes_of(menu, row.values, values)
        if given:
            yield Step(Verb.SET, menu, row.id, given, row.values, number)
    for row in free:
        yield Step(Verb.REMOVE, menu, row.id, before=row.values)


def _said(values: Values) -> tuple[tuple[str, str], ...]:
    """All but the comment."""
    return tuple((name, value) for name, value in values.items() if name != "comment")


def _after_last(rows: Sequence[Row], ours: Sequence[Row]) -> str:
    """The id of the row behind the last of ours, or ``""`` for the end."""
    ids = {row.id for row in ours}
    places = [place for place, row in enumerate(rows) if row.id in ids]
    following = rows[places[-1] + 1 :] if places else ()
    return next((row.id for row in following if not row.is_ours), "")


def _common(
    left: Sequence[tuple[tuple[str, str], ...]], right: Sequence[tuple[tuple[str, str], ...]]
) -> Iterator[tuple[int, int]]:
    """A longest common subsequence, as pairs of places."""
    longest = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for one in range(len(left) - 1, -1, -1):
        for two in range(len(right) - 1, -1, -1):
            same = left[one] == right[two]
            longest[one][two] = (
                longest[one + 1][two + 1] + 1 if same else max(longest[one + 1][two], longest[one][two + 1])
            )
    one = two = 0
    while one < len(left) and two < len(right):
        if left[one] == right[two]:
            yield one, two
            one, two = one + 1, two + 1
        elif longest[one + 1][two] >= longest[one][two + 1]:
            one += 1
        else:
            two += 1
