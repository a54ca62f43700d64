"""The helper says that it is ready once the network holds, so that a boot starts nothing before."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.helper import serving
from appliance.helper.server import Server
from appliance.supervisor.own import OwnSupervisor


class Quiet:
    """A network that hangs until it is let go, a server that nobody asks, and a supervisor without programs."""

    def __init__(self) -> None:
        self.began, self.let_go = threading.Event(), threading.Event()

    def start(self) -> None:
        self.began.set()
        assert self.let_go.wait(60)

    def resume(self) -> tuple[()]:
        return ()

    async def serve(self, listening: socket.socket, until: asyncio.Event) -> None:
        await until.wait()


async def told(quiet: Quiet, heard: socket.socket, then: Callable[[], None]) -> list[str]:
    """What systemd hears before and after ``then``."""
    resume = partial(serving._resume, cast("OwnSupervisor", quiet), cast("Any", lambda: quiet))
    with socket.socket() as listening:
        task = asyncio.create_task(serving._until_told(cast("Server", quiet), listening, resume))
        await asyncio.to_thread(quiet.began.wait, 60)
        with pytest.raises(BlockingIOError):
            heard.recv(100)
        then()
        heard.settimeout(60)
        said = [(await asyncio.to_thread(heard.recv, 100)).decode()]
        os.kill(os.getpid(), signal.SIGTERM)
        await task
        quiet.let_go.set()
        return [*said, heard.recv(100).decode()]


@pytest.mark.parametrize("hangs", [False, True])
def test_ready_means_that_the_network_holds(hangs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = Quiet()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    # One that hangs keeps the rest down for a while only.
    monkeypatch.setattr(serving, "NETWORK_WITHIN", 1.0 if hangs else 300.0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        then = (lambda: None) if hangs else quiet.let_go.set
        assert asyncio.run(told(quiet, heard, then)) == ["READY=1", "STOPPING=1"]
