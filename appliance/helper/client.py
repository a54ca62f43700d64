"""The daemon's side of the helper's socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from appliance.contract.programs import Status
from appliance.helper import requests
from appliance.helper.answers import Done, HelperRefused, HelperUnreachable, read_answer
from appliance.helper.streaming import LARGEST_FRAME, LENGTH
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["HelperMachine"]

LARGEST_ANSWER = 32 << 20
"""Bytes; JSON has six for one control character, and an operation may answer ``operating.MOST_PRINTED`` of them."""


class HelperMachine:
    """Implements Machine and DataKeeper. Each call is a connection of its own, so several threads do not wait
    for each other.

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

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        """What a service keeps beside the store, in frames."""
        with self._begun(_request(requests.OfData, data=name, way="take")) as (_socket, answers):
            while frame := _frame(answers, self._path):
                yield frame
            self._ended(answers)

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Whether it could be put."""
        self._give(_request(requests.OfData, data=name, way="check"), chunks)

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """In the place of what is there."""
        self._give(_request(requests.OfData, data=name, way="put"), chunks)

    def _give(self, request: requests.Request, chunks: Iterable[bytes]) -> None:
        with self._begun(request) as (one, answers):
            try:
                for chunk in chunks:
                    for start in range(0, len(chunk), LARGEST_FRAME):
                        frame = chunk[start : start + LARGEST_FRAME]
                        one.sendall(LENGTH.pack(len(frame)) + frame)
                one.sendall(LENGTH.pack(0))
            except ConnectionError:
                raise HelperUnreachable(f"{self._path}: the helper ended before it had all") from None
            self._ended(answers)

    @contextmanager
    def _begun(self, request: requests.Request) -> Iterator[tuple[socket.socket, IO[bytes]]]:
        """A connection on which frames may follow. Who leaves it early ends what it was for."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
                one.settimeout(self._patience)
                one.connect(str(self._path))
                with suppress(BrokenPipeError):
                    one.sendall(request.model_dump_json().encode() + b"\n")
                with one.makefile("rb") as answers:
                    self._ended(answers)
                    # What a command does with it takes as long as it takes.
                    one.settimeout(None)
                    yield one, answers
        except OSError as error:
            raise HelperUnreachable(f"{self._path}: the root helper cannot be reached: {error.strerror}") from None

    def _ended(self, answers: IO[bytes]) -> None:
        line = answers.readline(LARGEST_ANSWER)
        if not line.endswith(b"\n"):
            raise HelperUnreachable(f"{self._path}: the helper ended before it answered")
        self._judged(line)

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
        return self._judged(self._exchange(request.model_dump_json().encode() + b"\n", patience or self._patience))

    def _judged(self, line: bytes) -> Done:
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


def _frame(answers: IO[bytes], path: Path) -> bytes:
    length = answers.read(LENGTH.size)
    if len(length) == LENGTH.size and (wanted := LENGTH.unpack(length)[0]) <= LARGEST_FRAME:
        frame = answers.read(wanted)
        if len(frame) == wanted:
            return frame
    raise HelperUnreachable(f"{path}: the helper ended in the middle")


def _request(kind: Callable[..., requests.Request], **values: object) -> requests.Request:
    """A request of this kind. Raises HelperRefused for a name that is none: the helper would not take it either."""
    try:
        return kind(**values)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise HelperRefused("ill-formed", f"{place} is not what a request takes") from None
