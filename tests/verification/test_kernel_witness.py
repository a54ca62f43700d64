"""The kernel as the last witness: compiled lists decide real packets as the source's meaning says."""

from __future__ import annotations

import random

import pytest

from compiler.analysis.compilation import compile_tree
from compiler.dialects.ios.reader import read
from compiler.fields import Family
from compiler.lowering.options import Deny, Fragments, Options, Placement
from compiler.policy.packet import Packet, Path
from compiler.semantics.decision import decide
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context
from tests.compiler.dialects.nftables.kernel import KernelRouter, why_not
from tests.compiler.dialects.nftables.packets import craft

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

WEST, EAST = "GigabitEthernet0/1", "GigabitEthernet0/2"
NAMES = {WEST: "west0", EAST: "east0"}
ADDRESSES = {
    Family.IPV4: ["any", "host 10.1.0.2", "10.1.0.0 0.0.255.254", "10.1.0.0 0.0.0.255", "10.0.0.8 0.7.0.7"],
    Family.IPV6: ["any", "host 2001:db8:a::2", "2001:db8:a::/48", "2001:db8:a::/127"],
}
HOSTS = {
    Family.IPV4: [0x0A010002, 0x0A010003, 0x0A0100FE, 0x0A030009, 0x0A01010A],
    Family.IPV6: [0x20010DB8000A << 80 | 2, 0x20010DB8000A << 80 | 3, 0x20010DB8000A << 80, 0x20010DB8000B << 80 | 2],
}
PORTS = ["", " eq 80", " neq 80", " range 79 81", " gt 1023", " lt 80", " eq 53 80 443"]
ICMP = {
    Family.IPV4: ["", " echo", " unreachable", " 3 1", " ttl-exceeded"],
    Family.IPV6: ["", " echo-request", " nd-ns", " 1 4"],
}


def line(source: random.Random, family: Family, *, layer4: bool) -> str:
    protocol = source.choice(["tcp", "tcp", "udp", "icmp", "47", "ipv6" if family is Family.IPV6 else "ip"])
    first, second = source.choice(ADDRESSES[family]), source.choice(ADDRESSES[family])
    ports = ["", ""]
    tail = ""
    if layer4 and protocol in ("tcp", "udp"):
        ports = [source.choice(["", source.choice(PORTS)]), source.choice(PORTS)]
        if protocol == "tcp" and source.random() < 0.3:
            tail = source.choice([" established", " syn", " match-all +ack -fin", " match-any +rst -ack"])
    elif layer4 and protocol == "icmp":
        tail = source.choice(ICMP[family])
    elif source.random() < 0.2:
        tail = " fragments"
    if source.random() < 0.15:
        tail += source.choice(
            [" dscp ef", " dscp 8"] if family is Family.IPV6 else [" tos 8", " dscp ef", " ttl lt 65"]
        )
    return f" {source.choice(['permit', 'permit', 'deny'])} {protocol} {first}{ports[0]} {second}{ports[1]}{tail}"


def configuration(source: random.Random, family: Family, *, ttl: bool = True) -> str:
    head, bind = ("ip access-list extended", "ip access-group")
    if family is Family.IPV6:
        head, bind = "ipv6 access-list", "ipv6 traffic-filter"
    text = f"interface {WEST}\n {bind} IN in\ninterface {EAST}\n {bind} OUT out\n"
    for name in ("IN", "OUT"):
        lines = [line(source, family, layer4=True) for _ in range(source.randrange(1, 9))]
        lines = [one for one in lines if ttl or "ttl" not in one]
        end = source.choice(["permit", "permit", "deny"])
        text += f"{head} {name}\n" + "\n".join([*lines, f" {end} {'ipv6' if family is Family.IPV6 else 'ip'} any any"])
        text += "\n"
    return text


def packets(source: random.Random, family: Family, count: int) -> list[Packet]:
    found = []
    for _ in range(count):
        protocol = source.choice([6, 6, 17, 58 if family is Family.IPV6 else 1, 47])
        later = source.random() < 0.25
        values = {}
        if protocol in (6, 17) and not later:
            values = {name: source.choice([79, 80, 81, 53, 1023, 1024]) for name in ("source_port", "destination_port")}
        if protocol == 6 and not later:
            values["tcp_flags"] = source.choice([0x02, 0x10, 0x12, 0x04, 0x11])
        if protocol in (1, 58) and not later:
            values |= {"icmp_type": source.choice([8, 0, 3, 11, 128, 1]), "icmp_code": source.choice([0, 1, 4])}
        found.append(
            Packet(
                family,
                source.choice(HOSTS[family]),
                source.choice(HOSTS[family]) + 0x10000 * (family is Family.IPV4) * source.randrange(2),
                protocol,
                traffic_class=source.choice([0, 184, 32, 16, 17]),
                ttl=source.choice([64, 65, 2]),
                noninitial=later,
                ingress=WEST,
                egress=EAST,
                path=Path.FORWARD,
                **values,
            )
        )
    return found


@pytest.fixture(scope="module")
def router():
    with KernelRouter() as kernel:
        yield kernel


@pytest.mark.parametrize("family", list(Family), ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("seed", range(12))
def test_the_kernel_decides_as_the_source_means(router, seed, family):
    source = random.Random(seed)
    text = configuration(source, family)
    device = read(text, "router.cfg")
    # In this namespace nothing reassembles: the out-list meets fragments too.
    options = Options(interfaces=NAMES, fragments=Fragments.UNTRACKED, deny=source.choice(list(Deny)))
    compilation = compile_tree(device, "nftables", options)
    assert compilation.report is not None
    assert compilation.report.holds
    meaning = machine(device)
    router.load(compilation.text)
    sent = packets(source, family, 150)
    expected = [
        decide(meaning.stages(Context(family, Path.FORWARD, WEST, EAST, packet.noninitial)), packet).passes
        for packet in sent
    ]
    seen = router.verdicts([craft(packet) for packet in sent], "west")
    wrong = [packet for packet, mine, kernel in zip(sent, expected, seen, strict=True) if mine != kernel]
    assert not wrong, f"{text}\n{compilation.text}\n{wrong[:3]}"


@pytest.mark.parametrize("seed", range(4))
def test_filter_placement_decides_alike_where_packets_are_whole(router, seed):
    source = random.Random(100 + seed)
    text = configuration(source, Family.IPV4, ttl=False)
    device = read(text, "router.cfg")
    options = Options(interfaces=NAMES, fragments=Fragments.REASSEMBLED, placement=Placement.FILTER)
    compilation = compile_tree(device, "nftables", options)
    router.load(compilation.text)
    sent = [packet for packet in packets(source, Family.IPV4, 150) if not packet.noninitial]
    meaning = machine(device)
    stages = meaning.stages(Context(Family.IPV4, Path.FORWARD, WEST, EAST, False))
    seen = router.verdicts([craft(packet) for packet in sent], "west")
    assert seen == [decide(stages, packet).passes for packet in sent]
