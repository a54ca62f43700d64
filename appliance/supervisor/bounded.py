"""A command that runs to its end within bounds: a validator, a reload, systemctl."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["UMASK", "Outcome", "limits", "run"]

UMASK = 0o022
"""Of all that we start, whatever ours is; as systemd has it (systemd.exec(5))."""

MOST_SAID = 64 * 1024
"""Bytes of its output that are kept: the first half and the last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    """Its exit code; the negative number of a signal; 127 when it cannot be run."""
    said: str

    @property
    def fine(self) -> bool:
        """It ended with 0."""
        return self.code == 0


def limits(*, processor_seconds: int = 60, file_bytes: int = 16 << 20) -> tuple[str, ...]:
    """The words of prlimit(1) before a command that is not trusted with more; none where it is not installed."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        return ()
    return (prlimit, f"--cpu={processor_seconds}", f"--fsize={file_bytes}", "--core=0", "--nofile=1024", "--")


def run(
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    within: float,
    given: str = "",
    most: int = MOST_SAID,
) -> Outcome:
    """Run it with its output in one text. After ``within`` seconds it and its process group are killed.

    ``given`` is its standard input; of more than ``most`` bytes of output the
    middle is left out.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as source:
        source.write(given.encode())
        source.seek(0)
        try:
            process = subprocess.Popen(
                words,
                stdin=source,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd="/",
                umask=UMASK,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome(127, f"{words[0]}: {error.strerror}")
        late = "" if _ended(process.pid, within) else f"it did not end within {within:g} s"
        # What it left behind in the background goes too. It has not been waited for yet, so its number, which is its
        # group's, cannot be another's.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said = _kept(output.fileno(), most)
        if late:
            return Outcome(-signal.SIGKILL, f"{said}\n{late}".strip())
        return Outcome(process.returncode, said)


def _ended(number: int, within: float) -> bool:
    """Whether the child ends within so many seconds; it stays to be waited for."""
    handle = os.pidfd_open(number)
    waiting = select.poll()  # select() itself stops at descriptor 1024
    waiting.register(handle, select.POLLIN)
    try:
        return bool(waiting.poll(within * 1_000))
    finally:
        os.close(handle)


def _kept(handle: int, most: int) -> str:
    size = os.fstat(handle).st_size
    if size <= most:
        return os.pread(handle, size, 0).decode(errors="replace").strip()
    half = most // 2
    first, last = os.pread(handle, half, 0), os.pread(handle, half, size - half)
    return f"{first.decode(errors='replace')}\n…\n{last.decode(errors='replace')}".strip()
