"""The supervisor for machines without systemd: an asyncio loop in a thread of its own, called from ordinary code.

- A program is a session of its own, in a control group where there are any, so all it starts is found and ended.
- Orphans become children of this process and are waited for.
- When this process is killed, the next supervisor of the same folders ends what it left, by records that name
  processes by number, start time and boot, and starts again what was wanted (``resume``).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import fcntl
import json
import logging
import os
import threading
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from appliance import durable
from appliance.contract.programs import Program, State, Status
from appliance.supervisor.control_group import name_for
from appliance.supervisor.errors import SupervisionFailed, why_of
from appliance.supervisor.order import dependents, start_order, waves
from appliance.supervisor.output import tail
from appliance.supervisor.places import PROGRAM_NAME, Places
from appliance.supervisor.processes import Process
from appliance.supervisor.reaping import Reaper, adopt_orphans
from appliance.supervisor.restarts import Pace
from appliance.supervisor.running import Surroundings
from appliance.supervisor.started import end_what_is_left
from appliance.supervisor.supervised import Supervised

__all__ = ["OwnSupervisor"]

T = TypeVar("T")
_RUNS = frozenset({State.STARTING, State.READY, State.WAITING, State.STOPPING})
LOOK = 1.0
"""Seconds between two looks at who belongs to whom."""
journal = logging.getLogger("gerbang.supervisor")


class OwnSupervisor:
    """Implements Supervisor. Close it, or use it in a ``with``; only one at a time has a run folder.

    ``programs`` are those that may be required by name without having been
    started by ``start``: they start with the files of last time. Raises
    SupervisionFailed when another supervisor has the folders, or when the
    programs require each other in a circle.
    """

    def __init__(
        self,
        places: Places,
        programs: Mapping[str, Program] | None = None,
        *,
        privileged: bool | None = None,
        groups: bool = True,
        pace: Pace | None = None,
        look_every: float = LOOK,
    ) -> None:
        self._programs = dict(programs or {})
        start_order(self._programs)
        self._places = places
        self._pace = pace or Pace()
        self._look_every = look_every
        self._around = Surroundings(places, os.geteuid() == 0 if privileged is None else privileged, groups)
        self._all: dict[str, Supervised] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        places.prepare()
        self._lock = _locked(places.run / ".lock")
        self._closed = False
        self._reaper = Reaper()
        self._adopted_before = adopt_orphans()
        for name in end_what_is_left(places.run / ".started"):
            journal.warning("%s: ended what a former supervisor had left", name)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="gerbang-supervisor", daemon=True)
        self._thread.start()

    def __enter__(self) -> OwnSupervisor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self, program: Program, files: str) -> Status:
        """Start it after what it requires; reload it when it runs."""
        return self._call(self._start(program, files))

    def stop(self, program: str) -> Status:
        """Stop it, and before it what requires it. One that does not run is stopped already."""
        return self._call(self._stop(program))

    def reload(self, program: Program, files: str) -> Status:
        """Make a program that runs read the files."""
        return self._call(self._reload(program, files))

    def status(self) -> tuple[Status, ...]:
        """All that have been started, by name."""
        return self._call(self._status())

    def log(self, program: str, lines: int) -> tuple[str, ...]:
        """The last lines of its output, also of former starts. Raises SupervisionFailed for a name that is none."""
        if not PROGRAM_NAME.fullmatch(program):
            raise SupervisionFailed(program, "no program has such a name")
        return self._call(self._log(program, lines))

    def resume(self) -> tuple[SupervisionFailed, ...]:
        """Start what was wanted when the last supervisor ended, in order; what could not be started."""
        wishes = self._wishes()
        failed: list[SupervisionFailed] = []
        for name in start_order({name: self._programs[name] for name in wishes}):
            try:
                self.start(self._programs[name], wishes[name])
            except (SupervisionFailed, OSError) as error:
                failed.append(error if isinstance(error, SupervisionFailed) else SupervisionFailed(name, why_of(error)))
        return tuple(failed)

    def close(self) -> None:
        """Stop all, what requires before what is required. It is still wanted: ``resume`` starts it again."""
        if self._closed:
            return
        self._call(self._stop_all())
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for one in self._all.values():
            one.output.close()
        # The process may go on without us, and would not wait for the orphans of others.
        adopt_orphans(self._adopted_before)
        os.close(self._lock)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        looking = self._loop.create_task(self._look())
        self._loop.run_forever()
        looking.cancel()
        self._loop.run_until_complete(asyncio.gather(looking, return_exceptions=True))

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            work.close()
            raise SupervisionFailed("supervisor", "it is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise SupervisionFailed("supervisor", "it was closed meanwhile") from None

    async def _start(self, program: Program, files: str) -> Status:
        self._learn(program)
        await self._fulfil(program)
        async with self._lock_of(program.name):
            for required in program.requires:
                if self._state(required) is not State.READY:
                    raise SupervisionFailed(program.name, f"{required}, which it requires, was stopped meanwhile")
            one = self._all.get(program.name)
            if one and one.state is State.READY and one.program == program:
                await one.reload(files)
            else:
                one = await self._anew(program)
                # Wanted before it serves: when we are killed meanwhile, it is started again.
                self._want(program.name, files)
                await one.start(files)
            self._want(program.name, files)
            return one.status

    async def _reload(self, program: Program, files: str) -> Status:
        if self._state(program.name) is not State.READY:
            raise SupervisionFailed(program.name, "it does not run, so it cannot be reloaded")
        return await self._start(program, files)

    async def _stop(self, name: str) -> Status:
        one = self._all.get(name)
        if one is None:
            if PROGRAM_NAME.fullmatch(name):
                self._places.wish_of(name).unlink(missing_ok=True)
            return Status(program=name, state=State.STOPPED)
        running = {other: self._all[other].program for other in self._all if self._all[other].state in _RUNS}
        running[name] = one.program
        for other in (*dependents(name, running), name):
            self._places.wish_of(other).unlink(missing_ok=True)
            self._all[other].interrupt()
            async with self._lock_of(other):
                await self._all[other].stop()
        return one.status

    async def _stop_all(self) -> None:
        for wave in reversed(tuple(waves({name: one.program for name, one in self._all.items()}))):
            for name in wave:
                self._all[name].interrupt()
            await asyncio.gather(*(self._stop_one(name) for name in wave))

    async def _stop_one(self, name: str) -> None:
        async with self._lock_of(name):
            await self._all[name].stop()

    async def _status(self) -> tuple[Status, ...]:
        return tuple(self._all[name].status for name in sorted(self._all))

    async def _log(self, name: str, lines: int) -> tuple[str, ...]:
        one = self._all.get(name)
        kept = list(one.output.lines) if one else tail(self._places.log_of(name), lines)
        return tuple(kept[-lines:]) if lines > 0 else ()

    async def _fulfil(self, program: Program) -> None:
        """Start what the program requires and what does not serve yet."""
        for name in program.requires:
            if self._state(name) is State.READY:
                continue
            required = self._programs.get(name)
            files = self._places.linked_files(name)
            if required is None or (not files and name not in self._all):
                raise SupervisionFailed(program.name, f"it requires {name}, which has not been started yet")
            try:
                await self._start(required, files)
            except SupervisionFailed as error:
                raise SupervisionFailed(program.name, f"it requires {name}, which failed", str(error)) from None

    async def _anew(self, program: Program) -> Supervised:
        """A fresh one in place of what had this name."""
        former = self._all.get(program.name)
        if former:
            await former.stop()
            former.output.close()
        self._all[program.name] = Supervised(program, self._around, self._pace)
        return self._all[program.name]

    def _learn(self, program: Program) -> None:
        if not PROGRAM_NAME.fullmatch(program.name):
            raise SupervisionFailed(program.name, "a program's name is small letters, digits, dots and hyphens")
        known = self._programs | {program.name: program}
        start_order(known)
        self._programs = known

    def _state(self, name: str) -> State:
        return self._all[name].state if name in self._all else State.STOPPED

    def _lock_of(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    def _want(self, name: str, files: str) -> None:
        durable.put(self._places.wish_of(name), json.dumps({"files": files}).encode())

    def _wishes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in sorted((self._places.state / ".wanted").glob("*.json")):
            name = path.name.removesuffix(".json")
            with suppress(OSError, ValueError, KeyError, TypeError):
                if name in self._programs:
                    found[name] = str(json.loads(path.read_text(encoding="utf-8"))["files"])
        return found

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            for one in self._all.values():
                if one.running:
                    one.running.look()
            self._reaper.reap(self._ours)

    def _ours(self, child: Process) -> bool | None:
        """Whether an ended child is an orphan of a program; False for a main process, None for what we do not know."""
        running = [one.running for one in self._all.values() if one.running]
        if any(child.number == one.number for one in running):
            return False
        known = any(child.session == one.number or (child.number, child.started) in one.seen for one in running)
        return known or _in_our_group(child.number, self._places.run) or None


def _in_our_group(number: int, root: Path) -> bool:
    try:
        return f"/{name_for(root)}/" in Path(f"/proc/{number}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False


def _locked(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise SupervisionFailed("supervisor", f"another one has {path.parent}") from None
    return handle
