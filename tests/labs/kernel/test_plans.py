"""What the kernel world decides before it makes anything: needs no root."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.policy.network import Network, NextHop, Prefix, Route
from compiler.simulator.sockets import FailureKind
from labs.kernel.dependence import depends
from labs.kernel.devices import kernel_names, link_address
from labs.kernel.failures import failure_of_icmp, is_icmp_error
from labs.kernel.routing import table_numbers
from labs.kernel.segments import segments
from labs.topology import Node, NodeKind, Traffic, TrafficKind
from tests.labs.kernel.topologies import host, interface, link, number, router, star


@given(st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=12))
def test_linux_takes_every_name(names: list[str]) -> None:
    made = kernel_names(names)
    assert list(made) == names
    assert len(set(made.values())) == len(names)
    for name, linux in made.items():
        assert 0 < len(linux.encode()) <= 15
        assert not any(letter.isspace() or letter in "/:" for letter in linux)
        assert linux not in ("lo", "all", "default", ".", "..")
        assert linux == name or linux.startswith("if")


def test_names_that_can_stay_stay() -> None:
    assert kernel_names(["eth0", "if1", "GigabitEthernet0/2", "lo"]) == {
        "eth0": "eth0",
        "if1": "if1",
        "GigabitEthernet0/2": "if2",
        "lo": "if3",
    }


def test_link_addresses_are_local_and_differ() -> None:
    made = [link_address(node, port) for node in range(300) for port in (0, 1, 300)]
    assert len(set(made)) == len(made)
    assert all(one.startswith("02:") for one in made)


def test_tables_get_numbers() -> None:
    prefix = Prefix(Family.IPV4, 0, 0)
    routes = tuple(Route(prefix, (NextHop(1),), table=name) for name in ("main", "isp1", "77", "isp2", "isp1"))
    numbers = table_numbers(Network("r", "nftables", routes=routes))
    assert (numbers["main"], numbers["77"], numbers["isp1"], numbers["isp2"]) == (254, 77, 1000, 1001)


def test_segments_end_at_routers() -> None:
    found = {frozenset(f"{end.node}:{end.interface}" for end in segment) for segment in segments(star())}
    assert found == {
        frozenset({"anna:eth0", "bima:eth0", "router:lan"}),
        frozenset({"router:wan", "server:eth0"}),
    }


@pytest.mark.parametrize(
    ("client", "server", "node", "expected"),
    [
        ("anna", "server", "router", True),
        ("anna", "bima", "router", False),
        ("anna", "bima", "switch", True),
        ("anna", "bima", "anna", True),
        ("anna", "192.0.2.9", "router", True),
        ("anna", "10.0.0.12", "router", False),
        ("anna", "203.0.113.77", "server", True),
        ("anna", "server", "bima", False),
    ],
)
def test_what_depends_on_a_node(client: str, server: str, node: str, expected: bool) -> None:
    assert depends(star(), Traffic("t", TrafficKind.PING, client, server), node) is expected


def test_a_second_way_depends_on_both() -> None:
    """In a ring every router may carry the traffic."""
    lab = star()
    ring = (
        host("a", "10.0.0.1/24"),
        router("left", interface("in"), interface("out")),
        router("right", interface("in"), interface("out")),
        Node("hub", NodeKind.SWITCH, ("1", "2", "3")),
        Node("far", NodeKind.SWITCH, ("1", "2", "3")),
        host("b", "192.0.2.1/24"),
    )
    links = (
        link("1", "a:eth0", "hub:1"), link("2", "hub:2", "left:in"), link("3", "hub:3", "right:in"),
        link("4", "left:out", "far:1"), link("5", "right:out", "far:2"), link("6", "far:3", "b:eth0"),
    )  # fmt: skip
    lab = replace(lab, nodes=ring, links=links)
    traffic = Traffic("t", TrafficKind.PING, "a", "b")
    assert all(depends(lab, traffic, name) for name in ("left", "right", "hub", "far"))


@given(st.sampled_from(list(Family)), st.integers(0, 255), st.integers(0, 255))
def test_icmp_means_the_same_as_in_the_simulator(family: Family, kind: int, code: int) -> None:
    from compiler.fields import ICMP, ICMPV6
    from compiler.simulator.frame import Datagram
    from compiler.simulator.hosts.icmp import failure

    protocol = ICMP if family is Family.IPV4 else ICMPV6
    told = failure(Datagram(family, 5, 6, protocol, 60, icmp_type=kind, icmp_code=code))
    assert (told is not None) is is_icmp_error(family, kind)
    if told is not None:
        assert failure_of_icmp(family, kind, code, 5) == told
        assert told.kind is not FailureKind.TIMED_OUT


def test_numbers_of_addresses() -> None:
    assert number("10.0.0.1") == 0x0A000001
