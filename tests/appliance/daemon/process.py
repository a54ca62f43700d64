"""A daemon in a process of its own, with people in its store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.daemon.parts import Parts
from appliance.services.system import service as system
from appliance.services.system.commands import make
from appliance.services.system.model import PersonRecord
from appliance.store.engine import Store
from appliance.store.migrate import upgrade
from appliance.store.seal import HeadFile, key_of
from tests.appliance.daemon.house import ROOT, ZONE, kept_password
from tests.appliance.daemon.ledger import service as ledger

ROLES = {"admin": ADMINISTRATOR, "maya": "ledger.manager", "ani": "ledger.clerk"}


class Process:
    """``start`` waits until it is ready. The people of ROLES can log in, and ``tokens`` has a session of each."""

    def __init__(self, folder: Path, store: str = "") -> None:
        self.state = folder / "state"
        self.socket = folder / "run" / "api.sock"
        self.store = store
        self.tokens: dict[str, str] = {}
        self._running: subprocess.Popen[str] | None = None
        self.state.mkdir(mode=0o750)
        self._furnish()

    @property
    def url(self) -> str:
        """The store's URL."""
        return self.store or f"sqlite:///{self.state / 'gerbang.sqlite'}"

    def _furnish(self) -> None:
        opened = Store(self.url)
        upgrade(opened, [system, ledger], None)
        secret = key_of(self.state)
        head = HeadFile(self.state, secret)
        parts = Parts(opened, [system, ledger], zone=ZONE, secret=secret, state_folder=self.state, note=head.note)
        for name, role in ROLES.items():
            person = PersonRecord(name=name, full_name=name.title(), roles=(role,))
            with parts.runner.changing(ROOT, "system", "people.add", {"name": name}) as context:
                make(context, person, kept_password(), must_change=False)
            with parts.runner.changing(Person(name), "system", "login", {}) as context:
                self.tokens[name] = parts.sessions.open(context, name, "test")[0]
        parts.threads.close()
        parts.works.close()
        head.close()
        opened.close()

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        command = [sys.executable, "-m", "tests.appliance.daemon.run_ledger", str(self.state), str(self.socket)]
        self._running = subprocess.Popen(
            [*command, *([self.store] if self.store else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert self._running.stdout is not None
        said = []
        for line in self._running.stdout:
            said.append(line)
            if line.startswith("ready "):
                return
        raise AssertionError("the daemon did not start:\n" + "".join(said))

    @property
    def running(self) -> Any:
        """The process."""
        assert self._running is not None
        return self._running

    def kill(self) -> None:
        """SIGKILL."""
        self.running.kill()
        self.running.wait()
        self.running.stdout.close()

    def stop(self) -> str:
        """SIGTERM; answers what it said since it was ready."""
        self.running.terminate()
        said = str(self.running.stdout.read())
        self.running.wait()
        self.running.stdout.close()
        return said

    def client(self, name: str = "") -> Client:
        """A client with this person's token."""
        return Client(Address(self.socket), self.tokens.get(name, ""))
