"""Nodes and their ports."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from compiler.simulator.frame import GROUP, Frame

if TYPE_CHECKING:
    from compiler.simulator.link import Direction

__all__ = ["Node", "Port", "link_address"]

_LOCAL = 1 << 41
"""The bit of an Ethernet address that says "locally administered" (IEEE 802, 8.2)."""


def link_address(node: str, port: str) -> int:
    """The Ethernet address of a port: the same in every run, locally administered, never a group's."""
    digest = blake2b(f"{node}\0{port}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) & ~GROUP | _LOCAL


class Node(Protocol):
    """Whatever has ports."""

    name: str

    def receive(self, port: Port, frame: Frame) -> None:
        """A frame has arrived; it is the node's now."""
        ...

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """The link at the port has come up or gone down."""
        ...


class Port:
    """Where a node meets a link. ``link_address`` is its Ethernet address.

    A port whose node is shut (``is_shut``) neither sends nor receives.
    """

    __slots__ = ("carrier", "direction", "is_shut", "link_address", "name", "node", "receive")

    def __init__(self, node: Node, name: str, link_address: int) -> None:
        self.node = node
        self.name = name
        self.link_address = link_address
        self.direction: Direction | None = None
        self.carrier = False
        self.is_shut = False
        self.receive: Callable[[Frame], None] = self._receive

    def attach(self, direction: Direction) -> None:
        """Plug in the outgoing half of a link. ValueError when there is one already."""
        if self.direction is not None:
            raise ValueError(f"{self.node.name}:{self.name} has a link already")
        self.direction = direction
        self.carrier = True

    def send(self, frame: Frame) -> None:
        """Send the frame, from this port's own link address."""
        if self.direction is not None and not self.is_shut:
            frame.link_source = self.link_address
            self.direction.send(frame)

    def _receive(self, frame: Frame) -> None:
        if not self.is_shut:
            self.node.receive(self, frame)

    def carrier_changed(self, is_up: bool) -> None:
        """Tell the node about its link."""
        self.carrier = is_up
        self.node.carrier_changed(self, is_up)
