"""One console as a process of its own, started without a shell and with an environment made for it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import version

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

__all__ = ["ConsoleProcess"]

log = logging.getLogger("gerbang.web")

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "XDG_CONFIG_HOME")
PRELUDE = b"__GANGLION__\n"
"""Textual's web driver says this first."""
ENDS_WITHIN = 5.0
"""Seconds from being asked to end to being killed."""


class ConsoleProcess(AppService):
    """Carries one console. ``token`` goes by the environment: the words of a command are seen by every user."""

    def __init__(
        self,
        words: tuple[str, ...],
        token: str,
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        downloads: DownloadManager,
        offered: Callable[[str], None],
        longest_packet: int,
    ) -> None:
        super().__init__(
            " ".join(words), write_bytes=write_bytes, write_str=write_str, close=close, download_manager=downloads
        )
        self._words = words
        self._token = token
        self._offered = offered
        self._longest_packet = longest_packet
        self._last_words: deque[str] = deque(maxlen=40)

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return kept | {
            "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
            "TEXTUAL_FPS": "60",
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "TERM_PROGRAM": "textual",
            "TERM_PROGRAM_VERSION": version("textual-serve"),
            "COLUMNS": str(width),
            "ROWS": str(height),
            "GERBANG_TOKEN": self._token,
            "GERBANG_WEB": "1",
        }

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "compiler",
            *self._words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
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
        try:
            if await self._prelude(process.stdout):
                await self._carry(process.stdout)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            if isinstance(error, ValueError):
                log.error("a console speaks out of turn: %s", error)
        finally:
            await self._end(process)
            await errors
            with suppress(ConnectionError, RuntimeError):
                await self.remote_close()
        if process.returncode not in {0, -signal.SIGTERM} and self._last_words:
            log.error("a console ended with %s: %s", process.returncode, " | ".join(self._last_words))

    async def _prelude(self, stdout: asyncio.StreamReader) -> bool:
        for _ in range(10):
            line = await stdout.readline()
            if not line:
                return False
            if line == PRELUDE:
                return True
        return False

    async def _carry(self, stdout: asyncio.StreamReader) -> None:
        while True:
            kind = await stdout.readexactly(1)
            size = int.from_bytes(await stdout.readexactly(4), "big")
            if size > self._longest_packet:
                raise ValueError(f"a packet of {size} bytes")
            payload = await stdout.readexactly(size)
            if kind == b"D":
                await self.on_data(payload)
            elif kind == b"M":
                await self._said(payload)
            elif kind == b"P":
                await self.on_packed(payload)
            else:
                raise ValueError(f"a packet of kind {kind!r}")

    async def _said(self, payload: bytes) -> None:
        said = json.loads(payload)
        if said.get("type") == "open_url" and not str(said.get("url", "")).startswith(("https://", "http://")):
            return  # "javascript:" would run in our page
        if said.get("type") == "deliver_file_start":
            self._offered(str(said["key"]))
        await self.on_meta(payload)

    async def _listen(self, process: Process) -> None:
        assert process.stderr is not None
        with suppress(ValueError):  # a line longer than the reader's buffer
            async for line in process.stderr:
                self._last_words.append(line.decode("utf-8", "replace").rstrip()[:500])

    async def _end(self, process: Process) -> None:
        """The process and all that it has started are gone afterwards."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), ENDS_WITHIN)

    async def stop(self) -> None:
        """Ask the console to end, and end it when it does not."""
        task, self._task = self._task, None
        if task is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        await self.send_meta({"type": "quit"})
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(task), ENDS_WITHIN)
        if not task.done() and self._process is not None:
            await self._end(self._process)
            await task
