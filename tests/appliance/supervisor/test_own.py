"""Our own supervisor with real processes: readiness, restarts, stopping, reloading."""

import os
import socket
from pathlib import Path

import pytest

from appliance.contract.programs import Program, Ready, State
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from appliance.supervisor.started import Started
from tests.appliance.supervisor.small import SERVES, Eventually, Making, alive


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


LISTENS = """
    import socket, sys, time
    address = {address}
    time.sleep(0.05)
    one = socket.socket({family})
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(address)
    one.listen()
    while True:
        one.accept()[0].close()
"""


def test_it_starts_stops_and_says_so(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    program = making("test.one", SERVES)
    status = supervisor.start(program, files)
    assert status.state is State.READY
    assert alive(status.process)
    assert supervisor.status() == (status,)
    assert supervisor.log("test.one", 5) == ("ready",)
    assert supervisor.stop("test.one").state is State.STOPPED
    assert not alive(status.process)
    assert supervisor.stop("test.one").state is State.STOPPED


def test_stopping_what_was_never_started_is_done_already(supervisor: OwnSupervisor) -> None:
    assert supervisor.stop("test.nothing").state is State.STOPPED


def test_ready_by_tcp(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    address = ("127.0.0.1", free_port())
    text = LISTENS.format(address=address, family="socket.AF_INET")
    supervisor.start(making("test.tcp", text, ready=Ready(tcp=address)), files)
    socket.create_connection(address).close()


def test_ready_by_a_socket_in_its_run_folder(
    supervisor: OwnSupervisor, making: Making, files: str, places: Places
) -> None:
    text = LISTENS.format(address='sys.argv[2] + "/x.sock"', family="socket.AF_UNIX")
    supervisor.start(making("test.unix", text, ready=Ready(unix="{run}/x.sock")), files)
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(places.run_of("test.unix") / "x.sock"))


def test_a_port_that_somebody_else_has_is_no_readiness(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = other.getsockname()
        with pytest.raises(SupervisionFailed, match=f"something else already answers on 127.0.0.1 port {address[1]}"):
            supervisor.start(making("test.taken", SERVES, ready=Ready(tcp=address)), files)


def test_ready_by_sd_notify(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    text = """
        import os, signal, socket, sys
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        one.connect(os.environ["NOTIFY_SOCKET"])
        reading = lambda *_: (one.send(b"RELOADING=1"), print("reads", flush=True), one.send(b"READY=1"))
        signal.signal(signal.SIGHUP, reading)
        one.send(b"STATUS=warming up")
        one.send(b"READY=1\\nSTATUS=serving")
        while True:
            signal.pause()
    """
    program = making("test.notify", text, ready=Ready(notify=True, settle=0.1), reload="HUP")
    first = supervisor.start(program, files)
    assert first.state is State.READY
    again = supervisor.start(program, files)
    assert again.process == first.process
    assert "reads" in supervisor.log("test.notify", 5)


def test_a_stranger_cannot_say_that_a_program_is_ready(
    supervisor: OwnSupervisor, making: Making, files: str, places: Places, eventually: Eventually
) -> None:
    import threading

    failures: list[str] = []
    program = making("test.mute", "import time; time.sleep(60)", ready=Ready(notify=True, within=0.6))

    def start() -> None:
        try:
            supervisor.start(program, files)
        except SupervisionFailed as error:
            failures.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    path = places.notify_of("test.mute")
    eventually(path.exists)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(b"READY=1", str(path))
    thread.join()
    assert failures == ["test.mute: not ready within 0.6 s: waited until it says READY=1"]


def test_one_that_is_never_ready_has_failed_and_is_gone(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    program = making(
        "test.never",
        """
        import os, time
        print(os.getpid(), flush=True)
        time.sleep(60)
        """,
        ready=Ready(line="serving", within=0.5),
    )
    with pytest.raises(SupervisionFailed, match=r"not ready within 0\.5 s: waited until it says 'serving'"):
        supervisor.start(program, files)
    (status,) = supervisor.status()
    assert status.state is State.FAILED
    assert not alive(int(supervisor.log("test.never", 2)[0]))


def test_one_that_dies_at_start_is_tried_again_up_to_the_limit(
    supervisor: OwnSupervisor, making: Making, files: str
) -> None:
    program = making("test.dies", "import sys; print('no such option: --x'); sys.exit(3)", restarts=2)
    with pytest.raises(SupervisionFailed, match="ended with exit code 3; it was started again 2 times") as caught:
        supervisor.start(program, files)
    assert "no such option: --x" in str(caught.value)
    (status,) = supervisor.status()
    assert (status.state, status.restarts, status.process) == (State.FAILED, 2, 0)
    assert supervisor.log("test.dies", 50).count("no such option: --x") == 3


def test_a_command_that_is_not_there_fails_at_once(supervisor: OwnSupervisor, files: str) -> None:
    with pytest.raises(SupervisionFailed, match="no-such-program"):
        supervisor.start(Program(name="test.absent", command=("/no-such-program",), restarts=0), files)


def test_one_that_ends_later_is_started_again(
    supervisor: OwnSupervisor, making: Making, files: str, eventually: Eventually
) -> None:
    first = supervisor.start(making("test.ends", SERVES), files).process
    os.kill(first, 9)
    eventually(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].state is State.READY)
    (status,) = supervisor.status()
    assert status.process not in {0, first}
    assert any("SIGKILL" in line for line in supervisor.log("test.ends", 10))


def test_one_that_ignores_sigterm_is_killed(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    program = making(
        "test.stubborn",
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        while True:
            time.sleep(1)
        """,
        stop_within=0.2,
    )
    number = supervisor.start(program, files).process
    assert supervisor.stop("test.stubborn").state is State.STOPPED
    assert not alive(number)


READS = """
    import os, signal, sys
    def read(*_):
        print("read", open(sys.argv[1] + "/word").read(), flush=True)
    signal.signal(signal.SIGHUP, read)
    read()
    print("ready", flush=True)
    while True:
        signal.pause()
"""


@pytest.mark.parametrize("way", ["HUP", "restart", ("/bin/sh", "-c", "kill -HUP $(cat {run}/pid)")])
def test_a_reload_reads_the_new_generation(
    supervisor: OwnSupervisor, making: Making, tmp_path: Path, way: str | tuple[str, ...]
) -> None:
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "word").write_text(f"generation {number}", encoding="utf-8")
    text = READS.replace("    read()\n", "    open(sys.argv[2] + '/pid', 'w').write(str(os.getpid()))\n    read()\n")
    program = making("test.reads", text, reload=way, ready=Ready(line="ready", settle=0.2))
    first = supervisor.start(program, str(tmp_path / "1"))
    second = supervisor.reload(program, str(tmp_path / "2"))
    assert (second.process == first.process) is (way != "restart")
    assert [line for line in supervisor.log("test.reads", 20) if line.startswith("read g")] == [
        "read generation 1",
        "read generation 2",
    ]


def test_a_reload_command_that_fails_is_said(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    program = making("test.refuses", SERVES, reload=("/bin/sh", "-c", "echo bad line 7; exit 1"))
    supervisor.start(program, files)
    with pytest.raises(SupervisionFailed, match="its reload command failed\nbad line 7"):
        supervisor.reload(program, files)


def test_one_that_ends_at_a_reload_is_said(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    program = making("test.fragile", SERVES, reload="USR1")
    supervisor.start(program, files)
    with pytest.raises(SupervisionFailed, match="it ended when it was told to reload"):
        supervisor.reload(program, files)


def test_one_that_does_not_run_is_not_reloaded(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    with pytest.raises(SupervisionFailed, match="does not run"):
        supervisor.reload(making("test.idle", SERVES), files)


def test_two_supervisors_of_one_folder_are_refused(supervisor: OwnSupervisor, places: Places) -> None:
    assert supervisor.status() == ()
    with pytest.raises(SupervisionFailed, match="another one has"):
        OwnSupervisor(places)


def test_the_log_keeps_what_was_said_and_survives_the_supervisor(
    making: Making, files: str, places: Places, eventually: Eventually
) -> None:
    program = making("test.talks", "print('x' * 20_000); print('ready', flush=True); import signal; signal.pause()")
    with OwnSupervisor(places) as first:
        first.start(program, files)
        said = first.log("test.talks", 10)
        assert "".join(said[:3]) == "x" * 20_000
        assert max(map(len, said)) <= 8_192
    with OwnSupervisor(places) as second:
        assert second.log("test.talks", 10)[: len(said)] == said
        with pytest.raises(SupervisionFailed):
            second.log("../../../etc/passwd", 10)


def test_a_full_disk_fails_a_start_and_does_not_keep_it_waiting(
    supervisor: OwnSupervisor, making: Making, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(started: Started, path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Started, "write", full)
        with pytest.raises(SupervisionFailed, match="No space left on device"):
            supervisor.start(making("test.full", SERVES), files)
    assert supervisor.status()[0].state is State.FAILED
    assert supervisor.start(making("test.full", SERVES), files).state is State.READY


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("anything else")])
def test_a_process_that_cannot_be_written_down_does_not_go_on_unwatched(
    supervisor: OwnSupervisor, making: Making, files: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write, ran = Started.write, []

    def full_once_it_runs(started: Started, path: Path) -> None:
        if started.number:
            ran.append(started.number)
            raise error
        write(started, path)

    monkeypatch.setattr(Started, "write", full_once_it_runs)
    program = making("test.full", SERVES)
    open_files = []
    for _ in range(4):
        with pytest.raises(SupervisionFailed, match=str(error.args[-1])):
            supervisor.start(program, files)
        open_files.append(len(os.listdir("/proc/self/fd")))
    assert len(ran) == 4
    assert not any(alive(number) for number in ran)
    # The supervisor's own look at /proc has one or two open; a start that leaks has two.
    assert open_files[-1] < open_files[0] + 4


def test_what_cannot_be_resumed_does_not_keep_the_others_from_it(
    places: Places, making: Making, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {name: making(name, SERVES) for name in ("test.a", "test.b")}
    with OwnSupervisor(places, programs) as supervisor:
        for program in programs.values():
            supervisor.start(program, files)
    link = Places.link_files

    def full(self: Places, program: str, files: str) -> None:
        if program == "test.a":
            raise OSError(28, "No space left on device")
        link(self, program, files)

    monkeypatch.setattr(Places, "link_files", full)
    with OwnSupervisor(places, programs) as supervisor:
        failed = supervisor.resume()
        assert [one.program for one in failed] == ["test.a"]
        assert {one.program: one.state for one in supervisor.status()}["test.b"] is State.READY
