"""What a program says: its last lines in memory, and all of it in a file that is rotated."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

__all__ = ["Output", "tail"]

KEPT_LINES = 1_000
LONGEST_LINE = 8_192
"""Bytes; a longer line is cut into several."""
LARGEST_FILE = 1 << 20
OLD_FILES = 3
_STAMP = len("2026-01-01T00:00:00.000+00:00 ")


class _File(RotatingFileHandler):
    """A full disk must not stop a program from being watched."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Leave the line out of the file; it is still in memory."""


class Output:
    """The output of one program, over all its starts."""

    def __init__(self, path: Path) -> None:
        self.lines: deque[str] = deque(tail(path, KEPT_LINES), maxlen=KEPT_LINES)
        self.hear: Callable[[str], None] | None = None
        """Told each line as it comes."""
        self._rest = b""
        self._file = _File(
            path, maxBytes=LARGEST_FILE, backupCount=OLD_FILES, encoding="utf-8", errors="replace", delay=True
        )
        self._file.setFormatter(logging.Formatter("%(message)s"))

    def take(self, handle: int) -> bool:
        """Take what the pipe holds now; False at its end."""
        # Bounded, so that a program that never pauses does not keep the supervisor from the others.
        for _ in range(16):
            try:
                block = os.read(handle, 65_536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not block:
                self.finish()
                return False
            self._add(block)
        return True

    def finish(self) -> None:
        """An unfinished last line counts as a line."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._say(rest)

    def note(self, text: str) -> None:
        """A line of the supervisor's own, among the program's."""
        self._say(f"[{text}]".encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, block: bytes) -> None:
        *whole, self._rest = (self._rest + block).split(b"\n")
        for line in whole:
            self._say(line)
        while len(self._rest) > LONGEST_LINE:
            self._say(self._rest[:LONGEST_LINE])
            self._rest = self._rest[LONGEST_LINE:]

    def _say(self, raw: bytes) -> None:
        for start in range(0, max(len(raw), 1), LONGEST_LINE):
            line = raw[start : start + LONGEST_LINE].decode(errors="replace").rstrip("\r")
            self.lines.append(line)
            stamp = datetime.now().astimezone().isoformat(timespec="milliseconds")
            self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (f"{stamp} {line}",)}))
            if self.hear:
                self.hear(line)


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of the file, without their time; none when there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - LARGEST_FILE, 0))
            text = file.read(LARGEST_FILE).decode(errors="replace")
    except OSError:
        return []
    # Only \n ends a line: a program may say U+2028 or a form feed in the middle of one.
    return [line[_STAMP:] for line in text.removesuffix("\n").split("\n")[-lines:]] if text else []
