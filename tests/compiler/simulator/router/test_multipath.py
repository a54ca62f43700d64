"""Which of several next hops: the hash, the parts, and the kernel's own word for it (``ip route get``)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import format_address, parse_address
from compiler.fields import ICMP, TCP, UDP, Family
from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Prefix, Route
from compiler.policy.packet import Path as Journey
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.router.device import Router
from compiler.simulator.router.finding import Finding
from compiler.simulator.router.multipath import flow_hash, siphash, upper_bounds
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.ways import Asked, Choice
from compiler.simulator.wire import decode, encode

WEIGHTS = (3, 1, 2)
NUMBER = st.integers(0, 0xFFFFFFFF)
PORT = st.integers(0, 0xFFFF)
PROTOCOLS = {6: "tcp", 17: "udp"}
SCRIPT = """
set -e
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
sysctl -qw net.ipv4.fib_multipath_hash_policy={policy} net.ipv4.fib_multipath_hash_seed={seed}
if test {version} = 6; then
  sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
  sysctl -qw net.ipv6.fib_multipath_hash_policy={policy}
fi
for port in LAN ISP1 ISP2 ISP3; do
  ip link add $port type veth peer name p$port
  ip link set $port up
  ip link set p$port up
done
for own in {lan},LAN {owns}; do ip address add ${{own%,*}} dev ${{own#*,}}; done
ip -{version} route add default {hops}
ip -{version} -batch -
"""


def test_the_published_value():
    """Aumasson and Bernstein, appendix A: key 00 … 0f, message 00 … 0e."""
    key = int.from_bytes(bytes(range(8)), "little"), int.from_bytes(bytes(range(8, 16)), "little")
    assert siphash(bytes(range(15)), key) == 0xA129CA6149BE45E5


@given(st.lists(st.integers(1, 256), min_size=1, max_size=8))
def test_each_has_its_part(weights):
    bounds = upper_bounds(weights)
    assert bounds[-1] == (1 << 31) - 1
    total, before = sum(weights), -1
    for bound, weight in zip(bounds, weights, strict=True):
        assert abs((bound - before) - (weight << 31) / total) <= 1
        before = bound


def flow(source: int, destination: int, protocol: int = TCP, ports: tuple[int, int] = (0, 0)) -> Datagram:
    return Datagram(Family.IPV4, source, destination, protocol, 40, *ports)


@given(NUMBER, NUMBER, PORT, PORT, st.sampled_from(["l3", "l4", "l3-inner"]), NUMBER)
def test_both_directions_hash_alike(source, destination, low, high, policy, seed):
    there, back = flow(source, destination, TCP, (low, high)), flow(destination, source, TCP, (high, low))
    assert flow_hash(there, policy, seed) == flow_hash(back, policy, seed) < 1 << 31


def test_what_counts_is_the_policys():
    web, mail = flow(1, 2, TCP, (1000, 80)), flow(1, 2, TCP, (1000, 25))
    assert flow_hash(web, "l3", 5) == flow_hash(mail, "l3", 5) == flow_hash(flow(1, 2, UDP), "l3", 5)
    assert len({flow_hash(one, "l4", 5) for one in (web, mail, flow(1, 2, UDP, (1000, 80)))}) == 3
    assert flow_hash(web, "l3", 5) != flow_hash(web, "l3", 6)


def test_an_error_goes_the_way_of_what_it_is_about():
    about = flow(0x0A000001, 0x08080808, UDP, (1, 2))
    about.size = 28
    error = flow(0x0A000009, 0x08080808, ICMP)
    error.icmp_type, error.data = 3, encode(about)
    error.size = 28 + len(error.data)
    error = decode(encode(error))
    assert flow_hash(error, "l3", 1) == flow_hash(about, "l3", 1)
    assert flow_hash(error, "l4", 1) != flow_hash(about, "l4", 1)


@pytest.mark.parametrize("head", [b"", b"\0\0\x08\0", b"\x20\0\x08\0\0\0\0\x07", b"\xb0\0\x08\0" + bytes(12)])
def test_what_a_tunnel_carries(head):
    inner = flow(0x0A000001, 0x0A000002, UDP, (1, 2))
    inner.size = 28
    outer = flow(0xC0000201, 0xC0000202, 47 if head else 4)
    outer.data = head + encode(inner)
    assert flow_hash(outer, "l3-inner", 1) == flow_hash(inner, "l3", 1)
    assert flow_hash(outer, "l3", 1) != flow_hash(inner, "l3", 1)
    outer.data = outer.data[: len(head) + 19]
    assert flow_hash(outer, "l3-inner", 1) == flow_hash(outer, "l3", 1)


# -- routes ---------------------------------------------------------------------------------


def address(text: str) -> int:
    return parse_address(text)[0]


def router(policy: str = "l3", seed: int = 7, works: tuple[str, ...] = ("LAN", "ISP1", "ISP2", "ISP3")) -> Router:
    interfaces = [Interface("LAN", (InterfaceAddress(Family.IPV4, address("192.168.0.1"), 16),))]
    hops = []
    for number, weight in enumerate(WEIGHTS, 1):
        own = InterfaceAddress(Family.IPV4, address(f"10.{number}.0.2"), 24)
        interfaces.append(Interface(f"ISP{number}", (own,)))
        hops.append(NextHop(address(f"10.{number}.0.1"), f"ISP{number}", weight))
    route = Route(Prefix(Family.IPV4, 0, 0), tuple(hops), distance=0)
    network = Network(
        "r", "linux", interfaces=tuple(interfaces), routes=(route,), multipath_policy=policy, multipath_seed=seed
    )
    made = Router(Engine(), "r", network)
    made.routes._works = lambda name: name in works
    return made


def ways(made: Router, asked: Asked) -> Counter[str]:
    numbers = range(0, 1 << 31, 1 << 22)
    return Counter(made.routes.find(asked, lambda number=number: Choice(number)).interface for number in numbers)


def test_the_living_share_by_weight():
    asked = Asked(Family.IPV4, address("192.168.1.1"), address("8.8.8.8"))
    assert ways(router(), asked) == {"ISP1": 256, "ISP2": 86, "ISP3": 170}
    assert ways(router(works=("LAN", "ISP2", "ISP3")), asked) == {"ISP2": 171, "ISP3": 341}
    assert ways(router(works=("LAN", "ISP3")), asked) == {"ISP3": 512}


def test_what_has_an_address_of_a_line_leaves_by_it():
    made = router()
    asked = Asked(Family.IPV4, address("10.2.0.2"), address("8.8.8.8"))
    for number in (0, 1 << 30, (1 << 31) - 1):
        assert made.routes.find(asked, lambda number=number: Choice(number, asked.source)).interface == "ISP2"


def test_other_routes_while_it_runs():
    """As a watcher changes them: rules, connections and interfaces stay as they are."""
    made = router()
    before = made.memory.connections
    (route,) = made.network.routes
    fewer = Network("r", "linux", routes=(Route(route.prefix, route.next_hops[1:2], distance=0),))
    made.reroute(fewer)
    asked = Asked(Family.IPV4, address("192.168.1.1"), address("8.8.8.8"))
    assert ways(made, asked) == {"ISP2": 512}
    assert made.memory.connections is before
    assert made.network.interface("ISP1") is not None
    assert made.routes.is_local(Family.IPV4, address("10.1.0.2"))


# -- the kernel --------------------------------------------------------------------------------

needs_seed = pytest.mark.skipif(
    os.geteuid() != 0
    or not all(map(shutil.which, ("unshare", "ip", "sysctl")))
    or not Path("/proc/sys/net/ipv4/fib_multipath_hash_seed").exists(),
    reason="needs root and Linux 6.11",
)


def asked_of_kernel(policy: int, seed: int, questions: list[str], version: int = 4) -> list[str]:
    gateways, lan = ("10.{}.0.1", "192.168.0.1/16") if version == 4 else ("2001:db8:a{}::1", "2001:db8:1::1/64")
    hops = " ".join(
        f"nexthop via {gateways.format(number)} dev ISP{number} weight {weight}"
        for number, weight in enumerate(WEIGHTS, 1)
    )
    owns = " ".join(
        (f"10.{number}.0.2/24" if version == 4 else f"2001:db8:a{number}::2/64") + f",ISP{number}"
        for number in range(1, 4)
    )
    script = SCRIPT.format(policy=policy, seed=seed, hops=hops, owns=owns, lan=lan, version=version)
    text = "".join(f"route get {question}\n" for question in questions)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script], input=text, capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.split("\n") if " dev " in line]


@needs_seed
@pytest.mark.parametrize(("number", "policy"), [(0, "l3"), (1, "l4")])
@pytest.mark.parametrize("seed", [1, 0xDEADBEEF])
def test_the_kernel_chooses_the_same(number, policy, seed):
    made, flows = router(policy, seed), []
    for index in range(120):
        ports = (1000 + 37 * index % 60000, 80 + index)
        flows.append(flow(0xC0A80002 + 257 * index, 0x0B000000 + 65599 * index, (TCP, UDP)[index % 2], ports))
    questions = [
        f"{format_address(one.destination, 32)} from {format_address(one.source, 32)} iif LAN "
        f"ipproto {PROTOCOLS[one.protocol]} sport {one.source_port} dport {one.destination_port}"
        for one in flows
    ]
    for one, line in zip(flows, asked_of_kernel(number, seed, questions), strict=True):
        way = Finding(made.network, made.routes, made.memory).way(Transit(one, "LAN", Journey.FORWARD))
        assert f" dev {way.interface} " in line


@needs_seed
@pytest.mark.parametrize(("number", "policy"), [(0, "l3"), (1, "l4")])
def test_the_kernel_chooses_the_same_in_ipv6(number, policy):
    bounds, flows = upper_bounds(WEIGHTS), []
    for index in range(120):
        source, target = (0x20010DB80001 << 80) + 2 + 257 * index, (0x2A00 << 112) + 65599 * index
        ports = (1000 + 37 * index, 80 + index)
        flows.append(Datagram(Family.IPV6, source, target, (TCP, UDP)[index % 2], 60, *ports))
    questions = [
        f"{format_address(one.destination, 128)} from {format_address(one.source, 128)} iif LAN "
        f"ipproto {PROTOCOLS[one.protocol]} sport {one.source_port} dport {one.destination_port}"
        for one in flows
    ]
    for one, line in zip(flows, asked_of_kernel(number, 99, questions, 6), strict=True):
        choice = flow_hash(one, policy, 99)
        line_number = next(place for place, bound in enumerate(bounds, 1) if choice <= bound)
        assert f" dev ISP{line_number} " in line


@needs_seed
def test_the_kernels_own_packets():
    """Without a source the hash gives one, by the line that it falls on; with a line's address they leave by it."""
    made = router(seed=77)
    targets = [0x0B000000 + 65599 * index for index in range(60)]
    questions = [format_address(target, 32) for target in targets]
    questions += [f"{format_address(target, 32)} from 10.{1 + target % 3}.0.2" for target in targets]
    answers = asked_of_kernel(0, 77, questions)
    for target, line in zip(targets, answers[: len(targets)], strict=True):
        source = made._source_for(Family.IPV4, target)
        assert source is not None
        assert f" src {format_address(source, 32)} " in line
    for target, line in zip(targets, answers[len(targets) :], strict=True):
        assert f" dev ISP{1 + target % 3} " in line
