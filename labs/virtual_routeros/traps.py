"""How a router says no. Source: MikroTik documentation, "API" (``!trap``, ``!fatal``, categories)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Category", "Fatal", "Trap", "no_such_menu"]


class Category(IntEnum):
    """What kind of error a ``!trap`` is."""

    MISSING = 0
    """No such item or command."""
    ARGUMENT = 1
    INTERRUPTED = 2
    SCRIPT = 3
    GENERAL = 4
    API = 5


class Trap(Exception):
    """A command fails; ``str`` is the router's message.

    Without ``category`` the reply has none. ``second`` is the message of
    another ``!trap`` behind it, which the router sends for a wrong path.
    """

    def __init__(self, message: str, category: Category | None = None, second: str = "") -> None:
        super().__init__(message)
        self.category = category
        self.second = second


class Fatal(Exception):
    """The router says a last word and closes the connection."""


def no_such_menu(word: str) -> Trap:
    """What a path gets whose last known menu has no ``word``."""
    return Trap(f"no such command or directory ({word})", Category.MISSING, "no such command prefix")
