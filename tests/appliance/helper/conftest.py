"""Generations as the commit writes them, and a helper that answers in this process or in one of its own."""

import asyncio
import os
import pwd
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.contract.program_data import DataKeeper
from appliance.helper.answers import Done
from appliance.helper.requests import Request
from appliance.helper.server import Bounds, Server, listening_socket
from tests.appliance.helper.small import Answering, Generations


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    """The daemon's folder."""
    return Generations(tmp_path / "daemon")


@pytest.fixture
def answering(tmp_path: Path) -> Answering:
    """A server in a thread that does what the function says."""

    @contextmanager
    def serve(
        do: Callable[[Request], Done],
        bounds: Bounds | None = None,
        *,
        allowed: frozenset[int] | None = None,
        below: Path = tmp_path,
        keeper: DataKeeper | None = None,
    ) -> Iterator[Path]:
        path = below / "run" / "helper.sock"
        loop = asyncio.new_event_loop()
        until = asyncio.Event()
        server = Server(do, frozenset({os.geteuid()}) if allowed is None else allowed, bounds, keeper=keeper)
        with listening_socket(path, "") as listening:
            thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(listening, until)))
            thread.start()
            try:
                yield path
            finally:
                loop.call_soon_threadsafe(until.set)
                thread.join()
                loop.close()

    return serve


@pytest.fixture
def me() -> str:
    """The name of the user that runs the tests."""
    return pwd.getpwuid(os.geteuid()).pw_name
