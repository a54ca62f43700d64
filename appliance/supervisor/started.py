"""Which processes belong to one start of a program, and how all of them are ended.

A program's main process leads a session of its own. With a control group
its members are what the kernel says. Without one they are: the session as
long as its leader is known to be ours, whoever carries the start's token in
the environment, all their descendants, and whoever was one of these when
we last looked. A process that has left the session, cleaned its
environment and lost its parent between two looks is the one case that gets
away, and only where there are no control groups.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import Signals

from appliance.supervisor.control_group import ends_with_it, numbers_in, remove_group
from appliance.supervisor.processes import Process, boot, process, processes, send, variable

__all__ = ["TOKEN", "Started", "end_now", "end_what_is_left", "gone"]

TOKEN = "GERBANG_START"
"""The variable of the environment that names one start of one program."""


@dataclass(frozen=True, slots=True)
class Started:
    """One start, as it is written down for the supervisor that comes after us."""

    program: str
    token: str
    number: int
    """Of the main process."""
    started: int
    """Its start time in clock ticks."""
    boot: str
    group: str = ""
    """The folder of its control group; empty without."""

    def members(self, seen: Iterable[tuple[int, int]] = ()) -> tuple[Process, ...]:
        """Its processes that run. ``seen``: numbers and start times of former members."""
        if self.group:
            found = {number: process(number) for number in (*numbers_in(Path(self.group)), self.number)}
            # The main process belongs to it before it has entered the group.
            return tuple(
                one
                for number, one in sorted(found.items())
                if one and not one.ended and (number != self.number or one.started == self.started)
            )
        table = processes()
        leader = table.get(self.number)
        leads = leader is not None and leader.started == self.started
        before = set(seen)
        inside = {
            one.number
            for one in table.values()
            if (leads and one.session == self.number)
            or (one.number, one.started) in before
            or (one.started >= self.started and not one.ended and variable(one.number, TOKEN) == self.token)
        }
        while grown := {one.number for one in table.values() if one.parent in inside} - inside:
            inside |= grown
        return tuple(table[number] for number in sorted(inside) if not table[number].ended)

    def write(self, path: Path) -> None:
        """Keep it in one step."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Started | None:
        """What a former supervisor wrote; None when it is of another boot or cannot be read."""
        try:
            made = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return made if made.boot == boot() else None


async def gone(started: Started, seen: set[tuple[int, int]], within: float) -> bool:
    """Wait until no member runs; False when some still do after ``within`` seconds."""
    end = time.monotonic() + within
    pause = 0.005
    while True:
        alive = started.members(seen)
        if not alive:
            return True
        if time.monotonic() >= end:
            return False
        await asyncio.sleep(min(pause, max(end - time.monotonic(), 0)))
        pause = min(pause * 1.5, 0.1)


async def end_now(started: Started, seen: set[tuple[int, int]]) -> None:
    """SIGKILL to all of them, again until none is left; then the control group goes."""
    for _ in range(200):
        alive = started.members(seen)
        if not alive:
            break
        seen |= {(one.number, one.started) for one in alive}
        if not (started.group and ends_with_it(Path(started.group))):
            send(alive, Signals.SIGKILL)
        if await gone(started, seen, 0.1):
            break
    if started.group:
        remove_group(Path(started.group))


def end_what_is_left(records: Path) -> tuple[str, ...]:
    """End what a former supervisor left when it was killed, by its records in this folder; the programs' names."""
    left: list[str] = []
    for path in sorted(records.glob("*.json")):
        started = Started.read(path)
        if started:
            if started.members():
                left.append(started.program)
            asyncio.run(end_now(started, set()))
        path.unlink(missing_ok=True)
    return tuple(left)
