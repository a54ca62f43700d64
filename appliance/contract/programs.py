"""A program: a daemon that a service may run, declared in its code.

The unprivileged daemon only names a program; the root helper and the supervisor
look its command up here, in installed code that root owns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

__all__ = ["FILES", "RUN", "STATE", "Program", "Ready", "State", "Status", "Supervisor"]


RUN = Path("/run/gerbang-programs")
STATE = Path("/var/lib/gerbang-programs")
FILES = STATE / ".files"
"""Where an installed appliance makes ``{run}``, ``{state}`` and ``{files}``: ``RUN / program`` and so on. For paths in
rendered configurations, in which nothing is expanded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """How to know that a program serves. The first that is given counts; without any it still runs after ``settle``."""

    tcp: tuple[str, int] | None = None
    unix: str = ""
    """A socket's path, as ``{run}/x.sock``."""
    line: str = ""
    """A line of its output that holds this text."""
    notify: bool = False
    """It speaks sd_notify."""
    settle: float = 0.5
    """Seconds."""
    within: float = 30.0
    """Seconds after which it has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A daemon. In ``command``, ``check``, ``reload`` and paths: ``{files}`` is its component's folder of the current
    generation, ``{run}`` and ``{state}`` its own folders, made for it.

    A component whose files it ``reads`` lies beside its own: a configuration names ``../mail.certificate/key.pem``
    by its own folder, and ``command`` as ``{files}/../mail.certificate/key.pem``. That is the same generation in
    ``check``, ``shadow`` and ``start``, and the new one after a reload. ``{files}`` is a symbolic link, so ``..`` is
    for the kernel to follow: a program that shortens paths by their text finds nothing there. The component of such
    a program follows those that it reads."""

    name: str
    """``mail.postfix``: the service's name, a dot, its own."""
    command: tuple[str, ...]
    """In the foreground, no shell."""
    user: str = ""
    """Empty: it starts as root and drops its rights itself."""
    requires: tuple[str, ...] = ()
    """Programs that are ready before it starts."""
    reads: tuple[str, ...] = ()
    """Names of components whose files it reads beside its own, such as a certificate; those that are there."""
    ready: Ready = field(default_factory=Ready)
    reload: tuple[str, ...] | Literal["HUP", "USR1", "restart"] = "restart"
    """What makes it read a new configuration: a command, a signal, or a restart."""
    check: tuple[str, ...] = ()
    """The native validator of its configuration."""
    stop_within: float = 10.0
    """Seconds from SIGTERM to SIGKILL of the whole group."""
    restarts: int = 5
    """How many times in ``restart_window`` seconds it is started again before it counts as failed."""
    restart_window: float = 60.0
    capabilities: tuple[str, ...] = ()
    """What it keeps of root's rights: ``CAP_NET_BIND_SERVICE``."""
    writable: tuple[str, ...] = ()
    """Folders it writes beside its own, for the hardened unit."""
    readers: str = ""
    """A group that reads those of its files that are not for all (0640): of a program that starts as root and whose
    children, who drop their rights, read its tables. Files for the owner alone (0600) stay root's."""
    passable: bool = False
    """Others pass through ``{state}``: children that dropped their rights work in folders below it."""


class State(StrEnum):
    """What a supervised program does."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    WAITING = "waiting"
    """Between an unexpected end and the next start."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One program as the supervisor sees it."""

    program: str
    state: State
    process: int = 0
    since: float = 0.0
    """Unix time of the last change of state."""
    restarts: int = 0
    said: str = ""
    """Its last words when it failed."""


class Supervisor(Protocol):
    """Starts and watches programs. Each call returns when the wish is fulfilled, or raises SupervisionFailed."""

    def start(self, program: Program, files: str) -> Status:
        """Start it with the configuration in this folder, after what it requires; when it runs already: reload it."""

    def stop(self, program: str) -> Status:
        """Stop it and what requires it; the whole process group is gone afterwards."""

    def reload(self, program: Program, files: str) -> Status:
        """Make it read the configuration in this folder."""

    def status(self) -> tuple[Status, ...]:
        """All that it knows."""

    def log(self, program: str, lines: int) -> tuple[str, ...]:
        """The last lines of the program's output."""
