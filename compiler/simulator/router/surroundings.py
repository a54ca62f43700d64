"""What a pipeline asks of the router around it."""

from __future__ import annotations

from typing import Protocol

from compiler.simulator.frame import Datagram
from compiler.simulator.router.complaints import Complaints
from compiler.simulator.router.journal import Journal
from compiler.simulator.router.transit import Transit

__all__ = ["Surroundings"]


class Surroundings(Protocol):
    """A router, as its pipeline knows it."""

    journal: Journal
    """Where drops, translations and notes for traces go."""
    complaints: Complaints
    """What tells senders that their packets were stopped."""

    def reassembled(self, datagram: Datagram) -> Datagram | None:
        """The whole datagram once all its fragments are there."""
        ...

    def largest_fragment(self) -> int:
        """The size of the largest fragment of the datagram that was whole last."""
        ...

    def rerouted(self, transit: Transit) -> bool:
        """Find the way of an output packet anew; False when there is none."""
        ...

    def mtu(self, interface: str) -> int:
        """The MTU of an interface."""
        ...
