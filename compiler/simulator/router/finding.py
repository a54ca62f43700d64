"""The way of a packet: what routes are asked about it, and what several next hops choose by."""

from __future__ import annotations

from compiler.fields import Family
from compiler.policy.network import Network
from compiler.simulator.frame import Datagram
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.multipath import flow_hash
from compiler.simulator.router.routes import Routes
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.ways import Asked, Choice, Way

__all__ = ["Finding"]

_LINUX = ("linux", "nftables")


class Finding:
    """Asks the routes of one router."""

    def __init__(self, network: Network, routes: Routes, memory: Memory) -> None:
        self._is_linux = network.dialect in _LINUX
        self._policy = network.multipath_policy
        self._seed = network.multipath_seed or memory.boot_seed
        self._routes = routes

    def way(self, transit: Transit) -> Way:
        """The way of a packet that came in, or of the router's own."""
        datagram = transit.datagram
        asked = Asked(
            datagram.family,
            datagram.source,
            datagram.destination,
            transit.ingress,
            transit.mark,
            transit.routing_mark,
        )
        return self._routes.find(asked, lambda: self._choice(datagram, is_own=not transit.ingress))

    def unsent(self, family: Family, destination: int) -> Way:
        """Before there is a packet: by the hash of what is known of it (``fib_select_path`` without a source)."""
        asked = Asked(family, 0, destination)
        return self._routes.find(asked, lambda: self._choice(Datagram(family, 0, destination, 0, 0), is_own=False))

    def _choice(self, datagram: Datagram, *, is_own: bool) -> Choice:
        number = flow_hash(datagram, self._policy, self._seed)
        return Choice(number, datagram.source if is_own and self._is_linux else 0)
