"""Who does the work: this process, processes of ours, an executor that was given, a cluster.

Processes are started by ``forkserver``: ``fork`` would copy the threads' locks
of a process that has any (numba, a notebook, a cluster's client), and ``spawn``
reads all modules anew for each process, half a second each time one was
killed; the server has read them once and has no thread. Where there is no
``forkserver`` it is ``spawn``.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import Any, Protocol

from compiler.testing.sweeps.work import begin

__all__ = ["Crew", "Given", "Here", "Processes", "usable_cores"]

_PRELOADED = ["compiler.testing.sweeps.work", "compiler.testing.policies", "compiler.semantics.lower"]
_PATIENCE = 2.0
"""Seconds for processes that were called back, before they are killed."""


class Crew(Protocol):
    """Those who work."""

    lost: tuple[type[BaseException], ...]
    """What a future raises whose worker died."""
    lives: int
    """How many workers a chunk may lose before its items are tried one at a time."""
    hard: bool
    """Whether the processes are ours, so that one that hangs may be ended."""

    def slots(self) -> int:
        """How many chunks are worked at now, when all are busy."""

    def submit(self, task: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        """Hand out one task."""

    def renew(self) -> bool:
        """After a worker died: be able to work again. False when that cannot be."""

    def is_deserted(self) -> bool:
        """Whether nobody is left who could finish what is out, and nobody comes."""

    def leave(self, *, clean: bool) -> None:
        """The end: ``clean`` when nothing is under way, else at once."""


def usable_cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Here:
    """This process, one item after the other: for debuggers, and for comparing."""

    lost: tuple[type[BaseException], ...] = ()
    lives = 1
    hard = False

    def slots(self) -> int:
        return 0

    def submit(self, task: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(task(*arguments))
        return future

    def renew(self) -> bool:
        return True

    def is_deserted(self) -> bool:
        return False

    def leave(self, *, clean: bool) -> None:
        pass


class Processes:
    """Processes of ours on this machine."""

    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    lives = 2
    hard = True

    def __init__(self, number: int) -> None:
        self._number = number
        methods = multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if "forkserver" in methods:
            self._context.set_forkserver_preload(_PRELOADED)
        self._pool = self._new()

    def slots(self) -> int:
        return self._number

    def submit(self, task: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        return self._pool.submit(task, *arguments)

    def renew(self) -> bool:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._new()
        return True

    def is_deserted(self) -> bool:
        return False

    def leave(self, *, clean: bool) -> None:
        if not clean:
            _end(self._pool)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._number, mp_context=self._context, initializer=begin)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the pool's processes in the middle of their work. Public from Python 3.14 on, by another name."""
    processes = list((getattr(pool, "_processes", None) or {}).values())
    for process in processes:
        process.terminate()
    until = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(until - time.monotonic(), 0))
        if process.is_alive():
            process.kill()


class Given:
    """An executor of the caller's, who ends it; or a function that makes one, which is ours then.

    Only with a function can the work go on after a process pool broke.
    """

    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    lives = 2
    hard = False

    def __init__(self, given: Executor | Callable[[], Executor]) -> None:
        self._make = None if isinstance(given, Executor) else given
        self._executor = given if isinstance(given, Executor) else given()
        self._number: int = getattr(self._executor, "_max_workers", None) or usable_cores()

    def slots(self) -> int:
        return self._number

    def submit(self, task: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        return self._executor.submit(task, *arguments)

    def renew(self) -> bool:
        if self._make is None:
            return False
        self._executor.shutdown(wait=True)
        self._executor = self._make()
        return True

    def is_deserted(self) -> bool:
        return False

    def leave(self, *, clean: bool) -> None:
        if self._make is not None:
            self._executor.shutdown(wait=clean)
