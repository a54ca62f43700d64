"""The network of a rehearsal: a router's configuration, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from compiler.balancing.plan import Plan
from compiler.balancing.wanted_routes import Lease
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress, Network, Prefix
from compiler.policy.ruleset import Ruleset

__all__ = ["DOWNLOAD", "KEEPALIVE", "UPLOAD", "Forward", "Inside", "Line", "Scene", "assumed_of"]

DOWNLOAD, UPLOAD = 20_000_000, 5_000_000
"""Bits a second of a line whose rates nobody has said."""

KEEPALIVE = 10_000_000_000
"""Nanoseconds without an LCP echo (RFC 1661, 5.8) after which a PPPoE session ends.

Implementations choose it (RouterOS: ``keepalive-timeout``); this one is assumed, and the report says so.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """An uplink: its interface, the router's addresses there, and the gateways that answer behind it.

    ``answers_for_all``: a point-to-point interface, whose other end takes every
    packet. ``has_rates`` is False where :data:`DOWNLOAD` and :data:`UPLOAD` stand in.
    """

    name: str
    interface: str
    addresses: tuple[InterfaceAddress, ...]
    gateways: tuple[int, ...]
    weight: int = 1
    download: int = DOWNLOAD
    upload: int = UPLOAD
    has_rates: bool = False
    answers_for_all: bool = False
    is_dialled: bool = False
    """PPPoE: the session ends, and the interface goes down, when the other end answers no LCP echo."""

    def owns(self, address: int) -> bool:
        """Whether the ISP gave the address to this line: its other end lets no other source out (BCP 38)."""
        return any(_network(one).contains(address) for one in self.addresses)


@dataclass(frozen=True, slots=True)
class Inside:
    """A network behind the router. ``named`` are hosts in it that the configuration speaks of."""

    interface: str
    own: int
    prefix: Prefix
    named: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """What comes in by a line's interface for ``port`` goes to a host inside."""

    interface: str
    protocol: int
    port: int
    host: int
    host_port: int


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it. ``plan`` only where an intent is behind it; ``notes`` say what was assumed."""

    source: str
    target: str
    network: Network
    ruleset: Ruleset
    lines: tuple[Line, ...]
    insides: tuple[Inside, ...]
    forwards: tuple[Forward, ...] = ()
    plan: Plan | None = None
    notes: tuple[str, ...] = ()
    leases: Mapping[str, Lease] = field(default_factory=dict)
    """What DHCP and PPPoE gave, for the watcher of Linux."""

    def line(self, interface: str) -> Line | None:
        """The line behind an interface."""
        return next((line for line in self.lines if line.interface == interface), None)


def assumed_of(lines: Sequence[Line]) -> Iterator[str]:
    """What was assumed of lines, for the notes: rates and sessions."""
    names = [line.name for line in lines if not line.has_rates]
    if names:
        rates = f"{DOWNLOAD // 1_000_000} Mbit/s down and {UPLOAD // 1_000_000} up"
        yield f"{', '.join(names)}: rates not said, {rates} assumed"
    dialled = [line.name for line in lines if line.is_dialled]
    if dialled:
        yield f"{', '.join(dialled)}: a session that hears nothing is taken to hang up after {KEEPALIVE // 10**9} s"


def _network(one: InterfaceAddress) -> Prefix:
    shift = Family.IPV4.width - one.length
    return Prefix(one.family, one.address >> shift << shift, one.length)
