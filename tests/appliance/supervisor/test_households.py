"""Nothing of a program outlives it: workers, daemons that fork twice, orphans of a killed master or supervisor."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from appliance.contract.programs import State
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from appliance.supervisor.processes import boot, process, send
from appliance.supervisor.started import Started, end_what_is_left
from tests.appliance.supervisor.small import PACE, SERVES, Eventually, Making, alive, in_another_process

MASTER = """
    import os, signal, sys, time
    # A worker of the session, one that forks twice into a session of its own, and one that ignores SIGTERM.
    def note():
        with open(sys.argv[2] + "/numbers", "a") as file:
            file.write(f"{os.getpid()}\\n")
    def stay():
        note()
        while True:
            time.sleep(1)
    if os.fork() == 0:
        stay()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            stay()
        os._exit(0)
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stay()
    while True:
        try:
            if open(sys.argv[2] + "/numbers").read().count("\\n") >= 3:
                break
        except OSError:
            pass
        time.sleep(0.005)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    while True:
        signal.pause()
"""
BOTH = pytest.mark.parametrize("groups", [True, False], ids=["control groups", "sessions"])


def numbers(places: Places, name: str) -> list[int]:
    text = (places.run_of(name) / "numbers").read_text(encoding="utf-8")
    return [int(word) for word in text.split()]


@BOTH
def test_stopping_ends_all_that_it_has_started(making: Making, files: str, places: Places, groups: bool) -> None:
    with OwnSupervisor(places, pace=PACE, groups=groups, look_every=0.05) as supervisor:
        supervisor.start(making("test.master", MASTER, stop_within=0.3), files)
        workers = numbers(places, "test.master")
        assert len(workers) == 3
        assert all(map(alive, workers))
        supervisor.stop("test.master")
        assert not any(map(alive, workers))


@BOTH
def test_orphans_of_a_killed_master_go_before_it_starts_again(
    making: Making, files: str, places: Places, eventually: Eventually, groups: bool
) -> None:
    with OwnSupervisor(places, pace=PACE, groups=groups, look_every=0.05) as supervisor:
        main = supervisor.start(making("test.master", MASTER, stop_within=0.3), files).process
        before = numbers(places, "test.master")
        eventually(lambda: groups or len(supervisor._all["test.master"].running.seen) >= 4)  # type: ignore[union-attr]
        os.kill(main, signal.SIGKILL)
        eventually(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].state is State.READY)
        assert not any(map(alive, before))
        assert all(map(alive, numbers(places, "test.master")))


@BOTH
def test_what_a_killed_supervisor_left_is_ended_by_the_next_one(
    making: Making, files: str, places: Places, groups: bool
) -> None:
    program = making("test.master", MASTER, stop_within=0.3)
    other = in_another_process(places, program, files, groups=groups)
    assert other.stdout
    with other:
        main = int(other.stdout.readline())
        left = [main, *numbers(places, "test.master")]
        other.kill()
    assert all(map(alive, left))
    with OwnSupervisor(places, {"test.master": program}, groups=groups) as supervisor:
        assert not any(map(alive, left))
        assert supervisor.resume() == ()
        assert supervisor.status()[0].state is State.READY


def test_a_record_never_ends_another_process(places: Places) -> None:
    """The number has been given to another process since, or the machine has been started anew."""
    places.prepare()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        now = process(stranger.pid)
        assert now
        for number, (started, machine) in enumerate(((now.started - 1, boot()), (now.started, "another boot"))):
            one = Started(program="t", token="none", number=stranger.pid, started=started, boot=machine)
            one.write(places.record_of(f"t.{number}"))
        assert end_what_is_left(places.run / ".started") == ()
        assert alive(stranger.pid)
        send((now._replace(started=now.started - 1),), signal.SIGKILL)
        assert alive(stranger.pid)
        send((now,), signal.SIGKILL)


def test_a_spoilt_record_is_passed_over(places: Places, making: Making, files: str) -> None:
    places.prepare()
    for name, text in (("a", ""), ("b", "[]"), ("c", '{"number": 1}'), ("d", "\x00")):
        (places.run / ".started" / f"{name}.json").write_text(text, encoding="utf-8")
    (places.state / ".wanted" / "test.one.json").write_text("{", encoding="utf-8")
    program = making("test.one", SERVES)
    with OwnSupervisor(places, {"test.one": program}) as supervisor:
        assert supervisor.resume() == ()
        assert supervisor.start(program, files).state is State.READY


def test_orphans_leave_no_zombies(
    making: Making, files: str, places: Places, eventually: Eventually, supervisor: OwnSupervisor
) -> None:
    text = """
        import os, signal, sys, time
        if os.fork() == 0:
            if os.fork() == 0:
                os.write(1, f"orphan {os.getpid()}\\n".encode())
                time.sleep(0.05)
            os._exit(0)
        os.wait()
        os.write(1, b"ready\\n")
        while True:
            signal.pause()
    """
    supervisor.start(making("test.orphans", text), files)
    line = eventually(lambda: [one for one in supervisor.log("test.orphans", 9) if one.startswith("orphan")])
    number = int(line[0].split()[1])  # type: ignore[index]
    eventually(lambda: not Path(f"/proc/{number}").exists())


def test_a_child_of_somebody_else_in_this_process_is_left_to_him(
    supervisor: OwnSupervisor, making: Making, files: str
) -> None:
    import time

    supervisor.start(making("test.one", SERVES), files)
    with subprocess.Popen(["sh", "-c", "exit 7"]) as other:
        time.sleep(0.3)  # the supervisor looks for ended orphans all the time
        assert other.wait() == 7
