"""An interface of an end system."""

from __future__ import annotations

from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from compiler.simulator.neighbours import Neighbours
from compiler.simulator.node import Port

__all__ = ["Interface"]


class Interface:
    """A port with its addresses, its MTU (octets of IP) and what is known of its neighbours."""

    __slots__ = ("addresses", "mtu", "neighbours", "own", "port")

    def __init__(self, port: Port, addresses: tuple[InterfaceAddress, ...], mtu: int) -> None:
        self.port = port
        self.addresses = addresses
        self.mtu = mtu
        self.own: frozenset[tuple[Family, int]] = frozenset((one.family, one.address) for one in addresses)
        self.neighbours: Neighbours
