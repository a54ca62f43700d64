"""Two networks that deliver the same packets, and one packet that tells two others apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.errors import UsageError
from compiler.testing.answer import PropertyFailed, Sureness
from compiler.testing.headers import packets
from compiler.testing.networks.model import network
from tests.compiler.testing.networks.drawings import EDGE, edge, square


def test_another_way_of_saying_it():
    other = EDGE.replace(
        "access-list 101 deny ip any 10.2.0.0 0.0.0.255\n",
        "access-list 101 deny ip any 10.2.0.0 0.0.0.127\naccess-list 101 deny ip any 10.2.0.128 0.0.0.127\n",
    )
    answer = edge().verify().equivalent_to(edge(other))
    assert answer.held
    assert answer.sureness is Sureness.PROVED
    assert "6 pairs of hosts" in answer.decided


def test_one_packet_tells_them_apart():
    narrower = edge(EDGE.replace("host 10.2.0.2 eq 80", "host 10.2.0.2 eq 443"))
    with pytest.raises(PropertyFailed) as failed:
        edge().verify().equivalent_to(narrower)
    answer = failed.value.answer
    assert answer.witness.packet == "tcp 10.1.0.2:1025 > 10.2.0.2:80 flags=syn"
    assert answer.said == "this network: delivered; the other: denied"
    assert [hop.node for hop in answer.witness.path] == [
        "this network: anna",
        "edge",
        "server",
        "the other: anna",
        "edge",
    ]
    lines = [rule.span.line for hop in answer.witness.path for rule in hop.rules]
    assert lines == [10, 11]
    # A packet that neither tells apart is left out.
    same = packets() - packets(destination_port="80,443", protocol="tcp")
    ports = same - packets(protocol="tcp", destination="10.2.0.2")
    assert edge().verify().for_all(ports).equivalent_to(narrower).held


def test_alike_until_something_dies():
    assert square().verify().equivalent_to(square(second=False)).held
    with pytest.raises(PropertyFailed) as failed:
        square().verify().under(failures=1, among="north").equivalent_to(square(second=False))
    assert failed.value.answer.said.endswith("while north dead")


def test_only_networks_of_the_same_hosts_are_compared():
    with pytest.raises(UsageError, match="only one of the two networks has anna, bert, left-host"):
        edge().verify().equivalent_to(square())
    moved = edge()
    anna = moved.hosts[0]
    other = replace(moved, hosts=(replace_address(anna), *moved.hosts[1:]))
    with pytest.raises(UsageError, match="anna has other addresses"):
        edge().verify().equivalent_to(other)
    with pytest.raises(UsageError, match="nothing was asked"):
        network().verify().equivalent_to(network())


def replace_address(host):
    return host._replace(addresses=(host.addresses[0]._replace(address=host.addresses[0].address + 9),))
