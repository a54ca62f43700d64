"""The batch classifier beside DPDK's rte_acl: same rules, same packets, one core each, answers compared.

``python -m tests.benchmarks.classify``. Lists are those of ``rules.py`` with
5 % odd masks; four of five packets lie inside a rule, the others anywhere. For
rte_acl, addresses are BITMASK fields, which hold odd masks, and each
algorithm that the CPU has is run with bursts of 32, 256 and 4,096 packets; it is
compiled here when gcc and libdpdk-dev are there. Builds and the first run of compiled code
are reported apart and are not in the rates: those are the best of the rounds.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.rules import BenchmarkRule, as_ios, make_rules

SIZES = (100, 1_000, 10_000)
ENGINES = ("auto", "cuts", "bits", "numpy")
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
_ALL = 0xFFFFFFFF
_SLOW = 200_000
"""Packets for the engine without compiled code."""


class Figure(NamedTuple):
    """One engine on one list: million packets a second, seconds to build, and to make its code ready."""

    engine: str
    rate: float
    build: float
    ready: float = 0.0
    why: str = ""


def rule_table(rules: Sequence[BenchmarkRule]) -> np.ndarray:
    """The rules as rte_acl.c reads them."""
    rows = []
    for rule in rules:
        row = [_PROTOCOLS[rule.protocol], 255] if rule.protocol in _PROTOCOLS else [0, 0]
        for address, ports in ((rule.source, rule.source_ports), (rule.destination, rule.destination_ports)):
            value, mask = address or (0, _ALL)
            row += [value, ~mask & _ALL, *(ports or (0, 65535))]
        rows.append([*row[:4], *row[6:8], *row[4:6], *row[8:10], 0])
    return np.array(rows, dtype=np.uint32)


def packet_table(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Packets: protocol, source, destination, source port, destination port."""
    number = np.random.default_rng(seed)
    rules = table[number.integers(0, len(table), count)]
    protocols = np.array((6, 17, 1, 47), dtype=np.uint32)
    packets = np.empty((count, 5), dtype=np.uint32)
    packets[:, 0] = np.where(rules[:, 1] == 0, number.choice(protocols, count), rules[:, 0])
    for column, place in ((1, 2), (2, 4)):
        packets[:, column] = rules[:, place] | number.integers(0, 1 << 32, count, np.uint32) & ~rules[:, place + 1]
    for column, place in ((3, 6), (4, 8)):
        packets[:, column] = number.integers(rules[:, place], rules[:, place + 1].astype(np.int64) + 1)
    anywhere = np.flatnonzero(number.random(count) < 0.2)
    packets[anywhere, 0] = number.choice(protocols, len(anywhere))
    for column, top in ((1, 1 << 32), (2, 1 << 32), (3, 1 << 16), (4, 1 << 16)):
        packets[anywhere, column] = number.integers(0, top, len(anywhere), np.uint32)
    packets[~np.isin(packets[:, 0], (6, 17)), 3:] = 0
    return packets


def ours(rules: Sequence[BenchmarkRule], packets: np.ndarray, engine: str, rounds: int) -> tuple[Figure, np.ndarray]:
    """The figure of one of our engines, and the number of the deciding rule for each packet, from 1; 0 for none."""
    from compiler.dialects import read
    from compiler.fields import Family
    from compiler.semantics.lower import machine
    from compiler.semantics.machine import ListName
    from compiler.simulator.classify.classifier import Classifier
    from compiler.simulator.classify.columns import make_columns

    device = machine(read(as_ios(list(rules)), "bench", dialect="ios"))
    fields = {
        "protocol": packets[:, 0].astype(np.uint8),
        "source_port": packets[:, 3].astype(np.uint16),
        "destination_port": packets[:, 4].astype(np.uint16),
    }
    columns = make_columns(Family.IPV4, packets[:, 1].copy(), packets[:, 2].copy(), fields)
    start = time.perf_counter()
    classifier = Classifier.of_list(device, ListName("BENCH", Family.IPV4), engine)  # type: ignore[arg-type]
    built = time.perf_counter()
    classifier.warm()
    ready = time.perf_counter()
    times: list[float] = []
    # A round of few milliseconds says little: as many as take half a second.
    while len(times) < rounds or sum(times) < 0.5:
        before = time.perf_counter()
        found = classifier.classify(columns)
        times.append(time.perf_counter() - before)
    best = min(times)
    lines = np.array([decision.span.line for decision in classifier.decisions])
    numbers = np.maximum(lines - 4, 0)[found.decision]
    return Figure(engine, len(packets) / best / 1e6, built - start, ready - built, classifier.chosen[0].why), numbers


def compile_peer(folder: Path) -> Path | None:
    """The program of rte_acl.c; None where gcc or libdpdk-dev is absent."""
    if not (shutil.which("gcc") and shutil.which("pkg-config")):
        return None
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libdpdk"], capture_output=True, text=True, check=False)
    if flags.returncode:
        return None
    program = folder / "rte_acl"
    source = Path(__file__).with_name("rte_acl.c")
    subprocess.run(["gcc", "-O3", "-march=native", str(source), "-o", str(program), *flags.stdout.split()], check=True)
    return program


def peer(
    program: Path, table: np.ndarray, packets: np.ndarray, rounds: int, folder: Path
) -> tuple[list[Figure], np.ndarray]:
    """The figures of each algorithm of rte_acl, and its answers."""
    path, results = folder / "input", folder / "results"
    kind = [("protocol", "u1"), ("padding", "u1", 3), ("source", ">u4"), ("destination", ">u4")]
    rows = np.zeros(len(packets), dtype=[*kind, ("source_port", ">u2"), ("destination_port", ">u2")])
    for column, name in enumerate(("protocol", "source", "destination", "source_port", "destination_port")):
        rows[name] = packets[:, column]
    counts = np.array([len(table), len(packets)], dtype=np.uint32)
    path.write_bytes(counts.tobytes() + table.tobytes() + rows.tobytes())
    command = [str(program), str(path), str(results), str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    build = seconds.pop("build")
    figures = [Figure(f"rte_acl {name}", len(packets) / best / 1e6, build) for name, best in seconds.items()]
    return figures, np.fromfile(results, dtype=np.uint32)


def compare(sizes: Sequence[int], seeds: int, count: int, rounds: int) -> None:
    """Print a table: the median of the seeds for each size and engine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = compile_peer(folder)
        print(f"batch classification, {count:,} packets, one core, median of {seeds} lists:")
        if program is None:
            print("  rte_acl is absent: it needs gcc, pkg-config and libdpdk-dev")
        for size in sizes:
            figures: dict[str, list[Figure]] = {}
            for seed in range(1, seeds + 1):
                for figure in _one(size, seed, count, rounds, program, folder):
                    figures.setdefault(figure.engine, []).append(figure)
            _print(size, figures)


def _one(size: int, seed: int, count: int, rounds: int, program: Path | None, folder: Path) -> list[Figure]:
    rules = make_rules(size, seed=seed)
    table = rule_table(rules)
    packets = packet_table(table, count, seed)
    figures: list[Figure] = []
    expected: Any = None
    if program is not None:
        figures, expected = peer(program, table, packets, rounds, folder)
    for engine in ENGINES:
        some = packets[:_SLOW] if engine == "numpy" else packets
        figure, numbers = ours(rules, some, engine, max(rounds // 2, 1) if engine == "numpy" else rounds)
        figures.append(figure)
        expected = numbers if expected is None else expected
        assert np.array_equal(numbers, expected[: len(numbers)]), f"{engine} disagrees on {size} rules, seed {seed}"
    return figures


def _print(size: int, figures: dict[str, list[Figure]]) -> None:
    rates = {engine: statistics.median(one.rate for one in several) for engine, several in figures.items()}
    best = max((rate for engine, rate in rates.items() if engine.startswith("rte_acl")), default=0.0)
    print(f"{size:,} rules")
    for engine, several in figures.items():
        build = statistics.median(one.build for one in several)
        ready = max(one.ready for one in several)
        beside = f"{rates[engine] / best:5.2f} times the best rte_acl" if best else ""
        made = f"built in {build:.3f} s" + (f", code ready in {ready:.2f} s" if ready > 0.05 else "")
        print(f"  {engine:18}{rates[engine]:8.1f} million packets/s   {made:46}{beside}".rstrip(), flush=True)
    print(f"  auto, first list: {figures['auto'][0].why}")


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.classify", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="rules of the lists")
    parser.add_argument("--seeds", type=int, default=3, help="lists of each size (default: 3)")
    parser.add_argument("--packets", type=int, default=1_000_000, help="packets (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the best counts (default: 5)")
    arguments = parser.parse_args()
    compare(arguments.sizes, arguments.seeds, arguments.packets, arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
