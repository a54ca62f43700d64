"""Switches in a circle: which cable frames take is up to a spanning tree, so questions about cables are refused."""

import pytest

from compiler.errors import UsageError
from compiler.testing.answer import PropertyFailed, Sureness
from compiler.testing.networks.model import network


def ring(*, closed=True):
    made = network()
    for name in ("a", "b"):
        made = made.host(name, f"10.0.0.{ord(name) - 90}/24")
    for name in ("one", "two", "three"):
        made = made.switch(name)
    made = made.cable("a", "one").cable("b", "three").cable("one", "two").cable("two", "three")
    return made.cable("one", "three", name="spare") if closed else made


def test_ways_through_a_circle_are_refused():
    asked = ring().verify()
    assert asked.reachable("a", "b").sureness is Sureness.PROVED
    for node in ("two", "spare", "one-two"):
        with pytest.raises(UsageError, match=f"a circle around '{node}': .* spanning tree"):
            asked.via("a", "b", node)
    with pytest.raises(UsageError, match="spanning tree"):
        asked.avoids("a", "b", "two")


def test_a_tree_of_switches_has_one_way():
    asked = ring(closed=False).verify()
    assert asked.via("a", "b", "two").sureness is Sureness.PROVED
    with pytest.raises(PropertyFailed):
        asked.avoids("a", "b", "one-two")


def test_a_circle_that_a_dead_cable_opens_is_none():
    from dataclasses import replace

    opened = replace(ring(), dead=frozenset({"spare"}))
    assert opened.verify().via("a", "b", "two").held
    with pytest.raises(UsageError, match="spanning tree"):
        ring().verify().under(failures=1, among="spare").via("a", "b", "two")


STATEFUL = """\
table ip f {
  chain fwd { type filter hook forward priority 0; policy drop; ct state established accept; tcp dport 80 accept; }
}
"""


def test_the_simulator_refuses_a_ring():
    made = ring()
    made = made.host("far", "10.1.0.2/24", gateway="10.1.0.1").router(
        "fw", text=STATEFUL, ports={"lan": "10.0.0.1/24", "dmz": "10.1.0.1/24"}
    )
    made = made.cable("two", "fw:lan").cable("far", "fw:dmz")
    told = "the cables one-two, two-three, spare close a ring of the switches one, two, three"
    with pytest.raises(UsageError, match=told):
        made.verify().unreachable("far", "a", "tcp/81")
    with pytest.raises(UsageError, match=told):
        made.follow("far", "tcp 10.1.0.2:1025 > 10.0.0.7:80 flags=syn")
    opened = made.follow("a", "tcp 10.0.0.7:1025 > 10.0.0.8:80 flags=syn", dead=["spare"])
    assert "it comes to b" in opened
