"""What goes wrong between a client and the daemon.

::

    ClientError         exit code 1
    ├── Unreachable     nobody answers, or what answers is no daemon
    └── Refusal         the daemon says no: a code, a template with its values, the field at fault
        └── LoginNeeded there is no token, or it has ended
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compiler.errors import GerbangError

__all__ = ["ClientError", "LoginNeeded", "Refusal", "Unreachable"]


class ClientError(GerbangError):
    """The daemon did not do it."""

    exit_code = 1


class Unreachable(ClientError):
    """The daemon cannot be reached, or the connection broke."""


class Refusal(ClientError):
    """The daemon refused. ``template`` is English with ``{names}``, for the reader's language."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(error.get("code", ""))
        self.template = str(error.get("template", ""))
        self.values: Mapping[str, Any] = error.get("values") or {}
        self.field = str(error.get("field") or "")
        self.problems: Sequence[Mapping[str, Any]] = error.get("problems") or ()
        self.message = str(error.get("message") or self.code or status)
        super().__init__(self.message)
        if self.code == "invalid-arguments":
            self.exit_code = 2

    def render(self) -> str:
        """The sentence, and each argument that is wrong on a line of its own."""
        if self.problems:
            return "\n".join([self.message, *(f"  {_problem(one)}" for one in self.problems)])
        return f"{self.field}: {self.message}" if self.field else self.message


class LoginNeeded(Refusal):
    """Log in, or log in again."""


def _problem(problem: Mapping[str, Any]) -> str:
    bounds = problem.get("bounds") or {}
    if "template" in bounds:
        try:
            said = str(bounds["template"]).format_map(bounds.get("values") or {})
        except (KeyError, ValueError, IndexError):
            said = str(bounds["template"])
    else:
        said = str(problem.get("kind", "")).replace("_", " ")
        if bounds:
            said += f" ({', '.join(f'{name} {value}' for name, value in bounds.items())})"
    return f"{problem.get('field') or 'arguments'}: {said}"
