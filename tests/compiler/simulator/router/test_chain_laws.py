"""Chains and lists without state, run: the same as the machines that proofs are about."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import TCP, UDP, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import AccessList, Action, Device, Entry, ListKind
from compiler.policy.match import ANY, Match, layer4
from compiler.policy.network import Interface, InterfaceAddress, Network
from compiler.policy.packet import Packet, Path
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from compiler.semantics.decision import context_of, decide
from compiler.semantics.lower import machine
from compiler.semantics.machine import ListName
from compiler.simulator.engine import Engine
from compiler.simulator.router.chains import Chains
from compiler.simulator.router.cisco_lists import Lists
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.routes import Routes
from compiler.simulator.router.transit import Transit
from compiler.source import Span
from tests.compiler.simulator.router.test_matching import datagram_of

HOSTS = (0x0A000001, 0x0A000002, 0x0A000003)
PORTS = (22, 80, 443)
_VERDICTS = (Verdict.ACCEPT, Verdict.DROP, Verdict.CONTINUE, Verdict.RETURN, Verdict.REJECT)

addresses = st.sampled_from(HOSTS).map(lambda one: AddressSet.of(32, [(one, one)]))
ports = st.sampled_from(PORTS).map(lambda one: IntegerSet.range(one, one + 60))
tiny_matches = st.one_of(
    st.just(ANY),
    st.builds(lambda one: Match(family=Family.IPV4, source=one), addresses),
    st.builds(lambda one: Match(family=Family.IPV4, destination=one), addresses),
    st.builds(lambda one: layer4(Match(protocol=IntegerSet.values(TCP, UDP), destination_port=one)), ports),
    st.builds(lambda one: layer4(Match(tcp_flags=IntegerSet.values(one))), st.sampled_from((2, 16, 18))),
    st.builds(lambda one: Match(ttl=IntegerSet.range(one, 64)), st.sampled_from((10, 64))),
    st.builds(lambda one: Match(noninitial=one), st.booleans()),
)
packets = st.builds(
    lambda source, destination, protocol, port, flags, ttl, noninitial: Packet(
        Family.IPV4,
        source,
        destination,
        protocol,
        0 if noninitial else 1000,
        0 if noninitial else port,
        0 if noninitial or protocol != TCP else flags,
        ttl=ttl,
        noninitial=noninitial,
        ingress="west",
        egress="east",
        path=Path.FORWARD,
    ),
    st.sampled_from(HOSTS),
    st.sampled_from(HOSTS),
    st.sampled_from((TCP, UDP)),
    st.sampled_from((22, 81, 500)),
    st.sampled_from((2, 16, 18, 20)),
    st.sampled_from((5, 64)),
    st.booleans(),
)


def rules(targets: tuple[str, ...]) -> st.SearchStrategy[Rule]:
    ends = [(one, "") for one in _VERDICTS]
    ends += [(one, target) for target in targets for one in (Verdict.JUMP, Verdict.GOTO)]
    return st.builds(lambda match, end: Rule(match, *end), tiny_matches, st.sampled_from(ends))


@st.composite
def rulesets(draw, dialect: str) -> Ruleset:
    """Two chains that others call, and a base chain."""
    inner = Chain("t", "inner", tuple(draw(st.lists(rules(()), max_size=3))))
    outer = Chain("t", "outer", tuple(draw(st.lists(rules(("inner",)), max_size=3))))
    policy = draw(st.sampled_from((Verdict.ACCEPT, Verdict.DROP)))
    base = Chain(
        "t", "base", tuple(draw(st.lists(rules(("inner", "outer")), max_size=4))), hook=Hook.FORWARD, policy=policy
    )
    return Ruleset("generated", dialect, (inner, outer, base))


def memory(dialect: str = "nftables") -> Memory:
    network = Network("law", dialect, "law", interfaces=(Interface("west", (InterfaceAddress(Family.IPV4, 9, 24),)),))
    return Memory(Engine(), Routes(network, lambda name: True), no_mark=0, seed="1", clock=0)


def passes(ruleset: Ruleset, packet: Packet) -> bool:
    chains = Chains(ruleset, memory(), lambda name: 1500)
    datagram = datagram_of(packet)
    datagram.ttl -= 1  # the forward hook sees it as it leaves
    if packet.noninitial:
        datagram.fragment = bytes(24)
    transit = Transit(datagram, packet.ingress, packet.path)
    transit.egress = packet.egress
    asked = [chains.run(chain, transit).verdict for chain in ruleset.chains if chain.hook for _ in range(2)]
    assert len(set(asked)) == 1, "a chain without state says the same twice"
    return asked[0] is Verdict.ACCEPT


@given(rulesets("routeros"), packets)
def test_chains_decide_as_the_machine_of_proofs(ruleset, packet):
    assert passes(ruleset, packet) == decide(machine(ruleset).stages(context_of(packet)), packet).passes


@given(rulesets("nftables"), packets.filter(lambda packet: not packet.noninitial))
def test_nft_chains_decide_as_the_machine_of_proofs(ruleset, packet):
    assert passes(ruleset, packet) == decide(machine(ruleset).stages(context_of(packet)), packet).passes


wildcards = st.builds(
    lambda value, mask: AddressSet.wildcard(Wildcard.of(value, mask, 32)),
    st.sampled_from(HOSTS),
    st.sampled_from((0, 1, 2)),
)
entries = st.builds(
    lambda match, action, fragments: Entry(action, (match,), fragments=fragments),
    st.one_of(tiny_matches, st.builds(lambda one: Match(family=Family.IPV4, source=one), wildcards)).map(
        lambda match: match._replace(noninitial=None)
    ),
    st.sampled_from((Action.PERMIT, Action.DENY)),
    st.booleans(),
)


@given(st.lists(entries, min_size=1, max_size=5), packets)
def test_cisco_lists_decide_as_the_machine_of_proofs(made, packet):
    lines = tuple(dataclasses.replace(one, span=Span("generated", line, 1)) for line, one in enumerate(made, 1))
    device = Device("generated", (AccessList("L", Family.IPV4, ListKind.EXTENDED, lines),))
    lists = Lists(device, memory("ios"))
    stages = machine(device).list_stages(ListName("L", Family.IPV4), noninitial=packet.noninitial)
    said = lists.decide("L", datagram_of(packet))
    assert said.permits == decide(stages, packet).passes
