"""One hole in a long list is found: every rule that would refute a claim has a packet of its own."""

import pytest

from compiler.testing.answer import Sureness
from compiler.testing.networks.model import network
from compiler.testing.networks.rings import ring_of


def between(rules, policy="drop", more=""):
    lines = "\n".join(rules)
    text = f"table ip f {{\n chain fwd {{ type filter hook forward priority 0; policy {policy};\n"
    text += f" ct state established accept\n{lines}\n }}\n{more}}}\n"
    return (
        network()
        .host("h", "10.5.0.2/24", gateway="10.5.0.1")
        .host("e", "10.6.0.2/24", gateway="10.6.0.1")
        .router("fw", text=text, ports={"lan": "10.5.0.1/24", "wan": "10.6.0.1/24"})
        .cable("h", "fw:lan")
        .cable("e", "fw:wan")
        .verify()
    )


def many(verdict, number=300):
    return [f"  tcp sport {2000 + one} tcp dport {3000 + 2 * one} {verdict}" for one in range(number)]


HOLES = ["  tcp sport 999 tcp dport 1234 accept", "  jump deep"]
DEEP = " chain deep { tcp sport 7 return; tcp sport 999 tcp dport 1234 accept; }\n"


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("place", [0, 100, 300])
def test_a_hole_is_found(hole, place):
    rules = many("drop")
    answer = between([*rules[:place], hole, *rules[place:]], more=DEEP).ask_unreachable("h", "e")
    assert not answer.held
    assert answer.witness.packet == "tcp 10.5.0.2:999 > 10.6.0.2:1234 flags=syn"


def test_a_hole_behind_many_permits_is_found():
    """Each of the same verdict, and taken by earlier rules but for one value."""
    rules = [f"  tcp dport {one} drop" for one in range(3000, 3099)] + ["  tcp dport 3000-3099 accept"]
    answer = between(rules).ask_unreachable("h", "e")
    assert not answer.held
    assert answer.witness.packet.endswith("10.6.0.2:3099 flags=syn")


def test_a_denial_among_permits_is_found():
    answer = between([*many("accept"), "  tcp sport 999 tcp dport 80 drop"], "accept").ask_reachable("h", "e", "tcp/80")
    assert not answer.held
    assert answer.witness.packet == "tcp 10.5.0.2:999 > 10.6.0.2:80 flags=syn"


def test_the_answer_counts_the_rules():
    rules = [
        *many("drop", 250),
        *(f"  ip saddr 10.5.0.2 tcp dport {one} ct state established accept" for one in range(1, 4)),
    ]
    answer = between(rules).unreachable("h", "e", "tcp")
    assert answer.sureness is Sureness.TESTED
    assert "4 of 4 rules tried that would refute it" in answer.decided


def test_rings_are_named():
    made = network().switch("one").switch("two").cable("one", "two", name="left")
    assert ring_of(made) is None
    twice = made.cable("one", "two", name="right")
    assert str(ring_of(twice)) == "the cables left, right close a ring of the switches one, two"
    assert ring_of(twice, {"left"}) is None
    assert ring_of(twice, {"two"}) is None
    assert (
        str(ring_of(network().switch("one").cable("one:a", "one:b")))
        == "the cable one-one close a ring of the switch one"
    )
