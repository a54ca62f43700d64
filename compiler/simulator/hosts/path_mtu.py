"""What a node has been told of paths that are narrower than its own link (RFC 1191, RFC 8201)."""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.icmp import SMALLEST_MTU, told_mtu

__all__ = ["PATH_MTU_LIFETIME", "PathMtus"]

PATH_MTU_LIFETIME = 600 * SECOND
"""How long a lower path MTU is believed (net.ipv4.route.mtu_expires, RFC 8201 4); open connections keep theirs."""


class PathMtus:
    """Path MTUs by destination, in octets of IP, as ``__ip_rt_update_pmtu`` keeps them (net/ipv4/route.c).

    An IPv4 path that is said to take less than 552 octets (``min_pmtu``) is
    locked: it is believed to take that, and what goes there may be cut on the
    way (``ip_dont_fragment``).
    """

    __slots__ = ("_engine", "_known")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[Family, int], tuple[int, int, bool]] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()

    def heard(self, message: Datagram, quoted: Datagram, device: int) -> bool:
        """Whether an ICMP message told of a path MTU; ``device`` is that of the interface to where it was going."""
        told = told_mtu(message)
        if told is None:
            return False
        family, destination = quoted.family, quoted.destination
        before = self.known(family, destination, device)
        smallest = SMALLEST_MTU[family]
        is_locked = told < smallest and family is Family.IPV4
        mtu = min(before, max(told, smallest))
        if not self.is_locked(family, destination) and (is_locked or mtu < before):
            self._known[family, destination] = mtu, self._engine.now + PATH_MTU_LIFETIME, is_locked
        return True

    def known(self, family: Family, destination: int, device: int) -> int:
        """The largest datagram that is believed to reach a destination."""
        mtu, until, _ = self._known.get((family, destination), (device, 0, False))
        return min(mtu, device) if self._engine.now < until else device

    def is_locked(self, family: Family, destination: int) -> bool:
        """Whether datagrams may be cut on their way to a destination."""
        _, until, is_locked = self._known.get((family, destination), (0, 0, False))
        return is_locked and self._engine.now < until
