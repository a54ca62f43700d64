"""A command: a typed function with roles. The console, ``gerbang call`` and the tests use the same ones.

::

    @change("receptionist", "administrator")
    def book(context: Context, booking: NewBooking) -> Booked:
        \"\"\"Book a room.\"\"\"

The second parameter, if there is one, is a record: it is the body of the
request, the options of ``gerbang call`` and the fields of the form. The name is
the function's, with hyphens: ``hotel.check-in``; or one that is given: ``bookings.get``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_type_hints

__all__ = ["Command", "Effect", "change", "query", "work"]


class Effect(StrEnum):
    """What a command does to the store."""

    QUERY = "query"
    """Reads. Runs beside others, on one snapshot; not in the audit log."""
    CHANGE = "change"
    """Writes. Runs alone, in one transaction with its line of the audit log."""
    WORK = "work"
    """Takes long: runs beside others, tells its progress, can be cancelled, and opens its own transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A function that clients can call, and who may."""

    name: str
    function: Callable[..., Any]
    effect: Effect
    roles: frozenset[str]
    arguments: type | None
    """The record that it takes, or None."""
    returns: Any
    """The annotation of its result, for pydantic's TypeAdapter; None for no result."""
    summary: str
    """The first line of its docstring: English, a key of the translations."""
    before: Callable[[Any], Any] | None = None
    """Of a change: what takes long and needs no store, such as the hash of a password. Called with the arguments before
    the change has its turn; ``context.prepared`` is what it answers."""


Decorator = Callable[[Callable[..., Any]], Command]


def query(*roles: str, name: str = "") -> Decorator:
    """Make a function a command that reads."""
    return _made(Effect.QUERY, roles, name)


def change(*roles: str, name: str = "", before: Callable[[Any], Any] | None = None) -> Decorator:
    """Make a function a command that writes. ``before`` is as in Command."""
    return _made(Effect.CHANGE, roles, name, before)


def work(*roles: str, name: str = "") -> Decorator:
    """Make a function a command that takes long."""
    return _made(Effect.WORK, roles, name)


def _made(effect: Effect, roles: tuple[str, ...], name: str, before: Callable[[Any], Any] | None = None) -> Decorator:
    if not roles:
        raise TypeError("a command names the roles that may use it")

    def decorate(function: Callable[..., Any]) -> Command:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        # The hint of the context is of the type checker only, and is not looked up here.
        hints = get_type_hints(function, localns={"Context": object}, include_extras=True)
        if not 1 <= len(names) <= 2:
            raise TypeError(f"{function.__name__} takes a context and at most one record")
        return Command(
            name=name or function.__name__.replace("_", "-"),
            function=function,
            effect=effect,
            roles=frozenset(roles),
            arguments=hints[names[1]] if len(names) == 2 else None,
            returns=hints["return"],
            summary=(function.__doc__ or "").strip().split("\n")[0],
            before=before,
        )

    return decorate
