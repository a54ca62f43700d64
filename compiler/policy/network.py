"""Where packets go: interfaces and addresses, routes, tables, rules, and the translations of a Cisco router.

What the readers of device configurations find beside lists and chains. The
simulator runs it; proofs of filters do not look at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from compiler.fields import Family
from compiler.policy.stateful import AddressRange, MarkIn, MarkNamed
from compiler.source import NOWHERE, Span

__all__ = [
    "CheckGateway",
    "DynamicTranslation",
    "Interface",
    "InterfaceAddress",
    "NatSide",
    "Network",
    "NextHop",
    "Prefix",
    "Route",
    "RouteKind",
    "RouteMap",
    "RouteMapEntry",
    "RoutingRule",
    "RuleAction",
    "StaticTranslation",
]


class Prefix(NamedTuple):
    """A network: its address with the host bits clear, and its length."""

    family: Family
    value: int
    length: int

    def contains(self, address: int) -> bool:
        """Whether the address lies in the network."""
        shift = self.family.width - self.length
        return address >> shift == self.value >> shift


class InterfaceAddress(NamedTuple):
    """An address of the router and the length of its network."""

    family: Family
    address: int
    length: int


class NatSide(Enum):
    """``ip nat inside`` and ``ip nat outside``."""

    INSIDE = "inside"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. ``mtu`` is in octets of IP.

    ``policy`` names the route map of policy routing; with ``unreachables``
    off no ICMP errors leave for packets that came in here. ``members`` are the
    ports of a bridge: frames pass between them, and the bridge is the one
    interface that IP sees.
    """

    name: str
    addresses: tuple[InterfaceAddress, ...] = ()
    enabled: bool = True
    mtu: int = 1500
    nat: NatSide | None = None
    policy: str = ""
    unreachables: bool = True
    comment: str = ""
    span: Span = NOWHERE
    members: tuple[str, ...] = ()


class CheckGateway(Enum):
    """How a route finds out that its gateway is gone (RouterOS ``check-gateway``)."""

    NONE = "none"
    PING = "ping"
    ARP = "arp"


class RouteKind(Enum):
    """What happens to packets of the route."""

    UNICAST = "unicast"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"


class NextHop(NamedTuple):
    """A gateway, an interface, or both."""

    address: int | None = None
    interface: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Route:
    """One static route. Several next hops share the traffic (ECMP).

    ``distance`` orders routes of one prefix: RouterOS's and IOS's
    administrative distance, Linux's metric; the lowest that is active wins. A
    gateway is resolved through routes with ``scope`` not above ``target_scope``
    (RouterOS, recursive routes).
    """

    prefix: Prefix
    next_hops: tuple[NextHop, ...] = ()
    table: str = "main"
    distance: int = 1
    kind: RouteKind = RouteKind.UNICAST
    check_gateway: CheckGateway = CheckGateway.NONE
    scope: int = 30
    target_scope: int = 10
    preferred_source: int | None = None
    enabled: bool = True
    comment: str = ""
    span: Span = NOWHERE
    permanent: bool = False
    """Cisco ``permanent``: stays in the table when its interface goes down."""


class RuleAction(Enum):
    """What a routing rule does with a packet that it matches."""

    LOOKUP = "lookup"
    """Look in the table; when it has no route, go on with the next rule."""
    LOOKUP_ONLY = "lookup-only-in-table"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """``ip rule``, RouterOS ``/routing rule``: which table for which packets, in ascending ``priority``.

    ``suppress_prefix_length``: routes of that length or shorter do not count
    as found. None leaves a condition free.
    """

    family: Family
    priority: int
    table: str = "main"
    action: RuleAction = RuleAction.LOOKUP
    source: Prefix | None = None
    destination: Prefix | None = None
    ingress: str = ""
    mark: MarkIn | MarkNamed | None = None
    suppress_prefix_length: int | None = None
    enabled: bool = True
    comment: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class RouteMapEntry:
    """One sequence of a route map, as policy routing reads it (Cisco, "Policy-Based Routing").

    Packets that a permit entry matches (in any of ``lists``; none matches all)
    go to the first of ``next_hops`` that is reachable, else to the first of
    ``interfaces`` that is up, else, when no specific route is known, to
    ``default_next_hops`` and ``default_interfaces``; a deny entry means normal routing.
    """

    sequence: int
    permits: bool
    lists: tuple[str, ...] = ()
    next_hops: tuple[int, ...] = ()
    interfaces: tuple[str, ...] = ()
    default_next_hops: tuple[int, ...] = ()
    default_interfaces: tuple[str, ...] = ()
    span: Span = NOWHERE
    egress: tuple[str, ...] = ()
    """``match interface``, in maps that choose what to translate: the packet leaves by one of these; none is any."""


@dataclass(frozen=True, slots=True)
class RouteMap:
    """Entries by ascending sequence; what none permits is routed normally."""

    name: str
    entries: tuple[RouteMapEntry, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class StaticTranslation:
    """``ip nat inside source static``, with a protocol and ports or without.

    ``interface`` stands for its own address where no global address is given.
    ``outside`` translates the source of outside hosts instead (``ip nat outside source static``).
    """

    local: int
    global_address: int | None = None
    interface: str = ""
    protocol: int | None = None
    local_port: int = 0
    global_port: int = 0
    length: int = 32
    """Length of the network for ``static network``; 32 for a single host."""
    outside: bool = False
    span: Span = NOWHERE
    alias: bool = True
    """Whether the router answers for the global address itself (off with ``no-alias``)."""


@dataclass(frozen=True, slots=True)
class DynamicTranslation:
    """``ip nat inside source list|route-map … pool|interface … [overload]``."""

    access_list: str = ""
    route_map: str = ""
    pool: AddressRange | None = None
    interface: str = ""
    overload: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Network:
    """All that the configuration says about where packets go.

    ``tables`` are the routing tables that it declares, ``version`` is
    RouterOS's (6 or 7; 0 elsewhere). ``translations`` stand in their order.
    """

    source: str
    dialect: str
    hostname: str = ""
    version: int = 0
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    tables: tuple[str, ...] = ()
    rules: tuple[RoutingRule, ...] = ()
    route_maps: tuple[RouteMap, ...] = ()
    static_translations: tuple[StaticTranslation, ...] = ()
    dynamic_translations: tuple[DynamicTranslation, ...] = ()
    name_servers: tuple[int, ...] = ()
    multipath_policy: str = "l3"
    """Over what a multipath route hashes: ``l3``, ``l4``, ``l3-inner`` (RouterOS 7, Linux)."""
    multipath_seed: int = 0
    """The seed of that hash (Linux 6.11, ``net.ipv4.fib_multipath_hash_seed``); 0 is drawn at boot."""
    tracking: bool | None = None
    """Connection tracking: on, off, or None for when something needs it."""
    skipped_lines: int = 0
    lines: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def interface(self, name: str) -> Interface | None:
        """The interface of that name, or None."""
        return next((one for one in self.interfaces if one.name == name), None)
