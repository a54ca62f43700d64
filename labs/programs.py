"""Real processes of a lab, described: programs that nodes run, and commands that clients are told to run.

They exist in the kernel realisation alone. Times are nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from compiler.source import NOWHERE, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labs.topology import Lab

__all__ = ["Command", "Program", "Ready", "ReadyKind", "not_in_the_simulator", "program_feature"]

SECOND = 1_000_000_000


class ReadyKind(Enum):
    """By what a program shows that it is ready, and the key of the lab file."""

    PORT = "port"
    """A TCP port of its node takes a connection."""
    SOCKET = "socket"
    """A UNIX socket takes a connection."""
    FILE = "file"
    """A file is there."""
    LINE = "says"
    """A line of its output contains a text."""
    EXIT = "exits"
    """It has ended, with this code: a set-up, not a daemon."""


class Ready(NamedTuple):
    """What is waited for, and ``within`` how long."""

    kind: ReadyKind
    value: str
    within: int = 20 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to be: no shell is asked. ``folder`` is where it begins, ``needs`` are programs and
    users (``user:postfix``) that the machine must have.
    """

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    folder: Path = Path()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command that a node runs from before the lab begins until it is over.

    ``stop`` is how long it may take to end after SIGTERM; then comes SIGKILL.
    """

    name: str
    command: Command
    ready: Ready | None = None
    stop: int = 5 * SECOND
    span: Span = NOWHERE

    @property
    def may_end(self) -> bool:
        """Whether it is a set-up, which ends by itself."""
        return self.ready is not None and self.ready.kind is ReadyKind.EXIT


def program_feature(node: str, program: str) -> str:
    """How a world says that it has not got a program: see ``Observation.lacks``."""
    return f"program {program} of {node}"


def not_in_the_simulator(lab: Lab) -> Iterator[tuple[str, str]]:
    """What of the lab are real processes, each with why the simulator has not got it."""
    for node in lab.nodes:
        for program in node.programs:
            yield program_feature(node.name, program.name), "a program is a real process, and the simulator runs none"
    for traffic in lab.traffic:
        if traffic.command is not None:
            yield f"traffic {traffic.name}", "a command is a real process, not judged in the simulator"
