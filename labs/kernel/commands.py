"""Commands that clients run at their moments: an observation for each."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from typing import NamedTuple

from compiler.simulator.engine import MILLISECOND
from labs.kernel.loop import Loop
from labs.kernel.programs import end_group, tail
from labs.kernel.rooms import Room
from labs.observation import CommandRecord
from labs.topology import Traffic

__all__ = ["Commands"]

_LOOK = 10 * MILLISECOND
"""How often the end of a command is looked for."""
_GOODBYE = 1.0
"""Seconds between SIGTERM and SIGKILL for one that takes too long."""


class _Begun(NamedTuple):
    process: subprocess.Popen[bytes]
    started: int
    output: Path


class Commands:
    """All commands of one activity: begun by the loop, ended by themselves or after their ``timeout``."""

    def __init__(self, loop: Loop, room: Room, traffic: Traffic, outputs: Path) -> None:
        self._loop = loop
        self._room = room
        self._traffic = traffic
        self._outputs = outputs
        self._running: dict[int, _Begun] = {}
        self._records: dict[int, CommandRecord] = {}
        for index in range(traffic.connections):
            loop.at(traffic.start + index * traffic.interval, partial(self._begin, index))

    @property
    def is_over(self) -> bool:
        """Whether each has run."""
        return len(self._records) == self._traffic.connections

    def records(self) -> tuple[CommandRecord, ...]:
        """What became of each that began; what still runs is ended, for the lab is over."""
        for index, begun in list(self._running.items()):
            self._stop(index, begun)
        return tuple(self._records[index] for index in sorted(self._records))

    def close(self) -> None:
        """End what still runs."""
        self.records()

    def _begin(self, index: int) -> None:
        assert self._traffic.command is not None
        output = self._outputs / f"{self._traffic.name}-{index}.log"
        with output.open("wb") as said:
            process = self._room.start(self._traffic.command, said)
        self._running[index] = begun = _Begun(process, self._loop.now(), output)
        self._loop.after(_LOOK, partial(self._look, index, begun))

    def _look(self, index: int, begun: _Begun) -> None:
        if index not in self._running:
            return
        if begun.process.poll() is not None:
            self._note(index, begun, begun.process.returncode)
        elif self._loop.now() - begun.started > self._traffic.timeout:
            self._stop(index, begun)
        else:
            self._loop.after(_LOOK, partial(self._look, index, begun))

    def _stop(self, index: int, begun: _Begun) -> None:
        status = begun.process.poll()
        if status is None:
            end_group(begun.process, _GOODBYE)
        self._note(index, begun, status)

    def _note(self, index: int, begun: _Begun, status: int | None) -> None:
        del self._running[index]
        self._records[index] = CommandRecord(
            traffic=self._traffic.name,
            index=index,
            client=self._traffic.client,
            started=begun.started,
            ended=self._loop.now(),
            status=status,
            output=tail(begun.output),
            path=str(begun.output),
        )
