"""In which order programs start: what a program requires comes before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from appliance.contract.programs import Program
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["dependents", "start_order", "waves"]


def waves(programs: Mapping[str, Program]) -> Iterator[tuple[str, ...]]:
    """The programs in groups: those of one group may start together once the groups before it are ready.

    What is required and not among them is left out. Raises SupervisionFailed
    with the names when programs require each other.
    """
    sorter = TopologicalSorter(
        {name: sorted(set(program.requires) & programs.keys()) for name, program in sorted(programs.items())}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise SupervisionFailed(str(error.args[1][0]), f"programs require each other: {circle}") from None
    while sorter.is_active():
        wave = tuple(sorted(sorter.get_ready()))
        yield wave
        sorter.done(*wave)


def start_order(programs: Mapping[str, Program]) -> tuple[str, ...]:
    """All of them, each after what it requires. Raises SupervisionFailed for a circle."""
    return tuple(name for wave in waves(programs) for name in wave)


def dependents(name: str, programs: Mapping[str, Program]) -> tuple[str, ...]:
    """What requires the program, directly or not, the farthest first: the order in which they stop."""
    found: set[str] = {name}
    for other in start_order(programs):
        if found & set(programs[other].requires):
            found.add(other)
    return tuple(other for other in reversed(start_order(programs)) if other in found - {name})
