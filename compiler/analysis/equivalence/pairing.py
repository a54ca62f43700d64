"""Which list of one device belongs to which of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.lowering.device import chain_name
from compiler.semantics.machine import ListName, Machine, Standing

__all__ = ["Pair", "left_out", "named_alike", "pair_lists", "unbound"]

Pair = tuple[ListName, ListName]


def pair_lists(
    left: Machine,
    right: Machine,
    pairs: Sequence[tuple[str, str]],
    called: Mapping[tuple[str, Family], str] | None = None,
) -> tuple[Pair, ...]:
    """Pairs by the given names, else by what the compiler called a list (``called``), else by name.

    A list without a partner must never count as equal, so it is a UsageError;
    but where something is bound, the devices themselves are compared, and
    lists that only another feature uses are told by :func:`left_out`.
    """
    if pairs:
        mine, theirs = left.lists(), right.lists()
        return tuple(one for pair in pairs for one in _given(pair, mine, theirs, left.source, right.source))
    found = named_alike(unbound(left), unbound(right), called)
    alone = [
        f"{name.name} of {machine.source}"
        for machine, other, side in ((left, right, 0), (right, left, 1))
        for name in _alone(machine, {pair[side] for pair in found})
        if (machine.standing(name) is Standing.FREE or not machine.is_placed()) and not _is_bound(name, other)
    ]
    if alone:
        shown = ", ".join(alone[:8]) + (" …" if len(alone) > 8 else "")
        raise UsageError(f"no partner for list {shown}: name the pairs with --list LEFT=RIGHT")
    return found


def unbound(machine: Machine) -> tuple[ListName, ...]:
    """The lists that do not stand in a packet's way: bound ones are compared as parts of their devices."""
    return tuple(name for name in machine.lists() if machine.standing(name) is not Standing.BOUND)


def _is_bound(name: ListName, other: Machine) -> bool:
    """Whether the other device binds a list of the name: then the devices differ, and their claim says so."""
    names = {name.name, name.name.removeprefix("acl-"), chain_name(name.name)}
    return any(
        one.name in names and one.family is name.family and other.standing(one) is Standing.BOUND
        for one in other.lists()
    )


def left_out(left: Machine, right: Machine) -> Iterator[str]:
    """Lists that no claim speaks of: only another feature uses them, and the other side has none of the name."""
    found = named_alike(unbound(left), unbound(right))
    for machine, side in ((left, 0), (right, 1)):
        for name in _alone(machine, {pair[side] for pair in found}):
            if machine.standing(name) is Standing.USED:
                yield f"list {name.name} of {machine.source} is no filter between interfaces and is not compared"


def named_alike(
    mine: Sequence[ListName], theirs: Sequence[ListName], called: Mapping[tuple[str, Family], str] | None = None
) -> tuple[Pair, ...]:
    """Pairs of one name and family; the chain ``acl-101`` may stand for list 101.

    Exact names come first, then chains named by the compiler. Chains of one
    name in two tables pair by their tables; UsageError where those differ too.
    """
    found: list[Pair] = []
    free = list(theirs)
    waiting = list(mine)
    for wish in (
        lambda name: (called or {}).get((name.name, name.family), ""),
        lambda name: name.name,
        lambda name: chain_name(name.name),
        lambda name: name.name.removeprefix("acl-"),
    ):
        for name in tuple(waiting):
            other = _one(name, wish(name), free)
            if other is not None:
                found.append((name, other))
                free.remove(other)
                waiting.remove(name)
    return tuple(sorted(found, key=lambda pair: mine.index(pair[0])))


def _one(name: ListName, wanted: str, free: Sequence[ListName]) -> ListName | None:
    fitting = [other for other in free if other.name == wanted and other.family is name.family]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    same = [other for other in fitting if other.table == name.table]
    if len(same) == 1:
        return same[0]
    tables = ", ".join(other.table for other in fitting)
    raise UsageError(f"list {name.name} could be any of several chains of that name (in {tables})")


def _alone(machine: Machine, paired: set[ListName]) -> Iterator[ListName]:
    for name in machine.lists():
        if name not in paired and machine.standing(name) is not Standing.BOUND:
            yield name


def _given(
    pair: tuple[str, str], mine: Sequence[ListName], theirs: Sequence[ListName], left: str, right: str
) -> Iterator[Pair]:
    """All families of the two names. UsageError when a family, or a name, has no partner."""
    ours = [name for name in mine if name.name == pair[0]]
    others = [name for name in theirs if name.name == pair[1]]
    for wanted, found, names, source in ((pair[0], ours, mine, left), (pair[1], others, theirs, right)):
        if not found:
            have = ", ".join(sorted({name.name for name in names})) or "none"
            raise UsageError(f"{source} has no list {wanted}; it has {have}")
    if {name.family for name in ours} != {name.family for name in others}:
        raise UsageError(f"lists {pair[0]} and {pair[1]} are not of the same address families")
    for name in ours:
        other = _one(name, pair[1], others)
        assert other is not None  # the families are the same
        yield name, other
