"""The supervisor of a machine where systemd runs: a hardened unit for each program, and systemctl."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from appliance import durable
from appliance.contract.programs import Program, State, Status
from appliance.supervisor import readiness
from appliance.supervisor.bounded import Outcome, run
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.order import dependents, start_order
from appliance.supervisor.places import PROGRAM_NAME, Places
from appliance.supervisor.unit import PREFIX, STARTED_BY, unit_name, unit_text

__all__ = ["SystemdSupervisor", "systemd_runs"]

UNITS = Path("/etc/systemd/system")
_LONG = 300.0
"""Seconds for one systemctl; it waits for the units."""
_SHOWN = "Id,ActiveState,SubState,MainPID,NRestarts,StateChangeTimestamp,Result"
Run = Callable[[Sequence[str], float], Outcome]


def systemd_runs() -> bool:
    """Whether systemd is process 1; sd_booted(3)."""
    return Path("/run/systemd/system").is_dir()


def _plainly(words: Sequence[str], within: float) -> Outcome:
    names = {"PATH": os.defpath, "LANG": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
    return run(words, environment=names, within=within)


class SystemdSupervisor:
    """Implements Supervisor. Programs go on when we end: systemd watches them, and starts them at boot."""

    def __init__(
        self,
        places: Places,
        programs: Mapping[str, Program] | None = None,
        *,
        units: Path = UNITS,
        run: Run = _plainly,
    ) -> None:
        self._programs = dict(programs or {})
        start_order(self._programs)
        self._places = places
        self._units = units
        self._run = run
        self._turn = threading.RLock()
        places.prepare()

    def start(self, program: Program, files: str) -> Status:
        """Write the unit, and start it or, when it runs, reload it."""
        if not PROGRAM_NAME.fullmatch(program.name):
            raise SupervisionFailed(program.name, "a program's name is small letters, digits, dots and hyphens")
        with self._turn:
            known = self._programs | {program.name: program}
            start_order(known)
            self._programs = known
            # One question for all of them: each systemctl is a process, a tenth of a second on a busy machine.
            states = self._states((program.name, *program.requires))
            for required in program.requires:
                if states[required] is not State.READY:
                    self._fulfil(program, required)
            self._places.prepare_for(program, privileged=os.geteuid() == 0)
            self._places.link_files(program.name, files)
            changed = self._write(program)
            name = unit_name(program.name)
            if changed:
                self._systemctl(program.name, "daemon-reload")
            if changed or not self._starts_at_boot(name):
                # Each time systemd reads all units again, a third of a second that no reload is to pay.
                self._systemctl(program.name, "enable", name)
            if states[program.name] is not State.READY or changed or program.reload == "restart":
                self._run(("systemctl", "reset-failed", name), _LONG)
                self._systemctl(program.name, "restart", name)
                return self._until_ready(program)
        # Several may read their data anew at the same time.
        self._systemctl(program.name, "reload", name)
        return self._until_ready(program)

    def stop(self, program: str) -> Status:
        """Stop it and what requires it, and leave them off at the next boot."""
        with self._turn:
            if not PROGRAM_NAME.fullmatch(program) or not self._unit(program).exists():
                return Status(program=program, state=State.STOPPED)
            for name in (*dependents(program, self._programs), program):
                if self._unit(name).exists():
                    self._systemctl(name, "disable", "--now", unit_name(name))
                    # One that has failed is "failed" until it is forgotten.
                    self._run(("systemctl", "reset-failed", unit_name(name)), _LONG)
            return self._status_of(program)

    def reload(self, program: Program, files: str) -> Status:
        """Make a program that runs read the files."""
        if self._states((program.name,))[program.name] is not State.READY:
            raise SupervisionFailed(program.name, "it does not run, so it cannot be reloaded")
        return self.start(program, files)

    def status(self) -> tuple[Status, ...]:
        """All whose unit is there."""
        return self._shown("systemd", sorted(path.name for path in self._units.glob(f"{PREFIX}*.service")))

    def log(self, program: str, lines: int) -> tuple[str, ...]:
        """The last lines of its output, from the journal."""
        if not PROGRAM_NAME.fullmatch(program):
            raise SupervisionFailed(program, "no program has such a name")
        if lines <= 0:
            return ()
        # _SYSTEMD_UNIT leaves out what systemd itself says of the unit.
        words = ("journalctl", "--no-pager", "--quiet", "--output=cat", f"--lines={lines}")
        outcome = self._run((*words, f"_SYSTEMD_UNIT={unit_name(program)}"), _LONG)
        return tuple(outcome.said.splitlines()[-lines:])

    def resume(self) -> tuple[SupervisionFailed, ...]:
        """Nothing to do: systemd has kept them running."""
        return ()

    def close(self) -> None:
        """Nothing to do: they go on."""

    def _fulfil(self, program: Program, required: str) -> None:
        if self._states((required,))[required] is State.READY:
            return  # together with another one
        files = self._places.linked_files(required)
        if required not in self._programs or not files:
            raise SupervisionFailed(program.name, f"it requires {required}, which has not been started yet")
        try:
            self.start(self._programs[required], files)
        except SupervisionFailed as error:
            raise SupervisionFailed(program.name, f"it requires {required}, which failed", str(error)) from None

    def _until_ready(self, program: Program) -> Status:
        ready = program.ready
        end = time.monotonic() + ready.within

        def expand(word: str) -> str:
            return self._places.expanded(word, program.name)

        settled = time.monotonic() + ready.settle
        while True:
            status = self._status_of(program.name)
            state = status.state
            if state in {State.FAILED, State.STOPPED}:
                raise SupervisionFailed(program.name, "it did not stay up", self._words(program.name))
            if state is State.READY:
                if ready.tcp or ready.unix:
                    serves = asyncio.run(readiness.answers(ready, expand))
                elif ready.line:
                    serves = any(ready.line in line for line in self._said_since_start(program.name))
                else:
                    serves = ready.notify or time.monotonic() >= settled
                if serves:
                    return status
            if time.monotonic() >= end:
                self._run(("systemctl", "stop", unit_name(program.name)), _LONG)
                wanted = readiness.describe(ready, expand)
                why = f"not ready within {ready.within:g} s: waited until it {wanted}"
                raise SupervisionFailed(program.name, why, self._words(program.name))
            time.sleep(0.05)

    def _said_since_start(self, program: str) -> tuple[str, ...]:
        shown = self._run(("systemctl", "show", "--property=InvocationID", "--value", unit_name(program)), _LONG)
        words = ("journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=1000")
        outcome = self._run((*words, f"_SYSTEMD_INVOCATION_ID={shown.said.strip()}"), _LONG)
        return tuple(outcome.said.splitlines())

    def _write(self, program: Program) -> bool:
        """Write the unit; whether it is another than before."""
        path, text = self._unit(program.name), unit_text(program, self._places)
        with suppress(OSError):
            if path.read_text(encoding="utf-8") == text:
                return False
        durable.put(path, text.encode(), 0o644)
        return True

    def _starts_at_boot(self, name: str) -> bool:
        """Whether it is enabled: the link that its [Install] section asks for."""
        return (self._units / f"{STARTED_BY}.wants" / name).is_symlink()

    def _unit(self, program: str) -> Path:
        return self._units / unit_name(program)

    def _states(self, names: Sequence[str]) -> Mapping[str, State]:
        """Of these programs; one without a unit is stopped."""
        units = [unit_name(name) for name in names if self._unit(name).exists()]
        found = {status.program: status.state for status in self._shown(names[0], units)}
        return {name: found.get(name, State.STOPPED) for name in names}

    def _status_of(self, name: str) -> Status:
        (status,) = self._shown(name, (unit_name(name),))
        return status

    def _shown(self, name: str, units: Sequence[str]) -> tuple[Status, ...]:
        """What systemd says of these units, in one question."""
        if not units:
            return ()
        outcome = self._run(("systemctl", "show", f"--property={_SHOWN}", "--timestamp=unix", *units), _LONG)
        if not outcome.fine:
            raise SupervisionFailed(name, "systemctl show failed", outcome.said)
        return tuple(_status(block) for block in outcome.said.split("\n\n") if block.strip())

    def _systemctl(self, program: str, *words: str) -> None:
        outcome = self._run(("systemctl", *words), _LONG)
        if not outcome.fine:
            said = "\n".join(part for part in (outcome.said, self._words(program)) if part)
            raise SupervisionFailed(program, f"systemctl {words[0]} failed", said)

    def _words(self, program: str) -> str:
        """The last lines, and what systemd itself says: why a unit could not even be started."""
        words = ("journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=12", f"--unit={unit_name(program)}")
        outcome = self._run(words, _LONG)
        return outcome.said if outcome.fine else ""


_STATES = {
    "active": State.READY,
    "reloading": State.READY,
    "activating": State.STARTING,
    "deactivating": State.STOPPING,
    "failed": State.FAILED,
}


def _status(block: str) -> Status:
    """One answer of ``systemctl show``."""
    shown = dict(line.split("=", 1) for line in block.strip().splitlines() if "=" in line)
    state = _STATES.get(shown.get("ActiveState", ""), State.STOPPED)
    if shown.get("SubState") == "auto-restart":
        state = State.WAITING
    since = shown.get("StateChangeTimestamp", "").removeprefix("@")
    result = shown.get("Result", "")
    return Status(
        program=shown.get("Id", "").removeprefix(PREFIX).removesuffix(".service"),
        state=state,
        process=int(shown.get("MainPID") or 0),
        since=float(since) if since.isdecimal() else 0.0,
        restarts=int(shown.get("NRestarts") or 0),
        said=result if state is State.FAILED and result != "success" else "",
    )
