"""Running all variants: in the simulator in as many processes as there are processors, in the kernel one by one.

Runs in the kernel are of real time, and would take the processor from each other.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from compiler.simulator.engine import SECOND
from labs.agreement import Difference, compare, in_both
from labs.assertions import VerdictState, captured_links, judge_all
from labs.comparison.figures import Figure, figures_of
from labs.lab_file import read_lab
from labs.observation import Observation
from labs.topology import Lab
from labs.words.commands import show_fallen

__all__ = ["WORLDS", "Asked", "Done", "Measured", "Progress", "run_all"]

WORLDS = ("simulator", "kernel")
Progress = Callable[[int, int], None]
"""Called with the runs that are done, and those that there are."""


class Asked(NamedTuple):
    """What is to be run: the lab's folder or file, which variants, in which worlds, by which seed (None: the lab's)."""

    lab: str
    settings: Mapping[str, str]
    variants: tuple[str, ...]
    worlds: tuple[str, ...]
    seed: int | None = None


class Measured(NamedTuple):
    """One variant in one world. ``lacks`` is what that world could not realise, each with the reason."""

    variant: str
    world: str
    seed: int
    seconds: float
    """Of the lab's own time."""
    figures: tuple[Figure, ...]
    failed: tuple[str, ...]
    """What the assertions say that failed, and which programs ended too early."""
    lacks: tuple[tuple[str, str], ...]
    held: int = 0
    skipped: int = 0
    """Assertions that held, and those that nothing in this world could judge."""


class Done(NamedTuple):
    """All runs in the order of the variants, and where the worlds differ, by variant."""

    measured: tuple[Measured, ...]
    differences: Mapping[str, tuple[Difference, ...]]
    shared: Mapping[str, tuple[int, int]]
    """By variant the number of activities that ran in both worlds, and of all."""

    @property
    def is_right(self) -> bool:
        """No assertion failed, and the worlds agree."""
        return not any(one.failed for one in self.measured) and not any(self.differences.values())


def run_all(asked: Asked, progress: Progress) -> Done:
    """Run every variant in every world. Raises what reading and running raise, of the first variant that fails."""
    labs = {name: read_lab(asked.lab, asked.settings, name) for name in asked.variants}
    total = len(labs) * len(asked.worlds)
    seen: dict[tuple[str, str], tuple[Measured, Observation]] = {}
    progress(0, total)
    for one in _runs(asked, labs):
        seen[one[0].variant, one[0].world] = one
        progress(len(seen), total)
    measured = tuple(seen[name, world][0] for name in labs for world in asked.worlds)
    differences, shared = {}, {}
    for name, lab in labs.items() if len(asked.worlds) > 1 else ():
        left, right = (seen[name, world][1] for world in WORLDS)
        differences[name], shared[name] = compare(lab, left, right), in_both(lab, left, right)
    return Done(measured, differences, shared)


def _runs(asked: Asked, labs: Mapping[str, Lab]) -> Iterator[tuple[Measured, Observation]]:
    if "simulator" in asked.worlds:
        count = max(min(len(os.sched_getaffinity(0)), len(labs)), 1)
        # Fresh processes: a fork would take threads and open sockets along.
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
            waiting = [pool.submit(_run, asked, name, "simulator") for name in labs]
            try:
                for future in as_completed(waiting):
                    yield future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    if "kernel" in asked.worlds:
        for name in labs:
            yield _run(asked, name, "kernel")


def _run(asked: Asked, variant: str, world: str) -> tuple[Measured, Observation]:
    """Judged where it ran: what assertions look at in captures is gone afterwards."""
    lab = read_lab(asked.lab, asked.settings, variant)
    with TemporaryDirectory(prefix="gerbang-compare-") as folder:
        captures = captured_links(lab)
        if world == "kernel":
            from labs.kernel import run as run_in_kernel

            observation = run_in_kernel(lab, seed=asked.seed, captures=captures, folder=Path(folder))
        else:
            from labs.simulated import run as simulate

            observation = simulate(lab, seed=asked.seed, captures=captures, folder=Path(folder))
        return _measure(lab, observation), observation


def _measure(lab: Lab, observation: Observation) -> Measured:
    verdicts = judge_all(lab, observation)
    failed = tuple(one.message for one in verdicts if one.state is VerdictState.FAILED)
    failed += tuple(show_fallen(program) for program in observation.fallen())
    return Measured(
        lab.variant,
        observation.world,
        observation.seed,
        observation.duration / SECOND,
        figures_of(lab, observation, verdicts),
        failed,
        observation.lacks,
        sum(one.state is VerdictState.HELD for one in verdicts),
        sum(one.state is VerdictState.SKIPPED for one in verdicts),
    )
