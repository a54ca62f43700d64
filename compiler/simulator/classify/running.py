"""Programs made ready to run: each flat list with its engine, and calls around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from compiler.simulator.classify.columns import Column, PacketColumns
from compiler.simulator.classify.engines import Engine
from compiler.simulator.classify.flattening import RETURNED, UNDECIDED, Block, FlatList, Plan

__all__ = ["Runner", "Searcher", "make_runner"]

MakeEngine = Callable[[FlatList], Engine]


class Searcher(NamedTuple):
    """A flat list: the outcome of each rank, and behind the last that of no rule."""

    engine: Engine
    outcomes: Column

    def run(self, packets: PacketColumns) -> Column:
        """The outcome for each packet (int32)."""
        return self.engine.search(packets, self.outcomes)


class _Call(NamedTuple):
    guard: Searcher
    body: Program

    def run(self, packets: PacketColumns) -> Column:
        """The outcome of the body for packets in the guard; UNDECIDED for what comes back."""
        outcome = np.full(packets.size, UNDECIDED, dtype=np.int32)
        inside = np.flatnonzero(self.guard.run(packets) != UNDECIDED)
        inner = _run(self.body, packets.take(inside))
        outcome[inside] = np.where(inner == RETURNED, UNDECIDED, inner)
        return outcome


Program = tuple["Searcher | _Call", ...]


class Runner(NamedTuple):
    """One stage ready to run."""

    program: Program
    default: int
    ttl_decremented: bool

    def run(self, packets: PacketColumns) -> Column:
        """The number of the decision for each packet (int32)."""
        seen = packets.routed() if self.ttl_decremented else packets
        outcome = _run(self.program, seen)
        if len(self.program) == 1 and isinstance(self.program[0], Searcher):
            return outcome  # its outcomes have the default in them
        return np.where(outcome < 0, np.int32(self.default), outcome)

    def engines(self) -> Iterator[Engine]:
        """Every engine of the stage."""
        yield from _engines(self.program)


def make_runner(plan: Plan, make: MakeEngine) -> Runner:
    """The stage with an engine for each of its lists."""
    alone = len(plan.block) == 1 and isinstance(plan.block[0], FlatList)
    if alone or not plan.block:
        flat = plan.block[0] if plan.block else FlatList(())
        assert isinstance(flat, FlatList)
        outcomes = [plan.default if rule.outcome == RETURNED else rule.outcome for rule in flat.rules]
        program: Program = (Searcher(make(flat), np.array([*outcomes, plan.default], dtype=np.int32)),)
    else:
        program = _program(plan.block, make)
    # The TTL is lowered only where a rule looks at it.
    asked = plan.ttl_decremented and any(
        rule.match.ttl is not None for flat in _lists(plan.block) for rule in flat.rules
    )
    return Runner(program, plan.default, asked)


def _program(block: Block, make: MakeEngine) -> Program:
    return tuple(
        _searcher(part, make)
        if isinstance(part, FlatList)
        else _Call(_searcher(part.guard, make), _program(part.body, make))
        for part in block
    )


def _searcher(flat: FlatList, make: MakeEngine) -> Searcher:
    outcomes = [rule.outcome for rule in flat.rules]
    return Searcher(make(flat), np.array([*outcomes, UNDECIDED], dtype=np.int32))


def _lists(block: Block) -> Iterator[FlatList]:
    for part in block:
        if isinstance(part, FlatList):
            yield part
        else:
            yield part.guard
            yield from _lists(part.body)


def _engines(program: Program) -> Iterator[Engine]:
    for part in program:
        if isinstance(part, Searcher):
            yield part.engine
        else:
            yield part.guard.engine
            yield from _engines(part.body)


def _run(program: Program, packets: PacketColumns) -> Column:
    """The outcome for each packet: the first part that decides it or sends it back."""
    if len(program) == 1:
        return program[0].run(packets)
    outcome = np.full(packets.size, UNDECIDED, dtype=np.int32)
    where = np.arange(packets.size)
    for part in program:
        some = part.run(packets.take(where))
        outcome[where] = some
        where = where[some == UNDECIDED]
        if not len(where):
            break
    return outcome
