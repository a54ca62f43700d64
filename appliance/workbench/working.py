"""The other end of a lane: ``python -m appliance.workbench.working DESCRIPTOR`` does one task after another."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["work"]

_NICE = 5
"""Behind the process that draws the screen."""


def work(connection: Connection[Any, Any]) -> None:
    """Tasks as they come, until the other end goes."""
    while True:
        try:
            task, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = "done", task(*arguments, lambda value: connection.send(("told", value)))
        except BrokenPipeError:
            return
        except Exception as error:  # said on the screen, and the lane lives on
            answer = "broken", f"{type(error).__name__}: {error}"
        connection.send(answer)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is a key of the screen
    os.nice(_NICE)
    work(Connection(int(sys.argv[1])))
