"""Writing: results to standard output or whole to a file, everything else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TextIO

__all__ = ["Paint", "emit", "emit_json", "emit_lines", "note", "write_whole"]


def emit(text: str) -> None:
    """Text to standard output, ending with a line end."""
    sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")


def emit_lines(lines: Iterable[str]) -> None:
    """Lines to standard output."""
    emit("\n".join(lines))


def emit_json(value: Mapping[str, object]) -> None:
    """One JSON document to standard output."""
    import json

    emit(json.dumps(value, indent=2, ensure_ascii=False))


def note(*lines: str) -> None:
    """Lines to standard error: what is worth knowing and is not the result."""
    for line in lines:
        print(line, file=sys.stderr)


def write_whole(path: str, text: str, *, is_secret: bool = False) -> None:
    """Write a file whole or not at all: beside it, then renamed over it (rename(2) is atomic).

    Keeps the mode of a file that is there; writes through a symbolic link and
    straight into what is no regular file. What is secret nobody else may read
    (0600), whatever the mode was. Raises UsageError when it cannot.
    """
    from compiler.errors import UsageError

    target = os.path.realpath(path)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
        else:
            _replace(target, text, is_secret=is_secret)
    except OSError as error:
        raise UsageError(f"cannot write {path!r}: {error.strerror}") from error


def _replace(target: str, text: str, *, is_secret: bool) -> None:
    import stat
    import tempfile

    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    if is_secret:
        mode = 0o600
    descriptor, beside = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise


class Paint:
    """Colours for one stream: only on a terminal, and never with NO_COLOR set (no-color.org) or a dumb terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._on = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def good(self, text: str) -> str:
        """Green."""
        return self._painted("32", text)

    def bad(self, text: str) -> str:
        """Bold red."""
        return self._painted("1;31", text)

    def doubtful(self, text: str) -> str:
        """Yellow."""
        return self._painted("33", text)

    def faint(self, text: str) -> str:
        """Dim."""
        return self._painted("2", text)

    def verdict(self, line: str) -> str:
        """A line of a report, with the words that say how it went in their colours."""
        for word in ("DISPROVED", "DIFFERENT", "NOT PROVED"):
            if word in line:
                return line.replace(word, self.bad(word), 1)
        return line.replace("PROVED", self.good("PROVED"), 1)

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._on and text else text
