"""``make bench``: our speed beside that of peers, in one run on one machine; ratios are what counts."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import engine
from tests.benchmarks.classify import SIZES, compare
from tests.benchmarks.rules import as_aerleon, as_ios, make_rules

INTERFACE = {"GigabitEthernet0/1": "eth1"}


def best(work: Callable[[], Any], rounds: int) -> float:
    """The shortest wall time of some rounds, in seconds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def fresh(call: str, *arguments: str, rounds: int) -> float:
    """The shortest time that a fresh process needs inside ``call`` of this module, imports included, start-up not.

    Caches and interned values of an earlier round must not make a later one look fast.
    """
    code = f"import sys; from tests.benchmarks.__main__ import {call}; print({call}(*sys.argv[1:]))"
    times = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
        times.append(float(done.stdout))
    return min(times)


def time_compile(target: str, path: str) -> float:
    """Read, compile and prove one configuration."""
    text = Path(path).read_text()
    start = time.perf_counter()
    from compiler.analysis.compilation import compile_tree
    from compiler.dialects import read
    from compiler.lowering.options import Options

    tree = read(text, "bench.cfg", dialect="ios")
    compilation = compile_tree(tree, target, Options(interfaces={} if target == "ios" else INTERFACE))
    assert compilation.report is not None
    assert compilation.report.holds
    return time.perf_counter() - start


def count_entries(target: str, path: str) -> int:
    """How many lines add something, in what the compile of the configuration emits."""
    from compiler.analysis.compilation import compile_tree
    from compiler.dialects import read
    from compiler.lowering.options import Options

    tree = read(Path(path).read_text(), "bench.cfg", dialect="ios")
    text = compile_tree(tree, target, Options(interfaces=INTERFACE), prove=False).text
    return sum(line.startswith("add ") for line in text.split("\n"))


def time_aerleon(path: str, definitions: str) -> float:
    """Parse and generate with the policy's definitions loaded before, without its shade check."""
    import json

    logging.disable(logging.CRITICAL)
    text = Path(path).read_text()
    names = json.loads(Path(definitions).read_text())
    start = time.perf_counter()
    from aerleon.lib import cisco, naming, policy

    imported = time.perf_counter()
    known = naming.Naming()
    known.ParseDefinitionsObject(names, "bench")
    defined = time.perf_counter()
    parsed = policy.ParsePolicy(text, known, shade_check=False)
    generated = str(cisco.Cisco(parsed, 2))
    assert generated.count("\n") > text.count("term ")
    return imported - start + time.perf_counter() - defined


def time_shadow(path: str) -> float:
    """The exact report of dead rules, unions included, of a configuration that was read before."""
    from compiler.dialects import read

    tree = read(Path(path).read_text(), "bench.cfg", dialect="ios")
    start = time.perf_counter()
    from compiler.analysis.findings.lints.shadowing import shadow_findings

    assert any(finding.rule.startswith("shadowed") for finding in shadow_findings(tree))
    return time.perf_counter() - start


def process(command: list[str], rounds: int) -> float:
    """The shortest time of a whole process."""

    def run() -> None:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run()
    return best(run, rounds)


def _script(name: str) -> str:
    return os.path.join(sysconfig.get_path("scripts"), name)


def _line(what: str, seconds: float, beside: str = "") -> None:
    print(f"  {what:66}{seconds:9.3f} s   {beside}".rstrip(), flush=True)


def _against(seconds: float, peer: float) -> str:
    return f"{seconds / peer:5.2f} times the peer"


def main() -> int:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--rules", type=int, default=10_000, help="rules of the long lists (default: 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default: 3)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _long_lists(Path(folder), arguments.rules, arguments.rounds)
        _whole_processes(Path(folder), max(arguments.rounds, 5))
    compare(SIZES, 1, 1_000_000, arguments.rounds)
    engine.run(packets=100_000, rounds=arguments.rounds, most=1_000_000)
    return 0


def _long_lists(folder: Path, count: int, rounds: int) -> None:
    import json

    rules, plain = make_rules(count), make_rules(count, odd=0.0)
    files = {"odd": folder / "odd.cfg", "plain": folder / "plain.cfg"}
    files["odd"].write_text(as_ios(rules))
    files["plain"].write_text(as_ios(plain))
    policy, definitions = as_aerleon(rules)
    (folder / "bench.pol").write_text(policy)
    (folder / "bench.json").write_text(json.dumps(definitions))
    print(f"{count:,} rules, each in a fresh process, imports included:")
    peer = fresh("time_aerleon", str(folder / "bench.pol"), str(folder / "bench.json"), rounds=rounds)
    _line("aerleon: parse + generate for Cisco (no proof)", peer)
    for target in ("ios", "nftables"):
        seconds = fresh("time_compile", target, str(files["odd"]), rounds=rounds)
        _line(f"IOS to {target}: read + compile + PROVE", seconds, _against(seconds, peer))
    seconds = fresh("time_compile", "routeros", str(files["plain"]), rounds=rounds)
    _line("IOS to routeros, no odd masks: read + compile + PROVE", seconds, _against(seconds, peer))
    entries = count_entries("routeros", str(files["plain"]))
    _line(f"  the same for 10,000 of its {entries:,} emitted entries", seconds / entries * 10_000)
    seconds = fresh("time_shadow", str(files["odd"]), rounds=rounds)
    _line("exact shadow report, unions included", seconds, "target 3 s")


def _whole_processes(folder: Path, rounds: int) -> None:
    small = folder / "small.cfg"
    small.write_text(as_ios(make_rules(100)))
    gerbang = [sys.executable, "-m", "compiler"]
    if os.path.exists(_script("gerbang")):
        gerbang = [_script("gerbang")]
    print("whole processes:")
    python = process([sys.executable, "-c", "pass"], rounds)
    _line("python -c pass", python)
    peer = process([_script("aclgen"), "--help"], rounds)
    _line("aclgen --help", peer)
    seconds = process([*gerbang, "--help"], rounds)
    _line("gerbang --help", seconds, _against(seconds, peer) + ", target 0.1 s")
    for target in ("ios", "nftables", "routeros"):
        command = [*gerbang, "compile", str(small), "--to", target, "-o", str(folder / f"small.{target}")]
        command += [] if target == "ios" else ["--interface", "GigabitEthernet0/1=eth1"]
        # What fails is fast: only an output that was written counts.
        subprocess.run(command, check=True, capture_output=True)
        _line(f"gerbang compile --to {target}, 100 rules, proved", process(command, rounds), "target 0.4 s")


if __name__ == "__main__":
    sys.exit(main())
