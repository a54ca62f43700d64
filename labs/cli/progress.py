"""How far a run is: lab time against the clock on the wall, on standard error, when a person is watching."""

from __future__ import annotations

import os
import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

from compiler.placed.quantities import format_duration

__all__ = ["LabProgress"]

PATIENCE = 0.5
INTERVAL = 0.1
"""Seconds before the line appears, and between two drawings."""


class LabProgress:
    """Call it with the lab's time and its end, in nanoseconds; it draws when that is worth while, and cleans up."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = sys.stderr if stream is None else stream
        self._watched = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._started = time.monotonic()
        self._next = self._started + PATIENCE
        self._drawn = False

    def __call__(self, now: int, end: int) -> None:
        """The lab has come to ``now`` of ``end``."""
        if not self._watched:
            return
        moment = time.monotonic()
        if moment < self._next:
            return
        self._next = moment + INTERVAL
        self._drawn = True
        share = min(now / end, 1.0) if end > 0 else 0.0
        filled = int(share * 24)
        bar = f"{self._what} {'█' * filled}{'░' * (24 - filled)} {share:4.0%}"
        times = f"{format_duration(now)} of {format_duration(end)}, {moment - self._started:.0f} s gone"
        # A line that wraps is not drawn over by the next one.
        room = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r{f'{bar}  {times}'[:room]}\x1b[K")
        self._stream.flush()

    @property
    def seconds(self) -> float:
        """Seconds on the wall since it was made."""
        return time.monotonic() - self._started

    def __enter__(self) -> LabProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
