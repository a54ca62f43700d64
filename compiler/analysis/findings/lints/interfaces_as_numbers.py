"""Interfaces in matches as numbers in fields that nothing else uses, so that sets of them can be compared.

Each name or pattern of the chain has a number; all other numbers stand for
interfaces that the chain does not name. A pattern counts as one more interface
of its own: its kin that no rule names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compiler.fields import WIDTH
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet, Match

__all__ = ["NoFreeField", "numbered"]

_SPARE = ("week_minute", "date_minute", "ttl", "traffic_class")
_ROOM = {name: WIDTH[name] if name != "week_minute" else 13 for name in _SPARE}


class NoFreeField(Exception):
    """The matches leave no field free to hold the interfaces."""


def numbered(matches: Sequence[Match]) -> list[Match]:
    """The matches with each constraint on an interface moved to a spare field."""
    wanted = [name for name in ("ingress", "egress") if any(getattr(match, name) is not None for match in matches)]
    if not wanted:
        return list(matches)
    free = [name for name in _SPARE if all(getattr(match, name) is None for match in matches)]
    result = list(matches)
    for name in wanted:
        sets: list[InterfaceSet | None] = [getattr(match, name) for match in matches]
        names = sorted({one for some in sets if some is not None for one in some.names})
        field = next((one for one in free if len(names) < 1 << (_ROOM[one] - 1)), None)
        if field is None:
            raise NoFreeField(name)
        free.remove(field)
        numbers: dict[InterfaceSet | None, IntegerSet | None] = {None: None}
        for one in sets:
            if one is not None and one not in numbers:
                numbers[one] = _members(one, names, WIDTH[field])
        result = [_moved(match, name, field, numbers[one]) for match, one in zip(result, sets, strict=True)]
    return result


def _moved(match: Match, name: str, field: str, numbers: IntegerSet | None) -> Match:
    """The match with the constraint ``name`` gone, and ``field`` constrained instead."""
    values: dict[str, Any] = {**match._asdict(), name: None, field: numbers}
    return Match(**values)


def _members(interfaces: InterfaceSet, names: Sequence[str], width: int) -> IntegerSet:
    positive = InterfaceSet(interfaces.names)
    # A pattern asks for itself by its own text, so that only an equal or wider one contains it.
    held = IntegerSet.values(*(number for number, name in enumerate(names) if positive.contains(name)))
    return held.complement(width) if interfaces.negated else held
