"""The demonstration's own daemon: a process beside the console, with a socket in a folder that goes with it.

It is started before Textual is imported, so that both come up at once.
Standard library only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.console.places import Places

__all__ = ["Embedded"]

BESIDE = "appliance.console.beside"
PATIENCE = 5.0
"""Seconds that it has to end by itself."""


class Embedded:
    """A daemon with sample data in memory, as long as the ``with`` lasts."""

    name = "admin"
    password = "gerbang-demo"
    """The account that the login begins with, as ``appliance.daemon.first_start`` has it."""

    def __init__(self, command: tuple[str, ...] = ("appliance", "run", "--demo")) -> None:
        """``command``: the words after ``gerbang``; ``--socket PATH`` follows them."""
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for number in (signal.SIGHUP, signal.SIGTERM):
            # The terminal was closed: what is here is taken away all the same.
            signal.signal(number, _leave)
        self._folder = Path(tempfile.mkdtemp(prefix="gerbang-demo-"))
        self._folder.chmod(0o700)
        socket = self._folder / "api.sock"
        self._log = self._folder / "daemon.log"
        self.places = Places.of(socket=socket)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", BESIDE, str(self._folder), *self._command, "--socket", str(socket)],
                # It ends when this end of the pipe goes, however the console ends.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                # Ctrl+C in the terminal is the console's.
                start_new_session=True,
            )
        return self

    @property
    def accounts(self) -> tuple[str, ...]:
        """Who can log in, as far as the daemon has said (``account NAME PASSWORD ROLES``): a line a password."""
        names: dict[str, list[str]] = {}
        with suppress(OSError):
            for line in self._log.read_text(encoding="utf-8", errors="replace").split("\n"):
                words = line.split(" ")
                if words[0] == "account" and len(words) >= 3:
                    names.setdefault(words[2], []).append(words[1])
        names = names or {self.password: [self.name]}
        return tuple(f"{password}: {', '.join(some)}" for password, some in names.items())

    def ended(self) -> str:
        """The last line that it said, if it has ended; else nothing."""
        if self._process is None or self._process.poll() is None:
            return ""
        with suppress(OSError):
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().split("\n")
            return lines[-1] or f"exit code {self._process.returncode}"
        return f"exit code {self._process.returncode}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)
