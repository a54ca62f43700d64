"""What a deploy is, whatever the device: a plan that is shown, a change that undoes itself, and a word that keeps it.

A deployment is *armed* before the first change: the device itself puts back
what it had when nobody confirms in time, whether or not we ever come back. So a
device is, after recovery, as it was or as planned, and nothing between.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from compiler.errors import GerbangError

__all__ = ["Action", "Change", "DeployError", "Deployment", "Standing", "refusal"]


class Action(Enum):
    """What happens to one row, rule, route or file of the device."""

    ADD = "add"
    CHANGE = "change"
    MOVE = "move"
    REMOVE = "remove"


class Change(NamedTuple):
    """One line of a plan. ``where`` is the device's own name of the place: ``/ip route``, ``table 20001``."""

    action: Action
    where: str
    what: str
    before: str = ""
    """What stands there now, for CHANGE and MOVE."""

    def __str__(self) -> str:
        sign = {"add": "+", "change": "~", "move": ">", "remove": "-"}[self.action.value]
        was = f"  (was: {self.before})" if self.before else ""
        return f"{sign} {self.where}: {self.what}{was}"


class Standing(NamedTuple):
    """A deployment that waits for its confirmation. ``remaining`` is in seconds."""

    identity: str
    remaining: int


class DeployError(GerbangError):
    """A deploy that could not be done; the message says how the device was left, and what to do."""

    exit_code = 1


def refusal(obstacles: Sequence[str]) -> str:
    """What is said of things of others that would break a deployment."""
    lines = "\n".join(f"  {one}" for one in obstacles)
    return (
        "what is not of the balance would break it; nothing was changed:\n"
        f"{lines}\nMend it, or give --despite-foreign to go on as it is."
    )


class Deployment(Protocol):
    """One wanted configuration and one device. Every method may raise DeployError; wrong use raises UsageError."""

    warnings: tuple[str, ...]
    """What a user should know of the newest plan."""
    obstacles: tuple[str, ...]
    """What of others would break it, with the commands against them: :meth:`apply` refuses."""

    def plan(self) -> tuple[Change, ...]:
        """What would change, in the order of doing. Reads only. Nothing that is not ours is in it."""

    def apply(self, confirm_within: int) -> Standing | None:
        """Arm the return, carry out the plan, verify by reading back; None when there was nothing to change.

        The change lasts only if :meth:`confirm` comes within that many seconds.
        A failure undoes all before DeployError is raised, or leaves that to the
        device when it cannot be reached any more.
        """

    def standing(self) -> Standing | None:
        """The deployment on the device that waits, if one does."""

    def confirm(self) -> None:
        """Keep what was applied: verify once more over a new connection, then disarm."""

    def roll_back(self) -> None:
        """Put back what was there, now."""
