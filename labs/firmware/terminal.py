"""The modem behind a pseudo-terminal, for programs that expect a serial port (Gammu, minicom).

``python -m labs.firmware.terminal`` tells the port and serves it; each line "NUMBER TEXT" on standard input comes to
the modem as a message, and what is sent through it is printed.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys
import termios
import threading
import time
import tty
from types import TracebackType

from labs.firmware.modem import Modem

__all__ = ["ModemTerminal"]

_POLL_SECONDS = 0.005
_CHUNK = 1024


class ModemTerminal:
    """A context manager; ``path`` is the port to open. The modem's clock is this machine's, from zero."""

    def __init__(self, modem: Modem) -> None:
        self.modem = modem
        self._own, self._other = os.openpty()
        tty.setraw(self._other)
        self.path = os.ttyname(self._other)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="modem", daemon=True)
        self.lock = threading.Lock()
        self._start = time.monotonic()

    def _serve(self) -> None:
        while not self._stop.is_set():
            readable, _, _ = select.select([self._own], [], [], _POLL_SECONDS)
            # A client that claimed the port for itself (TIOCEXCL) gives it back by closing it; our own handle keeps it
            # open, so the claim would stay and, but for root, shut the next client out.
            fcntl.ioctl(self._other, termios.TIOCNXCL)
            with self.lock:
                now = time.monotonic() - self._start
                if readable:
                    self.modem.receive(os.read(self._own, _CHUNK), now)
                out = self.modem.output(now)
            if out:
                os.write(self._own, out)

    def __enter__(self) -> ModemTerminal:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._own)
        os.close(self._other)

    def deliver(self, sender: str, text: str) -> None:
        """A message comes from the network."""
        with self.lock:
            self.modem.deliver(sender, text, time.monotonic() - self._start)


def main() -> int:
    """Serves until standard input ends."""
    shown = 0
    with ModemTerminal(Modem()) as terminal:
        print(terminal.path, flush=True)
        while True:
            readable, _, _ = select.select([sys.stdin], [], [], 0.1)
            if readable:
                line = sys.stdin.readline()
                if not line:
                    return 0
                sender, _, text = line.rstrip("\n").partition(" ")
                terminal.deliver(sender, text)
            for sent in terminal.modem.sent[shown:]:
                print(f"{sent.number}: {sent.text}", flush=True)
                shown += 1


if __name__ == "__main__":
    sys.exit(main())
