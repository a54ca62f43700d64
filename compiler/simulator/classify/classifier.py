"""The batch classifier: what a list, or all stages of a device, decide about millions of packets.

The law: for every packet, :meth:`Classifier.classify` names the Decision that
``compiler.semantics.decision.decide`` makes, step, reason and all.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.semantics.decision import Decision
from compiler.semantics.machine import Context, ListName, Machine, Stage
from compiler.simulator.classify.columns import Column, PacketColumns, make_columns
from compiler.simulator.classify.engines import Engine, EngineName, make_engine
from compiler.simulator.classify.flattening import FlatList, Half, Plan, flatten
from compiler.simulator.classify.running import Runner, make_runner

__all__ = ["Chosen", "Classification", "Classifier"]


class Classification(NamedTuple):
    """The number of the decision for each packet (int32), and by that number whether packets pass."""

    decision: Column
    verdicts: Column

    @property
    def passes(self) -> Column:
        """Whether each packet passes (bool)."""
        found: Column = self.verdicts.take(self.decision)
        return found


class Chosen(NamedTuple):
    """One flat list of the classifier, and the engine it got."""

    stage: str
    noninitial: bool
    rules: int
    engine: str
    why: str


class Classifier:
    """Stages made ready for columns of packets of one family.

    ``fragments`` are the stages that non-initial fragments go through (by
    default the same): a machine has other ones for them. ``ingress`` and
    ``egress`` are the interfaces of all packets, for rules that still ask.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        family: Family,
        *,
        fragments: Sequence[Stage] | None = None,
        ingress: str = "",
        egress: str = "",
        engine: EngineName = "auto",
    ) -> None:
        self.family = family
        self._wanted = engine
        self._chosen: list[Chosen] = []
        found: list[Decision] = []
        self._plans: list[tuple[Plan, ...]] = []
        self._names: list[list[str]] = []
        for noninitial, some in ((False, stages), (True, stages if fragments is None else fragments)):
            plans, found = flatten(some, Half(family, noninitial, ingress, egress), found)
            self._plans.append(plans)
            self._names.append([stage.name for stage in some])
        self._halves: dict[bool, list[Runner]] = {False: self._runners(noninitial=False)}
        self._none = len(found)
        found.append(Decision(True, "", None, "no list looks at it"))
        self.decisions: tuple[Decision, ...] = tuple(found)
        """What ``Classification.decision`` numbers."""
        self._passes = np.array([decision.passes for decision in found], dtype=bool)

    @classmethod
    def of_list(cls, machine: Machine, name: ListName, engine: EngineName = "auto") -> Classifier:
        """One list of a device alone. UsageError when there is none of that name."""
        if name not in machine.lists():
            known = ", ".join(sorted({one.name for one in machine.lists() if one.family is name.family}))
            raise UsageError(
                f"{machine.source}: no list {name.name!r} for IPv{name.family.value}; there is {known or 'none'}"
            )
        halves = [machine.list_stages(name, noninitial=noninitial) for noninitial in (False, True)]
        return cls(halves[0], name.family, fragments=halves[1], engine=engine)

    @classmethod
    def of_device(cls, machine: Machine, context: Context, engine: EngineName = "auto") -> Classifier:
        """All that packets of the context go through; whether they are fragments is told by their columns."""
        halves = [machine.stages(context._replace(noninitial=noninitial)) for noninitial in (False, True)]
        return cls(
            halves[0],
            context.family,
            fragments=halves[1],
            ingress=context.ingress,
            egress=context.egress,
            engine=engine,
        )

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        """The engine of each flat list, with the reason; those of later fragments once there were any."""
        return tuple(self._chosen)

    def warm(self) -> None:
        """Run one packet through every engine, so that compiled ones are compiled."""
        one = make_columns(self.family, [0], [0], {"protocol": [6]})
        for half in self._halves.values():
            for runner in half:
                for engine in runner.engines():
                    engine.search(one, np.zeros(1, dtype=np.int32))

    def classify(self, packets: PacketColumns, *, workers: int = 1) -> Classification:
        """Decide each packet, with ``workers`` threads (compiled engines run beside each other).

        Raises UsageError for packets of the other family.
        """
        if packets.family is not self.family:
            raise UsageError(f"packets of IPv{packets.family.value} and a classifier of IPv{self.family.value}")
        if workers > 1 and packets.size > workers:
            ends = np.linspace(0, packets.size, workers + 1, dtype=int).tolist()
            parts = [packets.take(slice(*pair)) for pair in pairwise(ends)]
            with ThreadPoolExecutor(workers) as pool:
                decision = np.concatenate(list(pool.map(self._decide, parts)))
        else:
            decision = self._decide(packets)
        return Classification(decision, self._passes)

    def decision(self, number: int) -> Decision:
        """What a number of ``Classification.decision`` stands for."""
        return self.decisions[number]

    def _decide(self, packets: PacketColumns) -> Column:
        fragment = packets.noninitial
        if not fragment.any():
            return self._half(self._halves[False], packets)
        if True not in self._halves:
            # Few captures have later fragments, and a long list takes its time to build.
            self._halves[True] = self._runners(noninitial=True)
        decision = np.empty(packets.size, dtype=np.int32)
        for noninitial, half in self._halves.items():
            where = np.flatnonzero(fragment == noninitial)
            decision[where] = self._half(half, packets.take(where))
        return decision

    def _half(self, runners: list[Runner], packets: PacketColumns) -> Column:
        """Stage after stage, each for the packets that the earlier ones let pass."""
        if len(runners) == 1:
            return runners[0].run(packets)
        decision = np.full(packets.size, self._none, dtype=np.int32)
        where: Column | slice = slice(None)
        for runner in runners:
            some = runner.run(packets.take(where))
            decision[where] = some
            passed = np.flatnonzero(self._passes.take(some))
            where = passed if isinstance(where, slice) else where[passed]
        return decision

    def _runners(self, *, noninitial: bool) -> list[Runner]:
        named = zip(self._plans[noninitial], self._names[noninitial], strict=True)
        return [make_runner(plan, partial(self._engine, stage=name, noninitial=noninitial)) for plan, name in named]

    def _engine(self, flat: FlatList, stage: str, *, noninitial: bool) -> Engine:
        engine = make_engine([rule.match for rule in flat.rules], self.family, self._wanted)
        self._chosen.append(Chosen(stage, noninitial, len(flat.rules), engine.name, engine.why))
        return engine
