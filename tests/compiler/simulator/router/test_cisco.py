"""The pipeline of a Cisco router: lists, policy routing, translation, in Cisco's order."""

from __future__ import annotations

import pytest

from compiler.fields import Family
from compiler.simulator.frame import Datagram
from tests.compiler.simulator.rig import Heard, Rig

BRANCH = """
hostname branch
interface GigabitEthernet0/0
 ip address 192.168.1.1 255.255.255.0
 ip nat inside
 ip access-group INSIDE in
interface GigabitEthernet0/1
 ip address 203.0.113.2 255.255.255.252
 ip nat outside
 ip access-group OUTSIDE in
 ip access-group LEAVING out
ip route 0.0.0.0 0.0.0.0 203.0.113.1
ip nat inside source list CLIENTS interface GigabitEthernet0/1 overload
ip nat inside source static tcp 192.168.1.10 80 203.0.113.2 8080
ip access-list standard CLIENTS
 permit 192.168.1.0 0.0.0.255
ip access-list extended INSIDE
 deny tcp any any eq 25
 permit ip any any
ip access-list extended OUTSIDE
 deny tcp any any eq 23
 permit ip any any
ip access-list extended LEAVING
 deny udp host 192.168.1.77 any
 deny tcp host 203.0.113.2 any eq 6667
 permit ip any any
"""
INSIDE, OUTSIDE = "GigabitEthernet0/0", "GigabitEthernet0/1"


def only(heard: list[Heard]) -> Heard:
    assert len(heard) == 1, heard
    return heard[0]


@pytest.fixture
def branch() -> Rig:
    return Rig(BRANCH, "ios")


def test_a_session_goes_out_translated_and_comes_back(branch: Rig) -> None:
    out = only(branch.send(INSIDE, "tcp 192.168.1.5:4000 > 198.51.100.9:443 flags=syn"))
    assert out.interface == OUTSIDE
    assert out.text == "tcp 203.0.113.2:4000 > 198.51.100.9:443 flags=syn ttl=63"
    back = only(branch.send(OUTSIDE, "tcp 198.51.100.9:443 > 203.0.113.2:4000 flags=syn,ack"))
    assert (back.interface, back.text) == (INSIDE, "tcp 198.51.100.9:443 > 192.168.1.5:4000 flags=syn,ack ttl=63")


def test_a_port_that_is_taken_becomes_another_of_its_class(branch: Rig) -> None:
    branch.send(INSIDE, "udp 192.168.1.5:600 > 198.51.100.9:53")
    out = only(branch.send(INSIDE, "udp 192.168.1.6:600 > 198.51.100.9:53"))
    assert out.datagram.source_port != 600
    assert 512 <= out.datagram.source_port <= 1023
    back = only(branch.send(OUTSIDE, f"udp 198.51.100.9:53 > 203.0.113.2:{out.datagram.source_port}"))
    assert back.text.startswith("udp 198.51.100.9:53 > 192.168.1.6:600")


def test_the_same_port_serves_two_sessions_to_different_hosts(branch: Rig) -> None:
    """Overload tells extended entries apart by the outside host too."""
    branch.send(INSIDE, "udp 192.168.1.5:5000 > 198.51.100.9:53")
    out = only(branch.send(INSIDE, "udp 192.168.1.6:5000 > 198.51.100.10:53"))
    assert out.datagram.source_port == 5000


def test_a_static_port_lets_the_outside_in(branch: Rig) -> None:
    came = only(branch.send(OUTSIDE, "tcp 198.51.100.7:3000 > 203.0.113.2:8080 flags=syn"))
    assert came.text == "tcp 198.51.100.7:3000 > 192.168.1.10:80 flags=syn ttl=63"
    answer = only(branch.send(INSIDE, "tcp 192.168.1.10:80 > 198.51.100.7:3000 flags=syn,ack"))
    assert answer.text == "tcp 203.0.113.2:8080 > 198.51.100.7:3000 flags=syn,ack ttl=63"


def test_an_in_list_sees_global_addresses_and_denies_with_an_icmp_error(branch: Rig) -> None:
    refused = only(branch.send(OUTSIDE, "tcp 198.51.100.7:3000 > 203.0.113.2:23 flags=syn"))
    assert refused.interface == OUTSIDE
    error = refused.datagram
    assert (error.icmp_type, error.icmp_code) == (3, 13)
    assert error.quoted is not None
    assert error.quoted.destination_port == 23


def test_an_out_list_sees_the_translated_source(branch: Rig) -> None:
    """The entry about the inside address never matches outbound: translation came first."""
    passed = only(branch.send(INSIDE, "udp 192.168.1.77:53 > 198.51.100.9:53"))
    assert passed.interface == OUTSIDE
    stopped = only(branch.send(INSIDE, "tcp 192.168.1.5:4001 > 198.51.100.9:6667 flags=syn"))
    assert (stopped.interface, stopped.datagram.icmp_code) == (INSIDE, 13)


def test_the_routers_own_packets_skip_the_out_list() -> None:
    rig = Rig(BRANCH.replace("permit ip any any", "deny ip any any"), "ios")
    rig.router.stack.echo(Family.IPV4, 0xC6336409, lambda answer: None)
    rig.engine.run(rig.engine.now + 1_000_000)
    assert [heard.datagram.icmp_type for heard in rig.testers[OUTSIDE].heard] == [8]


def test_icmp_errors_about_translated_packets_find_their_sender(branch: Rig) -> None:
    out = only(branch.send(INSIDE, "udp 192.168.1.5:4000 > 198.51.100.9:9999"))
    error = error_about(out.datagram, source=0xC6336401)
    back = only(branch.send(OUTSIDE, error))
    assert back.interface == INSIDE
    assert back.datagram.destination == 0xC0A80105
    assert back.datagram.quoted is not None
    assert (back.datagram.quoted.source, back.datagram.quoted.source_port) == (0xC0A80105, 4000)


def error_about(sent: Datagram, source: int) -> Datagram:
    from compiler.simulator.hosts.icmp import error

    made = error(sent, source, 3, 3)
    assert made is not None
    return made


def test_unsolicited_packets_to_the_translated_address_stay_at_the_router(branch: Rig) -> None:
    heard = branch.send(OUTSIDE, "udp 198.51.100.9:53 > 203.0.113.2:4000")
    assert [one.interface for one in heard] == [OUTSIDE]
    assert heard[0].datagram.icmp_code == 3  # port unreachable, from the router itself


def test_a_session_dies_after_its_time(branch: Rig) -> None:
    branch.send(INSIDE, "udp 192.168.1.5:4000 > 198.51.100.9:9999")
    branch.wait(301)
    heard = branch.send(OUTSIDE, "udp 198.51.100.9:9999 > 203.0.113.2:4000")
    assert all(one.interface == OUTSIDE for one in heard)


def test_fragments_are_put_together_translated_and_cut_again(branch: Rig) -> None:
    from compiler.simulator.fragments import fragment

    whole = Datagram(Family.IPV4, 0xC0A80105, 0xC6336409, 17, 3028, 4000, 53)
    pieces = fragment(whole, 1500)
    heard = [one for piece in pieces for one in branch.send(INSIDE, piece)]
    assert [one.datagram.fragment_offset for one in heard] == [piece.fragment_offset for piece in pieces]
    assert {one.datagram.source for one in heard} == {0xCB007102}


POOL = """
interface Ethernet0
 ip address 10.0.0.1 255.255.255.0
 ip nat inside
interface Ethernet1
 ip address 192.0.2.1 255.255.255.0
 ip nat outside
ip nat pool TWO 192.0.2.10 192.0.2.11 prefix-length 24
ip nat inside source list 1 pool TWO
access-list 1 permit 10.0.0.0 0.0.0.255
"""


def test_a_pool_gives_one_address_to_each_host_until_none_is_left() -> None:
    rig = Rig(POOL, "ios")
    first = only(rig.send("Ethernet0", "udp 10.0.0.5:1000 > 192.0.2.99:53"))
    second = only(rig.send("Ethernet0", "udp 10.0.0.6:1000 > 192.0.2.99:53"))
    assert (first.datagram.source, second.datagram.source) == (0xC000020A, 0xC000020B)
    assert only(rig.send("Ethernet0", "tcp 10.0.0.5:7 > 192.0.2.99:80 flags=syn")).datagram.source == 0xC000020A
    assert rig.send("Ethernet0", "udp 10.0.0.7:1000 > 192.0.2.99:53") == []
    assert "no global address is left" in {reason for reason, _ in rig.router.journal.drops}
    back = only(rig.send("Ethernet1", "udp 192.0.2.99:9 > 192.0.2.11:1234"))
    assert back.datagram.destination == 0x0A000006


POLICY = """
interface Ethernet0
 ip address 10.0.0.1 255.255.255.0
 ip policy route-map SPLIT
interface Ethernet1
 ip address 192.0.2.1 255.255.255.0
interface Ethernet2
 ip address 198.51.100.1 255.255.255.0
ip route 0.0.0.0 0.0.0.0 192.0.2.254
ip access-list extended WEB
 permit tcp any any eq 80
ip access-list extended BULK
 permit udp any any
route-map SPLIT deny 5
 match ip address EXCEPT
route-map SPLIT permit 10
 match ip address WEB
 set ip next-hop 198.51.100.254
route-map SPLIT permit 20
 match ip address BULK
 set ip next-hop 172.16.0.9
ip access-list extended EXCEPT
 permit tcp host 10.0.0.66 any
"""


@pytest.mark.parametrize(
    ("sent", "leaves"),
    [
        ("tcp 10.0.0.5:1 > 8.8.8.8:80 flags=syn", "Ethernet2"),
        ("tcp 10.0.0.66:1 > 8.8.8.8:80 flags=syn", "Ethernet1"),
        ("tcp 10.0.0.5:1 > 8.8.8.8:443 flags=syn", "Ethernet1"),
        # The next hop is no neighbour, so the packet is routed as usual.
        ("udp 10.0.0.5:1 > 8.8.8.8:53", "Ethernet1"),
    ],
)
def test_policy_routing_goes_by_the_first_entry_that_matches(sent: str, leaves: str) -> None:
    assert only(Rig(POLICY, "ios").send("Ethernet0", sent)).interface == leaves


def test_policy_routing_falls_back_when_the_next_hops_interface_is_down() -> None:
    rig = Rig(POLICY, "ios")
    rig.links["Ethernet2"].set_up(False)
    assert only(rig.send("Ethernet0", "tcp 10.0.0.5:1 > 8.8.8.8:80 flags=syn")).interface == "Ethernet1"


REFLEXIVE = """
interface Ethernet0
 ip address 10.0.0.1 255.255.255.0
interface Ethernet1
 ip address 192.0.2.1 255.255.255.0
 ip access-group IN in
 ip access-group OUT out
ip access-list extended OUT
 permit tcp any any reflect SESSIONS timeout 60
 permit udp any any reflect SESSIONS timeout 10
 permit icmp any any
ip access-list extended IN
 evaluate SESSIONS
 deny ip any any
"""


@pytest.fixture
def reflexive() -> Rig:
    return Rig(REFLEXIVE, "ios")


def test_a_reflexive_list_lets_answers_in_and_nothing_else(reflexive: Rig) -> None:
    assert only(reflexive.send("Ethernet1", "udp 192.0.2.9:53 > 10.0.0.5:1000")).interface == "Ethernet1"
    only(reflexive.send("Ethernet0", "udp 10.0.0.5:1000 > 192.0.2.9:53"))
    assert only(reflexive.send("Ethernet1", "udp 192.0.2.9:53 > 10.0.0.5:1000")).interface == "Ethernet0"
    assert only(reflexive.send("Ethernet1", "udp 192.0.2.9:54 > 10.0.0.5:1000")).interface == "Ethernet1"


def test_a_reflected_permit_dies_after_its_timeout(reflexive: Rig) -> None:
    reflexive.send("Ethernet0", "udp 10.0.0.5:1000 > 192.0.2.9:53")
    reflexive.wait(9)
    assert only(reflexive.send("Ethernet1", "udp 192.0.2.9:53 > 10.0.0.5:1000")).interface == "Ethernet0"
    reflexive.wait(10.5)
    assert only(reflexive.send("Ethernet1", "udp 192.0.2.9:53 > 10.0.0.5:1000")).interface == "Ethernet1"


def test_a_reset_takes_the_reflected_permit_down(reflexive: Rig) -> None:
    reflexive.send("Ethernet0", "tcp 10.0.0.5:1000 > 192.0.2.9:80 flags=syn")
    assert only(reflexive.send("Ethernet1", "tcp 192.0.2.9:80 > 10.0.0.5:1000 flags=rst,ack")).interface == "Ethernet0"
    assert only(reflexive.send("Ethernet1", "tcp 192.0.2.9:80 > 10.0.0.5:1000 flags=ack")).interface == "Ethernet1"
