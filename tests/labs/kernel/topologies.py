"""Small labs for the tests of the kernel world, made directly as values."""

from __future__ import annotations

from pathlib import Path

from compiler.addresses import parse_address
from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress, Network
from compiler.simulator.engine import SECOND
from labs.topology import (
    Attachment,
    Configuration,
    Fault,
    HostAddress,
    Lab,
    Link,
    LinkDirection,
    Node,
    NodeKind,
    Service,
    Traffic,
)

PLAIN = LinkDirection()

SERVICES = (
    Service("echo", 7),
    Service("discard", 9),
    Service("source", 19),
    Service("ftp", 21, (("file", "readme.txt=1200"),)),
    Service("http", 80),
    Service("dns", 53, (("zone", "www.example.test=192.0.2.9"),)),
    Service("sink", 9),
    Service("udp-echo", 7),
)


def number(text: str) -> int:
    """An address as a number."""
    return parse_address(text)[0]


def family_of(text: str) -> Family:
    """The family of an address."""
    return Family.IPV6 if ":" in text else Family.IPV4


def host(name: str, *addresses: str, gateways: tuple[str, ...] = (), services: tuple[Service, ...] = ()) -> Node:
    """A host with addresses (``10.0.0.2/24``) on eth0; a server when it has services."""
    own = []
    for text in addresses:
        address, _, length = text.partition("/")
        own.append(HostAddress("eth0", family_of(address), number(address), int(length)))
    ways = tuple((family_of(text), number(text)) for text in gateways)
    kind = NodeKind.SERVER if services else NodeKind.HOST
    return Node(name, kind, ("eth0",), tuple(own), ways, services=services)


def interface(name: str, *addresses: str, **more: object) -> Interface:
    """An interface of a router."""
    own = []
    for text in addresses:
        address, _, length = text.partition("/")
        own.append(InterfaceAddress(family_of(address), number(address), int(length)))
    return Interface(name, tuple(own), **more)  # type: ignore[arg-type]


def router(
    name: str, *interfaces: Interface, text: str = "", dialect: str = "nftables", network: Network | None = None
) -> Node:
    """A router with its rules."""
    made = network or Network(name, dialect, interfaces=interfaces)
    configuration = Configuration(dialect, None, None, made, text)
    return Node(name, NodeKind.ROUTER, tuple(one.name for one in interfaces), configuration=configuration)


def link(name: str, first: str, second: str, up: LinkDirection = PLAIN, down: LinkDirection = PLAIN) -> Link:
    """A link between ``node:interface`` and ``node:interface``."""
    ends = tuple(Attachment(*end.split(":")) for end in (first, second))
    return Link(name, ends, up, down)  # type: ignore[arg-type]


def star(
    *traffic: Traffic,
    rules: str = "",
    up: LinkDirection = PLAIN,
    down: LinkDirection = PLAIN,
    faults: tuple[Fault, ...] = (),
    seconds: float = 6,
    arp: bool = True,
) -> Lab:
    """Two clients on a switch, a router, a server behind it; the last link has the rates."""
    nodes = (
        host("anna", "10.0.0.11/24", "2001:db8:1::11/64", gateways=("10.0.0.1", "2001:db8:1::1")),
        host("bima", "10.0.0.12/24", gateways=("10.0.0.1",)),
        Node("switch", NodeKind.SWITCH, ("p1", "p2", "p3")),
        router(
            "router",
            interface("lan", "10.0.0.1/24", "2001:db8:1::1/64"),
            interface("wan", "192.0.2.1/24", "2001:db8:2::1/64"),
            text=rules,
        ),
        host(
            "server",
            "192.0.2.9/24",
            "2001:db8:2::9/64",
            gateways=("192.0.2.1", "2001:db8:2::1"),
            services=SERVICES,
        ),
    )
    links = (
        link("anna-switch", "anna:eth0", "switch:p1"),
        link("bima-switch", "bima:eth0", "switch:p2"),
        link("switch-router", "switch:p3", "router:lan"),
        link("wan", "router:wan", "server:eth0", up, down),
    )
    return Lab(
        "star",
        Path(),
        duration=int(seconds * SECOND),
        arp=arp,
        nodes=nodes,
        links=links,
        traffic=traffic,
        faults=faults,
    )
