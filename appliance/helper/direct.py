"""The machine without a helper: for the demonstration and for tests, in one process and as its own user."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path

from appliance.contract.operations import Operation
from appliance.contract.program_data import ProgramData
from appliance.contract.programs import Program, Status, Supervisor
from appliance.helper import data
from appliance.helper.answers import HelperRefused
from appliance.helper.checking import check
from appliance.helper.network import Network, installed_network
from appliance.helper.operating import perform
from appliance.helper.shadow import possible, shadow
from appliance.supervisor.places import Places

__all__ = ["DirectMachine"]

journal = logging.getLogger("gerbang.machine")


class DirectMachine:
    """Implements Machine and DataKeeper over a supervisor in this process. Files are used where they are; nobody is
    another user.

    A shadow start needs namespaces. Where this user may not make them
    ``shadow`` is left out with a warning in the log; ``shadows`` tells.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        programs: Mapping[str, Program],
        places: Places,
        *,
        operations: Mapping[str, Operation] | None = None,
        kept: Mapping[str, ProgramData] | None = None,
        network: Callable[[], Network] = installed_network,
    ) -> None:
        self._operations = operations or {}
        self._data = kept or {}
        self._supervisor = supervisor
        self._programs = programs
        self._places = places
        self._network = network
        self._shadows: bool | None = None

    @property
    def shadows(self) -> bool:
        """Whether shadow starts are possible here."""
        if self._shadows is None:
            self._shadows = possible(privileged=os.geteuid() == 0)
        return self._shadows

    def start(self, program: str, files: Path) -> Status:
        """Start the program, or reload it when it runs."""
        return self._supervisor.start(self._known(program), str(files))

    def stop(self, program: str) -> Status:
        """Stop the program."""
        return self._supervisor.stop(self._known(program).name)

    def check(self, program: str, files: Path) -> str:
        """What the native validator said when it refused."""
        return check(self._known(program), files, self._places, privileged=False)

    def shadow(self, program: str, files: Path) -> str:
        """What the program said when it did not come up."""
        known = self._known(program)
        if not self.shadows:
            journal.warning("%s: the shadow start is left out, because namespaces cannot be made here", program)
            return ""
        return shadow(known, files, self._places, privileged=os.geteuid() == 0)

    def status(self) -> tuple[Status, ...]:
        """All programs that are supervised."""
        return self._supervisor.status()

    def log(self, program: str, lines: int) -> tuple[str, ...]:
        """The last lines of a program's output."""
        return self._supervisor.log(self._known(program).name, lines)

    def perform(self, operation: str, arguments: Mapping[str, str], given: str = "") -> str:
        """Do a declared operation as this user; what it printed."""
        if operation not in self._operations:
            raise HelperRefused("unknown", f"no installed service declares an operation {operation}")
        return perform(self._operations[operation], arguments, given, self._places, privileged=False)

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        """What a service keeps beside the store."""
        return data.take(self._declared(name), self._places, privileged=False)

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Whether it could be put."""
        kept = self._declared(name)
        self._places.prepare_for(self._known(kept.program), privileged=False)
        data.give(kept, kept.check, chunks, self._places, privileged=False)

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """In the place of what is there."""
        kept = self._declared(name)
        self._places.prepare_for(self._known(kept.program), privileged=False)
        with data.stilled(kept, tuple(self._programs.values()), self._supervisor, self._places):
            data.give(kept, kept.put, chunks, self._places, privileged=False)

    def _declared(self, name: str) -> ProgramData:
        if name not in self._data:
            raise HelperRefused("unknown", f"no installed service declares data {name}")
        return self._data[name]

    def install_packages(self, service: str) -> str:
        """That needs root, and so the helper."""
        raise HelperRefused("unavailable", "packages are installed by the root helper, and this daemon has none")

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None:
        """Make the network of the folder hold."""
        self._network().apply(before, after, confirm_within)

    def confirm_network(self) -> None:
        """Keep what was applied."""
        self._network().confirm()

    def roll_back_network(self) -> None:
        """Undo what was applied."""
        self._network().roll_back()

    def network_status(self) -> str:
        """How the network stands, as JSON."""
        return self._network().told()

    def _known(self, name: str) -> Program:
        if name not in self._programs:
            raise HelperRefused("unknown", f"no installed service declares a program {name}")
        return self._programs[name]
