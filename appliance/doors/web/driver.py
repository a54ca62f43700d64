"""The console's end of the pipe to the web door: ``TEXTUAL_DRIVER`` names it.

Textual's own writes packets from two threads without a lock: a file that is
sent while the screen is painted would be torn into it (pipe(7): writes longer
than PIPE_BUF may be interleaved). And it lives on when its input has ended,
that is, when the door was killed. And it takes a size from among the keys,
which the door has not bounded.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from threading import Lock
from typing import Any

from textual import events, messages
from textual.app import App
from textual.drivers.web_driver import WebDriver
from textual.message import Message

__all__ = ["ConsoleDriver"]


class ConsoleDriver(WebDriver):
    """One packet after the other; the console ends with its input."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._one_at_a_time = Lock()
        self._write = self._write_whole  # type: ignore[assignment]

    def _write_whole(self, packet: bytes) -> None:
        left = memoryview(packet)
        with self._one_at_a_time, suppress(BrokenPipeError):  # the end of the input tells the same
            while left:
                left = left[os.write(self.fileno, left) :]

    def process_message(self, message: Message) -> None:
        """What was typed. Sizes are the door's to say, which come another way."""
        if not isinstance(message, events.Resize):
            super().process_message(message)

    def run_input_thread(self) -> None:
        """Read until there is nothing more, and tell the application."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            with suppress(RuntimeError):  # the loop has ended before us
                asyncio.run_coroutine_threadsafe(self._app._post_message(messages.ExitApp()), loop=self._loop)
