"""How many packets cross how many links in a second: ours beside simpy, ns.py, ns-3 and a plain heap.

``python -m tests.benchmarks.engine``. All do the same work on the same
arrivals and must agree on the mean delay. ns-3 is measured where its headers
are (Debian: libns3-dev), ns.py where PyPI can be reached; both are said to be absent otherwise.
"""

from __future__ import annotations

import argparse
import array
import gc
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import chains
from tests.benchmarks.chains import LINKS, Measured

HERE = Path(__file__).parent
_NS3 = ("ns3-internet", "ns3-point-to-point", "ns3-traffic-control", "ns3-network", "ns3-core")
TOLERANCE = 1e-4
"""Of the mean delay: ns.py counts in floating-point seconds, ns-3 rounds what it multiplies."""

Engine = Callable[[Sequence[int]], Measured]


def _external(command: list[str], moments: Sequence[int], folder: Path, *more: str) -> Measured:
    """A program that reads moments from a file and prints seconds and mean."""
    path = folder / "moments"
    path.write_bytes(array.array("q", moments).tobytes())
    done = subprocess.run([*command, str(path), str(LINKS), *more], check=True, capture_output=True, text=True)
    seconds, mean = done.stdout.split()
    return Measured(float(seconds), float(mean))


def build_ns3(folder: Path) -> Path | str:
    """The program, or why there is none."""
    compiler, config = shutil.which("g++"), shutil.which("pkg-config")
    if compiler is None or config is None:
        return "no g++ or pkg-config"
    flags = subprocess.run([config, "--cflags", "--libs", *_NS3], check=False, capture_output=True, text=True)
    if flags.returncode:
        return "no headers (Debian: libns3-dev)"
    # Debian's files name libraries that only other modules need, and are not always there.
    wanted = [flag for flag in shlex.split(flags.stdout) if flag.startswith("-lns3")]
    program = folder / "ns3_chain"
    made = subprocess.run(
        [compiler, "-O2", "-std=c++17", str(HERE / "ns3_chain.cc"), "-o", str(program), *wanted],
        check=False,
        capture_output=True,
        text=True,
    )
    return program if made.returncode == 0 else "does not compile here"


def install_nspy(folder: Path) -> Path | str:
    """An interpreter of a throw-away environment that has ns.py, or why there is none."""
    python = folder / "ns.py" / "bin" / "python"
    steps = (
        [sys.executable, "-m", "venv", str(folder / "ns.py")],
        [str(python), "-m", "pip", "install", "-q", "ns.py"],
    )
    for step in steps:
        try:
            if subprocess.run(step, check=False, capture_output=True, timeout=120).returncode:
                return "does not install here"
        except subprocess.TimeoutExpired:
            return "PyPI does not answer"
    return python


def compare(packets: int, rounds: int, folder: Path) -> None:
    """The table of all engines. Rounds go by turns, so that a busy machine is busy for all."""
    engines: dict[str, Engine] = {
        "gerbang: engine, links, routers": chains.ours,
        "gerbang: list of 100, conntrack, NAT": chains.ours_filtering,
        "gerbang: compiled path": chains.ours_compiled,
        "heapq, one event a hop, inlined": chains.plain_heapq,
        "simpy, bare callbacks": chains.simpy_callbacks,
        "simpy, processes and stores": chains.simpy_processes,
    }
    absent = {}
    ns3 = build_ns3(folder)
    if isinstance(ns3, Path):
        command = [str(ns3)]
        engines["ns-3 (C++), devices only"] = lambda moments: _external(command, moments, folder, "link")
        engines["ns-3 (C++), UDP and IPv4"] = lambda moments: _external(command, moments, folder, "ip")
    else:
        absent["ns-3"] = ns3
    nspy = install_nspy(folder)
    if isinstance(nspy, Path):
        script = [str(nspy), str(HERE / "nspy_chain.py")]
        engines["ns.py"] = lambda moments: _external(script, moments, folder)
    else:
        absent["ns.py"] = nspy
    moments = chains.poisson(packets)
    best: dict[str, Measured] = {}
    for _ in range(rounds):
        for name, engine in engines.items():
            gc.collect()
            measured = engine(moments)
            best[name] = min(measured, best.get(name, measured))
    ours = best["gerbang: engine, links, routers"]
    print(f"{packets:,} packets over {LINKS} store-and-forward links, the same arrivals for all, best of {rounds}:")
    print(f"  {'':40}{'packet-hops/s':>15}{'to ours':>10}{'mean delay':>14}")
    for name, measured in sorted(best.items(), key=lambda one: one[1].seconds):
        assert abs(measured.mean / ours.mean - 1) < TOLERANCE, f"{name}: {measured.mean} ms is wrong"
        rate = packets * LINKS / measured.seconds
        print(f"  {name:40}{rate:15,.0f}{ours.seconds / measured.seconds:10.2f}{measured.mean:11.4f} ms")
    for name, why in absent.items():
        print(f"  {name:40}absent: {why}")
    print(f"  theory: {chains.theory():.4f} ms in the long run")


def scale_once(kind: str, packets: int) -> None:
    """One run of the campus in this process: prints seconds, growth of memory in MiB, and what was under way."""
    from tests.benchmarks.campus import Campus, compiled, traffic

    if kind == "engine":
        campus = Campus()
        campus.run(100)
        before = _forget_most()
        campus = Campus()
        start = time.perf_counter()
        campus.run(packets)
        seconds = time.perf_counter() - start
        assert campus.arrived == packets
        most = campus.most_events
    else:
        network = compiled()
        network.run(traffic(100))
        before = _forget_most()
        sent = traffic(packets)
        start = time.perf_counter()
        arrivals = network.run(sent)
        seconds = time.perf_counter() - start
        assert arrivals.packet_hops == 4 * packets
        most = arrivals.most_under_way
    print(seconds, _memory("VmHWM") - before, most)


def _forget_most() -> float:
    """Have the kernel begin to note anew the most memory that the process has; what it has now, in MiB (proc(5))."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what + ":")) / 1024


def scale(most: int) -> None:
    """Time and memory by packets; each line in a fresh process."""
    print("100 hosts, four hops each packet; memory is what the run adds to the process at its most:")
    print(f"  {'':12}{'packets':>12}{'seconds':>10}{'µs/packet':>11}{'hops/s':>14}{'MiB':>8}{'under way':>11}")
    for kind in ("engine", "compiled"):
        packets = 10_000
        while packets <= most:
            code = (
                "import sys; from tests.benchmarks.engine import scale_once; scale_once(sys.argv[1], int(sys.argv[2]))"
            )
            command = [sys.executable, "-c", code, kind, str(packets)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, memory, under_way = done.stdout.split()
            took = float(seconds)
            line = f"  {kind:12}{packets:12,}{took:10.3f}{took / packets * 1e6:11.2f}{4 * packets / took:14,.0f}"
            print(f"{line}{float(memory):8.1f}{under_way:>11}", flush=True)
            packets *= 10


def run(packets: int, rounds: int, most: int) -> None:
    """Both tables."""
    load = os.getloadavg()[0]
    print(f"event engines ({os.cpu_count()} cores, load {load:.1f} before the run):")
    with tempfile.TemporaryDirectory() as folder:
        compare(packets, rounds, Path(folder))
    scale(most)


def main() -> int:
    """Reads the options and runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine", description=__doc__)
    parser.add_argument("--packets", type=int, default=100_000, help="packets over three links (default: 100000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default: 3)")
    parser.add_argument("--most", type=int, default=1_000_000, help="most packets of the campus (default: 1000000)")
    arguments = parser.parse_args()
    run(arguments.packets, arguments.rounds, arguments.most)
    return 0


if __name__ == "__main__":
    sys.exit(main())
