"""What a network wants of several uplinks: who goes where, by what method, and what must never be moved.

Nothing here knows a device: :mod:`compiler.balancing` makes marks, tables and
rules of it. IPv4 only, for it is the family whose addresses the uplinks give
out and translate.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from compiler.integers import IntegerSet
from compiler.policy.network import InterfaceAddress, Prefix
from compiler.source import NOWHERE, Span

__all__ = [
    "CLASSIFIER_FIELDS",
    "MOST_UPLINKS",
    "Addressing",
    "Balance",
    "Failback",
    "LocalNetwork",
    "Method",
    "PortForward",
    "Selection",
    "Steering",
    "TrafficClass",
    "Uplink",
]

MOST_UPLINKS = 8

CLASSIFIER_FIELDS: dict[str, tuple[str, ...]] = {
    "both-addresses": ("source", "destination"),
    "both-ports": ("source_port", "destination_port"),
    "both-addresses-and-ports": ("source", "destination", "source_port", "destination_port"),
    "src-address": ("source",),
    "dst-address": ("destination",),
    "src-port": ("source_port",),
    "dst-port": ("destination_port",),
    "src-address-and-port": ("source", "source_port"),
    "dst-address-and-port": ("destination", "destination_port"),
}
"""What PCC may hash: MikroTik's words, and fields of packets in the order of the key."""


class Method(Enum):
    """How new connections of a class are dealt out."""

    FAILOVER = "failover"
    """The first uplink that is alive."""
    ADDRESS_LIST = "address_list"
    """By who asks: lists of sources."""
    ECMP = "ecmp"
    """A route with several next hops; the kernel hashes."""
    NTH = "nth"
    """In turn, one connection after the other."""
    PCC = "pcc"
    """By a hash of chosen fields: equal fields, equal uplink."""


class Addressing(Enum):
    """How an uplink gets its address."""

    STATIC = "static"
    DHCP = "dhcp"
    PPPOE = "pppoe"


class Failback(Enum):
    """What becomes of connections that began elsewhere while their uplink was dead."""

    GENTLE = "gentle"
    """They stay where they are; only new ones come back."""
    IMMEDIATE = "immediate"
    """They go back at once and break, for they have another uplink's address. (By ECMP and failover they stay.)"""


@dataclass(frozen=True, slots=True)
class Uplink:
    """A line to an ISP. ``number`` counts from 1 in the order of the text; rates are bits a second, 0 unknown.

    ``probes`` are hosts beyond the gateway that tell whether the ISP is alive;
    without any the gateway itself is asked. ``address`` and ``gateway`` are None
    where DHCP or PPPoE gives them.
    """

    name: str
    number: int
    interface: str
    addressing: Addressing = Addressing.STATIC
    address: InterfaceAddress | None = None
    gateway: int | None = None
    weight: int = 1
    download: int = 0
    upload: int = 0
    probes: tuple[int, ...] = ()
    name_servers: tuple[int, ...] = ()
    user: str = ""
    password: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A network behind the router, with the router's own address in it."""

    name: str
    interface: str
    address: InterfaceAddress
    span: Span = NOWHERE

    @property
    def prefix(self) -> Prefix:
        """The network."""
        family, address, length = self.address
        shift = family.width - length
        return Prefix(family, address >> shift << shift, length)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which connections: every part that is not empty must hold. ``ports`` are destination ports."""

    sources: tuple[Prefix, ...] = ()
    destinations: tuple[Prefix, ...] = ()
    protocol: int | None = None
    ports: IntegerSet | None = None

    @property
    def is_everything(self) -> bool:
        """Whether no connection is left out."""
        return self == Selection()


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """Connections that are dealt out alike. ``uplinks`` are names, in the order of preference.

    ``fields`` is a key of :data:`CLASSIFIER_FIELDS` for PCC; ``members`` are the
    lists of ``address_list``, and who stands in none of them goes by ``otherwise``.
    """

    name: str
    method: Method
    uplinks: tuple[str, ...]
    selection: Selection = Selection()
    fields: str = ""
    members: tuple[tuple[str, tuple[Prefix, ...]], ...] = ()
    otherwise: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Steering:
    """An exception: these connections by ``uplink``, or with ``""`` never marked at all.

    ``strict``: never by another uplink, not even when this one is dead.
    """

    selection: Selection
    uplink: str = ""
    strict: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class PortForward:
    """What comes in by one of the uplinks for ``ports`` goes to a host inside.

    ``port`` is the host's; 0 keeps the number.
    """

    uplinks: tuple[str, ...]
    protocol: int
    ports: tuple[int, int]
    host: int
    port: int = 0
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Balance:
    """The whole intent. The last of ``classes`` has no selection: it takes what the others leave.

    ``name`` is the router's, ``""`` to leave it as it is. ``own`` is the uplink
    of connections that the router itself opens; ``""`` follows the order of the
    uplinks. ``inside`` are further networks that are reached without any uplink.
    """

    source: str
    name: str
    uplinks: tuple[Uplink, ...]
    networks: tuple[LocalNetwork, ...]
    classes: tuple[TrafficClass, ...]
    exceptions: tuple[Steering, ...] = ()
    forwards: tuple[PortForward, ...] = ()
    inside: tuple[Prefix, ...] = ()
    own: str = ""
    own_span: Span = NOWHERE
    name_servers: tuple[int, ...] = ()
    serves_names: bool = False
    dns_span: Span = NOWHERE
    failback: Failback = Failback.GENTLE
    fasttrack: bool = True

    @property
    def ends(self) -> tuple[LocalNetwork | Uplink, ...]:
        """All interfaces that the intent is about: inside first."""
        return (*self.networks, *self.uplinks)

    def uplink(self, name: str) -> Uplink:
        """The uplink of that name. Raises StopIteration where there is none."""
        return next(uplink for uplink in self.uplinks if uplink.name == name)
