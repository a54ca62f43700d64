"""The daemon's side of the helper's socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from appliance.contract.programs import Status
from appliance.helper import requests
from appliance.helper.answers import Done, HelperRefused, HelperUnreachable, read_answer
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["HelperMachine"]

LARGEST_ANSWER = 16 << 20
"""Bytes."""


class HelperMachine:
    """Implements Machine. Each call is a connection of its own, so calls from several threads do not wait for each
    other.

    Raises HelperUnreachable when the helper does not run or answer,
    HelperRefused when it does not do it, SupervisionFailed when it could not.
    ``generations`` is the folder in which generations lie under their numbers.
    """

    def __init__(self, path: Path, generations: Path, *, patience: float = 120.0, longest: float = 1_900.0) -> None:
        self._path = path
        self._generations = generations
        self._patience = patience
        self._longest = longest

    def start(self, program: str, files: Path) -> Status:
        """Start the program, or reload it when it runs."""
        generation, component = self._named(files)
        return self._ask(
            _request(requests.Start, program=program, generation=generation, component=component)
        ).statuses[0]

    def reload(self, program: str, files: Path) -> Status:
        """Make a program that runs read the files."""
        generation, component = self._named(files)
        return self._ask(
            _request(requests.Reload, program=program, generation=generation, component=component)
        ).statuses[0]

    def stop(self, program: str) -> Status:
        """Stop the program."""
        return self._ask(_request(requests.Stop, program=program)).statuses[0]

    def check(self, program: str, files: Path) -> str:
        """What the native validator said when it refused."""
        generation, component = self._named(files)
        return self._ask(_request(requests.Check, program=program, generation=generation, component=component)).said

    def shadow(self, program: str, files: Path) -> str:
        """What the program said when it did not come up."""
        generation, component = self._named(files)
        return self._ask(_request(requests.Shadow, program=program, generation=generation, component=component)).said

    def status(self) -> tuple[Status, ...]:
        """All programs that are supervised."""
        return self._ask(_request(requests.ShowStatus)).statuses

    def log(self, program: str, lines: int) -> tuple[str, ...]:
        """The last lines of a program's output."""
        return self._ask(_request(requests.Log, program=program, lines=lines)).lines

    def perform(self, operation: str, arguments: Mapping[str, str], given: str = "") -> str:
        """Do a declared operation; what it printed."""
        asked = _request(requests.Perform, operation=operation, arguments=dict(arguments), given=given)
        return self._ask(asked, self._longest).said

    def install_packages(self, service: str) -> str:
        """Install what the service declares; what apt said. Takes minutes."""
        return self._ask(_request(requests.InstallPackages, service=service), self._longest).said

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None:
        """Make the network of the folder hold."""
        named = [self._named(files) if files else None for files in (before, after)]
        components = {one[1] for one in named if one}
        if len(components) != 1:
            raise HelperRefused("ill-formed", "the network before and after are of two components, or of none")
        self._ask(
            _request(
                requests.ApplyNetwork,
                component=components.pop(),
                before=named[0][0] if named[0] else None,
                after=named[1][0] if named[1] else None,
                confirm_within=confirm_within,
            )
        )

    def confirm_network(self) -> None:
        """Keep what was applied."""
        self._ask(_request(requests.ConfirmNetwork))

    def roll_back_network(self) -> None:
        """Undo what was applied."""
        self._ask(_request(requests.RollBackNetwork))

    def network_status(self) -> str:
        """How the network stands, as JSON."""
        return self._ask(_request(requests.ShowNetwork)).said

    def _named(self, files: Path) -> tuple[int, str]:
        """The generation and component of a folder: the helper is told names, never paths."""
        try:
            parts = files.resolve().relative_to(self._generations.resolve()).parts
            number, component = parts
            return int(number), component
        except ValueError:
            raise HelperRefused("ill-formed", f"{files} is no component's folder of a generation") from None

    def _ask(self, request: requests.Request, patience: float | None = None) -> Done:
        line = self._exchange(request.model_dump_json().encode() + b"\n", patience or self._patience)
        try:
            answer = read_answer(line)
        except ValidationError:
            raise HelperUnreachable(f"{self._path}: the helper's answer cannot be read") from None
        if isinstance(answer, Done):
            return answer
        if answer.code == "failed":
            raise SupervisionFailed(answer.subject or "helper", answer.message, answer.said)
        raise HelperRefused(answer.code, answer.message)

    def _exchange(self, line: bytes, patience: float) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
                one.settimeout(patience)
                one.connect(str(self._path))
                # A helper that sends us away may have closed already; why, it has said.
                with suppress(BrokenPipeError):
                    one.sendall(line)
                with one.makefile("rb") as answers:
                    answer = answers.readline(LARGEST_ANSWER)
        except TimeoutError:
            raise HelperUnreachable(f"{self._path}: the helper does not answer within {patience:g} s") from None
        except OSError as error:
            raise HelperUnreachable(f"{self._path}: the root helper cannot be reached: {error.strerror}") from None
        if not answer.endswith(b"\n"):
            raise HelperUnreachable(f"{self._path}: the helper ended before it answered")
        return answer


def _request(kind: Callable[..., requests.Request], **values: object) -> requests.Request:
    """A request of this kind. Raises HelperRefused for a name that is none: the helper would not take it either."""
    try:
        return kind(**values)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise HelperRefused("ill-formed", f"{place} is not what a request takes") from None
