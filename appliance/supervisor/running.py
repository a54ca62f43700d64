"""One running process of a program: launched, listened to, signalled, ended with all that belongs to it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace

from appliance.contract.programs import Program
from appliance.supervisor import readiness
from appliance.supervisor.bounded import UMASK
from appliance.supervisor.control_group import group_for
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.notification import Notification
from appliance.supervisor.output import Output
from appliance.supervisor.places import Places
from appliance.supervisor.privileges import environment, prefix
from appliance.supervisor.processes import boot, process, send
from appliance.supervisor.started import TOKEN, Started, end_now, gone

__all__ = ["Running", "Surroundings", "launch"]

# Enters the control group before anything of the program runs, then becomes the next command.
_ENTER = ("/bin/sh", "-c", 'echo 0 > "$1" && shift && exec "$@"', "sh")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where programs run and with which rights."""

    places: Places
    privileged: bool
    """Users and capabilities are set; otherwise all run as we do."""
    groups: bool = True
    """Use control groups where they may be written."""


class Running:
    """A process and its household. All methods are of the supervisor's loop."""

    def __init__(self, program: Program, around: Surroundings, output: Output, started: Started) -> None:
        self.program = program
        self.started = started
        self.exited = asyncio.Event()
        self.heard = asyncio.Event()
        self.seen: set[tuple[int, int]] = set()
        self.notification: Notification | None = None
        self._around = around
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._exit_handle = -1
        self._output_handle = -1

    @property
    def number(self) -> int:
        """The main process."""
        return self.started.number

    @property
    def how(self) -> str:
        """How the main process ended, in words."""
        code = self._process.returncode if self._process else None
        if code is None:
            return "it still runs"
        return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"

    def attach(self, child: subprocess.Popen[bytes], output_handle: int) -> None:
        """Watch the process and its output."""
        loop = asyncio.get_running_loop()
        self._process, self._output_handle = child, output_handle
        self._exit_handle = os.pidfd_open(child.pid)
        loop.add_reader(self._exit_handle, self._on_exit)
        loop.add_reader(output_handle, self._on_output)

    async def until_ready(self) -> None:
        """Wait until it serves. Raises SupervisionFailed when it is late; returns too when it has ended: look at
        ``exited``."""
        ready = self.program.ready
        notified = self.notification.ready if self.notification else None
        serves = asyncio.ensure_future(readiness.until(ready, self.expand, notified=notified, heard=self.heard))
        ended = asyncio.ensure_future(self.exited.wait())
        try:
            await asyncio.wait({serves, ended}, timeout=ready.within, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not serves.done():
                wanted = readiness.describe(ready, self.expand)
                raise SupervisionFailed(
                    self.program.name, f"not ready within {ready.within:g} s: waited until it {wanted}"
                )
        finally:
            serves.cancel()
            ended.cancel()

    def expand(self, word: str) -> str:
        """A word with the program's folders in it."""
        return self._around.places.expanded(word, self.program.name)

    def look(self) -> None:
        """Remember who belongs to it, for when one leaves the session and loses its parent."""
        if not self.started.group:
            self.seen |= {(one.number, one.started) for one in self.started.members(self.seen)}

    def signal(self, what: signal.Signals) -> None:
        """Signal the main process."""
        if (main := process(self.number)) and main.started == self.started.started:
            send((main,), what)

    async def terminate(self) -> None:
        """SIGTERM to all that belong to it, and SIGKILL to those that are left after ``stop_within``."""
        self.look()
        send(self.started.members(self.seen), signal.SIGTERM)
        await gone(self.started, self.seen, self.program.stop_within)
        await self.end()

    async def end(self) -> None:
        """Leave no process, descriptor, socket or record of it. May be called again when it was interrupted."""
        # The main process is waited for last: until then its number, and so its session's, is nobody else's.
        await end_now(self.started, self.seen)
        if self._process is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.exited.wait(), 5)
            self._process.poll()
        loop = asyncio.get_running_loop()
        if self._output_handle >= 0:
            self._output.take(self._output_handle)
            self._output.finish()
            loop.remove_reader(self._output_handle)
            os.close(self._output_handle)
            self._output_handle = -1
        if self._exit_handle >= 0:
            loop.remove_reader(self._exit_handle)
            os.close(self._exit_handle)
            self._exit_handle = -1
        if self.notification:
            self.notification.close()
            self.notification = None
        self._around.places.record_of(self.program.name).unlink(missing_ok=True)

    def belongs(self, number: int) -> bool:
        """Whether the process is one of this start's."""
        return number == self.number or any(one.number == number for one in self.started.members(self.seen))

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._exit_handle)
        self.exited.set()

    def _on_output(self) -> None:
        if not self._output.take(self._output_handle):
            asyncio.get_running_loop().remove_reader(self._output_handle)


async def launch(program: Program, around: Surroundings, output: Output) -> Running:
    """Start the program's process. Raises SupervisionFailed when it cannot be started at all."""
    places = around.places
    places.prepare_for(program, privileged=around.privileged)

    def expand(word: str) -> str:
        return places.expanded(word, program.name)

    if await readiness.answers(program.ready, expand):
        wanted = readiness.describe(program.ready, expand)
        raise SupervisionFailed(program.name, f"something else already {wanted}")
    places.empty_run(program.name)
    token = secrets.token_hex(16)
    more = {TOKEN: token}
    if program.ready.notify:
        more["NOTIFY_SOCKET"] = str(places.notify_of(program.name))
    group = group_for(places.run, program.name) if around.groups else None
    enter = (*_ENTER, str(group / "cgroup.procs")) if group else ()
    words = (*enter, *prefix(program, privileged=around.privileged), *map(expand, program.command))
    # Written down before it runs: if we are killed between the two, its token still finds it.
    started = Started(program=program.name, token=token, number=0, started=0, boot=boot(), group=str(group or ""))
    started.write(places.record_of(program.name))
    running: Running | None = None
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(writing, True)
    notification: Notification | None = None
    try:
        if program.ready.notify:
            notification = Notification(
                places.notify_of(program.name), lambda number: running is not None and running.belongs(number)
            )
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
            env=environment(program, privileged=around.privileged, more=more),
            cwd="/",
            umask=UMASK,
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        if notification:
            notification.close()
        raise SupervisionFailed(program.name, f"{words[0]}: {error.strerror}") from None
    finally:
        os.close(writing)
    main = process(child.pid)
    started = replace(started, number=child.pid, started=main.started if main else 0)
    running = Running(program, around, output, started)
    running.notification = notification
    if program.ready.line:
        output.hear = lambda line: running.heard.set() if program.ready.line in line else None
    else:
        output.hear = None
    try:
        running.attach(child, reading)
        started.write(places.record_of(program.name))
    except BaseException:
        # Nobody would watch it, or the next supervisor could not find it.
        await running.end()
        raise
    return running
