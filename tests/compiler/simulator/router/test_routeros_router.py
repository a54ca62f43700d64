"""A RouterOS router: marks and tables, gateways that are checked, routes that are resolved through others."""

from __future__ import annotations

import pytest

from compiler.simulator.frame import Datagram
from tests.compiler.simulator.rig import Heard, Rig

DUAL = """
/ip address
add address=192.168.3.1/24 interface=lan
add address=192.168.1.2/24 interface=isp1
add address=192.168.2.2/24 interface=isp2
/routing table
add fib name=line1
add fib name=line2
/ip route
add dst-address=0.0.0.0/0 gateway=192.168.1.1 routing-table=line1
add dst-address=0.0.0.0/0 gateway=192.168.2.1 routing-table=line2
add check-gateway=ping distance=1 dst-address=0.0.0.0/0 gateway=192.168.1.1
add check-gateway=ping distance=2 dst-address=0.0.0.0/0 gateway=192.168.2.1
/ip firewall mangle
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local \
    in-interface=lan new-connection-mark=c1 nth=2,1 passthrough=yes
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local \
    in-interface=lan new-connection-mark=c2 passthrough=yes
add action=mark-routing chain=prerouting connection-mark=c1 in-interface=lan new-routing-mark=line1 passthrough=no
add action=mark-routing chain=prerouting connection-mark=c2 in-interface=lan new-routing-mark=line2 passthrough=no
/ip firewall nat
add action=masquerade chain=srcnat out-interface=isp1
add action=masquerade chain=srcnat out-interface=isp2
"""


def only(heard: list[Heard]) -> Heard:
    assert len(heard) == 1, heard
    return heard[0]


def routeros(text: str) -> Rig:
    return Rig(text, "routeros")


def test_new_connections_take_the_lines_in_turn_and_keep_them() -> None:
    rig = routeros(DUAL)
    lines = [
        only(rig.send("lan", f"tcp 192.168.3.9:{port} > 8.8.8.8:80 flags=syn")).interface for port in range(1000, 1010)
    ]
    assert lines == ["isp1", "isp2"] * 5
    answer = only(rig.send("isp2", "tcp 8.8.8.8:80 > 192.168.2.2:1001 flags=syn,ack"))
    assert (answer.interface, answer.datagram.destination_port) == ("lan", 1001)
    again = [only(rig.send("lan", "tcp 192.168.3.9:1001 > 8.8.8.8:80 flags=ack")).interface for _ in range(4)]
    assert again == ["isp2"] * 4


def test_a_retransmitted_syn_does_not_change_the_line() -> None:
    rig = routeros(DUAL)
    lines = {only(rig.send("lan", "tcp 192.168.3.9:1000 > 8.8.8.8:80 flags=syn")).interface for _ in range(6)}
    assert lines == {"isp1"}


MARKED_LOCAL = DUAL.replace(" dst-address-type=!local", "")


@pytest.mark.parametrize(("version", "reaches"), [("6", True), ("7", False)])
def test_marking_what_is_for_the_router_cuts_it_off_in_version_7_only(version: str, reaches: bool) -> None:
    text = MARKED_LOCAL
    if version == "6":
        text = text.replace("/routing table\nadd fib name=line1\nadd fib name=line2\n", "")
        text = text.replace("routing-table=", "routing-mark=")
    rig = routeros(f"# jan/01/2026 00:00:00 by RouterOS {version}.49\n{text}")
    heard = rig.send("lan", ping(0xC0A80309, 0xC0A80301))
    answered = any(one.interface == "lan" and one.datagram.icmp_type == 0 for one in heard)
    assert answered is reaches


def ping(source: int, destination: int) -> Datagram:
    from compiler.fields import Family

    made = Datagram(Family.IPV4, source, destination, 1, 84, icmp_type=8)
    made.identifier = 77
    return made


def test_a_checked_gateway_that_falls_silent_is_left_after_two_misses() -> None:
    rig = routeros(plain())
    rig.answering |= {"isp1", "isp2"}
    rig.wait(35)
    assert only(rig.send("lan", "udp 192.168.3.9:1 > 8.8.8.8:53")).interface == "isp1"
    rig.answering.discard("isp1")
    rig.wait(9)  # one miss at most
    assert only(rig.send("lan", "udp 192.168.3.9:2 > 8.8.8.8:53")).interface == "isp1"
    rig.wait(13)
    assert only(rig.send("lan", "udp 192.168.3.9:3 > 8.8.8.8:53")).interface == "isp2"
    rig.answering.add("isp1")
    rig.wait(10.5)
    assert only(rig.send("lan", "udp 192.168.3.9:4 > 8.8.8.8:53")).interface == "isp1"


def plain() -> str:
    """The same router without marks: main's routes decide."""
    return DUAL.partition("/ip firewall mangle")[0] + "/ip firewall nat" + DUAL.partition("/ip firewall nat")[2]


def test_an_established_connection_keeps_the_dead_lines_address() -> None:
    """NAT is settled by the first packet: after failover the old source leaves by the new line."""
    rig = routeros(plain())
    rig.answering |= {"isp1", "isp2"}
    rig.wait(1)
    rig.send("lan", "udp 192.168.3.9:5 > 8.8.8.8:53")
    rig.answering.discard("isp1")
    rig.wait(25)
    moved = only(rig.send("lan", "udp 192.168.3.9:5 > 8.8.8.8:53"))
    assert (moved.interface, moved.datagram.source) == ("isp2", 0xC0A80102)


def test_a_pulled_cable_flushes_what_was_masqueraded_behind_it() -> None:
    rig = routeros(plain())
    rig.answering |= {"isp1", "isp2"}
    rig.send("lan", "udp 192.168.3.9:5 > 8.8.8.8:53")
    rig.links["isp1"].set_up(False)
    moved = only(rig.send("lan", "udp 192.168.3.9:5 > 8.8.8.8:53"))
    assert (moved.interface, moved.datagram.source) == ("isp2", 0xC0A80202)


RECURSIVE = """
/ip address
add address=192.168.3.1/24 interface=lan
add address=192.168.1.2/24 interface=isp1
add address=192.168.2.2/24 interface=isp2
/ip route
add dst-address=8.8.8.8/32 gateway=192.168.1.1 scope=10
add dst-address=9.9.9.9/32 gateway=192.168.2.1 scope=10
add check-gateway=ping distance=1 dst-address=0.0.0.0/0 gateway=8.8.8.8 scope=30 target-scope=11
add check-gateway=ping distance=2 dst-address=0.0.0.0/0 gateway=9.9.9.9 scope=30 target-scope=11
"""


def test_a_recursive_gateway_is_reached_through_its_host_route() -> None:
    rig = routeros(RECURSIVE)
    rig.answering |= {"isp1", "isp2"}
    rig.wait(30)
    assert only(rig.send("lan", "udp 192.168.3.9:1 > 1.1.1.1:53")).interface == "isp1"
    rig.answering.discard("isp1")
    rig.wait(25)
    assert only(rig.send("lan", "udp 192.168.3.9:2 > 1.1.1.1:53")).interface == "isp2"


def test_a_gateway_beyond_the_target_scope_does_not_resolve() -> None:
    rig = routeros(RECURSIVE.replace("target-scope=11", "target-scope=9"))
    rig.answering |= {"isp1", "isp2"}
    heard = only(rig.send("lan", "udp 192.168.3.9:1 > 1.1.1.1:53"))
    assert (heard.interface, heard.datagram.icmp_type) == ("lan", 3)


@pytest.mark.parametrize("version", ["6", "7"])
def test_two_gateways_share_by_source_and_destination(version: str) -> None:
    if version == "6":
        routes = "add dst-address=0.0.0.0/0 gateway=192.168.1.1,192.168.2.1,192.168.2.1"
    else:
        routes = "\n".join(f"add dst-address=0.0.0.0/0 gateway=192.168.{line}.1" for line in (1, 2))
    head = f"# jan/01/2026 00:00:00 by RouterOS {version}.12\n"
    rig = routeros(head + RECURSIVE.partition("/ip route")[0] + "/ip route\n" + routes + "\n")
    counts = {"isp1": 0, "isp2": 0}
    for host in range(1, 200):
        first, second = (
            only(rig.send("lan", f"udp 192.168.3.9:{port} > 1.2.3.{host}:53")).interface for port in (1, 2)
        )
        assert first == second
        counts[first] += 1
    share = counts["isp2"] / sum(counts.values())
    assert abs(share - (2 / 3 if version == "6" else 1 / 2)) < 0.12


def test_fasttracked_packets_meet_no_mark() -> None:
    text = DUAL + (
        "/ip firewall filter\nadd action=fasttrack-connection chain=forward connection-state=established,related\n"
        "add action=accept chain=forward connection-state=established,related\n"
    )
    rig = routeros(text)
    rig.answering |= {"isp1", "isp2"}
    rig.send("lan", "tcp 192.168.3.9:999 > 8.8.8.8:80 flags=syn")
    rig.send("lan", "tcp 192.168.3.9:1000 > 8.8.8.8:80 flags=syn")
    rig.send("isp2", "tcp 8.8.8.8:80 > 192.168.2.2:1000 flags=syn,ack")
    # The connection was marked for line 2; skipping mangle, its packets follow the main table.
    assert only(rig.send("lan", "tcp 192.168.3.9:1000 > 8.8.8.8:80 flags=ack")).interface == "isp1"
