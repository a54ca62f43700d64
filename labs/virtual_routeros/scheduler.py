"""``/system scheduler``: scripts that run at their time, whoever is still connected.

A row with an interval runs again and again; one without runs once, at its
start, and stays. ``startup`` is three seconds after the router starts; with an
interval the first run is one interval later. Of several at one moment each runs
in its turn in the table. Source: MikroTik documentation, "Scheduler". That a
row that was given no start begins when it is added, and runs for the first time
an interval later, is what configurations rely on; the manual does not say it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from compiler.dialects.routeros.durations import duration
from compiler.simulator.engine import SECOND
from labs.virtual_routeros.clocks import day_of, parse_start, time_of
from labs.virtual_routeros.scripting import run_script
from labs.virtual_routeros.tables import Row
from labs.virtual_routeros.traps import Category, Trap

if TYPE_CHECKING:
    from labs.virtual_routeros.device import Device

__all__ = ["Scheduler"]

_STARTUP = 3 * SECOND


class _Job:
    """A script on its way, waiting at a ``:delay``."""

    def __init__(self, name: str, steps: Iterator[int], due: int) -> None:
        self.name = name
        self.steps = steps
        self.due = due


class Scheduler:
    """What is to run on one device, and when."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._due: dict[str, int] = {}
        """By row id."""
        self._jobs: list[_Job] = []
        self._time: int | None = None
        """The moment that a running script thinks it is."""

    @property
    def next_due(self) -> int | None:
        """When something runs next, or None."""
        return min((*self._due.values(), *(job.due for job in self._jobs)), default=None)

    def changed(self, row: Row, is_gone: bool) -> None:
        """A row of the scheduler was added, changed or removed."""
        self._due.pop(row.id, None)
        row.extra.pop("next-run", None)
        if is_gone:
            return
        now = self._now
        properties = row.properties
        if "start-time" not in properties:
            properties["start-time"] = time_of(now)
        if not properties.get("start-date") and properties["start-time"] != "startup":
            properties["start-date"] = day_of(now, self._device.version)
        properties.setdefault("run-count", "0")
        if not row.is_disabled:
            self._plan(row, now)

    def start(self, text: str, name: str, *, strict: bool = False) -> None:
        """Run a script as far as its first ``:delay``; the rest follows in time.

        What fails is written to the log, and when ``strict`` raised as Trap too.
        """
        self._step(_Job(name, run_script(self._device, text, name), self._now), strict=strict)

    def run(self, until: int) -> int | None:
        """Run all that is due by ``until``, in the order of time; when the next thing is due."""
        while (due := self.next_due) is not None and due <= until:
            self._time = due
            try:
                self._run_one(due)
            finally:
                self._time = None
        return self.next_due

    @property
    def _now(self) -> int:
        return self._device.clock.now() if self._time is None else self._time

    def _run_one(self, due: int) -> None:
        for job in self._jobs:
            if job.due == due:
                self._jobs.remove(job)
                self._step(job)
                return
        rows = self._device.tables["system", "scheduler"].rows
        row = next(row for row in rows if self._due.get(row.id) == due)  # of several, in the order of the table
        del self._due[row.id]
        row.properties["run-count"] = str(int(row.properties["run-count"]) + 1)
        self._plan(row, due)  # before the script, which may remove the row
        name, event = row.properties["name"], row.properties.get("on-event", "")
        stored = [
            one.properties.get("source", "")
            for one in self._device.tables["system", "script"].rows
            if one.properties.get("name") == event
        ]
        self.start(stored[0] if stored else event, f"scheduler {name}")

    def _step(self, job: _Job, *, strict: bool = False) -> None:
        try:
            delay = next(job.steps, None)
        except Trap as trap:
            self._device.log.append(f"script,error {job.name}: {trap}")
            if strict:
                raise
            return
        if delay is not None:
            job.due = self._now + delay
            self._jobs.append(job)

    def _plan(self, row: Row, now: int) -> None:
        """Find the first moment after ``now`` at which the row runs."""
        interval = duration(row.properties.get("interval", "0s")) or 0
        start = self._start(row)
        if start <= now:
            if not interval:
                row.extra.pop("next-run", None)
                return
            start += ((now - start) // interval + 1) * interval
        self._due[row.id] = start
        row.extra["next-run"] = f"{day_of(start, self._device.version)} {time_of(start)}"

    def _start(self, row: Row) -> int:
        text = row.properties["start-time"]
        if text == "startup":
            interval = duration(row.properties.get("interval", "0s")) or 0
            return self._device.started + _STARTUP + interval
        start = parse_start(row.properties.get("start-date", ""), text)
        if start is None:
            raise Trap("invalid value for argument start-time", Category.ARGUMENT)
        return start
