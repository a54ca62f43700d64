"""What the helper answers: one JSON object a line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from appliance.contract.programs import Status
from compiler.errors import GerbangError

__all__ = ["Answer", "Code", "Done", "Failed", "HelperRefused", "HelperUnreachable", "read_answer", "write_answer"]

_CONFIG = ConfigDict(extra="forbid")
Code = Literal[
    "failed", "ill-formed", "too-large", "too-slow", "busy", "not-allowed", "unknown", "tampered", "unavailable"
]
"""``failed``: the machine did not; the others: the request was not even tried. ``unavailable``: not on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Done:
    """It is done. Only what the action answers is filled."""

    outcome: Literal["done"] = "done"
    statuses: tuple[Status, ...] = ()
    lines: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Failed:
    """It is not done."""

    outcome: Literal["failed"] = "failed"
    code: Code
    message: str
    subject: str = ""
    """The program that failed."""
    said: str = ""


Answer = Annotated[Done | Failed, Field(discriminator="outcome")]
_ANSWERS: TypeAdapter[Done | Failed] = TypeAdapter(Answer)


class HelperRefused(GerbangError):
    """The helper does not do what was asked; ``code`` says which kind of refusal it is."""

    exit_code = 1

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"the root helper refuses: {message}")
        self.code = code
        self.message = message


class HelperUnreachable(GerbangError):
    """The helper does not run, or does not answer in time."""

    exit_code = 1


def read_answer(line: bytes) -> Done | Failed:
    """One line as an answer. Raises pydantic's ValidationError."""
    return _ANSWERS.validate_json(line)


def write_answer(answer: Done | Failed) -> bytes:
    """An answer as one line."""
    return _ANSWERS.dump_json(answer) + b"\n"
