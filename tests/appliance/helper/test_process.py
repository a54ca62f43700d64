"""The helper as a process of its own, asked through its client: real programs, real files, kill -9."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.contract.programs import State
from appliance.helper.answers import HelperRefused, HelperUnreachable
from appliance.helper.client import HelperMachine
from appliance.helper.shadow import possible
from appliance.supervisor.errors import SupervisionFailed
from tests.appliance.helper.small import Generations, as_root
from tests.appliance.supervisor.small import alive

CODE = """
import logging, sys
sys.path[:] = {path!r}
from pathlib import Path
from appliance.contract.programs import Program, Ready
from appliance.helper.catalogue import Catalogue
from appliance.helper.serving import HelperSettings, serve
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
root = Path({root!r})
served = '''
import os, signal, socket, sys
folder, run = sys.argv[1:]
def read(*_):
    print("word is", open(folder + "/word").read(), flush=True)
signal.signal(signal.SIGHUP, read)
read()
if "broken" in open(folder + "/word").read():
    sys.exit("I cannot start with this")
one = socket.socket(socket.AF_UNIX)
one.bind(run + "/x.sock")
one.listen()
two = socket.socket()
two.bind(("127.0.0.1", int(open(folder + "/port").read())))
signal.signal(signal.SIGTERM, lambda *_: (os.unlink(run + "/x.sock"), sys.exit(0)))
print("ready", flush=True)
while True:
    signal.pause()
'''
web = Program(
    name="m.web",
    command=(sys.executable, "-S", "-E", "-u", "-c", served, "{{files}}", "{{run}}"),
    ready=Ready(unix="{{run}}/x.sock", settle=0.1, within=20),
    check=("/bin/sh", "-c", "! grep -n wrong {{files}}/word"),
    reload="HUP",
    restarts=1,
)
reads = Program(
    name="m.reads",
    command=(sys.executable, "-S", "-E", "-u", "-c", '''
import signal, sys, os
def read(*_):
    folder = sys.argv[1]
    print("key", "is", open(os.path.join(folder, open(folder + "/main.cf").read())).read(), flush=True)
signal.signal(signal.SIGHUP, read)
read()
while True:
    signal.pause()
''', "{{files}}"),
    check=("/bin/sh", "-c", "cd {{files}} && ! grep -n wrong $(cat main.cf)"),
    reads=("m.certificate",),
    ready=Ready(line="key is", settle=0.1),
    reload="HUP",
)
top = Program(name="m.top", command=("/bin/sleep", "600"), requires=("m.web",), ready=Ready(settle=0.05))
class Network:
    def __init__(self): self.said = (root / "network").open("a", buffering=1)
    def start(self): self.said.write("start\\n")
    def apply(self, before, after, within):
        words = [(one / "word").read_text() if one else None for one in (before, after)]
        self.said.write(f"apply {{words[0]}} {{words[1]}} {{within}}\\n")
    def confirm(self): self.said.write("confirm\\n")
    def roll_back(self): self.said.write("roll back\\n")
network = Network()
settings = HelperSettings(
    socket=root / "h" / "s", user={me!r}, group="", generations=root / "daemon", store=root / "store",
    run=root / "r", state=root / "p",
)
programs = {{one.name: one for one in (web, top, reads)}}
sys.exit(serve(settings, catalogue=Catalogue(programs), network=lambda: network))
"""


@pytest.fixture
def helper(tmp_path: Path, me: str) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        code = CODE.format(path=sys.path, root=str(tmp_path), me=me)
        with (tmp_path / "log").open("ab") as log:
            one = subprocess.Popen([sys.executable, "-c", code], stderr=log)
        started.append(one)
        end = time.monotonic() + 30
        while not answers(tmp_path / "h" / "s"):
            assert one.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
            assert time.monotonic() < end
            time.sleep(0.02)
        return one

    yield start
    for one in started:
        one.terminate()
        one.wait(30)


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(str(path)) == 0


@pytest.fixture
def machine(tmp_path: Path) -> HelperMachine:
    return HelperMachine(tmp_path / "h" / "s", tmp_path / "daemon" / "generations", patience=60)


@pytest.fixture
def port() -> bytes:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1]).encode()


def test_a_program_is_checked_started_reloaded_and_stopped(
    helper: Callable[[], subprocess.Popen[bytes]], machine: HelperMachine, generations: Generations, port: bytes
) -> None:
    helper()
    first, second, wrong = (
        generations.write(number, {"m.web/word": word, "m.web/port": port}) / "m.web"
        for number, word in ((1, b"one"), (2, b"two"), (3, b"this is wrong"))
    )
    assert machine.check("m.web", first) == ""
    assert machine.check("m.web", wrong) == "1:this is wrong"
    started = machine.start("m.web", first)
    assert started.state is State.READY
    assert machine.start("m.web", second).process == started.process
    assert machine.log("m.web", 10) == ("word is one", "ready", "word is two")
    assert machine.start("m.top", first).state is State.READY
    assert [one.state for one in machine.status()] == [State.READY] * 2
    (second / "word").write_text("changed by hand", encoding="utf-8")
    assert machine.reload("m.web", second).process == started.process
    assert machine.log("m.web", 1) == ("word is two",)
    for name in ("m.other", "sshd"):
        with pytest.raises(HelperRefused, match="no installed service declares a program"):
            machine.start(name, first)
    with pytest.raises(HelperRefused, match="no component's folder"):
        machine.check("m.web", Path("/etc"))
    with pytest.raises(HelperRefused, match="program is not what a request takes"):
        machine.stop("../sshd")
    with pytest.raises(HelperRefused, match="declares packages"):
        machine.install_packages("m")
    machine.stop("m.web")
    assert [one.state for one in machine.status()] == [State.STOPPED] * 2


def test_a_program_reads_the_file_of_another_component_across_generations(
    helper: Callable[[], subprocess.Popen[bytes]], machine: HelperMachine, generations: Generations
) -> None:
    helper()
    first, second, wrong = (
        generations.write(number, {"m.reads/main.cf": b"../m.certificate/key.pem", "m.certificate/key.pem": key})
        / "m.reads"
        for number, key in ((1, b"old"), (2, b"new"), (3, b"wrong"))
    )
    assert machine.check("m.reads", first) == ""
    started = machine.start("m.reads", first)
    # Each step of the next commit sees that generation's key, while the running one has its own.
    assert machine.check("m.reads", second) == ""
    assert machine.check("m.reads", wrong) == "1:wrong"
    if possible(privileged=os.geteuid() == 0):
        assert machine.shadow("m.reads", second) == ""
    assert machine.start("m.reads", second).process == started.process
    assert machine.start("m.reads", first).process == started.process
    assert machine.log("m.reads", 9) == ("key is old", "key is new", "key is old")
    absent = generations.write(4, {"m.reads/main.cf": b"../m.certificate/key.pem"}) / "m.reads"
    machine.stop("m.reads")
    with pytest.raises(SupervisionFailed, match="No such file or directory"):
        machine.start("m.reads", absent)


def test_the_network_is_told_copies_of_generations(
    helper: Callable[[], subprocess.Popen[bytes]], machine: HelperMachine, generations: Generations, tmp_path: Path
) -> None:
    helper()
    first, second = (
        generations.write(number, {"network/word": word}) / "network" for number, word in ((1, b"one"), (2, b"two"))
    )
    machine.apply_network(None, first, 0)
    machine.apply_network(first, second, 60)
    machine.roll_back_network()
    machine.confirm_network()
    said = (tmp_path / "network").read_text(encoding="utf-8").splitlines()
    assert sorted(said) == sorted(["start", "apply None one 0", "apply one two 60", "roll back", "confirm"])
    with pytest.raises(HelperRefused):
        machine.apply_network(None, None, 60)
    (second / "word").write_bytes(b"evil")
    generations.write(3, {"network/word": b"three"})
    (second.parents[1] / "3" / "network" / "word").write_bytes(b"evil")
    with pytest.raises(HelperRefused, match="is not what generation 3 says"):
        machine.apply_network(second, second.parents[1] / "3" / "network", 60)


@as_root
def test_a_shadow_start_says_what_would_happen_and_touches_nothing(
    helper: Callable[[], subprocess.Popen[bytes]],
    machine: HelperMachine,
    generations: Generations,
    tmp_path: Path,
    port: bytes,
) -> None:
    helper()
    good, bad = (
        generations.write(number, {"m.web/word": word, "m.web/port": port}) / "m.web"
        for number, word in ((1, b"one"), (2, b"broken"))
    )
    running = machine.start("m.web", good)
    # The same port and the same socket, while the real one runs on both.
    assert machine.shadow("m.web", good) == ""
    said = machine.shadow("m.web", bad)
    assert said.startswith("m.web: it ended with exit code 1")
    assert "I cannot start with this" in said
    assert machine.status() == (running,)
    assert answers(tmp_path / "r" / "m.web" / "x.sock")
    assert alive(running.process)


def test_a_killed_helper_is_replaced_and_what_ran_runs_again(
    helper: Callable[[], subprocess.Popen[bytes]],
    machine: HelperMachine,
    generations: Generations,
    port: bytes,
    tmp_path: Path,
) -> None:
    one = helper()
    folder = generations.write(1, {"m.web/word": b"one", "m.web/port": port}) / "m.web"
    before = machine.start("m.web", folder).process
    one.kill()
    one.wait()
    with pytest.raises(HelperUnreachable):
        machine.status()
    assert alive(before)
    two = helper()
    end = time.monotonic() + 30
    while not (status := machine.status()) or status[0].state is not State.READY:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not alive(before)
    two.send_signal(signal.SIGTERM)
    assert two.wait(30) == 0
    assert not alive(status[0].process)
    assert not (tmp_path / "h" / "s").exists()


def test_a_program_that_does_not_start_is_said_with_its_last_words(
    helper: Callable[[], subprocess.Popen[bytes]], machine: HelperMachine, generations: Generations, port: bytes
) -> None:
    one = helper()
    folder = generations.write(1, {"m.web/word": b"broken", "m.web/port": port}) / "m.web"
    with pytest.raises(SupervisionFailed, match="I cannot start with this"):
        machine.start("m.web", folder)
    assert one.poll() is None


def test_two_helpers_of_one_place_are_refused(
    helper: Callable[[], subprocess.Popen[bytes]], tmp_path: Path, me: str, machine: HelperMachine
) -> None:
    helper()
    code = CODE.format(path=sys.path, root=str(tmp_path), me=me)
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "another helper runs" in second.stderr
    assert machine.status() == ()
