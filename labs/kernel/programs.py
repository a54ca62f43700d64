"""The programs of a lab's nodes: begun in their order, waited for, ended in the opposite one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.placed.fields import CONFINED
from compiler.placed.quantities import format_duration
from compiler.simulator.engine import SECOND
from labs.kernel.rooms import Room, search_path
from labs.observation import ProgramRecord
from labs.programs import Command, Program, ReadyKind
from labs.requests import addresses_of
from labs.words.commands import how_it_ended

__all__ = ["RunningProgram", "end_group", "tail", "why_not_command"]

_LOOK = 0.02
_TAIL = 64 << 10
"""Octets of output that an observation has; all of it is in its file."""
_LINES = 12


def why_not_command(command: Command) -> str:
    """Why this machine cannot run it: what is missing. Empty when it can."""
    if os.environ.get(CONFINED):
        return "the lab is of somebody else than the user who runs it: its programs are not run"
    for need in command.needs:
        kind, _, user = need.partition(":")
        if kind == "user" and user:
            if not _is_user(user):
                return f"there is no user {user}"
        elif shutil.which(need, path=search_path()) is None:
            return f"{need} is not installed"
    word = command.words[0]
    if "/" in word:
        return "" if os.access(command.folder / word, os.X_OK) else f"there is no program {word!r} in {command.folder}"
    return "" if shutil.which(word, path=search_path()) else f"{word} is not installed"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def tail(path: Path) -> str:
    """The end of what was said."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        return file.read().decode(errors="replace")


def end_group(process: subprocess.Popen[bytes], patience: float) -> None:
    """SIGTERM for the group of processes; SIGKILL for what is left after ``patience`` seconds."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    # The group lives as long as one of its processes does, and its number is nobody else's until then.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class RunningProgram:
    """One program, ready when it is made. :meth:`close` ends it.

    UsageError, with the end of its output, when it ends before it is ready or is not ready in time.
    """

    def __init__(self, room: Room, program: Program, output: Path) -> None:
        self.room = room
        self.program = program
        self.output = output
        self._ended: int | None = None
        with output.open("wb") as said:
            self._process = room.start(program.command, said)
        try:
            self._await()
        except BaseException:
            self.close()
            raise

    def look(self, now: int) -> None:
        """Notice that it has ended, at that moment of the lab."""
        if self._ended is None and self._process.poll() is not None:
            self._ended = now

    def record(self) -> ProgramRecord:
        """What became of it; to be asked before it is closed."""
        return ProgramRecord(
            node=self.room.node.name,
            program=self.program.name,
            status=self._process.poll(),
            ended=self._ended,
            may_end=self.program.may_end,
            output=tail(self.output),
            path=str(self.output),
        )

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None or not self.program.may_end:
            end_group(self._process, self.program.stop / SECOND)

    # -- getting ready -----------------------------------------------------------------

    def _await(self) -> None:
        ready = self.program.ready
        if ready is None:
            return
        deadline = time.monotonic() + ready.within / SECOND
        while True:
            status = self._process.poll()
            if ready.kind is ReadyKind.EXIT:
                if status is not None and status == int(ready.value):
                    return
            elif _SIGNS[ready.kind](self, ready.value):
                return
            if status is not None:
                raise UsageError(self._complaint(f"{how_it_ended(status)} before it was ready"))
            if time.monotonic() > deadline:
                waited = f"{ready.kind.value} {ready.value}"
                raise UsageError(self._complaint(f"is not ready after {format_duration(ready.within)} ({waited})"))
            time.sleep(_LOOK)

    def _complaint(self, what: str) -> str:
        lines = tail(self.output).splitlines()[-_LINES:]
        said = "".join(f"\n  | {line}" for line in lines) or " (it said nothing)"
        return f"program {self.program.name} of {self.room.node.name} {what}; its last lines:{said}"

    def _port_answers(self, value: str) -> bool:
        """By its own addresses first: a daemon need not listen on the loopback."""
        ends = [
            (family, address.to_bytes(family.width // 8, "big")) for family, address in addresses_of(self.room.node)
        ]
        ends.append((Family.IPV4, b"\x7f\x00\x00\x01"))
        for family, address in ends:
            kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
            with self.room.namespace.socket(kind, socket.SOCK_STREAM) as one:
                one.settimeout(1)
                with suppress(OSError):
                    one.connect((socket.inet_ntop(kind, address), int(value)))
                    return True
        return False

    def _socket_answers(self, value: str) -> bool:
        """By a descriptor, as a path may be too long for a socket's name (unix(7))."""
        with suppress(OSError):
            descriptor = os.open(self.room.path(value), os.O_PATH | os.O_CLOEXEC)
            try:
                if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    return False
                for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
                    with socket.socket(socket.AF_UNIX, kind) as one, suppress(OSError):
                        one.settimeout(1)
                        one.connect(f"/proc/self/fd/{descriptor}")
                        return True
            finally:
                os.close(descriptor)
        return False

    def _file_is_there(self, value: str) -> bool:
        return Path(self.room.path(value)).exists()

    def _has_said(self, value: str) -> bool:
        return value in self.output.read_text(errors="replace")


_SIGNS: dict[ReadyKind, Callable[[RunningProgram, str], bool]] = {
    ReadyKind.PORT: RunningProgram._port_answers,
    ReadyKind.SOCKET: RunningProgram._socket_answers,
    ReadyKind.FILE: RunningProgram._file_is_there,
    ReadyKind.LINE: RunningProgram._has_said,
}
