"""Labs by the clock, ours alone: ``python -m tests.benchmarks.labs``.

A lab of a hundred hosts whose packets cross four links, at 10^4, 10^5 and 10^6
packets, each in a process of its own (time, memory); how fast virtual time runs
in the labs that come along; and how long the kernel's namespaces take to build
and to go.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOSTS = 100
"""Half of them send, each to one of the other half."""
RATE = 4_000_000
"""Bits a second of each sender."""
SIZE = 472
"""Octets of payload: 500 with the headers."""
LABS = Path(__file__).parents[2] / "labs"


def campus(packets: int) -> str:
    """Clients – switch – gate – core … the other way round to the servers: host, switch, router, switch, host."""
    half = HOSTS // 2
    each = packets // half
    last = f"{{1..{half}}}"
    seconds = each * SIZE * 8 / RATE
    return f"""
name: campus
duration: {seconds + 3:.0f} s
nodes:
  "a{last}": {{kind: host, address: "10.0.0.{last}/24", gateway: 10.0.0.254}}
  "b{last}": {{kind: server, address: "10.0.1.{last}/24", gateway: 10.0.1.254, services: [sink]}}
  west: {{kind: switch}}
  east: {{kind: switch}}
  gate: {{kind: router, interfaces: {{west: 10.0.0.254/24, east: 10.0.1.254/24}}}}
links:
  - {{ends: ["a{last}", west], rate: 100 Mbit/s}}
  - {{ends: [west, gate:west], rate: 1 Gbit/s, queue: 1000 packets}}
  - {{ends: [gate:east, east], rate: 1 Gbit/s, queue: 1000 packets}}
  - {{ends: ["b{last}", east], rate: 100 Mbit/s}}
traffic:
  - name: "flow{last}"
    client: "a{last}"
    server: "b{last}"
    udp: {{arrivals: poisson, rate: {RATE // 1000} kbit/s, size: {SIZE}, count: {each}}}
    at: 500 ms
"""


def one(packets: int) -> str:
    """Run it, in this process; a line of figures."""
    from labs.lab_file import read_lab
    from labs.simulated import run

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lab.yaml").write_text(campus(packets))
        start = time.perf_counter()
        lab = read_lab(Path(folder))
        read = time.perf_counter() - start
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        observation = run(lab)
        seconds = time.perf_counter() - start
    sent = sum(outcome.sent for outcome in observation.outcomes)
    received = sum(outcome.received for outcome in observation.outcomes)
    hops = sum(link.frames for link in observation.links)
    assert received == sent == packets // (HOSTS // 2) * (HOSTS // 2), f"{received} of {sent} arrived"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{packets} {read:.3f} {seconds:.3f} {hops} {before} {memory}"


def growth(largest: int) -> None:
    """Time and memory by the number of packets, each in a fresh process."""
    print(f"{HOSTS} hosts, two switches, a router; four links a packet; UDP, Poisson:")
    print("   packets     read      run   us/packet   hops/s   memory before   after")
    packets = 10_000
    while packets <= largest:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.labs", "--one", str(packets)],
            check=True,
            capture_output=True,
            text=True,
        )
        _, read, seconds, hops, before, after = done.stdout.split()
        print(
            f"{packets:10,} {float(read):7.2f} s {float(seconds):7.2f} s {float(seconds) / packets * 1e6:8.1f} "
            f"{int(hops) / float(seconds):12,.0f} {int(before) / 1024:9.0f} MiB {int(after) / 1024:9.0f} MiB",
            flush=True,
        )
        packets *= 10


def speed() -> None:
    """Seconds of the lab for each second of the clock."""
    from labs.lab_file import find_labs, read_lab
    from labs.simulated import run

    print("virtual time against real time:")
    for folder in find_labs(LABS):
        lab = read_lab(folder)
        gc.collect()
        start = time.perf_counter()
        observation = run(lab)
        seconds = time.perf_counter() - start
        lasted = observation.duration / 1e9
        hops = sum(link.frames for link in observation.links)
        print(
            f"  {lab.name:22} {lasted:6.1f} s in {seconds:6.2f} s: {lasted / seconds:6.1f} times, {hops:9,} hops",
            flush=True,
        )


def worlds(rounds: int) -> None:
    """Namespaces of each lab: built until all carriers are up, and gone again. The median of some rounds."""
    from labs.kernel import why_not
    from labs.kernel.world import KernelWorld
    from labs.lab_file import find_labs, read_lab

    reason = why_not()
    if reason:
        print(f"no kernel world here: {reason}")
        return
    print("kernel worlds, built and torn down:")
    for folder in find_labs(LABS):
        lab = read_lab(folder)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            world = KernelWorld(lab, 1)
            built = time.perf_counter()
            world.close()
            times.append((built - start, time.perf_counter() - built))
        up, down = (sorted(values)[len(values) // 2] for values in zip(*times, strict=True))
        print(
            f"  {lab.name:22} {len(lab.nodes):4} nodes {len(lab.links):4} links "
            f"{up * 1000:8.0f} ms up {down * 1000:8.0f} ms down",
            flush=True,
        )


def main() -> int:
    """Runs everything, or only what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.labs", description=__doc__.splitlines()[0])
    parser.add_argument("--one", type=int, metavar="PACKETS", help="one run of the campus, figures only")
    parser.add_argument("--most", type=int, default=1_000_000, metavar="PACKETS", help="the largest campus")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of building (default: 3)")
    arguments = parser.parse_args()
    if arguments.one:
        print(one(arguments.one))
        return 0
    print(f"load before: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    growth(arguments.most)
    speed()
    worlds(arguments.rounds)
    print(f"load after: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
