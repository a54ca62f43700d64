"""What a firewall of chains does: verdicts, jumps, policies, order, and what it refuses."""

import pytest

from compiler.errors import InputErrors, UsageError
from compiler.fields import TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.match import ANY, InterfaceSet, Match, layer4
from compiler.policy.packet import Packet, Path
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from compiler.semantics.lower import machine
from compiler.semantics.machine import ListName, Standing
from tests.deciding import decide, decision

BOTH = frozenset(Family)
WEB = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(80)))
ACCEPT, DROP, JUMP, GOTO, RETURN = Verdict.ACCEPT, Verdict.DROP, Verdict.JUMP, Verdict.GOTO, Verdict.RETURN
PACKET = Packet(Family.IPV4, 1, 2, TCP, 1025, 80, 2, ingress="eth1", egress="eth2")


def base(*rules: Rule, name: str = "forward", hook: Hook = Hook.FORWARD, **more) -> Chain:
    """A base chain."""
    return Chain("t", name, rules, hook=hook, **more)


def chain(name: str, *rules: Rule) -> Chain:
    """A chain that others call."""
    return Chain("t", name, rules)


def firewall(*chains: Chain, dialect: str = "nftables"):
    """The machine of some chains."""
    return machine(Ruleset("test", dialect, chains))


def passes(*chains: Chain, packet: Packet = PACKET) -> bool:
    """Whether the packet passes."""
    return decide(firewall(*chains), packet)


def test_an_accept_ends_only_its_own_base_chain():
    first = base(Rule(ANY, ACCEPT), name="first", priority=-10)
    second = base(Rule(ANY, DROP), name="second", priority=10)
    assert not passes(first, second)
    assert not passes(second, first)
    assert passes(first, base(Rule(WEB, ACCEPT), Rule(ANY, DROP), name="second"))


def test_an_accept_below_a_jump_ends_the_base_chain_too():
    assert passes(base(Rule(ANY, JUMP, "inner"), Rule(ANY, DROP)), chain("inner", Rule(ANY, ACCEPT)))


def test_a_return_goes_back_to_the_caller():
    assert not passes(
        base(Rule(ANY, JUMP, "inner"), Rule(ANY, DROP)), chain("inner", Rule(WEB, RETURN), Rule(ANY, ACCEPT))
    )


def test_what_falls_through_a_chain_goes_back_to_the_caller():
    assert not passes(base(Rule(ANY, JUMP, "inner"), Rule(ANY, DROP)), chain("inner"))


def test_a_goto_does_not_come_back():
    chains = base(Rule(ANY, GOTO, "inner"), Rule(ANY, DROP)), chain("inner", Rule(WEB, RETURN))
    assert passes(*chains)
    assert passes(*chains, packet=PACKET._replace(destination_port=81))


def test_a_goto_below_a_jump_comes_back_to_the_jump():
    assert not passes(
        base(Rule(ANY, JUMP, "outer"), Rule(ANY, DROP)),
        chain("outer", Rule(ANY, GOTO, "inner"), Rule(ANY, ACCEPT)),
        chain("inner", Rule(WEB, RETURN)),
    )


def test_a_return_in_a_base_chain_is_its_policy():
    assert not passes(base(Rule(ANY, RETURN), Rule(ANY, ACCEPT), policy=DROP))
    assert passes(base(Rule(ANY, RETURN), Rule(ANY, DROP)))


@pytest.mark.parametrize(("policy", "expected"), [(ACCEPT, True), (DROP, False)])
def test_what_falls_through_a_base_chain_has_its_policy(policy, expected):
    assert passes(base(Rule(WEB._replace(destination_port=IntegerSet.values(81)), DROP), policy=policy)) is expected


def test_reject_stops_the_packet():
    assert not passes(base(Rule(ANY, Verdict.REJECT)))


def test_a_rule_that_only_logs_decides_nothing():
    assert not passes(base(Rule(ANY, Verdict.CONTINUE, log="x"), Rule(ANY, DROP)))


def test_a_disabled_rule_does_nothing():
    assert passes(base(Rule(ANY, DROP, disabled=True)))


def test_priorities_say_which_base_chain_comes_first():
    late, early = base(Rule(ANY, DROP), name="late", priority=10), base(Rule(ANY, DROP), name="early", priority=-10)
    assert decision(firewall(late, early), PACKET).stage == "chain early"


def test_each_path_meets_its_hooks():
    seen = {
        hook: {
            path
            for path in Path
            if not passes(
                base(Rule(ANY, DROP), name="x", hook=hook),
                packet=PACKET._replace(
                    path=path,
                    ingress="" if path is Path.OUTPUT else "eth1",
                    egress="" if path is Path.INPUT else "eth2",
                ),
            )
        }
        for hook in Hook
    }
    assert seen == {
        Hook.PREROUTING: {Path.FORWARD, Path.INPUT},
        Hook.INPUT: {Path.INPUT},
        Hook.FORWARD: {Path.FORWARD},
        Hook.OUTPUT: {Path.OUTPUT},
        Hook.POSTROUTING: {Path.FORWARD, Path.OUTPUT},
    }


def test_a_chain_of_one_family_does_not_see_the_other():
    only_six = base(Rule(ANY, DROP), families=frozenset({Family.IPV6}))
    assert passes(only_six)
    assert not passes(only_six, packet=PACKET._replace(family=Family.IPV6))


@pytest.mark.parametrize(
    ("interfaces", "expected"),
    [
        (InterfaceSet.only("eth1"), False),
        (InterfaceSet.only("eth*"), False),
        (InterfaceSet.only("eth2"), True),
        (InterfaceSet(frozenset({"eth2"}), negated=True), False),
        (InterfaceSet(frozenset({"eth*"}), negated=True), True),
    ],
)
def test_interfaces_by_name_pattern_and_negation(interfaces, expected):
    assert passes(base(Rule(Match(ingress=interfaces), DROP))) is expected


def test_before_routing_there_is_no_egress():
    out = Rule(Match(egress=InterfaceSet.only("eth2")), DROP)
    assert passes(base(out, hook=Hook.PREROUTING))
    assert not passes(base(out))


def test_forwarded_packets_have_a_lower_ttl_after_prerouting():
    asks = Rule(Match(ttl=IntegerSet.values(63)), DROP)
    assert passes(base(asks, hook=Hook.PREROUTING))
    assert not passes(base(asks))
    assert passes(base(asks, hook=Hook.INPUT), packet=PACKET._replace(path=Path.INPUT, egress=""))


def test_a_call_with_a_match_of_its_own_narrows_what_it_calls():
    chains = base(Rule(WEB, JUMP, "inner")), chain("inner", Rule(ANY, DROP))
    assert not passes(*chains)
    assert passes(*chains, packet=PACKET._replace(destination_port=81))


def test_a_missing_chain_is_refused():
    with pytest.raises(UsageError, match="does not exist"):
        firewall(base(Rule(ANY, JUMP, "nowhere")))


@pytest.mark.parametrize(
    "chains",
    [
        (chain("a", Rule(ANY, JUMP, "a")),),
        (chain("a", Rule(ANY, JUMP, "b")), chain("b", Rule(WEB, GOTO, "a"))),
        (chain("c", Rule(ANY, JUMP, "b")), chain("b", Rule(ANY, JUMP, "a")), chain("a", Rule(ANY, JUMP, "b"))),
    ],
)
def test_loops_of_jumps_are_refused(chains):
    with pytest.raises(UsageError, match="loop"):
        firewall(*chains)


def test_two_ways_to_one_chain_are_no_loop():
    assert not passes(
        base(Rule(WEB, JUMP, "a"), Rule(ANY, JUMP, "b")),
        chain("a", Rule(ANY, JUMP, "b")),
        chain("b", Rule(ANY, DROP)),
    )


@pytest.mark.parametrize("order", [1, -1])
def test_jumps_nested_too_deep_are_refused_in_any_order(order):
    chains = [chain(f"c{n}", Rule(ANY, JUMP, f"c{n + 1}")) for n in range(5000)] + [chain("c5000")]
    with pytest.raises(UsageError, match="nested more than 64 deep"):
        firewall(*chains[::order])


def test_jumps_that_double_at_each_level_are_refused():
    calls = [chain(f"c{n}", *[Rule(WEB, JUMP, f"c{n + 1}"), Rule(ANY, JUMP, f"c{n + 1}")]) for n in range(40)]
    with pytest.raises(UsageError, match="with all its jumps"):
        passes(base(Rule(ANY, JUMP, "c0")), *calls, chain("c40", Rule(WEB, DROP)))


def test_a_list_that_many_interfaces_call_is_no_multiplication():
    calls = [Rule(Match(ingress=InterfaceSet.only(f"eth{n}")), JUMP, "acl") for n in range(500)]
    assert not passes(base(*calls), chain("acl", *[Rule(WEB, DROP)] * 1000))


@pytest.mark.parametrize(
    ("rule", "lower", "upper"),
    [
        (Rule(ANY, ACCEPT, unmodelled=(Clause("ct state new"),)), False, True),
        (Rule(ANY, DROP, unmodelled=(Clause("ct state new"),)), False, True),
    ],
)
def test_bounds_enclose_rules_with_unknown_clauses(rule, lower, upper):
    chains = (base(rule, policy=DROP if rule.verdict is ACCEPT else ACCEPT),)
    ruleset = Ruleset("test", "nftables", chains)
    assert decide(machine(ruleset, bound="lower"), PACKET) is lower
    assert decide(machine(ruleset, bound="upper"), PACKET) is upper
    with pytest.raises(InputErrors, match="ct state new"):
        machine(ruleset)


def test_a_jump_with_an_unknown_clause_has_no_bound():
    chains = base(Rule(ANY, JUMP, "a", unmodelled=(Clause("limit rate 1/second"),))), chain("a", Rule(ANY, DROP))
    with pytest.raises(InputErrors, match="no bound"):
        decide(machine(Ruleset("test", "nftables", chains), bound="lower"), PACKET)


def test_a_list_is_a_chain_that_no_list_calls():
    one = firewall(
        base(Rule(ANY, JUMP, "bound")), chain("bound", Rule(ANY, JUMP, "inner")), chain("inner"), chain("free")
    )
    names = {name.name for name in one.lists()}
    assert names == {"bound", "free"}
    assert one.standing(ListName("bound", Family.IPV4)) is Standing.BOUND
    assert one.standing(ListName("free", Family.IPV4)) is Standing.FREE


def test_a_list_alone_passes_what_comes_back():
    one = firewall(chain("acl", Rule(WEB, RETURN), Rule(ANY, DROP)))
    (stage,) = one.list_stages(ListName("acl", Family.IPV4), noninitial=False)
    assert stage.default
    with pytest.raises(UsageError, match="no list"):
        one.list_stages(ListName("nowhere", Family.IPV4), noninitial=False)
