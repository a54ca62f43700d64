"""A lab, described: nodes, links, configurations, traffic, faults, assertions. Pure values, no behaviour.

``labs.lab_file`` reads it from ``lab.yaml``; ``labs.simulated`` and
``labs.kernel`` realise it. Times are nanoseconds since the lab began, rates bits
a second, sizes octets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from compiler.balancing.line_health import Probing
from compiler.balancing.plan import Plan
from compiler.fields import Family
from compiler.policy.access_list import Device
from compiler.policy.network import Network
from compiler.policy.ruleset import Ruleset
from compiler.source import NOWHERE, Span
from labs.programs import Command, Program

__all__ = [
    "Assertion",
    "Attachment",
    "Balanced",
    "Board",
    "Configuration",
    "Fault",
    "FaultKind",
    "HostAddress",
    "Lab",
    "Link",
    "LinkDirection",
    "Node",
    "NodeKind",
    "PacketSpec",
    "Service",
    "Traffic",
    "TrafficKind",
]


class NodeKind(Enum):
    """What a node is."""

    HOST = "host"
    SERVER = "server"
    """A host that runs services."""
    SWITCH = "switch"
    ROUTER = "router"
    MODEM = "modem"
    """An ISP's modem: a Linux router that masquerades towards the link called its uplink."""
    ROUTEROS = "routeros"
    """A virtual RouterOS: API, tables, scheduler. Of the simulator only."""


class HostAddress(NamedTuple):
    """An address on an interface of a node."""

    interface: str
    family: Family
    address: int
    length: int


class Service(NamedTuple):
    """A server process: ``echo``, ``discard``, ``source``, ``http``, ``ftp``, ``dns``, ``sink`` (UDP), ``udp-echo``.

    ``settings`` are pairs like ``("zone", "example.test=192.0.2.1")``. One that
    ``stands_for`` a program of its node is not there where that program is.
    """

    name: str
    port: int
    settings: tuple[tuple[str, str], ...] = ()
    span: Span = NOWHERE
    stands_for: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A device configuration. ``policy`` decides (read with ``unmodelled="simulate"``), ``network`` says where to.

    ``network`` joins what the configuration says with what the lab file adds
    (addresses, routes, rules of a Linux router). ``dialect`` is ``ios``,
    ``nftables`` or ``routeros``; interfaces are the device's own names.
    """

    dialect: str
    path: Path | None
    policy: Device | Ruleset | None
    network: Network
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Balanced:
    """A router whose configuration was compiled from an intent, and proved.

    ``target`` is ``linux``, ``routeros6`` or ``routeros7``. ``watch`` says how a
    Linux router probes its uplinks, None where it does not; RouterOS does that
    by its own routes.
    """

    intent: Path
    target: str
    plan: Plan = field(repr=False)
    watch: Probing | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Board:
    """What a virtual RouterOS is made of. ``users`` are names and passwords; ``script`` is imported into its tables."""

    version: str = "7.18.2"
    users: tuple[tuple[str, str], ...] = (("admin", ""),)
    script: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Node:
    """One machine. Hosts have ``addresses`` and ``gateways``; routers and modems a ``configuration``.

    Of a virtual RouterOS (it has a ``board``) the configuration is what it begins with.
    ``interfaces`` are the names of its ports in the lab file's order, which
    need not all have a link. ``is_up`` is False for a node that starts shut.
    ``programs`` are real processes, of the kernel realisation only; ``private``
    are folders that are empty at first for what the node runs, and its own.
    """

    name: str
    kind: NodeKind
    interfaces: tuple[str, ...] = ()
    addresses: tuple[HostAddress, ...] = ()
    gateways: tuple[tuple[Family, int], ...] = ()
    name_server: int | None = None
    services: tuple[Service, ...] = ()
    configuration: Configuration | None = None
    uplink: str = ""
    is_up: bool = True
    wireless: bool = False
    balance: Balanced | None = None
    board: Board | None = None
    programs: tuple[Program, ...] = ()
    private: tuple[str, ...] = ()
    span: Span = NOWHERE


class Attachment(NamedTuple):
    """An end of a link."""

    node: str
    interface: str


class LinkDirection(NamedTuple):
    """One way of a link: see :class:`compiler.simulator.link.Wire`."""

    rate: int | None = None
    delay: int = 0
    queue: int | None = 100
    queue_octets: int | None = None
    loss: float = 0.0


PLAIN = LinkDirection()


@dataclass(frozen=True, slots=True)
class Link:
    """A cable. ``up`` runs from the first end to the second, ``down`` back."""

    name: str
    ends: tuple[Attachment, Attachment]
    up: LinkDirection = PLAIN
    down: LinkDirection = PLAIN
    mtu: int = 1500
    is_up: bool = True
    span: Span = NOWHERE


class TrafficKind(Enum):
    """What an activity does. Each is a client application, raw packets, or a real command."""

    CONNECT = "connect"
    """TCP handshakes, closed at once."""
    DOWNLOAD = "download"
    """TCP from a ``source`` service: ``octets``, or as much as goes in ``duration``."""
    UPLOAD = "upload"
    """TCP to a ``discard`` service."""
    HTTP = "http"
    FTP = "ftp"
    """A session of RFC 959: log in, list, retrieve ``octets``; ``mode`` is ``passive`` or ``active``."""
    DNS = "dns"
    FORUM = "forum"
    """A person who reads a forum: a connection for each thread, and a log-in when asked for one."""
    PING = "ping"
    TRACEROUTE = "traceroute"
    UDP = "udp"
    """Datagrams that a generator (``arrivals``) times, to a ``sink`` or ``udp-echo`` service."""
    PACKETS = "packets"
    """Crafted packets, sent as they are."""
    REPLAY = "replay"
    """The IP packets of a capture, with their times."""
    RUN = "run"
    """A command in the client's namespace: what it said and how it ended. Of the kernel only."""


class PacketSpec(NamedTuple):
    """Crafted packets: text as ``gerbang trace --packet`` takes it, ``times`` times, each ``interval``."""

    text: str
    times: int = 1
    interval: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """One activity: ``client`` (a node) does ``kind`` with ``server`` (a node's name or an address).

    ``connections`` are opened one each ``interval`` (0: all at once), from
    ``source_ports`` in turn when given. ``arrivals`` is ``constant``,
    ``poisson``, ``on-off`` or ``heavy-tailed`` with ``rate`` in bits a second
    and ``size`` in octets of payload; ``shape`` holds further figures of it.
    """

    name: str
    kind: TrafficKind
    client: str
    server: str = ""
    family: Family = Family.IPV4
    port: int = 0
    start: int = 0
    duration: int | None = None
    octets: int | None = None
    connections: int = 1
    interval: int = 0
    source_ports: tuple[int, ...] = ()
    count: int = 1
    size: int = 56
    arrivals: str = "constant"
    rate: int | None = None
    shape: tuple[tuple[str, float], ...] = ()
    mode: str = "passive"
    query: str = ""
    """The name that DNS asks for, the path that HTTP gets, the file that FTP retrieves."""
    timeout: int = 10_000_000_000
    packets: tuple[PacketSpec, ...] = ()
    capture: Path | None = None
    moments: tuple[int, ...] = ()
    """When the connections are made, after ``start``; empty: by ``interval``."""
    command: Command | None = None
    """What is run, ``connections`` times."""
    span: Span = NOWHERE


class FaultKind(Enum):
    """What breaks, or mends."""

    LINK_DOWN = "link-down"
    LINK_UP = "link-up"
    LINK_FLAP = "link-flap"
    """``count`` times down for ``duration`` and up for ``interval``."""
    LINK_CHANGE = "link-change"
    """Other figures for the link: ``up`` and ``down``."""
    NODE_DOWN = "node-down"
    NODE_UP = "node-up"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something happens at a moment. ``direction`` is ``both``, ``up`` or ``down`` (one-way failure)."""

    kind: FaultKind
    target: str
    at: int
    direction: str = "both"
    duration: int = 0
    interval: int = 0
    count: int = 1
    up: LinkDirection | None = None
    down: LinkDirection | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Assertion:
    """What must hold at the end: a word of ``labs.assertions`` with its arguments.

    ``needs`` are features that a world may lack (``delay``, ``loss``): there the
    assertion is skipped, and said so. ``worlds`` limits it to ``simulator`` or ``kernel``.
    """

    word: str
    arguments: tuple[tuple[str, str | int | float | tuple[str, ...]], ...] = ()
    needs: frozenset[str] = frozenset()
    worlds: frozenset[str] = frozenset({"simulator", "kernel"})
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Lab:
    """The whole lab. ``folder`` is where its files are; ``duration`` bounds the run.

    ``clock`` is the moment of the devices' clocks at the start, in minutes
    since 1970 (for time ranges). With ``arp`` off every node knows its
    neighbours' link addresses beforehand.
    """

    name: str
    folder: Path
    description: str = ""
    seed: int = 1
    duration: int = 10_000_000_000
    arp: bool = True
    clock: int = 0
    nodes: tuple[Node, ...] = ()
    links: tuple[Link, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    faults: tuple[Fault, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    source: str = ""
    variant: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    """Parameters that were given other values when it was read."""
    lines: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def node(self, name: str) -> Node | None:
        """The node of that name, or None."""
        return next((node for node in self.nodes if node.name == name), None)
