"""A progress bar on standard error, for work that lasts, and only when a person is watching."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TextIO

__all__ = ["Progress"]

PATIENCE = 0.5
"""Seconds before the bar appears: short work needs none."""

INTERVAL = 0.1
"""Seconds between two drawings."""


class Progress:
    """Call it with how much is done; it draws when that is worth while, and cleans up behind itself.

    ::

        with Progress("proving") as progress:
            for number, block in enumerate(blocks):
                progress(number, len(blocks))
    """

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = sys.stderr if stream is None else stream
        self._watched = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._next = time.monotonic() + PATIENCE
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` steps."""
        if not self._watched:
            return
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        self._drawn = True
        share = min(done / total, 1.0) if total > 0 else 0.0
        room = _columns(self._stream)
        width = max(min(room - len(self._what) - 8, 40), 0)
        filled = int(share * width)
        bar = f"{self._what} {'█' * filled}{'░' * (width - filled)} {share:4.0%}"
        self._stream.write(f"\r{bar[: room - 1]}\x1b[K")
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar away, so that a line can be written there; the next step draws it again."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()


def _columns(stream: TextIO) -> int:
    """The width of the terminal; 80 where it is not known."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
