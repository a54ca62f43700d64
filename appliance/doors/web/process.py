"""One console as a process of its own, started without a shell and with an environment made for it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import site
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from textual_serve._binary_encode import DecodeError, load
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from appliance.doors.web.offers import Offers
from appliance.doors.web.settings import Limits

__all__ = ["ConsoleProcess", "Wire"]

log = logging.getLogger("gerbang.web")

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "VIRTUAL_ENV")
PRELUDE = b"__GANGLION__\n"
"""Textual's web driver says this first."""
DRAWN = "╭│╰❱┌└"
"""A crash is shown in a box with the values of variables, among which a password may be: none of it is logged."""


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to the browser."""

    write_bytes: Callable[[bytes], Awaitable[None]]
    write_str: Callable[[str], Awaitable[None]]
    close: Callable[[], Awaitable[Any]]


class ConsoleProcess(AppService):
    """Carries one console. A token goes by the environment: the words of a command are seen by every user."""

    def __init__(
        self, words: tuple[str, ...], given: Mapping[str, str], home: Path, wire: Wire, limits: Limits
    ) -> None:
        """``words`` start it; ``given`` is more environment; ``home`` is the console's folder."""
        super().__init__(
            " ".join(words),
            write_bytes=wire.write_bytes,
            write_str=wire.write_str,
            close=wire.close,
            download_manager=DownloadManager(),  # unused: ``offers`` is
        )
        self._words = words
        self._given = given
        self._home = home
        self._limits = limits
        self._last_words: deque[str] = deque(maxlen=20)
        self._stopping: asyncio.Task[None] | None = None
        self.offers = Offers(self.send_meta, limits.takes_within)

    @property
    def pid(self) -> int:
        """Of the process, which leads a group and a session of its own."""
        assert self._process is not None
        return self._process.pid

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return kept | {
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home),
            # Where pip puts what a user has installed for himself is below his home.
            "PYTHONUSERBASE": site.getuserbase(),
            "TEXTUAL_DRIVER": "appliance.doors.web.driver:ConsoleDriver",
            "TEXTUAL_FPS": "60",
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "TERM_PROGRAM": "textual",
            "TERM_PROGRAM_VERSION": version("textual-serve"),
            "COLUMNS": str(width),
            "ROWS": str(height),
            "GERBANG_WEB": "1",
            **self._given,
        }

    async def start(self, width: int, height: int) -> None:
        """Start it, unless it was told to stop before."""
        if self._stopping is not None:
            return
        await super().start(width, height)
        if self._stopping is not None:  # told while it was being started, when there was nothing to stop
            await self._stop()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            cwd=self._home,
            start_new_session=True,
        )
        self._process = process
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Carry what the console says to the browser until it ends; what it says on standard error is logged."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        errors = asyncio.create_task(self._listen(process))
        carrying = asyncio.create_task(self._carry_all(process.stdout))
        ending = asyncio.create_task(_exited(process, 0.25))
        try:
            await asyncio.wait({carrying, ending}, return_when=asyncio.FIRST_COMPLETED)
            # What it has started may hold its output open after its end.
            await asyncio.wait_for(carrying, None if carrying.done() else 1.0)
        except TimeoutError:
            pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except (DecodeError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            log.error("a console speaks out of turn: %s", error)
        finally:
            carrying.cancel()
            self.offers.end()
            await self._end(process)
            await ending
            # What it has started may hold its standard error open, from a session of its own.
            with suppress(TimeoutError):
                await asyncio.wait_for(errors, 1.0)
            # What it has started and moved to another session may hold the pipes open: they are closed from here.
            _transport_of(process).close()
            with suppress(ConnectionError, RuntimeError):
                await self.remote_close()
        if process.returncode not in {0, -signal.SIGTERM}:
            log.error("a console ended with %s: %s", process.returncode, " | ".join(self._last_words))

    async def _prelude(self, stdout: asyncio.StreamReader) -> bool:
        for _attempt in range(10):
            line = await stdout.readline()
            if not line:
                return False
            if line == PRELUDE:
                return True
        return False

    async def _carry_all(self, stdout: asyncio.StreamReader) -> None:
        if await self._prelude(stdout):
            await self._carry(stdout)

    async def _carry(self, stdout: asyncio.StreamReader) -> None:
        # Each packet is with the browser before the next is read: a console that floods waits for it.
        while True:
            kind = await stdout.readexactly(1)
            size = int.from_bytes(await stdout.readexactly(4), "big")
            if size > self._limits.packet:
                raise ValueError(f"a packet of {size} bytes")
            payload = await stdout.readexactly(size)
            if kind == b"D":
                await self.on_data(payload)
            elif kind == b"M":
                await self.on_meta(payload)
            elif kind == b"P":
                await self.on_packed(payload)
            else:
                raise ValueError(f"a packet of kind {kind!r}")

    async def on_meta(self, data: bytes) -> None:
        """Open a page, offer a file, or end."""
        said: Mapping[str, Any] = json.loads(data)
        kind = said["type"]
        if kind == "exit":
            await self.remote_close()
        elif kind == "open_url":
            url = str(said["url"])
            if url.startswith(("https://", "http://")):  # "javascript:" would run in our page
                await self.remote_write_str(json.dumps(["open_url", {"url": url, "new_tab": bool(said["new_tab"])}]))
        elif kind == "deliver_file_start":
            await self.remote_write_str(json.dumps(["deliver_file_start", self.offers.add(said)]))

    async def on_packed(self, payload: bytes) -> None:
        """A piece of a file."""
        unpacked: Any = load(payload)
        if unpacked[0] == "deliver_chunk":
            self.offers.arrived(str(unpacked[1]), unpacked[2])

    async def send_bytes(self, data: bytes) -> bool:
        """What was typed; whether the console has taken it."""
        return await self._send(self.encode_packet(b"D", data))

    async def send_meta(self, data: dict[str, Any]) -> bool:
        """A message; whether the console has taken it."""
        return await self._send(self.encode_packet(b"M", json.dumps(data).encode()))

    async def _send(self, packet: bytes) -> bool:
        if self._stdin is None:
            return False
        try:
            self._stdin.write(packet)
            await asyncio.wait_for(self._stdin.drain(), self._limits.takes_within)
        except (TimeoutError, ConnectionError, RuntimeError):
            return False
        return True

    async def _listen(self, process: Process) -> None:
        assert process.stderr is not None
        while piece := await process.stderr.read(16 * 1024):
            for line in piece.decode("utf-8", "replace").splitlines():
                if (said := line.strip()) and said[0] not in DRAWN:
                    self._last_words.append("".join(letter for letter in said[:300] if letter.isprintable()))

    async def _end(self, process: Process) -> None:
        """The process and its group are gone afterwards."""
        if process.returncode is None:
            _signal(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(_exited(process), self._limits.ends_within)
        _signal(process.pid, signal.SIGKILL)
        await _exited(process)

    async def stop(self) -> None:
        """Ask the console to end, and end it when it does not; it is gone afterwards."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        task, process = self._task, self._process
        if task is None or process is None:
            return
        asking = asyncio.create_task(self.send_meta({"type": "quit"}))
        await asyncio.wait({task}, timeout=self._limits.ends_within)
        asking.cancel()
        if not task.done():
            await self._end(process)
            await asyncio.wait({task}, timeout=self._limits.ends_within)
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _exited(process: Process, every: float = 0.01) -> None:
    """Unlike ``Process.wait`` this does not wait for what the process has started and left with its pipes
    (CPython issue 119710)."""
    while process.returncode is None:
        await asyncio.sleep(every)


def _transport_of(process: Process) -> asyncio.SubprocessTransport:
    """``Process`` itself has no way to close its pipes (CPython issue 114177)."""
    transport: asyncio.SubprocessTransport = process._transport  # type: ignore[attr-defined]
    return transport


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
