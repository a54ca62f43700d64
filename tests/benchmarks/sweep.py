"""A sweep of 1,000 configurations: one process, two, and a Dask cluster of one and of two workers, side by side.

``python -m tests.benchmarks.sweep [COUNT] [PAIRS] [processes]``, with the last
word to leave the cluster out. The runs alternate, so that a load that comes and
goes meets all of them; what counts is the ratio in each pair. Processes are
started and configurations read within the time.

On a machine that others use, Linux gives each session (sched(7), autogroup) the
same share, however many processes it has: two of ours would get no more than
one. So each process that works is made a session of its own here.
"""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from compiler.testing.sweeps import crews, sweep
from compiler.testing.sweeps import work as work_of_sweeps
from compiler.testing.sweeps.cluster import Cluster
from compiler.testing.sweeps.configurations import Configuration, ConfigurationCheck, Fleet, properties_of
from compiler.testing.sweeps.crews import Crew, Processes
from compiler.testing.sweeps.work import Order, work
from tests.fleet import CLOSED, write_fleet

PROPERTIES = (f"unreachable any {CLOSED} tcp/23", "no_shadowed_rule")


@contextmanager
def cluster(workers: int, folder: str) -> Iterator[str]:
    """A Dask cluster on loopback: its address."""
    import dask
    from distributed import Client, LocalCluster

    quiet = {"distributed.worker.memory.terminate": False, "distributed.admin.log-length": 0}
    with (
        dask.config.set(quiet),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=folder,
            silence_logs=50,
        ) as held,
    ):
        with Client(held, set_as_default=False) as client:
            client.run(os.setsid)
        yield held.scheduler_address


def begin_alone() -> None:
    """Begin as a worker, in a session of its own."""
    os.setsid()
    work_of_sweeps.begin()


@dataclass(frozen=True, slots=True)
class Counted:
    """The check, with the processor time that it takes beside what it finds."""

    check: ConfigurationCheck

    def __call__(self, item: Configuration) -> dict[str, object]:
        begun = time.process_time()
        held = [answer.held for answer in self.check(item)]
        return {"held": held, "processor": time.process_time() - begun}


class Timed(NamedTuple):
    """One sweep: its wall time, the wall and the processor time of its checks (in seconds), and what was found."""

    seconds: float
    checking: float
    processor: float
    found: frozenset[tuple[str, str]]


def timed(fleet: Fleet, check: Counted, who: dict[str, Any]) -> Timed:
    """Sweep the fleet."""
    begun = time.perf_counter()
    results = list(sweep(fleet, check, **who))
    seconds = time.perf_counter() - begun
    found = frozenset((one.identity, str(one.value["held"] if one.value else one.causes)) for one in results)
    processor = sum(one.value["processor"] for one in results if one.value)
    return Timed(seconds, sum(one.seconds for one in results), processor, found)


def round_trip(crew: Crew, check: bytes, times: int = 300) -> float:
    """Seconds for a chunk without items, there and back."""
    order = Order(check)
    crew.submit(work, order, ()).result()
    begun = time.perf_counter()
    for _ in range(times):
        crew.submit(work, order, ()).result()
    seconds = (time.perf_counter() - begun) / times
    crew.leave(clean=True)
    return seconds


def main(count: int, pairs: int, *, with_cluster: bool) -> None:
    """Measure and tell."""
    crews.begin = begin_alone
    check = Counted(ConfigurationCheck(properties_of(PROPERTIES)))
    with tempfile.TemporaryDirectory() as held, ExitStack() as stack:
        folder = Path(held) / "fleet"
        write_fleet(folder, count)
        fleet = Fleet([str(folder)])
        print(f"{count} configurations, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the beginning")
        ways: dict[str, tuple[int, dict[str, Any]]] = {
            "1 process": (1, {"processes": 1}),
            "2 processes": (2, {"processes": 2}),
        }
        print(f"a chunk there and back, process: {round_trip(Processes(1), pickle.dumps(check)) * 1e3:.2f} ms")
        if with_cluster:
            one, two = (stack.enter_context(cluster(workers, held)) for workers in (1, 2))
            ways |= {"cluster of 1": (1, {"executor": one}), "cluster of 2": (2, {"executor": two})}
            print(f"a chunk there and back, cluster: {round_trip(Cluster(one), pickle.dumps(check)) * 1e3:.2f} ms")
        times: dict[str, list[Timed]] = {name: [] for name in ways}
        for number in range(pairs):
            for name in list(ways) if number % 2 == 0 else list(ways)[::-1]:
                times[name].append(timed(fleet, check, ways[name][1]))
            assert len({times[name][-1].found for name in ways}) == 1, "the ways found different things"
            print("; ".join(_told(name, ways[name][0], times[name][-1], count) for name in ways), flush=True)
    for one_name, two_name in (("1 process", "2 processes"), ("cluster of 1", "cluster of 2")):
        if one_name in times:
            pairs_of = zip(times[one_name], times[two_name], strict=True)
            ratios = [left.seconds / right.seconds for left, right in pairs_of]
            print(f"{one_name} / {two_name}: median {median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def _told(name: str, workers: int, one: Timed, count: int) -> str:
    busy = one.checking / (workers * one.seconds)
    each = f"{one.checking / count * 1e3:.1f} ms each, of these {one.processor / count * 1e3:.1f} on a processor"
    return f"{name} {one.seconds:.1f} s ({busy:.0%} busy, {each}, load {os.getloadavg()[0]:.0f})"


if __name__ == "__main__":
    words = sys.argv[1:]
    numbers = [int(word) for word in words if word.isdecimal()]
    main(*(numbers + [1000, 3][len(numbers) :]), with_cluster="processes" not in words)
