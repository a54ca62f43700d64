"""Ten mistakes that people make in networks, each beside the right network and the property that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.simulator.engine import SECOND
from compiler.testing.dynamic.world import Journey, NetworkWorld
from compiler.testing.networks.model import NetworkModel, network
from compiler.testing.networks.verification import Verification
from compiler.testing.strategies import Conversation, Outage, star

__all__ = ["FAULTS", "Happened", "NetworkFault", "happened"]

_SETTLED = 60 * SECOND
"""When conversations begin: later than every outage that a schedule may begin before it, and noticed by then."""


@dataclass(frozen=True)
class Happened:
    """One conversation while some parts are dead: what became of the packet, and of the answer to it."""

    outages: tuple[Outage, ...]
    spoken: Conversation
    there: Journey
    back: Journey | None

    @property
    def arrived(self) -> bool:
        return self.there.arrived is not None and self.there.arrived.node == self.spoken.destination

    @property
    def returned(self) -> bool:
        return self.back is not None and self.back.arrived is not None and self.back.arrived.node == self.spoken.source

    @property
    def dead(self) -> frozenset[str]:
        """What is dead when the packet is sent."""
        return frozenset(one.part for one in self.outages if one.begins < _SETTLED and one.ends is None)

    @property
    def lost_at(self) -> str:
        """Where the packet, or the answer to it, was last."""
        journey = self.back if self.back is not None else self.there
        return journey.crossings[-1].enters.node if journey.crossings else ""


def happened(model: NetworkModel, outages: tuple[Outage, ...], spoken: Conversation) -> Happened:
    """Run it: the outages, a minute, the packet, its answer."""
    world = NetworkWorld(model)
    for one in outages:
        world.engine.at(one.begins, lambda part: world.set_up(part, False), one.part)
        if one.ends is not None:
            world.engine.at(one.ends, lambda part: world.set_up(part, True), one.part)
    if outages:
        world.run(_SETTLED)
    there = world.send(spoken.source, spoken.packet)
    is_there = there.arrived is not None and there.arrived.node == spoken.destination
    return Happened(outages, spoken, there, world.answer(there) if is_there else None)


@dataclass(frozen=True)
class NetworkFault:
    """``word`` is the property in the words of compiler.testing, ``wrong`` the same of one conversation.

    ``outages``, ``spoken`` and ``lost_at`` are what Hypothesis must leave.
    """

    name: str
    right: NetworkModel
    faulty: NetworkModel
    word: Callable[[Verification], object]
    wrong: Callable[[Happened], bool]
    outages: str
    spoken: str
    lost_at: str
    among: tuple[str, ...] = ()
    """What may die meanwhile."""


def _two(
    *, gateway: str = "10.1.0.1", mask: int = 24, back: str = "10.1.0.0/24", west: str = "", hop: str = "192.0.2.2"
) -> NetworkModel:
    """anna - west - east - server, every way written by hand."""
    made = network("two routers").host("anna", f"10.1.0.2/{mask}", gateway=gateway)
    made = made.host("server", "10.2.0.2/24", gateway="10.2.0.1")
    if west:
        made = made.router("west", text=west)
    else:
        ports = {"lan": "10.1.0.1/24", "wan": "192.0.2.1/24"}
        made = made.router("west", ports=ports, routes={"10.2.0.0/24": hop})
    made = made.router("east", ports={"lan": "10.2.0.1/24", "wan": "192.0.2.2/24"}, routes={back: "192.0.2.1"})
    return made.cable("anna", "west:lan").cable("server", "east:lan").cable("west:wan", "east:wan", name="wan")


def _looping(default: bool) -> NetworkModel:
    made = network("two defaults").host("anna", "10.1.0.2/24", gateway="10.1.0.1")
    made = made.host("server", "10.2.0.2/24", gateway="10.2.0.1").host("gone", "10.9.0.2/24")
    routes = {"10.2.0.0/24": "192.0.2.2"}
    home = {"0.0.0.0/0": "192.0.2.1"} if default else {"10.1.0.0/24": "192.0.2.1"}
    ports = {"lan": "10.1.0.1/24", "wan": "192.0.2.1/24"}
    made = made.router("west", ports=ports, routes={**routes, "0.0.0.0/0": "192.0.2.2"})
    made = made.router("east", ports={"lan": "10.2.0.1/24", "wan": "192.0.2.2/24"}, routes=home)
    return made.cable("anna", "west:lan").cable("server", "east:lan").cable("west:wan", "east:wan", name="wan")


def _edge(*lines: str, isps: int = 2, nat: tuple[str, ...] = ("isp1", "isp2")) -> NetworkModel:
    """A star whose edge is written anew: ``lines`` stand for its routes and its filter."""
    made = star(1, isps, False)
    text = ["/ip address", "add address=10.1.0.1/24 interface=lan1"]
    text += [f"add address=192.0.2.{4 * number + 1}/30 interface=isp{number}" for number in range(1, isps + 1)]
    text += [*lines, *(["/ip firewall nat"] if nat else [])]
    text += [f"add chain=srcnat action=masquerade out-interface={name}" for name in nat]
    plain = network("an edge").router("edge", text="\n".join((*text, "")))
    routers = tuple(plain.routers[0] if one.name == "edge" else one for one in made.routers)
    from dataclasses import replace

    return replace(made, routers=routers)


_FIRST = "add dst-address=0.0.0.0/0 gateway=192.0.2.6 distance=1 check-gateway=ping"
_SECOND = "add dst-address=0.0.0.0/0 gateway=192.0.2.10 distance=2 check-gateway=ping"
_ROUTES = ("/ip route", _FIRST, _SECOND)
_FILTER = (
    "/ip firewall filter",
    "add chain=forward action=accept connection-state=established,related",
    "add chain=forward action=drop in-interface=isp1",
)


def _switched(check: str) -> NetworkModel:
    """Two lines by one switch, so that a dead provider takes no carrier with it."""
    made = network("a switch between").host("client1", "10.1.0.2/24", gateway="10.1.0.1")
    made = made.host("server", "203.0.113.10/24", gateway="203.0.113.1").switch("modem")
    text = f"""\
/ip address
add address=10.1.0.1/24 interface=lan
add address=192.0.2.1/24 interface=wan
/ip route
add dst-address=0.0.0.0/0 gateway=192.0.2.2 distance=1 {check}
add dst-address=0.0.0.0/0 gateway=192.0.2.3 distance=2
"""
    made = made.router("edge", text=text)
    for number in (1, 2):
        ports = {"customer": f"192.0.2.{number + 1}/24", "net": f"203.0.113.{number}/24"}
        made = made.router(f"provider{number}", ports=ports, routes={"10.1.0.0/24": "192.0.2.1"})
    made = made.switch("exchange").cable("client1", "edge:lan").cable("edge:wan", "modem", name="line")
    for number in (1, 2):
        made = made.cable(f"provider{number}:customer", "modem").cable(f"provider{number}:net", "exchange")
    return made.cable("server", "exchange")


def _from_client(one: Happened) -> bool:
    return one.spoken.source in ("client1", "anna") and one.spoken.destination == "server"


def _unanswered(one: Happened) -> bool:
    return _from_client(one) and not one.returned


def _answered(service: str = "") -> Callable[[Verification], object]:
    return lambda verify: verify.returns(verify.model.hosts[0].name, "server", service)


FAULTS = (
    NetworkFault(
        "no route back",
        _two(),
        _two(back="10.7.0.0/24"),
        _answered("tcp/80"),
        _unanswered,
        "",
        "anna to server: tcp 10.1.0.2:1025 > 10.2.0.2:80 flags=syn",
        "east",
    ),
    NetworkFault(
        "gateway is the host itself",
        _two(),
        _two(gateway="10.1.0.2"),
        _answered("tcp/80"),
        _unanswered,
        "",
        "anna to server: tcp 10.1.0.2:1025 > 10.2.0.2:80 flags=syn",
        "",
    ),
    NetworkFault(
        "mask of the host too short",
        _two(),
        _two(mask=8),
        _answered("tcp/80"),
        _unanswered,
        "",
        "anna to server: tcp 10.1.0.2:1025 > 10.2.0.2:80 flags=syn",
        "",
    ),
    NetworkFault(
        "next hop that nobody has",
        _two(),
        _two(hop="192.0.2.20"),
        _answered("tcp/80"),
        _unanswered,
        "",
        "anna to server: tcp 10.1.0.2:1025 > 10.2.0.2:80 flags=syn",
        "west",
    ),
    NetworkFault(
        "two default routes at one another",
        _looping(False),
        _looping(True),
        lambda verify: verify.no_loop(),
        lambda one: one.there.loops,
        "",
        "anna to gone: tcp 10.1.0.2:1025 > 10.9.0.2:80 flags=syn",
        "east",
    ),
    NetworkFault(
        "NAT missing on one line",
        _edge(*_ROUTES),
        _edge(*_ROUTES, nat=("isp1",)),
        lambda verify: verify.under(1, among="isp1").returns("client1", "server", "tcp/80"),
        _unanswered,
        "isp1 dead from 0 s for good",
        "client1 to server: tcp 10.1.0.2:1025 > 203.0.113.10:80 flags=syn",
        "provider1",
        ("isp1",),
    ),
    NetworkFault(
        "black hole for a failover",
        _switched("check-gateway=ping"),
        _switched(""),
        lambda verify: verify.under(1, among="provider1").reachable("client1", "server", "tcp/80"),
        lambda one: _from_client(one) and one.dead == {"provider1"} and not one.arrived,
        "provider1 dead from 0 s for good",
        "client1 to server: tcp 10.1.0.2:1025 > 203.0.113.10:80 flags=syn",
        "edge",
        ("provider1",),
    ),
    NetworkFault(
        "backup line preferred",
        _edge(*_ROUTES),
        _edge("/ip route", _FIRST.replace("distance=1", "distance=3"), _SECOND),
        lambda verify: verify.via("client1", "server", "provider1"),
        lambda one: _from_client(one) and not one.there.crosses("provider1"),
        "",
        "client1 to server: tcp 10.1.0.2:1025 > 203.0.113.10:80 flags=syn",
        "client1",
    ),
    NetworkFault(
        "firewall forgets its own connections",
        _edge(*_ROUTES, *_FILTER),
        _edge(*_ROUTES, _FILTER[0], _FILTER[2]),
        _answered("tcp/80"),
        _unanswered,
        "",
        "client1 to server: tcp 10.1.0.2:1025 > 203.0.113.10:80 flags=syn",
        "edge",
    ),
    NetworkFault(
        "filter of the wrong line",
        _edge(*_ROUTES, *_FILTER),
        _edge(*_ROUTES, _FILTER[0], _FILTER[1], _FILTER[2].replace("in-interface", "out-interface")),
        _answered("tcp/80"),
        _unanswered,
        "",
        "client1 to server: tcp 10.1.0.2:1025 > 203.0.113.10:80 flags=syn",
        "edge",
    ),
)
