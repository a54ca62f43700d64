"""The greeter as a component, and a machine of plain processes that outlive who started them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from appliance.components.config_files import ConfigFile
from appliance.components.daemon import Daemon
from appliance.contract.components import Finding, Machine, Severity
from appliance.contract.programs import Program, Ready, State, Status

HERE = Path(__file__).parent
PYTHON = (sys.executable, "-I", "-S", str(HERE / "greeter.py"))
NAME = "demo.greeter"


def greeting_on(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        return connection.makefile().readline().strip()


def greets(files: Path, machine: Machine) -> Sequence[Finding]:
    """Whether it says what it is configured to say."""
    wanted = json.loads((files / "greeting.json").read_text())
    heard = greeting_on(wanted["port"])
    if heard.startswith(wanted["greeting"] + " "):
        return ()
    template = "says {heard} instead of {wanted}"
    values = {"heard": heard, "wanted": wanted["greeting"]}
    return (Finding(component=NAME, severity=Severity.ERROR, template=template, values=values),)


def greeter(port: int, greeting: str, names: Path, *, probed: bool = True) -> Daemon:
    return Daemon(
        program=Program(
            name=NAME,
            command=(*PYTHON, "{files}/greeting.json"),
            check=(*PYTHON, "--check", "{files}/greeting.json"),
            ready=Ready(tcp=("127.0.0.1", port)),
            reload="HUP",
        ),
        files=(ConfigFile(template=str(HERE / "greeting.json.j2"), path="greeting.json"),),
        values={"port": port, "greeting": greeting, "names": str(names)},
        probes=(greets,) if probed else (),
        probe_within=0.3,
    )


def _is_greeter(process: int, program: str, folder: Path) -> bool:
    """Whether it serves this program of this folder; a zombie has no command line any more."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return False
    return str(HERE / "greeter.py") in words and f"{folder}/store/current/{program}/greeting.json" in words


class ProcessMachine:
    """Starts greeters. What it knows is in a folder, as a supervisor's process would know it after ours has died."""

    def __init__(self, run: Path) -> None:
        self._run = run
        run.mkdir(exist_ok=True)

    def process(self, program: str) -> int:
        """The process that runs; 0: none. One whose starter was killed before it could write it down is found too."""
        try:
            noted = int((self._run / f"{program}.pid").read_text())
        except (OSError, ValueError):
            noted = 0
        if noted and _is_greeter(noted, program, self._run.parent):
            return noted
        others = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
        return next((one for one in others if _is_greeter(one, program, self._run.parent)), 0)

    def start(self, program: str, files: Path) -> Status:
        log = self._run / f"{program}.log"
        ready = ""
        process = self.process(program)
        if process:
            lines = log.read_text().count("\n")
            os.kill(process, signal.SIGHUP)
        else:
            lines = 0
            process = self._spawned(log, (*PYTHON, str(files / "greeting.json")))
            (self._run / f"{program}.pid").write_text(str(process))
        while self.process(program) and not (ready := log.read_text()).startswith("ready\n"):
            time.sleep(0.005)
        while self.process(program) and ready.count("\n") <= lines:
            time.sleep(0.005)
            ready = log.read_text()
        # Whether a reload was obeyed is not seen from here: that is the trap.
        serves = self.process(program) and log.read_text().startswith("ready\n")
        state = State.READY if serves else State.FAILED
        return Status(program=program, state=state, process=process, said=log.read_text()[-300:])

    def _spawned(self, log: Path, command: Sequence[str]) -> int:
        """In a session of its own, so that it lives on without us."""
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
            process = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)
            # execve(2) lets the parent go on a moment before the new words can be seen.
            about = Path(f"/proc/{process}")
            while not (about / "cmdline").read_bytes() and b") Z " not in (about / "stat").read_bytes():
                time.sleep(0.001)
            return process
        finally:
            os.close(out)

    def stop(self, program: str) -> Status:
        process = self.process(program)
        if process:
            os.kill(process, signal.SIGTERM)
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
            while self.process(program):
                time.sleep(0.005)
        return Status(program=program, state=State.STOPPED)

    def check(self, program: str, files: Path) -> str:
        command = (*PYTHON, "--check", str(files / "greeting.json"))
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()

    def shadow(self, program: str, files: Path) -> str:
        """On a port of the kernel's choice, in place of a network namespace."""
        command = (*PYTHON, str(files / "greeting.json"), "0")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shadow:
            assert shadow.stdout is not None
            ready = shadow.stdout.readline().strip() == "ready"
            shadow.terminate()
            _, errors = shadow.communicate()
        return "" if ready else errors.strip().splitlines()[-1]

    def status(self) -> tuple[Status, ...]:
        programs = [path.stem for path in self._run.glob("*.pid")]
        return tuple(
            Status(program=name, state=State.READY if self.process(name) else State.STOPPED) for name in programs
        )

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None: ...

    def confirm_network(self) -> None: ...

    def roll_back_network(self) -> None: ...


def commit_for_ever(folder: str, port: str, names: str) -> None:
    """Commit greetings one after the other, until killed."""
    from appliance.commit.commits import Commits

    machine = ProcessMachine(Path(folder) / "run")
    commits = Commits(Path(folder) / "store", machine, (Daemon,), keep=3)
    commits.recover()
    for number in range(10**6):
        wish = (greeter(int(port), f"hello-{os.getpid()}-{number}", Path(names)),) if number % 4 != 3 else ()
        commits.commit(wish, "loop")
        print("done", flush=True)


if __name__ == "__main__":
    from tests.appliance.commit.greeting import commit_for_ever as loop

    loop(*sys.argv[1:])
