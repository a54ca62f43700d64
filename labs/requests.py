"""From a lab's traffic to what client applications are asked, for both worlds alike."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from compiler.addresses import parse_address
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.simulator.applications.request import Activity, Request
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Endpoint
from compiler.simulator.traffic.arrivals import Arrival, constant, ending, on_off, poisson
from compiler.simulator.traffic.distributions import exponential, fixed
from compiler.simulator.traffic.flows import flows, packets
from labs.topology import Lab, Node, Traffic, TrafficKind

__all__ = ["addresses_of", "request_of", "server_of"]

_HOPS = 30
_SMALLEST_FLOW = 1000.0
"""Octets: the least transfer of heavy-tailed traffic, unless its ``smallest`` says otherwise."""
_ACCESS_LINE = 10
"""How many times faster than the mean rate the line of one heavy-tailed flow is."""


def request_of(lab: Lab, traffic: Traffic) -> Request:
    """What the client of that traffic is to do. UsageError for raw packets and for a server without an address."""
    if traffic.kind in (TrafficKind.PACKETS, TrafficKind.REPLAY):
        raise UsageError(f"{traffic.name}: packets are sent as they are, by no application")
    if traffic.kind is TrafficKind.RUN:
        raise UsageError(f"{traffic.name}: a command is run as it is, by no application of the lab's own")
    count = traffic.count
    if traffic.kind is TrafficKind.TRACEROUTE and count <= 1:
        count = _HOPS
    return Request(
        traffic.name,
        Activity(traffic.kind.value),
        server_of(lab, traffic),
        traffic.start,
        traffic.duration,
        traffic.octets,
        traffic.connections,
        traffic.interval,
        traffic.source_ports,
        count,
        traffic.size,
        traffic.mode,
        traffic.query,
        traffic.timeout,
        (lambda random: _arrivals(traffic, random)) if traffic.kind is TrafficKind.UDP else None,
        moments=traffic.moments,
    )


def server_of(lab: Lab, traffic: Traffic) -> Endpoint:
    """Where the client goes: a node's first address of the family, or the address that is named."""
    node = lab.node(traffic.server)
    if node is None:
        try:
            address, width = parse_address(traffic.server)
        except ValueError as error:
            raise UsageError(f"{traffic.name}: {traffic.server!r} is neither a node nor an address") from error
        return Endpoint(Family.IPV4 if width == 32 else Family.IPV6, address, traffic.port)
    for family, address in addresses_of(node):
        if family is traffic.family:
            return Endpoint(family, address, traffic.port)
    raise UsageError(f"{traffic.name}: {node.name} has no {traffic.family.name} address")


def addresses_of(node: Node) -> tuple[tuple[Family, int], ...]:
    """The addresses of a node, in its file's order."""
    own = tuple((one.family, one.address) for one in node.addresses)
    if node.configuration is None:
        return own
    interfaces = node.configuration.network.interfaces
    return own + tuple((one.family, one.address) for interface in interfaces for one in interface.addresses)


def _arrivals(traffic: Traffic, random: Random) -> Iterator[Arrival]:
    """Moments and sizes of datagrams. ``octets``, ``count`` and ``duration`` end them, whichever is first."""
    rate, size = traffic.rate or 0, max(traffic.size, 1)
    if rate <= 0:
        raise UsageError(f"{traffic.name}: datagrams need a rate")
    count = traffic.count if traffic.count > 1 or traffic.duration is None else None
    if traffic.octets is not None:
        count = min(count or traffic.octets, max(1, traffic.octets // size))
    return ending(_process(traffic, rate, size, random), duration=traffic.duration, count=count)


def _process(traffic: Traffic, rate: int, size: int, random: Random) -> Iterator[Arrival]:
    shape = dict(traffic.shape)
    if traffic.arrivals == "poisson":
        return poisson(random, rate / (8 * size), fixed(size))
    if traffic.arrivals == "on-off":
        on, off = (exponential(shape.get(word, 1.0) * SECOND) for word in ("on", "off"))
        return on_off(random, rate, size, on, off)
    if traffic.arrivals == "heavy-tailed":
        alpha = shape.get("alpha", 1.5)
        if alpha <= 1:
            raise UsageError(f"{traffic.name}: an alpha of {alpha:g} has no mean rate: above 1 expected")
        mean = shape.get("smallest", _SMALLEST_FLOW) * alpha / (alpha - 1)
        return packets(flows(random, rate / (8 * mean), mean, shape=alpha), rate * _ACCESS_LINE, size)
    return constant(rate, size)
