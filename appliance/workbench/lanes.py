"""Lanes: where heavy work runs, one piece at a time, so that the screen never waits for it.

A process of its own keeps the interpreter's lock free for the keys, and can be
ended in the middle. It is not ``multiprocessing``'s: that would import the main
module again, and asks for the descriptor of a standard error that Textual has
replaced.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from compiler.placed.fields import CONFINED

__all__ = ["Cancelled", "HereLane", "Lane", "LaneBroken", "ProcessLane", "Tell"]

Tell = Callable[[Any], None]
"""How a task says how far it is: with any value that can be pickled."""

_ANSWER = 0.04
"""Seconds between two looks whether the work was cancelled."""


class Cancelled(Exception):
    """The work was ended because nobody wants it any more."""


class LaneBroken(Exception):
    """The work ended without an answer: a mistake in the program, or no memory left."""


class Lane(Protocol):
    """Runs ``task(*arguments, tell)`` in the calling thread's stead. Safe to call from several threads: one waits."""

    def run(self, task: Callable[..., Any], *arguments: Any, tell: Tell, is_cancelled: Callable[[], bool]) -> Any:
        """The task's result. Raises Cancelled, or LaneBroken with the last words of a task that failed."""

    def close(self) -> None:
        """End what runs."""


class HereLane:
    """Runs in the calling thread: for small work, and for tests."""

    def run(self, task: Callable[..., Any], *arguments: Any, tell: Tell, is_cancelled: Callable[[], bool]) -> Any:
        """The task's result; a cancelled task ends where it next tells."""

        def told(value: Any) -> None:
            if is_cancelled():
                raise Cancelled
            tell(value)

        return task(*arguments, told)

    def close(self) -> None:
        """Nothing runs."""


class ProcessLane:
    """A process that starts with the first task, stays warm, and is killed when its task is cancelled."""

    def __init__(self, confined: Path | None = None) -> None:
        """``confined``: files below this folder name no files outside of it."""
        self._confined = {} if confined is None else {CONFINED: str(confined)}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._is_closed = False

    @property
    def process_id(self) -> int | None:
        """The process that is warm, or None."""
        return None if self._process is None else self._process.pid

    def run(self, task: Callable[..., Any], *arguments: Any, tell: Tell, is_cancelled: Callable[[], bool]) -> Any:
        """The task's result; a cancelled task is killed at once, wherever it is."""
        with self._lock:
            if self._is_closed or is_cancelled():
                raise Cancelled
            try:
                connection = self._started()
                connection.send((task, arguments))
                return self._answer(connection, tell, is_cancelled)
            except (EOFError, OSError) as error:
                status = self._end()
                if self._is_closed:
                    raise Cancelled from error
                raise LaneBroken(f"the working process ended, status {status}") from error
            except Cancelled:
                self._end()
                raise

    def _answer(self, connection: Connection[Any, Any], tell: Tell, is_cancelled: Callable[[], bool]) -> Any:
        while True:
            if connection.poll(_ANSWER):
                word, value = connection.recv()
                if word == "done":
                    return value
                if word == "broken":
                    raise LaneBroken(value)
                tell(value)
            if is_cancelled() or self._is_closed:
                raise Cancelled

    def close(self) -> None:
        """Kill the process, and let nothing start another."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()
        with self._lock:
            self._end()

    def _started(self) -> Connection[Any, Any]:
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self._end()
        here, there = Pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "appliance.workbench.working", str(there.fileno())],
                pass_fds=(there.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # the screen is drawn there
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    **self._confined,
                },
            )
        finally:
            there.close()
        self._connection = here
        return here

    def _end(self) -> int | None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        process.kill()
        return process.wait()
