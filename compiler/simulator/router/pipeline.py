"""What every kind of router does to a packet, from arrival to departure, as five questions."""

from __future__ import annotations

from typing import Protocol

from compiler.policy.ruleset import Hook
from compiler.simulator.router.netfilter import Netfilter, Station
from compiler.simulator.router.transit import Transit

__all__ = ["ChainPipeline", "Pipeline"]


class Pipeline(Protocol):
    """Each question is answered True when the packet goes on, False when it is gone or waits."""

    def arrives(self, transit: Transit) -> bool:
        """Before the routing decision. May set ``transit.way`` and so decide itself."""
        ...

    def delivers(self, transit: Transit) -> bool:
        """It is for the router itself."""
        ...

    def passes(self, transit: Transit) -> bool:
        """It is forwarded; its TTL is already one less."""
        ...

    def originates(self, transit: Transit) -> bool:
        """The router itself sends it, and its way is known."""
        ...

    def leaves(self, transit: Transit) -> bool:
        """The last look at whatever is sent."""
        ...

    def interface_gone(self, name: str, *, carrier_only: bool) -> None:
        """An interface has been shut, or has lost its carrier only."""
        ...


class ChainPipeline:
    """Linux's and RouterOS's answers: the hooks of netfilter."""

    def __init__(self, netfilter: Netfilter, *, flushes_without_carrier: bool) -> None:
        self.netfilter = netfilter
        self._flushes = flushes_without_carrier
        self._prerouting = netfilter.stations(Hook.PREROUTING)
        self._input = netfilter.stations(Hook.INPUT)
        self._forward = netfilter.stations(Hook.FORWARD)
        self._output = netfilter.stations(Hook.OUTPUT)
        self._postrouting = netfilter.stations(Hook.POSTROUTING)

    def arrives(self, transit: Transit) -> bool:
        """The prerouting hook."""
        return _passes(self._prerouting, transit)

    def delivers(self, transit: Transit) -> bool:
        """The input hook."""
        return _passes(self._input, transit)

    def passes(self, transit: Transit) -> bool:
        """The forward hook."""
        return _passes(self._forward, transit)

    def originates(self, transit: Transit) -> bool:
        """The output hook."""
        return _passes(self._output, transit)

    def leaves(self, transit: Transit) -> bool:
        """The postrouting hook."""
        return _passes(self._postrouting, transit)

    def interface_gone(self, name: str, *, carrier_only: bool) -> None:
        """Masqueraded connections die with the interface's address: in RouterOS also when the cable is pulled."""
        if self._flushes or not carrier_only:
            self.netfilter.nat.interface_gone(name)


def _passes(stations: tuple[Station, ...], transit: Transit) -> bool:
    for station in stations:  # noqa: SIM110  # all() with a generator costs twice as much
        if not station(transit):
            return False
    return True
