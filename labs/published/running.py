"""All the runs that a paper asks for, each once: in the simulator side by side, in the kernel one after the other."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import NamedTuple

from labs.lab_file import read_lab, read_lab_file
from labs.observation import Observation
from labs.published.judging import Judgement, Seen, judged
from labs.published.methods import MethodRow, MethodTable, method_row
from labs.published.paper import FailureRun, Paper, PaperRow, Run, settings_of
from labs.topology import Lab

__all__ = ["Done", "Place", "Progress", "measure_paper", "places_of"]

Progress = Callable[[int, int], None]
"""Called with the runs that are done, and those that there are."""


class Place(NamedTuple):
    """A run in a world."""

    run: Run
    world: str


class Done(NamedTuple):
    """A paper, measured: its rows, the methods' tables, and every run for plots."""

    paper: Paper
    worlds: tuple[str, ...]
    rows: tuple[Judgement, ...]
    methods: tuple[MethodTable, ...]
    seen: Mapping[Place, Seen]

    @property
    def is_right(self) -> bool:
        """Every row that was run came out as it must."""
        return all(one.verdict.value != "differs" for one in self.rows)


def measure_paper(
    paper: Paper, worlds: tuple[str, ...], *, with_methods: bool = True, progress: Progress = lambda done, all_: None
) -> Done:
    """Run and measure. Raises what reading and running labs raise."""
    places = tuple(dict.fromkeys(places_of(paper, worlds, with_methods=with_methods)))
    seen: dict[Place, Seen] = {}
    progress(0, len(places))
    for place, one in _run_all(places):
        seen[place] = one
        progress(len(seen), len(places))
    rows = tuple(judged(row, {world: _seen(row, world, seen) for world in worlds}) for row in paper.rows)
    tables = tuple(_tables(paper, worlds, seen)) if with_methods else ()
    return Done(paper, worlds, rows, tables, {place: seen[place] for place in places})


def _seen(row: PaperRow, world: str, seen: Mapping[Place, Seen]) -> Seen | str:
    return row.kernel if world == "kernel" and row.kernel else seen[Place(row.run, world)]


def places_of(paper: Paper, worlds: Iterable[str], *, with_methods: bool = True) -> Iterator[Place]:
    """Every run that is needed; some come several times."""
    for world in worlds:
        for row in paper.rows:
            if world == "simulator" or not row.kernel:
                yield Place(row.run, world)
        if not with_methods:
            continue
        for target in paper.methods.targets:
            if world == "kernel" and target != "linux":
                continue
            for variant in paper.methods.variants:
                yield Place(_workload(paper, variant, target), world)
                for failure in paper.methods.failures:
                    if world == "simulator" or not failure.kernel:
                        yield Place(_failing(paper, variant, target, failure), world)


def _workload(paper: Paper, variant: str, target: str) -> Run:
    return Run(paper.folder, variant, (("target", target),))


def _failing(paper: Paper, variant: str, target: str, failure: FailureRun) -> Run:
    """The failure's lab with the parameters that make the variant what it is."""
    own = read_lab_file(paper.folder, {"target": target}, variant).parameters
    known = read_lab_file(failure.lab).parameters
    return Run(failure.lab, failure.variant, tuple(sorted((key, own[key]) for key in known if key in own)))


def _tables(paper: Paper, worlds: tuple[str, ...], seen: Mapping[Place, Seen]) -> Iterator[MethodTable]:
    methods = paper.methods
    for target in methods.targets:
        for world in worlds:
            if (world == "kernel" and target != "linux") or not methods.variants:
                continue
            rows: list[MethodRow] = []
            for variant in methods.variants:
                failing: list[Seen | str] = [
                    failure.kernel
                    if world == "kernel" and failure.kernel
                    else seen[Place(_failing(paper, variant, target, failure), world)]
                    for failure in methods.failures
                ]
                workload = seen[Place(_workload(paper, variant, target), world)]
                rows.append(method_row(variant, methods, workload, failing))
            yield MethodTable(target, world, tuple(rows))


# -- running ----------------------------------------------------------------------------


def _run_all(places: tuple[Place, ...]) -> Iterator[tuple[Place, Seen]]:
    simulated = [place for place in places if place.world == "simulator"]
    if simulated:
        count = max(min(len(os.sched_getaffinity(0)), len(simulated)), 1)
        # Fresh processes: a fork would take threads and open sockets along.
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
            waiting = {pool.submit(_run, place): place for place in simulated}
            try:
                for future in as_completed(waiting):
                    place = waiting[future]
                    yield place, (_lab(place.run), future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    for place in places:
        if place.world == "kernel":
            yield place, (_lab(place.run), _run(place))


def _lab(run: Run) -> Lab:
    return read_lab(run.lab, settings_of(run), run.variant)


def _run(place: Place) -> Observation:
    lab = _lab(place.run)
    if place.world == "kernel":
        from labs.kernel import run as run_in_kernel

        return run_in_kernel(lab)
    from labs.simulated import run as simulate

    return simulate(lab)
