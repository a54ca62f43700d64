"""What the helper does for each request.

What a compromised daemon can do through this: start, stop, reload, check
and shadow-start the programs that installed services declare, with
configurations of its choice; change addresses, routes and the filter;
install the packages that installed services declare; do the operations that
they declare, with arguments that fit; take and put what they declare as their
programs' data; read what programs say. So it can do
what the configuration language of such a program can, as the user that the
program runs as, and it can take the network down. It cannot run a command
of its own, name a path, read or write files elsewhere, start what is not
declared, become another user, or change a file between its check and its
use. Nothing that root believes, and no script that root runs, lies where the
daemon's user may write (tests/appliance/helper/test_ownership.py and
test_catalogue.py); the files of generations are copied, compared, and then
read by programs that expect configurations.

What that is not: a wall against a configuration. Masters that start as root
(Postfix, Dovecot, nginx, NSD, clamd) have languages in which one can name a
module, an executable or a user. Who writes such a configuration has, as that
master, root's name with the rights of ``privileges.DROPS_ITSELF``. Under systemd
the unit of the program is the wall: a file system that is read only, none of
the sockets behind which somebody does all that root asks, no rights to mount, to trace or
to load modules. A check and a shadow start have such walls too (``walls``). An operation
that reads such a configuration, and all that runs where systemd does not, have the
bounded rights alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.contract.program_data import ProgramData
from appliance.contract.programs import Program, Supervisor
from appliance.helper import data, requests
from appliance.helper.admission import Admission
from appliance.helper.answers import Done, HelperRefused
from appliance.helper.catalogue import Catalogue
from appliance.helper.checking import check
from appliance.helper.network import Network, installed_network
from appliance.helper.operating import perform
from appliance.helper.packages import displace, install, make_user
from appliance.helper.shadow import shadow
from appliance.supervisor.places import Places

__all__ = ["Actions"]

LARGEST_LOG = 4 << 20
"""Characters of the lines of a log that are answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Does requests, several at a time. Raises HelperRefused, and GerbangError for what failed."""

    catalogue: Catalogue
    supervisor: Supervisor
    admission: Admission
    places: Places
    privileged: bool
    network: Callable[[], Network] = installed_network
    install: Callable[[str, tuple[str, ...]], str] = install
    _network_turn: threading.Lock = field(default_factory=threading.Lock)

    def do(self, request: requests.Request) -> Done:
        """One request."""
        if isinstance(request, requests.OfFiles):
            return self._with_files(request)
        if isinstance(request, requests.Stop):
            return Done(statuses=(self.supervisor.stop(self._known(request.program).name),))
        if isinstance(request, requests.ShowStatus):
            return Done(statuses=self.supervisor.status())
        if isinstance(request, requests.Log):
            return Done(lines=_newest(self.supervisor.log(self._known(request.program).name, request.lines)))
        if isinstance(request, requests.InstallPackages):
            return self._install(request.service)
        if isinstance(request, requests.ShowNetwork):
            return Done(said=self.network().told())
        if isinstance(request, requests.Perform):
            return self._perform(request)
        if isinstance(request, requests.OfData):
            raise HelperRefused("ill-formed", "data goes by a connection of its own")
        return self._change_network(request)

    def _perform(self, request: requests.Perform) -> Done:
        operation = self.catalogue.operations.get(request.operation)
        if operation is None:
            raise HelperRefused("unknown", f"no installed service declares an operation {request.operation}")
        said = perform(operation, request.arguments, request.given, self.places, privileged=self.privileged)
        return Done(said=said)

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        """What a service keeps beside the store."""
        return data.take(self._declared(name), self.places, privileged=self.privileged)

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Whether it could be put."""
        kept = self._declared(name)
        self._with_folders(kept)
        data.give(kept, kept.check, chunks, self.places, privileged=self.privileged)

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """In the place of what is there."""
        kept = self._declared(name)
        self._with_folders(kept)
        with data.stilled(kept, tuple(self.catalogue.programs.values()), self.supervisor, self.places):
            data.give(kept, kept.put, chunks, self.places, privileged=self.privileged)

    def _declared(self, name: str) -> ProgramData:
        if name not in self.catalogue.data:
            raise HelperRefused("unknown", f"no installed service declares data {name}")
        return self.catalogue.data[name]

    def _with_folders(self, kept: ProgramData) -> None:
        """Its program may never have run here."""
        self.places.prepare_for(self._known(kept.program), privileged=self.privileged)

    def _with_files(self, request: requests.OfFiles) -> Done:
        program = self._known(request.program)
        files = self.admission.admit(
            request.generation, request.component, program.user, self._in_use(), program.reads, program.readers
        )
        match request:
            case requests.Start():
                return Done(statuses=(self.supervisor.start(program, str(files)),))
            case requests.Reload():
                return Done(statuses=(self.supervisor.reload(program, str(files)),))
            case requests.Check():
                return Done(said=check(program, files, self.places, privileged=self.privileged))
            case _:
                return Done(said=shadow(program, files, self.places, privileged=self.privileged))

    def _change_network(
        self, request: requests.ApplyNetwork | requests.ConfirmNetwork | requests.RollBackNetwork
    ) -> Done:
        network = self.network()
        if isinstance(request, requests.ApplyNetwork):
            before, after = (
                self.admission.admit(number, request.component, in_use=self._in_use()) if number else None
                for number in (request.before, request.after)
            )
            with self._network_turn:
                network.apply(before, after, request.confirm_within)
        elif isinstance(request, requests.ConfirmNetwork):
            with self._network_turn:
                network.confirm()
        else:
            with self._network_turn:
                network.roll_back()
        return Done()

    def _install(self, service: str) -> Done:
        if service not in self.catalogue.packages:
            raise HelperRefused("unknown", f"no installed service {service} declares packages")
        said = self.install(service, self.catalogue.packages[service])
        for user in self.catalogue.users.get(service, ()):
            make_user(service, user)
        displace(service, self.catalogue.displaced.get(service, ()))
        return Done(said=said)

    def _known(self, name: str) -> Program:
        if name not in self.catalogue.programs:
            raise HelperRefused("unknown", f"no installed service declares a program {name}")
        return self.catalogue.programs[name]

    def _in_use(self) -> frozenset[Path]:
        linked = (self.places.linked_files(name) for name in self.catalogue.programs)
        return frozenset(Path(files) for files in linked if files)


def _newest(lines: tuple[str, ...]) -> tuple[str, ...]:
    """As many as an answer has room for: who looks at a log wants its end."""
    room = LARGEST_LOG
    for number, line in enumerate(reversed(lines)):
        room -= len(line)
        if room < 0:
            return lines[len(lines) - number :]
    return lines
