"""From lists to chains: the placement table, refusals, names, notes, and what permit becomes."""

import pytest

from compiler.dialects import read
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.lowering.bounding import Unsayable, bounded
from compiler.lowering.device import chain_name, lower_device, select_lists
from compiler.lowering.options import Deny, Fragments, Options, Placement
from compiler.lowering.placement import places, table
from compiler.policy.access_list import Direction
from compiler.policy.match import ANY, InterfaceSet, Match
from compiler.policy.ruleset import Hook, Rule, Verdict

NAMES = {"Ethernet0": "eth0", "Ethernet1": "eth1"}
PLAIN = "ip access-list extended X\n permit ip host 10.0.0.1 any\n deny ip host 10.0.0.2 any\n"
PORTS = "ip access-list extended X\n permit tcp any any eq 80\n deny ip host 10.0.0.2 any\n permit udp any any\n"
IN, OUT = "interface Ethernet0\n ip access-group X in\n", "interface Ethernet1\n ip access-group X out\n"


def lowered(text: str, target: str = "nftables", **choices):
    """The text, lowered with both interfaces named."""
    return lower_device(read(text, "source", dialect="ios"), target, Options(interfaces=NAMES, **choices))


@pytest.mark.parametrize(
    ("target", "direction", "placement", "expected"),
    [
        ("nftables", Direction.IN, Placement.EARLY, [(Hook.PREROUTING, -450)]),
        ("nftables", Direction.IN, Placement.FILTER, [(Hook.FORWARD, 0), (Hook.INPUT, 0)]),
        ("nftables", Direction.OUT, Placement.EARLY, [(Hook.FORWARD, 0)]),
        ("nftables", Direction.OUT, Placement.FILTER, [(Hook.FORWARD, 0)]),
        ("routeros", Direction.IN, Placement.EARLY, [(Hook.PREROUTING, -300)]),
        ("routeros", Direction.IN, Placement.FILTER, [(Hook.FORWARD, 0), (Hook.INPUT, 0)]),
        ("routeros", Direction.OUT, Placement.EARLY, [(Hook.FORWARD, 0)]),
        ("routeros", Direction.OUT, Placement.FILTER, [(Hook.FORWARD, 0)]),
    ],
)
def test_a_list_stands_where_the_table_says(target, direction, placement, expected):
    assert [(place.hook, place.priority) for place in places(target, direction, placement)] == expected
    text = (IN if direction is Direction.IN else OUT) + PLAIN
    chains = [chain for chain in lowered(text, target, placement=placement).ruleset.chains if chain.hook]
    assert [(chain.hook, chain.priority) for chain in chains] == expected
    assert all(chain.policy is Verdict.ACCEPT for chain in chains)


def test_only_the_early_places_come_before_reassembly():
    for target in ("nftables", "routeros"):
        assert places(target, Direction.IN, Placement.EARLY)[0].before_defragmentation
        assert not any(place.before_defragmentation for place in places(target, Direction.IN, Placement.FILTER))
        assert not any(place.before_defragmentation for place in places(target, Direction.OUT, Placement.EARLY))


@pytest.mark.parametrize(
    ("target", "family", "group", "expected"),
    [
        ("nftables", Family.IPV4, "", "ip gerbang"),
        ("nftables", Family.IPV6, "", "ip6 gerbang"),
        ("routeros", Family.IPV4, "raw", "ip raw"),
        ("routeros", Family.IPV6, "filter", "ipv6 filter"),
    ],
)
def test_tables_are_named_as_the_target_does(target, family, group, expected):
    assert table(target, family, group) == expected


def test_permit_returns_and_deny_ends():
    (chain,) = lowered(PLAIN).ruleset.chains
    assert chain.name == "acl-X"
    assert [rule.verdict for rule in chain.rules] == [Verdict.RETURN, Verdict.DROP, Verdict.DROP]
    assert chain.rules[-1].match == ANY
    (chain,) = lowered(PLAIN, deny=Deny.REJECT).ruleset.chains
    assert [rule.verdict for rule in chain.rules] == [Verdict.RETURN, Verdict.REJECT, Verdict.REJECT]


def test_the_dispatcher_applies_in_lists_before_out_lists():
    chains = lowered(OUT + IN + PLAIN, placement=Placement.FILTER).ruleset.chains
    (forward,) = [chain for chain in chains if chain.hook is Hook.FORWARD]
    assert [(rule.match, rule.verdict, rule.target) for rule in forward.rules] == [
        (Match(ingress=InterfaceSet.only("eth0")), Verdict.JUMP, "acl-X"),
        (Match(egress=InterfaceSet.only("eth1")), Verdict.JUMP, "acl-X"),
    ]


def test_fragments_have_a_chain_of_their_own_where_they_are_seen():
    chains = {chain.name: chain for chain in lowered(IN + PORTS).ruleset.chains}
    first = chains["acl-X"].rules[0]
    assert (first.match, first.verdict, first.target) == (Match(noninitial=True), Verdict.GOTO, "acl-X-fragments")
    assert all(not rule.match.looks_at_layer4 for rule in chains["acl-X-fragments"].rules)
    assert "acl-X-fragments" not in {chain.name for chain in lowered(IN + PLAIN).ruleset.chains}


@pytest.mark.parametrize("target", ["nftables", "routeros"])
def test_after_reassembly_a_list_that_looks_at_layer_4_is_refused(target):
    for text, choices in ((OUT + PORTS, {}), (IN + PORTS, {"placement": Placement.FILTER})):
        (refusal, *_) = lowered(text, target, **choices).refusals
        assert "reassembly" in refusal.why
        assert not lowered(text, target, fragments=Fragments.REASSEMBLED, **choices).refusals
    assert not lowered(OUT + PORTS, target, fragments=Fragments.UNTRACKED).refusals
    # Linux puts IPv4 packets to itself together before its input hook, tracked or not (tried with packets).
    untracked = lowered(IN + PORTS, target, fragments=Fragments.UNTRACKED, placement=Placement.FILTER)
    assert ["input hook" in refusal.why for refusal in untracked.refusals] == [True]
    assert not lowered(OUT + PLAIN, target).refusals
    assert not lowered(IN + PORTS, target).refusals


def test_an_out_list_behind_address_translation_stands_after_it_or_is_refused():
    text = OUT + "ip nat inside source list 1 interface Ethernet1 overload\n" + PLAIN
    (refusal,) = lowered(text, "routeros").refusals
    assert "translates addresses" in refusal.why
    assert refusal.span.line == 2
    found = lowered(text)
    assert not found.refusals
    assert [chain.hook for chain in found.ruleset.chains if chain.hook] == [Hook.POSTROUTING]


def test_an_out_list_that_asks_the_ttl_has_its_place_after_routing():
    text = "ip access-list extended X\n permit ip any any ttl eq 9\n"
    assert not lowered(OUT + text).refusals
    assert not lowered(IN + text).refusals
    (refusal,) = lowered(IN + text, placement=Placement.FILTER).refusals
    assert "TTL" in refusal.why


def test_raw_cannot_reject():
    assert "cannot answer" in lowered(IN + PLAIN, "routeros", deny=Deny.REJECT).refusals[0].why
    assert not lowered(IN + PLAIN, "routeros", deny=Deny.REJECT, placement=Placement.FILTER).refusals


def test_unmapped_interfaces_are_named_with_the_option():
    device = read(IN + OUT + PLAIN, "source", dialect="ios")
    with pytest.raises(UsageError, match=r"--interface Ethernet0=NAME --interface Ethernet1=NAME"):
        lower_device(device, "nftables", Options())


def test_undefined_and_empty_lists_need_no_interface():
    device = read(IN.replace("X", "NOWHERE") + PLAIN, "source", dialect="ios")
    assert [chain.hook for chain in lower_device(device, "nftables", Options()).ruleset.chains] == [None]


@pytest.mark.parametrize(("name", "expected"), [("101", "acl-101"), ("A B/é", "acl-A_B__"), ("x.y-z_0", "acl-x.y-z_0")])
def test_chain_names(name, expected):
    assert chain_name(name) == expected


def test_two_names_that_become_one_stay_two_chains():
    text = PLAIN.replace("X", "A/B") + PLAIN.replace("X", "A=B")
    names = [chain.name for chain in lowered(text).ruleset.chains]
    assert len(names) == len(set(names)) == 2


@pytest.mark.parametrize("order", [1, -1])
def test_a_list_named_as_another_ones_fragments_has_a_chain_of_its_own(order):
    """Regression: the lists X and X-fragments met in one chain."""
    lists = [PORTS, PORTS.replace("X", "X-fragments")][::order]
    names = [chain.name for chain in lowered("".join(lists)).ruleset.chains]
    assert len(names) == len(set(names)) == 4


def test_lists_that_only_other_features_use_are_left_out():
    text = PLAIN + "access-list 5 permit 10.0.0.0 0.0.0.255\nline vty 0 4\n access-class 5 in\n"
    device = read(text, "source", dialect="ios")
    selected, notes = select_lists(device, Options())
    assert [one.name for one in selected] == ["X"]
    assert "list 5 is not compiled" in notes[0]
    selected, notes = select_lists(device, Options(lists=("5",)))
    assert ([one.name for one in selected], notes) == (["5"], ())
    with pytest.raises(UsageError, match="no list 77"):
        select_lists(device, Options(lists=("77",)))


def test_remarks_become_comments_of_the_rule_that_follows():
    text = "ip access-list extended X\n remark one\n remark two\n permit ip any any\n remark last\n"
    (chain,) = lowered(text).ruleset.chains
    assert [rule.comment for rule in chain.rules][:2] == ["one", "two"]
    assert chain.rules[1].verdict is Verdict.RETURN


def _never(rule: Rule):
    raise Unsayable(("ttl",), "no TTL here")


def _without_ttl(rule: Rule):
    if rule.match.ttl is not None:
        _never(rule)
    return (rule,)


@pytest.mark.parametrize(
    ("verdict", "bound", "said"),
    [(Verdict.RETURN, True, 0), (Verdict.DROP, True, 1), (Verdict.RETURN, False, 0), (Verdict.DROP, False, 0)],
)
def test_a_bound_never_widens(verdict, bound, said):
    """A permit that cannot be said goes; a deny matches more."""
    from compiler.integers import IntegerSet

    refusals = []
    rule = Rule(Match(ttl=IntegerSet.values(9)), verdict)
    rules = list(bounded(rule, _without_ttl, refusals, bound=bound))
    assert len(rules) == said
    assert all(one.match == ANY for one in rules)
    assert [refusal.why for refusal in refusals] == ["no TTL here"]


def test_a_rule_that_no_field_stands_in_the_way_of_is_an_error_of_the_target():
    with pytest.raises(Unsayable):
        list(bounded(Rule(ANY, Verdict.DROP), _never, [], bound=True))
