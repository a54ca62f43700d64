"""A limit of wall time for one check, in whatever thread it runs.

The check is interrupted by an exception that ``except Exception`` does not
catch. Code that does not come back to the interpreter (a long call of a C
library) cannot be interrupted so: in a process of ours the watchdog of
:mod:`faulthandler`, which needs no interpreter, then ends the process.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO

__all__ = ["GRACE", "TookTooLong", "deadline"]

GRACE = 5.0
"""Seconds after its time (and as long again) before a check that cannot be interrupted loses its process."""


class TookTooLong(BaseException):
    """The time of a check is over."""


@contextmanager
def deadline(seconds: float | None, *, hard: bool) -> Iterator[None]:
    """Raise TookTooLong in this thread when the block lasts longer; with ``hard`` end the process at last."""
    if seconds is None:
        yield
        return
    strike = _Strike(threading.get_ident())
    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    if hard:
        faulthandler.dump_traceback_later(2 * seconds + GRACE, exit=True, file=_nowhere())
    timer.start()
    try:
        try:
            yield
        finally:
            strike.disarm()
    finally:
        if hard:
            faulthandler.cancel_dump_traceback_later()
        timer.cancel()
        strike.forget()


class _Strike:
    """The exception for one thread, thrown once at most."""

    def __init__(self, thread: int) -> None:
        self._thread = ctypes.c_ulong(thread)
        self._lock = threading.Lock()
        self._armed = True

    def __call__(self) -> None:
        with self._lock:
            if self._armed:
                self._armed = False
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(TookTooLong))

    def disarm(self) -> None:
        with self._lock:
            self._armed = False

    def forget(self) -> None:
        """Take back an exception that was thrown and has not arrived: the check was done in that moment."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)


@cache
def _nowhere() -> IO[str]:
    return open(os.devnull, "w")
