"""What is used of pyroute2 (which has no types): links, addresses, routes, rules, neighbours, queues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

__all__ = ["Message", "Routing", "forget_connections", "open_routing", "refusal"]


class Message(Protocol):
    """A message of rtnetlink(7): fields by index, attributes by name."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        """A field of the header."""
        ...

    def get(self, name: str) -> Any:  # noqa: ANN401
        """A field or an attribute, or None."""
        ...

    def get_attr(self, name: str) -> Any:  # noqa: ANN401
        """An attribute, or None."""
        ...


class Routing(Protocol):
    """pyroute2's IPRoute: for the thread that made it."""

    def link(self, command: str, **arguments: object) -> tuple[Message, ...]:
        """Add, set or get interfaces."""
        ...

    def addr(self, command: str, **arguments: object) -> object:
        """Add addresses."""
        ...

    def route(self, command: str, **arguments: object) -> object:
        """Add routes."""
        ...

    def rule(self, command: str, **arguments: object) -> object:
        """Add routing rules."""
        ...

    def neigh(self, command: str, **arguments: object) -> object:
        """Add neighbours."""
        ...

    def tc(self, command: str, *kind_and_index: object, **arguments: object) -> object:
        """Add, change or remove queues and filters."""
        ...

    def get_links(self) -> Iterable[Message]:
        """All interfaces."""
        ...

    def get_neighbours(self, **arguments: object) -> Iterable[Message]:
        """The neighbours."""
        ...

    def get_qdiscs(self, index: int | None = None) -> Iterable[Message]:
        """The queues."""
        ...

    def close(self) -> None:
        """Close the socket."""
        ...


def open_routing() -> Routing:
    """A routing socket in this thread's namespace."""
    from pyroute2 import IPRoute  # type: ignore[import-untyped]

    made: Routing = IPRoute()
    return made


def forget_connections() -> None:
    """Empty the table of connections of this thread's namespace."""
    from pyroute2 import NFCTSocket

    with NFCTSocket() as table:
        table.flush()


def refusal(error: Exception) -> str:
    """What the kernel said, for an exception that is pyroute2's NetlinkError; empty for others."""
    from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

    return str(error.args[-1]) if isinstance(error, NetlinkError) else ""
