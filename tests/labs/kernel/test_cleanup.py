"""Nothing stays behind: not after an error, not after Ctrl-C, not after ``kill -9``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.errors import UsageError
from labs.kernel import run, why_not
from labs.kernel.world import KernelWorld
from labs.topology import Service, Traffic, TrafficKind
from tests.labs.kernel.topologies import host, star

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

CHILD = """
import os, sys
from labs.kernel.world import KernelWorld
from labs.kernel import run
from labs.topology import Traffic, TrafficKind
from tests.labs.kernel.topologies import star
made = []
build = KernelWorld._build
def told(self):
    build(self)
    names = [os.fstat(node.namespace.descriptor).st_ino for node in self.nodes.values()]
    print(*names, os.fstat(self.room.descriptor).st_ino, flush=True)
KernelWorld._build = told
run(star(Traffic("t", TrafficKind.DOWNLOAD, "anna", "server", port=19), seconds=60))
"""


def held(processes: str = "[0-9]*") -> set[int]:
    """The network namespaces that processes are in or hold open, by inode."""
    found = set()
    for entry in Path("/proc").glob(processes):
        places = [entry / "ns" / "net"]
        try:
            places += (entry / "fd").iterdir()
        except OSError:
            continue
        for place in places:
            try:
                target = os.readlink(place)
            except OSError:
                continue
            if target.startswith("net:["):
                found.add(int(target[5:-1]))
    return found


def surroundings() -> tuple[set[str], set[str]]:
    """Interfaces and named namespaces; not those of routers that other tests have at the same time."""
    named = Path("/run/netns")
    others = re.compile(r"gerbang-[rt]\d+-\d+")
    return {path.name for path in Path("/sys/class/net").iterdir()}, {
        path.name for path in (named.iterdir() if named.is_dir() else ()) if not others.fullmatch(path.name)
    }


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_killed_leaves_nothing(how: signal.Signals) -> None:
    before = surroundings()
    with subprocess.Popen((sys.executable, "-c", CHILD), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        namespaces = {int(word) for word in child.stdout.readline().split()}
        try:
            assert len(namespaces) == 6
            assert namespaces <= held()
            time.sleep(0.1)
        finally:
            child.send_signal(how)
            child.wait(10)
    assert not namespaces & held()
    assert surroundings() == before


def test_an_error_closes_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: KernelWorld) -> None:
        raise ZeroDivisionError

    before = held("self")
    descriptors = len(os.listdir("/proc/self/fd"))
    for name in ("_stray_interfaces", "_place_stations", "_await_carriers"):
        with monkeypatch.context() as patch:
            patch.setattr(KernelWorld, name, fail)
            with pytest.raises(ZeroDivisionError):
                run(star())
    assert held("self") == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_runs_leave_no_descriptors_and_no_affinity() -> None:
    run(star(Traffic("p", TrafficKind.PING, "anna", "server")))
    descriptors, processors = len(os.listdir("/proc/self/fd")), os.sched_getaffinity(0)
    namespace = os.readlink("/proc/thread-self/ns/net")
    lab = star(
        Traffic("cut", TrafficKind.DOWNLOAD, "anna", "server", port=19),
        Traffic("udp", TrafficKind.UDP, "bima", "server", port=9, rate=10**6, size=100, duration=10**10),
        seconds=0.3,
    )
    observation = run(lab)
    assert observation.outcomes[0].transferred > 0
    assert observation.outcomes[0].connections[0].ended is None
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert os.sched_getaffinity(0) == processors
    assert os.readlink("/proc/thread-self/ns/net") == namespace


def test_interrupted_in_the_middle() -> None:
    def interrupt(moment: int, _: int) -> None:
        if moment > 50_000_000:
            raise KeyboardInterrupt

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(KeyboardInterrupt):
        run(star(Traffic("t", TrafficKind.DOWNLOAD, "anna", "server", port=19)), progress=interrupt)
    assert len(os.listdir("/proc/self/fd")) == before


def test_wrong_use_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no link 'nowhere'"):
        run(star(), captures=("nowhere",), folder=tmp_path)
    with pytest.raises(UsageError, match=r"No such file"):
        run(star(), captures=("wan",), folder=tmp_path / "none")
    with pytest.raises(UsageError, match="neither a node nor an address"):
        run(star(Traffic("t", TrafficKind.PING, "anna", "nobody")))
    lab = star()
    twice = host("twice", "10.0.0.20/24", services=(Service("echo", 7), Service("discard", 7)))
    with pytest.raises(UsageError, match="twice: discard: port 7 is taken"):
        run(replace(lab, nodes=(*lab.nodes, twice)))
