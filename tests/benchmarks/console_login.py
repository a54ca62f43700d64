"""How soon ``gerbang console --demo`` paints its login: from the start of the process to the first frame, on a pty.

``python -m tests.benchmarks.console_login [RUNS]`` prints the least and the median, beside those of a bare Textual
application with the same widgets.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

RUNS = 7
WANTED = b"Log in"
PATIENCE = 20.0
BARE = """
from textual.app import App
from textual.widgets import Input, Button, Static
from textual.containers import Vertical
class Login(App):
    def compose(self):
        with Vertical():
            yield Static("Gerbang"); yield Input(); yield Input(password=True); yield Button("Log in")
Login().run()
"""


def painted(command: list[str], config: Path) -> float:
    """Seconds until the login is on the terminal."""
    began = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", XDG_CONFIG_HOME=str(config))
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = b""
    while WANTED not in seen and time.perf_counter() - began < PATIENCE:
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 65536)
    took = time.perf_counter() - began
    os.write(terminal, b"\x11")  # Ctrl+Q: the console ends its daemon
    _end(process, terminal)
    if WANTED not in seen:
        raise SystemExit(f"no login within {PATIENCE} s: {seen[-400:]!r}")
    return took


def _end(process: int, terminal: int) -> None:
    until = time.perf_counter() + 8
    while time.perf_counter() < until:
        if os.waitpid(process, os.WNOHANG)[0]:
            break
        if select.select([terminal], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                os.read(terminal, 65536)
    else:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    os.close(terminal)


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    verb = "import sys; sys.argv[1:] = ['console', '--demo']; from compiler.cli.main import main; sys.exit(main())"
    commands = {
        "gerbang console --demo": [sys.executable, "-c", verb],
        "bare Textual": [sys.executable, "-c", BARE],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, command in commands.items():
            times = [painted(command, Path(folder)) for _run in range(runs)]
            print(f"{name}: least {min(times):.2f} s, median {statistics.median(times):.2f} s of {runs}")


if __name__ == "__main__":
    main()
