"""Routers as ends, what lies beyond a port, and questions that ask nothing."""

import pytest

from compiler.errors import UsageError
from compiler.testing.answer import PropertyFailed, Sureness
from compiler.testing.headers import packets
from compiler.testing.networks.failures import failures
from compiler.testing.networks.model import network

EDGE = """\
hostname edge
interface lan
 ip address 10.0.0.1 255.255.255.0
 ip access-group 101 in
interface wan
 ip address 192.0.2.2 255.255.255.0
ip route 0.0.0.0 0.0.0.0 192.0.2.1
"""
OPEN = EDGE + "access-list 101 permit ip any any\n"
CLOSED = (
    EDGE
    + "access-list 101 deny tcp any host 10.0.0.1 eq 22\naccess-list 101 deny tcp any host 192.0.2.2 eq 22\n"
    + "access-list 101 permit ip any any\n"
)
STATEFUL = """\
table inet f {
  chain in { type filter hook input priority 0; policy accept; ct state established accept; tcp dport 22 RULE; }
}
"""


def edge(text):
    return network().host("guest", "10.0.0.2/24", gateway="10.0.0.1").router("r", text=text).cable("guest", "r:lan")


def stateful(rule):
    ports = {"lan": "10.0.0.1/24", "wan": "192.0.2.2/24"}
    made = network().host("guest", "10.0.0.2/24", gateway="10.0.0.1").host("other", "10.0.0.3/24", gateway="10.0.0.1")
    made = made.switch("s").router("r", text=STATEFUL.replace("RULE", rule), ports=ports)
    return made.cable("guest", "s").cable("other", "s").cable("s", "r:lan").verify()


@pytest.mark.parametrize("end", ["r", "192.0.2.2", "192.0.2.0/24", "10.0.0.1", "10.0.0.0/24", "any"])
def test_what_the_router_takes_is_reached(end):
    guests = edge(OPEN).verify()
    with pytest.raises(PropertyFailed) as raised:
        guests.unreachable("guest", end, "tcp/22")
    assert raised.value.answer.sureness is Sureness.PROVED
    assert raised.value.answer.said == "arrives: the router took it for itself"
    assert raised.value.answer.witness.path[-1].node == "r"
    assert guests.reachable("guest", end, "tcp/22").sureness is Sureness.PROVED


@pytest.mark.parametrize("end", ["r", "192.0.2.2", "10.0.0.0/24"])
def test_guests_cannot_ssh_to_the_router(end):
    assert edge(CLOSED).verify().unreachable("guest", end, "tcp/22").sureness is Sureness.PROVED
    assert edge(CLOSED).verify().reachable("guest", end, "tcp/80").held
    assert not edge(CLOSED).verify().ask_reachable("guest", end, "tcp/22").held


@pytest.mark.parametrize("end", ["r", "192.0.2.2", "10.0.0.1"])
def test_the_simulator_knows_what_a_router_takes(end):
    answer = stateful("drop").unreachable("guest", end, "tcp/22")
    assert answer.sureness is Sureness.TESTED
    opened = stateful("accept").ask_unreachable("guest", end, "tcp/22")
    assert not opened.held
    assert opened.said == "arrives: the router took it for itself"
    assert stateful("accept").reachable("guest", end, "tcp/22").sureness is Sureness.TESTED
    assert not stateful("drop").ask_reachable("guest", end, "tcp/22").held


def test_one_router_is_not_the_network_beyond_it():
    asked = edge(CLOSED).verify()
    assert not asked.ask_unreachable("guest", "192.0.2.0/24", "tcp/22").held  # who lives there is reached
    assert asked.for_all(packets(service="tcp/22", destination="192.0.2.2")).unreachable("guest", "192.0.2.0/24").held


def test_routers_send_nothing():
    for ask in (edge(OPEN).verify().unreachable, edge(OPEN).verify().isolated):
        with pytest.raises(UsageError, match="r is a router"):
            ask("r", "guest")


@pytest.mark.parametrize("end", ["any", "0.0.0.0/0", "192.0.2.0/24"])
def test_groups_and_broadcasts_are_not_beyond_a_port(end):
    assert edge(OPEN).verify().reachable("guest", end).sureness is Sureness.PROVED


@pytest.mark.parametrize("end", ["224.0.0.0/4", "192.0.2.255", "127.0.0.1"])
def test_nobody_has_such_an_address(end):
    with pytest.raises(UsageError, match="no host has an address"):
        edge(OPEN).verify().unreachable("guest", end)


@pytest.mark.parametrize("wrong", [-1, True, False, 1.0, "1", None])
def test_failures_are_counted(wrong):
    with pytest.raises(UsageError, match="how many parts may be dead"):
        edge(OPEN).verify().under(wrong)


def test_there_is_always_a_case():
    assert tuple(failures((), 0)) == (frozenset(),)
    with pytest.raises(UsageError):
        tuple(failures(("r",), -1))


@pytest.mark.parametrize("word", ["via", "avoids"])
def test_ways_of_nothing_are_no_question(word):
    asked = edge(EDGE + "access-list 101 deny ip any any\n").verify()
    with pytest.raises(UsageError, match="no packet arrives"):
        getattr(asked, word)("guest", "198.51.100.7", "r")
    assert edge(OPEN).verify().via("guest", "198.51.100.7", "r").held


V6 = """\
interface lan
 ipv6 address 2001:db8:1::1/64
 ipv6 traffic-filter F in
interface wan
 ipv6 address 2001:db8:2::1/64
ipv6 access-list F
 deny tcp any any
"""


def test_neighbour_discovery_stays_on_its_link():
    made = (
        network()
        .host("a", "2001:db8:1::2/64", gateway="2001:db8:1::1")
        .host("b", "2001:db8:1::3/64", gateway="2001:db8:1::1")
        .host("c", "2001:db8:2::2/64", gateway="2001:db8:2::1")
        .switch("s")
        .router("r", text=V6)
        .cable("a", "s")
        .cable("b", "s")
        .cable("s", "r:lan")
        .cable("c", "r:wan")
    )
    asked = made.verify()
    assert asked.unreachable("a", "c").sureness is Sureness.PROVED
    assert asked.reachable("a", "b", "icmp6/135").held
    assert not asked.ask_unreachable("a", "r", "icmp6/135").held
    assert not asked.ask_reachable("a", "c", "icmp6/135").held
    # Whoever asks for everything does not mean what no router hands on.
    assert asked.reachable("c", "a").held
