"""Whole configurations for the simulator: what their chains do with new connections, and where packets go."""

from collections import Counter as Tally
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.addresses import parse_address
from compiler.dialects.routeros.network import read_network
from compiler.dialects.routeros.reader import read
from compiler.policy.match import InterfaceSet
from compiler.policy.network import CheckGateway, NextHop, RouteKind
from compiler.policy.ruleset import Verdict
from compiler.policy.stateful import (
    AddressKind,
    AddToSet,
    ClampSegment,
    Counter,
    InSet,
    LocalAddress,
    MarkNamed,
    NumberIn,
    Register,
    SetMark,
    SkipFirewall,
    State,
    StateIn,
    StatusIs,
    Translate,
    Translation,
)

CORPUS = (
    next(parent for parent in Path(__file__).parents if parent.name == "tests") / "corpus" / "routeros" / "simulated"
)
NAMES = sorted(path.name for path in CORPUS.glob("*.rsc"))


def text(name):
    return (CORPUS / name).read_text("utf-8")


def firewall(name):
    return read(text(name), name, unmodelled="simulate")


def network(name):
    return read_network(text(name), name)


def address(words):
    return parse_address(words)[0]


class Prerouting:
    """New connections from one interface through a chain of marks: its counters live as long as it does."""

    def __init__(self, chain, ingress):
        self.rules = [rule for rule in chain.rules if rule.match.ingress in (None, InterfaceSet.only(ingress))]
        self.drawn = Tally()

    def holds(self, place, meaning, marks, state, line):
        if isinstance(meaning, StateIn):
            return state in meaning.states
        if isinstance(meaning, MarkNamed):
            return (marks[meaning.register] == meaning.name) != meaning.negated
        if isinstance(meaning, LocalAddress):
            return (AddressKind.UNICAST in meaning.kinds) != meaning.negated
        assert isinstance(meaning, NumberIn)
        if isinstance(meaning.number, Counter):
            number = self.drawn[place] % meaning.number.modulus
            self.drawn[place] += 1
        else:
            number = line % meaning.number.modulus
        return meaning.values.contains(number)

    def marks(self, state=State.NEW, connection="", line=0):
        """The marks that one packet leaves with."""
        marks = {Register.CONNECTION: connection, Register.ROUTING: "", Register.PACKET: ""}
        for place, rule in enumerate(self.rules):
            if rule.match.destination is not None:
                continue  # the packet goes to no network of ours
            for clause in rule.unmodelled:
                if isinstance(clause.meaning, SetMark):
                    marks[clause.meaning.register] = clause.meaning.value
                elif not self.holds(place, clause.meaning, marks, state, line):
                    break
            else:
                if rule.verdict is Verdict.ACCEPT:
                    break
        return marks[Register.CONNECTION], marks[Register.ROUTING]


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_read_and_every_clause_has_a_meaning(name):
    ruleset = firewall(name)
    assert ruleset.for_simulation
    for chain in ruleset.chains:
        for rule in chain.rules:
            for clause in rule.unmodelled:
                assert clause.meaning is not None
                shown = ruleset.lines[clause.span.line - 1][clause.span.column - 1 :]
                assert shown.startswith(clause.text.split(" ")[-1].split("=")[0] + "=")
    assert network(name).dialect == "routeros"


@pytest.mark.parametrize(
    "name", ["edge-raw-v7.rsc", "hand-written.rsc", "ipv6-v7.rsc", "office-v6.rsc", "verbose-v6.rsc"]
)
def test_without_state_the_modes_agree(name):
    words = (CORPUS.parent / name).read_text("utf-8")
    plain, simulated = read(words, name), read(words, name, unmodelled="simulate")
    for chain in plain.chains:
        other = simulated.chain(*chain.key)
        assert replace(other, rules=()) == replace(chain, rules=())
        for rule, twin in zip(chain.rules, other.rules, strict=True):
            if rule != twin:  # the second way to satisfy port=: without what the first way has
                assert rule.match.source_port is None
                assert twin.match.source_port.complement(16) == rule.match.destination_port
                assert twin.match._replace(source_port=None) == rule.match
    proved = [chain for chain in simulated.chains if chain.table.endswith(("raw", "filter"))]
    assert len(proved) == len(plain.chains)
    assert (simulated.sets, simulated.header) == (plain.sets, plain.header)


def test_the_recipe_of_the_classifier_gives_each_connection_one_line():
    chain = firewall("pcc-v6.rsc").chain("ip mangle", "prerouting")
    router = Prerouting(chain, "LAN")
    assert [router.marks(line=line) for line in range(4)] == [
        ("WAN1_conn", "to_WAN1"),
        ("WAN2_conn", "to_WAN2"),
    ] * 2
    assert router.marks(State.ESTABLISHED, "WAN2_conn") == ("WAN2_conn", "to_WAN2")
    assert router.marks(State.ESTABLISHED) == ("", "")
    # What comes in from a line keeps its mark, and is not sent anywhere.
    assert Prerouting(chain, "WAN1").marks(State.ESTABLISHED, "WAN1_conn") == ("WAN1_conn", "")
    own = firewall("pcc-v6.rsc").chain("ip mangle", "output")
    assert len(own.rules) == 4
    assert own.rules[0].unmodelled[2].meaning.number.fields == ("source", "destination")


def test_the_published_idiom_of_nth_is_even():
    router = Prerouting(firewall("nth-v6.rsc").chain("ip mangle", "prerouting"), "LAN")
    marks = [router.marks() for _ in range(100)]
    assert marks == [("odd", "odd"), ("even", "even")] * 50


def test_guarded_descending_nth_is_exact_for_three_lines():
    router = Prerouting(firewall("nth-three-v7.rsc").chain("ip mangle", "prerouting"), "lan")
    marks = [router.marks() for _ in range(300)]
    for start in range(0, 300, 3):
        assert Tally(marks[start : start + 3]) == {(f"c{line}", f"to_wan{line}"): 1 for line in (1, 2, 3)}
    # A second first packet finds the mark, and moves no counter.
    assert router.marks(connection="c3") == ("c3", "to_wan3")
    assert router.marks() == marks[0]


@pytest.mark.parametrize(
    ("lines", "shares"),
    [
        # Each pair of numbers is one line's nth; the mark-routing rule stands behind all.
        (["nth=2,1", "nth=2,2"], {"1": 50, "2": 25, "": 25}),
        (["nth=3,1", "nth=3,2", "nth=3,3"], {"1": 33, "2": 22, "3": 15, "": 30}),
        (["nth=2,1", ""], {"1": 50, "2": 50}),
    ],
)
def test_guards_change_what_nth_counts(lines, shares):
    rows = "".join(
        f"add chain=prerouting connection-mark=no-mark connection-state=new {nth} action=mark-connection "
        f"new-connection-mark={line}\n"
        for line, nth in enumerate(lines, 1)
    )
    chain = read(f"/ip firewall mangle\n{rows}", "t", unmodelled="simulate").chains[0]
    router = Prerouting(chain, "LAN")
    count = 2700
    found = Tally(router.marks()[0] for _ in range(count))
    assert {mark: round(100 * number / count) for mark, number in found.items()} == shares


def test_networks_of_two_lines():
    found = network("pcc-v6.rsc")
    assert (found.version, found.hostname, found.tables) == (6, "warnet", ("to_WAN1", "to_WAN2"))
    assert [one.name for one in found.interfaces] == ["WAN1", "WAN2", "LAN"]
    assert found.interface("WAN1").comment == "first line"
    assert found.name_servers == (address("8.8.8.8"), address("202.134.0.155"))
    assert [(route.table, route.distance, route.next_hops[0].address) for route in found.routes] == [
        ("to_WAN1", 1, address("192.168.1.1")),
        ("to_WAN2", 1, address("192.168.2.1")),
        ("main", 1, address("192.168.1.1")),
        ("main", 2, address("192.168.2.1")),
    ]
    assert {route.check_gateway for route in found.routes} == {CheckGateway.PING}


def test_network_of_three_lines():
    found = network("nth-three-v7.rsc")
    assert (found.version, found.tables) == (7, ("to_wan1", "to_wan2", "to_wan3"))
    assert [rule.suppress_prefix_length for rule in found.rules] == [None, 0, 0]
    assert [rule.ingress for rule in found.rules] == ["", "lan", "lan"]
    assert found.routes[-1].kind is RouteKind.BLACKHOLE


def test_old_rules_and_scopes():
    found = network("nth-v6.rsc")
    assert [rule.enabled for rule in found.rules] == [True, False]
    assert found.rules[1].mark == MarkNamed(Register.ROUTING, "odd")
    assert found.routes[0].scope == 255


def test_weights_of_ecmp():
    found = network("ecmp-v6.rsc")
    assert found.routes[0].next_hops == (
        NextHop(address("192.168.1.1"), weight=2),
        NextHop(address("192.168.2.1"), weight=1),
    )
    assert found.tables == ("to1", "to2")


def test_recursive_routes():
    found = network("recursive-v7.rsc")
    assert found.interface("bridge1").members == ("ether3", "ether4")
    assert (found.multipath_policy, found.tracking) == ("l4", True)
    peer, *routes = found.routes
    assert (peer.distance, peer.next_hops) == (0, (NextHop(None, "isp2"),))
    probes = {route.prefix.value: route for route in routes if route.prefix.length == 32}
    for route in routes:
        if route.prefix.length == 0:
            probe = probes[route.next_hops[0].address]
            assert probe.scope <= route.target_scope < 30
    # Two defaults of one distance are two rows; version 7 shares the traffic among them.
    assert [route.distance for route in routes] == [1, 1, 1, 1]


def test_port_forwards():
    ruleset = firewall("forwards-v6.rsc")
    dstnat = ruleset.chain("ip nat", "dstnat")
    kinds = [rule.unmodelled[-1].meaning.kind for rule in dstnat.rules[:3]]
    assert kinds == [Translation.DESTINATION, Translation.DESTINATION, Translation.REDIRECT]
    assert dstnat.rules[0].unmodelled[0].meaning.ports == (80, 80)
    assert dstnat.rules[1].unmodelled[0].meaning.ports is None
    assert dstnat.rules[3].verdict is Verdict.JUMP
    block = ruleset.chain("ip nat", "block").rules[0].unmodelled[0].meaning
    assert isinstance(block, Translate)
    assert block.kind is Translation.NETMAP_DESTINATION
    knock, known, _ = ruleset.chain("ip filter", "input").rules
    assert knock.unmodelled[0].meaning == AddToSet("ip", "knocked", "source", 26 * 3600 * 10**9)
    assert known.unmodelled[0].meaning == InSet("ip", "knocked", "source")
    clamps = [rule.unmodelled[0].meaning for rule in ruleset.chain("ip mangle", "forward").rules]
    assert clamps == [ClampSegment(), ClampSegment(1300)]
    found = network("forwards-v6.rsc")
    assert not found.interface("ether2").enabled
    assert [(route.kind, route.distance) for route in found.routes] == [
        (RouteKind.UNICAST, 2),
        (RouteKind.UNREACHABLE, 1),
        (RouteKind.UNICAST, 1),
    ]


def test_a_home_router():
    ruleset = firewall("home-v7.rsc")
    forward = ruleset.chain("ip filter", "forward").rules
    assert [rule.verdict for rule in forward] == [
        *(Verdict.ACCEPT, Verdict.ACCEPT, Verdict.CONTINUE, Verdict.ACCEPT, Verdict.DROP, Verdict.DROP)
    ]
    assert not forward[0].match.protocol.intervals
    assert isinstance(forward[2].unmodelled[-1].meaning, SkipFirewall)
    assert [clause.meaning for clause in forward[5].unmodelled] == [
        StateIn(frozenset({State.NEW})),
        StatusIs(frozenset({"dnat"}), True),
    ]
    assert forward[5].match.ingress == InterfaceSet.only("ether1")
    masquerade = ruleset.chain("ip nat", "srcnat").rules[0]
    assert masquerade.match.egress == InterfaceSet.only("ether1")
    assert masquerade.match.protocol is None
    assert ruleset.chain("ipv6 filter", "input") is not None
    found = network("home-v7.rsc")
    assert found.interface("bridge").members == ("ether2", "ether3")
    assert found.interface("ether1").addresses == ()
