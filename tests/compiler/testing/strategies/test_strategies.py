"""The public strategies: what they draw is sound, reaches what it should, and shrinks to the simplest."""

import random
import subprocess
import sys

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from compiler.balancing.plan import make_plan
from compiler.dialects import read
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.balance import Method
from compiler.policy.packet import Packet, matches
from compiler.policy.packet_text import format_packet, parse_packet
from compiler.semantics.decision import context_of, decide
from compiler.testing.headers import packets as headers
from compiler.testing.strategies import (
    balance_intents,
    fault_schedules,
    intent_texts,
    packets,
    packets_near,
    policies,
    policy_texts,
    policy_trees,
    star,
    topologies,
    wildcards,
)
from compiler.testing.strategies.corners import corners
from compiler.testing.strategies.intent_text import intent_text

DIALECTS = ("ios", "nftables", "routeros")
FAST = settings(max_examples=400, database=None, deadline=None, phases=(Phase.generate, Phase.shrink))


@pytest.mark.parametrize("family", list(Family))
@given(data=st.data())
def test_packets_are_well_formed_and_read_back(family, data):
    packet = data.draw(packets(family))
    assert parse_packet(format_packet(packet)) == packet
    assert isinstance(packet, Packet)


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_drawn_policy_is_read_and_a_packet_near_it_is_decided(dialect, family, data):
    policy = data.draw(policies(dialect, family=family))
    packet = data.draw(packets_near(policy, family=family))
    assert packet.family is family
    assert parse_packet(format_packet(packet)) == packet
    decision = decide(policy.machine.stages(context_of(packet)), packet)
    assert policy.ask_packet(format_packet(packet), wanted=decision.passes).held
    assert "\n".join(policy.tree.lines).strip() in repr(policy)


def test_the_simplest_of_each_kind():
    anything = find(packets(), lambda _: True, settings=FAST)
    assert format_packet(anything) == "tcp 192.0.2.1:1025 > 198.51.100.1:80 flags=syn"
    assert find(wildcards(), lambda _: True, settings=FAST).size() == 1 << 32
    text = find(policy_texts("ios"), lambda _: True, settings=FAST)
    assert text.splitlines()[1] == " permit ip any any"
    assert find(topologies(), lambda _: True, settings=FAST) == star(1, 0)
    assert find(topologies(least_isps=2), lambda _: True, settings=FAST) == star(1, 2)
    assert find(fault_schedules(star(1, 2)), lambda _: True, settings=FAST) == ()
    assert "method: failover" in find(intent_texts(), lambda _: True, settings=FAST)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_policy_shrinks_to_the_rules_that_matter(dialect):
    """Whatever else was drawn, two rules are left where two are asked for."""
    tree = find(policy_trees(dialect), lambda tree: sum("tcp" in line for line in tree.lines) >= 2, settings=FAST)
    assert sum("permit" in line or "accept" in line or "deny" in line for line in tree.lines) <= 3
    assert sum("tcp" in line for line in tree.lines) == 2


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (lambda packet: packet.destination_port == 79, "below"),
        (lambda packet: packet.destination_port == 80, "first"),
        (lambda packet: packet.destination_port == 90, "last"),
        (lambda packet: packet.destination_port == 91, "above"),
        (lambda packet: packet.source == 0x0A000100, "beyond the network"),
        (lambda packet: packet.protocol == 17, "another protocol"),
        (lambda packet: packet.noninitial, "a later fragment"),
    ],
)
def test_each_corner_of_a_rule_is_drawn(wanted, found):
    tree = read("ip access-list extended A\n permit tcp 10.0.0.0 0.0.0.255 any range 80 90\n", "a")
    assert find(packets_near(tree), wanted, settings=FAST) is not None, found


def test_the_edges_of_a_hole_are_corners():
    tree = read("ip access-list extended A\n permit tcp any 10.0.0.0 0.0.8.255 eq 21 80\n", "a")
    (match,) = tree.lists[0].entries[0].matches
    drawn = (corners(match).first, corners(match).last, *corners(match).others)
    assert {one["destination_port"] for one in drawn} == {21, 80, 20, 81, 22}
    assert {one["destination"] & 0xFFFF for one in drawn} == {0, 0x08FF, 0xFFFF, 0x0900, 0x00FF, 0x0100}


def test_what_a_property_names_has_corners_too():
    asked = headers(service="udp/5000-5010")
    found = find(packets_near(asked), lambda packet: packet.destination_port == 5011, settings=FAST)
    assert format_packet(found) == "udp 192.0.2.1:1025 > 198.51.100.1:5011"
    assert not matches(asked.parts[0].match, found)


def test_near_nothing_of_the_family_is_wrong_use():
    with pytest.raises(UsageError, match="IPv6"):
        packets_near(headers("10.0.0.0/8"), family=Family.IPV6)


@settings(max_examples=40)
@given(balance_intents())
def test_intents_can_be_planned(balance):
    assert make_plan(balance).balance == balance


@pytest.mark.parametrize("method", list(Method))
def test_every_method_is_drawn(method):
    """The shrinker gives up after 200 attempts in vain, so how far it comes depends on the seed."""
    seed = random.Random(f"seed of {method}")
    found = find(balance_intents(), lambda one: one.classes[-1].method is method, settings=FAST, random=seed)
    assert len(found.uplinks) == 2
    assert len(found.classes) == 1


def test_fewer_uplinks_leave_the_other_choices_as_they_are():
    """So a shrinker may leave lines out: what was drawn after them still means the same."""

    def text(count):
        chosen = random.Random("one text 0").choice
        return intent_text(chosen, ("failover", "ecmp"), uplinks=(count, count, 5)).splitlines()

    assert [line for line in text(4) if not line.startswith("  line4")] == text(3)
    assert len(text(4)) == len(text(3)) + 1


@settings(max_examples=12)
@given(topologies(translates=False))
def test_clients_of_a_drawn_network_reach_the_server(model):
    model.verify().returns("client*", "server", "tcp/80")


@settings(max_examples=40)
@given(data=st.data())
def test_schedules_name_what_may_die(data):
    model = data.draw(topologies(least_isps=1))
    for outage in data.draw(fault_schedules(model)):
        assert outage.part in (*model.names, *(cable.name for cable in model.cables))
        assert outage.ends is None or outage.ends > outage.begins


def test_the_words_need_no_hypothesis():
    modules = "answer headers policies sampling coverage networks.model networks.verification dynamic.world"
    asked = "; ".join(f"import compiler.testing.{name}" for name in modules.split())
    script = f"import sys; sys.modules['hypothesis'] = None; {asked}"
    subprocess.run([sys.executable, "-c", script], check=True)
