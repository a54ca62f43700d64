"""Random networks in which moments coincide often: lengths, rates and delays are few and round."""

from itertools import pairwise
from random import Random

from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Prefix, Route
from compiler.simulator.forwarding.description import Attachment, Cable, Description
from compiler.simulator.link import Wire

IPV4 = Family.IPV4
NANOSECOND_AN_OCTET = 8_000_000_000


def random_wire(random: Random) -> Wire:
    """One direction."""
    return Wire(
        rate=random.choice((None, NANOSECOND_AN_OCTET, NANOSECOND_AN_OCTET // 2, 3_000_000_000)),
        delay=random.choice((0, 0, 100, 200, 1000)),
        queue=random.choice((None, 0, 1, 2, 5)),
        queue_octets=random.choice((None, None, 150, 400)),
        loss=random.choice((0.0, 0.0, 0.0, 0.3)),
    )


def address(segment: int, place: int) -> int:
    """The address of the place-th machine on a segment."""
    return 10 << 24 | segment << 8 | place + 1


def random_description(random: Random) -> Description:
    """Hosts on segments of their own or shared, routers between, next hops at random: right, round, or dead."""
    routers = [f"r{n}" for n in range(random.randint(1, 5))]
    hosts = [f"h{n}" for n in range(random.randint(2, 4))]
    segments = [[host, random.choice(routers)] for host in hosts]
    segments += [sorted({*random.choices(routers, k=random.randint(1, 3))}) for _ in range(len(routers) + 1)]
    segments = [segment for segment in segments if len(segment) > 1]
    interfaces: dict[str, list[Interface]] = {name: [] for name in routers + hosts}
    neighbours: dict[str, list[int]] = {name: [] for name in routers + hosts}
    cables: list[Cable] = []
    switches: list[str] = []

    def connect(a: Attachment, b: Attachment) -> None:
        cables.append(Cable(f"l{len(cables)}", (a, b), (random_wire(random), random_wire(random))))

    for number, members in enumerate(segments):
        ends = []
        for place, name in enumerate(members):
            interface = f"e{len(interfaces[name])}"
            own = InterfaceAddress(IPV4, address(number, place), 24)
            interfaces[name].append(Interface(interface, (own,)))
            neighbours[name] += [address(number, other) for other in range(len(members)) if other != place]
            ends.append(Attachment(name, interface))
        if len(members) == 2 and random.random() < 0.6:
            connect(ends[0], ends[1])
            continue
        chain = [f"s{number}{n}" for n in range(random.randint(1, 2))]
        switches += chain
        for one, other in pairwise(chain):
            connect(Attachment(one, "up"), Attachment(other, "down"))
        for end in ends:
            connect(end, Attachment(random.choice(chain), f"to-{end.node}"))
    networks = {}
    for name in routers + hosts:
        choices = [*neighbours[name], *neighbours[name], address(99, 0)]
        routes = [
            Route(Prefix(IPV4, address(number, 0) & ~0xFF, 24), (NextHop(random.choice(choices)),))
            for number in range(len(segments) + 1)
            if random.random() < 0.9 and name in routers
        ]
        if name in hosts:
            routes.append(Route(Prefix(IPV4, 0, 0), (NextHop(neighbours[name][0]),)))
        networks[name] = Network("random", "linux", name, interfaces=tuple(interfaces[name]), routes=tuple(routes))
    return Description(
        {name: networks[name] for name in routers},
        {name: networks[name] for name in hosts},
        frozenset(switches),
        tuple(cables),
        seed=str(random.randrange(1000)),
    )


def random_packets(random: Random, description: Description, count: int) -> list[tuple[int, int, str, int, int]]:
    """(moment, octets, node, destination, TTL) in order of time, many at one moment."""
    targets = [owned for _, owned in description.owners] + [address(98, 0)]
    moments = sorted(random.randrange(0, 20 * count, 50) for _ in range(count))
    hosts = sorted(description.hosts)
    return [
        (
            moment,
            random.choice((36, 86, 86, 186)),
            random.choice(hosts),
            random.choice(targets),
            random.choice((1, 3, 64)),
        )
        for moment in moments
    ]
