"""The processes of the machine, read from /proc (proc_pid_stat(5)), and signals that never reach another's."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

__all__ = ["Process", "boot", "process", "processes", "send", "variable"]


class Process(NamedTuple):
    """One line of ``/proc/PID/stat``. A number and its start time name a process for as long as the machine runs."""

    number: int
    state: str
    parent: int
    group: int
    session: int
    started: int
    """Clock ticks since boot."""

    @property
    def ended(self) -> bool:
        """Nobody has asked yet how it ended, but it runs no more."""
        return self.state in "ZX"


def process(number: int) -> Process | None:
    """The process of this number, or None."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    # The name stands in parentheses and may hold any character, so look for its end from the right.
    words = text[text.rfind(")") + 2 :].split()
    return Process(number, words[0], int(words[1]), int(words[2]), int(words[3]), int(words[19]))


def processes() -> dict[int, Process]:
    """All that can be seen, by number."""
    numbers = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return {number: found for number in numbers if (found := process(number))}


def variable(number: int, name: str) -> str:
    """A variable of the environment that the process was started with; empty when unset or not ours to read."""
    try:
        block = Path(f"/proc/{number}/environ").read_bytes()
    except OSError:
        return ""
    wanted = name.encode() + b"="
    return next((word[len(wanted) :].decode() for word in block.split(b"\0") if word.startswith(wanted)), "")


def send(targets: Iterable[Process], what: signal.Signals) -> None:
    """Signal each of them unless its number belongs to another process by now."""
    for target in targets:
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(target.number)
            try:
                now = process(target.number)
                # The handle is of whoever has the number now; it stays theirs, so comparing once is enough.
                if now and now.started == target.started:
                    signal.pidfd_send_signal(handle, what)
            finally:
                os.close(handle)


def boot() -> str:
    """Names this run of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
