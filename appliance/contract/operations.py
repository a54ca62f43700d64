"""An operation: something short that a service does to the machine with root's or a program's rights.

Holding a message in a queue, reading a log that only root reads, restoring a
mailbox. The unprivileged daemon names an operation and gives arguments; the
root helper looks the command up in installed code that root owns, and takes
only arguments that match the whole of their pattern. There is no shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LONGEST_INPUT", "Operation", "unfit"]

LONGEST_INPUT = 32 * 1024
"""Bytes that an operation may be given on its standard input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """In ``command``, ``{files}``, ``{run}`` and ``{state}`` are those of ``program``, as it runs now, and ``{name}``
    is the argument of that name, anywhere in a word. What it prints is its answer; any exit code but 0 is a failure."""

    name: str
    """``mail.queue-hold``: the service's name, a dot, its own."""
    program: str
    """Whose folders are meant; it need not run."""
    command: tuple[str, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Patterns, of ASCII letters and digits only where it says so; each must match the whole argument. None that could
    begin with a minus, or hold ``/../``."""
    user: str = ""
    """Who does it; empty: root."""
    within: float = 60.0
    """Seconds after which it is killed."""
    takes_input: bool = False
    """It reads its standard input."""


def unfit(operation: Operation, arguments: Mapping[str, str], given: str = "") -> str:
    """Why it is not done with these arguments, or an empty text."""
    if unknown := sorted(arguments.keys() - operation.arguments.keys()):
        return f"{operation.name} takes no argument {unknown[0]}"
    for name, pattern in operation.arguments.items():
        if name not in arguments:
            return f"{operation.name} wants the argument {name}"
        if not re.fullmatch(pattern, arguments[name], re.ASCII):
            return f"{operation.name} does not take {name} as it is given"
    if given and not operation.takes_input:
        return f"{operation.name} takes no input"
    if len(given.encode()) > LONGEST_INPUT:
        return f"the input of {operation.name} is longer than {LONGEST_INPUT} bytes"
    return ""
