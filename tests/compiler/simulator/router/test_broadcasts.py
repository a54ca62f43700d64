"""A router never answers or complains about what was sent to more than one (RFC 1122, 3.2.2)."""

from __future__ import annotations

import pytest

from compiler.simulator.frame import Datagram
from tests.compiler.simulator.rig import Rig, packet

ADDRESSES = """
/ip address
add address=10.0.0.1/24 interface=a
add address=10.0.1.1/24 interface=b
"""
REJECTING = """
/ip firewall filter
add action=reject chain=input protocol=udp reject-with=icmp-port-unreachable
add action=reject chain=input protocol=tcp reject-with=tcp-reset
"""
MANY = ["10.0.0.255", "10.0.1.255", "255.255.255.255", "224.0.0.1"]


def probes(address: str) -> list[Datagram]:
    """One of each kind that is answered when it is for the router alone."""
    echo = packet(f"icmp 10.0.0.2 > {address} type=8 code=0")
    other = packet(f"icmp 10.0.0.2 > {address} type=8 code=0")
    other.protocol = 99
    return [
        echo,
        other,
        packet(f"udp 10.0.0.2:5 > {address}:9"),
        packet(f"tcp 10.0.0.2:5 > {address}:9 flags=syn"),
    ]


@pytest.mark.parametrize("rules", ["", REJECTING])
@pytest.mark.parametrize("address", MANY)
def test_silence_about_what_is_for_many(address: str, rules: str) -> None:
    rig = Rig(ADDRESSES + rules, "routeros")
    assert [rig.send("a", probe) for probe in probes(address)] == [[]] * 4


@pytest.mark.parametrize("rules", ["", REJECTING])
@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.1.1"])
def test_answers_to_what_is_for_the_router(address: str, rules: str) -> None:
    rig = Rig(ADDRESSES + rules, "routeros")
    assert [len(rig.send("a", probe)) for probe in probes(address)] == [1] * 4
