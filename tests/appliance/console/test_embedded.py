"""The demonstration's daemon goes with its console, however that ends, and so does its folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

CONSOLE = """
import threading
from appliance.console.embedded import Embedded
with Embedded() as one:
    print(one._process.pid, one._folder, flush=True)
    threading.Event().wait(60)
"""


def _gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except OSError:
        return True
    return state.rpartition(")")[2].split()[0] == "Z"


def _until(holds: Callable[[], bool], patience: float = 20.0) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return bool(holds())


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_daemon_and_folder_are_gone(number: signal.Signals) -> None:
    console = subprocess.Popen([sys.executable, "-c", CONSOLE], stdout=subprocess.PIPE, text=True)
    assert console.stdout is not None
    with console.stdout as said:
        daemon, folder = said.readline().split()
    try:
        assert _until((Path(folder) / "api.sock").exists), "the daemon has not come up"
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        console.send_signal(number)
        code_of_exit = console.wait(20)
        assert code_of_exit == (-number if number == signal.SIGKILL else 128 + number)
        assert _until(lambda: _gone(int(daemon)))
        assert _until(lambda: not Path(folder).exists()), "the folder stays"
    finally:
        console.kill()
        if not _gone(int(daemon)):
            os.kill(int(daemon), signal.SIGKILL)
