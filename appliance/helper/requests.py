"""What may be asked of the helper: this list and nothing else.

One JSON object a line, strictly typed; what is unknown or too much is
refused by name. Nothing here holds a path or a command: a request *names*
a program, a component, a service or a generation, and the helper looks up
what that is in installed code that root owns.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from appliance.contract.operations import LONGEST_INPUT
from appliance.helper.names import COMPONENT_NAME
from appliance.supervisor.places import PROGRAM_NAME

__all__ = [
    "LARGEST_REQUEST",
    "ApplyNetwork",
    "Check",
    "ConfirmNetwork",
    "InstallPackages",
    "Log",
    "OfData",
    "OfFiles",
    "Perform",
    "Reload",
    "Request",
    "RollBackNetwork",
    "Shadow",
    "ShowNetwork",
    "ShowStatus",
    "Start",
    "Stop",
    "read_request",
]

LARGEST_REQUEST = 256 * 1024
"""Bytes of one line."""

Name = Annotated[str, StringConstraints(max_length=64, pattern=rf"^{PROGRAM_NAME.pattern}\z")]
ComponentName = Annotated[str, StringConstraints(max_length=100, pattern=rf"^{COMPONENT_NAME.pattern}\z")]
Generation = Annotated[int, Field(ge=1, le=999_999_999)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class OfFiles(_Action):
    """An action on a program with the files of one component of one generation."""

    program: Name
    generation: Generation
    component: ComponentName


class Start(OfFiles):
    """Start a program, or reload it when it runs."""

    action: Literal["start"] = "start"


class Reload(OfFiles):
    """Make a program that runs read its files."""

    action: Literal["reload"] = "reload"


class Check(OfFiles):
    """Run a program's native validator."""

    action: Literal["check"] = "check"


class Shadow(OfFiles):
    """Start a program in namespaces of its own, and stop it."""

    action: Literal["shadow"] = "shadow"


class Stop(_Action):
    """Stop a program."""

    action: Literal["stop"] = "stop"
    program: Name


class ShowStatus(_Action):
    """All programs that are supervised."""

    action: Literal["status"] = "status"


class Log(_Action):
    """The last lines of a program's output."""

    action: Literal["log"] = "log"
    program: Name
    lines: Annotated[int, Field(ge=1, le=1_000)]


class ApplyNetwork(_Action):
    """Make a component's network hold in place of an earlier one."""

    action: Literal["apply-network"] = "apply-network"
    component: ComponentName
    before: Generation | None
    after: Generation | None
    confirm_within: Annotated[int, Field(ge=0, le=86_400)]
    """Seconds."""


class ConfirmNetwork(_Action):
    """Keep what was applied."""

    action: Literal["confirm-network"] = "confirm-network"


class ShowNetwork(_Action):
    """How the network stands, as the network service tells it."""

    action: Literal["show-network"] = "show-network"


class RollBackNetwork(_Action):
    """Undo what was applied."""

    action: Literal["roll-back-network"] = "roll-back-network"


class Perform(_Action):
    """Do an operation that a service declares."""

    action: Literal["perform"] = "perform"
    operation: Name
    arguments: Annotated[dict[str, Annotated[str, StringConstraints(max_length=1_000)]], Field(max_length=16)]
    given: Annotated[str, StringConstraints(max_length=LONGEST_INPUT)] = ""
    """What it reads on its standard input."""


class OfData(_Action):
    """Take, check or put the program data that a service declares. Frames follow (``appliance.helper.streaming``)."""

    action: Literal["data"] = "data"
    data: Name
    way: Literal["take", "check", "put"]


class InstallPackages(_Action):
    """Install the Debian packages that a service declares."""

    action: Literal["install-packages"] = "install-packages"
    service: Name


Request = Annotated[
    Start
    | Stop
    | Reload
    | Check
    | Shadow
    | ShowStatus
    | Log
    | ApplyNetwork
    | ConfirmNetwork
    | RollBackNetwork
    | ShowNetwork
    | Perform
    | OfData
    | InstallPackages,
    Field(discriminator="action"),
]

_READER: TypeAdapter[Request] = TypeAdapter(Request)


def read_request(line: bytes) -> Request:
    """One line as a request. Raises pydantic's ValidationError."""
    return _READER.validate_json(line)
