"""What a service's programs keep beside the store, and a backup must have: mailboxes, a database of their own.

A service declares it in ``components.py``::

    DATA = (sqlite_data("library.shelf", program="library.web", file="{state}/shelf.db", user="library"),)

Three commands are all there is to one: ``take`` prints it, consistent although its program runs; ``check`` reads that
and says whether it could be brought back; ``put`` reads it and brings it back. What they print and read is theirs
alone. It streams: nobody holds the whole of it in memory. The root helper runs them, from installed code.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from appliance.contract.service import Service

__all__ = ["DataKeeper", "ProgramData", "data_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramData:
    """In the commands ``{files}``, ``{run}`` and ``{state}`` are those of ``program``, which may never have run. Each
    ends with 0 when it is done, and else says why not on its error output."""

    name: str
    """``mail.mailboxes``: the service's name, a dot, its own."""
    program: str
    """Whose folders are meant."""
    take: tuple[str, ...]
    """Prints it. Nothing at all: there is nothing yet."""
    check: tuple[str, ...]
    """Reads it from the standard input and tries it aside of what serves, which it leaves alone."""
    put: tuple[str, ...]
    """Reads it from the standard input and puts it in the place of what is there, which stays when it fails before
    all of it was read and found good. Doing it twice is doing it once."""
    still: bool = False
    """The program, and what requires it, is stopped while it is put, and runs again afterwards if it did."""
    within: float = 12 * 3600.0
    """Seconds after which a command is killed."""


class DataKeeper(Protocol):
    """Who does it: the machine. Raises SupervisionFailed with what a command said, HelperRefused, HelperUnreachable."""

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        """What ``take`` prints. It is whole when the iteration has ended, and not when it was left before."""

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Let ``check`` read it. What ``chunks`` raises ends the command."""

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Let ``put`` read it. What ``chunks`` raises ends the command, and what was there stays."""


def data_of(service: Service) -> tuple[ProgramData, ...]:
    """What a service declares."""
    found: tuple[ProgramData, ...] = tuple(getattr(service.module("components"), "DATA", ()))
    return found
