"""Program data (``appliance.contract.program_data``) taken, checked and put by its commands, in streams."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from appliance.contract.program_data import ProgramData
from appliance.contract.programs import Program, State, Supervisor
from appliance.supervisor.bounded import UMASK
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.places import Places
from appliance.supervisor.privileges import environment

__all__ = ["CHUNK", "give", "stilled", "take"]

CHUNK = 256 * 1024
"""Bytes that are passed on at a time."""
_SAID = 4_000


def take(data: ProgramData, places: Places, *, privileged: bool) -> Generator[bytes, None, None]:
    """What its ``take`` prints. Raises SupervisionFailed, also at the end."""
    with _running(data, data.take, places, privileged=privileged, reads=False) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            yield chunk


def give(data: ProgramData, words: Sequence[str], chunks: Iterable[bytes], places: Places, *, privileged: bool) -> None:
    """Let one of its commands read the chunks. Raises SupervisionFailed, and what ``chunks`` raises."""
    with _running(data, words, places, privileged=privileged, reads=True) as process:
        assert process.stdin is not None
        for chunk in chunks:
            try:
                process.stdin.write(chunk)
            except BrokenPipeError:
                break  # it has said why
        else:
            with suppress(BrokenPipeError):
                process.stdin.close()
            return
        if process.wait() == 0:
            raise SupervisionFailed(data.name, "it ended before it had read all")


@contextmanager
def _running(
    data: ProgramData, words: Sequence[str], places: Places, *, privileged: bool, reads: bool
) -> Iterator[subprocess.Popen[bytes]]:
    """A command with one end of a pipe. It is waited for; when the block raises, it is killed before the pipe is
    closed, so that it never takes a part for the whole."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [places.expanded(word, data.program) for word in words],
                stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
                stdout=said if reads else subprocess.PIPE,
                stderr=said,
                env=environment(Program(name=data.program, command=()), privileged=privileged),
                cwd="/",
                umask=UMASK,
                start_new_session=True,
            )
        except OSError as error:
            raise SupervisionFailed(data.name, f"{words[0]}: {error.strerror}") from error
        late = threading.Timer(data.within, _kill, (process,))
        late.daemon = True
        late.start()
        try:
            yield process
            process.wait()
        finally:
            late.cancel()
            _kill(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
        if process.returncode != 0:
            raise SupervisionFailed(data.name, f"it ended with {process.returncode}", _last(said))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """It and what it has started, while its number is still its own."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _last(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
    return said.read().decode(errors="replace").strip()


@contextmanager
def stilled(data: ProgramData, programs: Sequence[Program], supervisor: Supervisor, places: Places) -> Iterator[None]:
    """The program and what requires it stand still meanwhile, if the data wants that. Raises SupervisionFailed."""
    ran = _running_now(supervisor) if data.still else frozenset()
    if data.program not in ran:
        yield
        return
    supervisor.stop(data.program)
    stopped = ran - _running_now(supervisor)
    try:
        yield
    finally:
        # Each is started after what it requires, which may be among them.
        for program in programs:
            if program.name in stopped and (files := places.linked_files(program.name)):
                supervisor.start(program, files)


def _running_now(supervisor: Supervisor) -> frozenset[str]:
    idle = {State.STOPPED, State.FAILED}
    return frozenset(one.program for one in supervisor.status() if one.state not in idle)
