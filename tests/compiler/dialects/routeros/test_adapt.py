"""What one rule becomes on RouterOS, and what it cannot become."""

import pytest

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.routeros.adapt import adapt
from compiler.dialects.routeros.cubes import cube_values, flag_cubes
from compiler.dialects.routeros.naming import TOTAL_FACTOR, entry_count
from compiler.dialects.routeros.reader import read
from compiler.dialects.routeros.writer import write
from compiler.errors import CannotSay, UsageError
from compiler.fields import Family, flags_all, flags_any
from compiler.integers import IntegerSet, full
from compiler.lowering.options import Fragments, Options
from compiler.policy.access_list import Clause
from compiler.policy.match import ANY, InterfaceSet, Match, layer4
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict

TCP, UDP, ICMP = IntegerSet.values(6), IntegerSet.values(17), IntegerSet.values(1)


def ruleset(*rules, table="ip raw", **chain):
    return Ruleset("t", "ios", (Chain(table, "list", rules, frozenset(Family), **chain),))


def lines(match, *, verdict=Verdict.DROP, table="ip raw", options=None, **rule):
    """What the writer makes of one rule, without the words that all rules share."""
    adapted, refusals = adapt(ruleset(Rule(layer4(match), verdict, **rule), table=table), options or Options())
    assert refusals == ()
    found = [line for line in write(adapted).splitlines() if line.startswith("add chain=list")]
    found = [line for line in found if "gerbang: empty list" not in line]
    return [
        line.removeprefix("add chain=list ").split(" comment=")[0].removeprefix("action=drop").strip() for line in found
    ]


def refusal(match, *, verdict=Verdict.DROP, table="ip raw", options=None, **rule):
    _, refusals = adapt(ruleset(Rule(layer4(match), verdict, **rule), table=table), options or Options())
    (only,) = refusals
    return only.why


def hosts(*pairs, width=32):
    return AddressSet.of(width, pairs)


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (ANY, [""]),
        (Match(protocol=IntegerSet.values(6, 17)), ["protocol=6", "protocol=17"]),
        (Match(protocol=TCP.complement(8)), ["protocol=!6"]),
        (Match(source=hosts((5, 5))), ["src-address=0.0.0.5"]),
        (Match(source=hosts((8, 15))), ["src-address=0.0.0.8/29"]),
        (Match(source=hosts((8, 16))), ["src-address=0.0.0.8-0.0.0.16"]),
        (Match(source=hosts((8, 15)).complement()), ["src-address=!0.0.0.8/29"]),
        (Match(source=hosts((8, 15), (20, 20))), ["src-address-list=nets-0.0.0.8-2"]),
        (
            Match(destination=AddressSet.wildcard(Wildcard.of(0xAC100000, 0x000007F8))),
            ["dst-address-list=wild-172.16.0.0-0.0.7.248"],
        ),
        (
            Match(protocol=TCP, destination_port=IntegerSet.of([(1, 3), (7, 7)])),
            ["protocol=6 dst-port=1-3,7"],
        ),
        (
            Match(protocol=TCP, destination_port=IntegerSet.of((port, port + 1) for port in range(0, 80, 4))),
            [
                "protocol=6 dst-port=0-1,4-5,8-9,12-13,16-17,20-21,24-25",
                "protocol=6 dst-port=28-29,32-33,36-37,40-41,44-45,48-49,52-53",
                "protocol=6 dst-port=56-57,60-61,64-65,68-69,72-73,76-77",
            ],
        ),
        (
            Match(protocol=UDP, source_port=IntegerSet.values(*range(0, 30, 2)).complement(16)),
            ["protocol=17 src-port=!0,2,4,6,8,10,12,14,16,18,20,22,24,26,28"],
        ),
        (Match(protocol=TCP, tcp_flags=flags_any(0x14)), ["protocol=6 tcp-flags=ack", "protocol=6 tcp-flags=rst"]),
        (Match(protocol=TCP, tcp_flags=flags_all(2, 16)), ["protocol=6 tcp-flags=syn,!ack"]),
        (
            Match(protocol=ICMP, icmp_type=IntegerSet.values(3, 8), icmp_code=IntegerSet.of([(0, 1), (4, 4)])),
            [f"protocol=1 icmp-options={part}" for part in ("3:0-1", "3:4", "8:0-1", "8:4")],
        ),
        (Match(protocol=ICMP, icmp_type=IntegerSet.values(8)), ["protocol=1 icmp-options=8:0-255"]),
        (Match(traffic_class=IntegerSet.range(184, 191)), ["dscp=46", "dscp=47"]),
        (Match(traffic_class=IntegerSet.range(4, 255)), ["dscp=!0"]),
        (Match(ttl=IntegerSet.range(0, 9)), ["ttl=less-than:10"]),
        (
            Match(ttl=IntegerSet.of([(0, 0), (5, 6), (200, 255)])),
            [
                "ttl=equal:0",
                "ttl=equal:5",
                "ttl=equal:6",
                "ttl=greater-than:199",
            ],
        ),
        (Match(noninitial=True), ["fragment=yes"]),
        (Match(protocol=TCP, noninitial=False), ["protocol=6 fragment=no"]),
        (
            Match(week_minute=IntegerSet.of([(480, 1019), (1920, 2459), (8640, 10079)])),
            ["time=8h-16h59m59s,mon,tue", "time=0s-1d,sun"],
        ),
        (Match(ingress=InterfaceSet.only("b", "a")), ["in-interface=a", "in-interface=b"]),
        (Match(ingress=InterfaceSet(frozenset({"my wan"}), True)), ['in-interface="!my wan"']),
        (Match(family=Family.IPV6), []),
        (Match(source=hosts((0, 3), width=128)), []),
        (Match(source=hosts()), []),
    ],
)
def test_rules(match, expected):
    assert lines(match) == expected


def test_ipv6_has_prefixes_only():
    one = Match(source=hosts((1 << 64, (1 << 65) - 1), width=128))
    assert lines(one, table="ipv6 raw") == ["src-address=0:0:0:1::/64"]
    several = Match(source=hosts((1, 6), width=128))
    assert lines(several, table="ipv6 raw") == ["src-address-list=nets-::1-4"]
    adapted, _ = adapt(ruleset(Rule(several, Verdict.DROP), table="ipv6 raw"), Options())
    entries = [line.split()[2] for line in write(adapted).splitlines() if line.startswith("add list=")]
    assert entries == ["address=::1", "address=::2/127", "address=::4/127", "address=::6"]


def test_ipv6_ports_leave_fragments_out():
    whole = Match(protocol=TCP, noninitial=False)
    assert lines(whole, table="ipv6 raw") == ["protocol=6 dst-port=0-65535"]
    text = "/ipv6 firewall raw add chain=x protocol=6 dst-port=0-65535"
    assert read(text, "t").chains[0].rules[0].match == whole


@pytest.mark.parametrize(
    ("match", "table", "words"),
    [
        (Match(traffic_class=IntegerSet.values(185)), "ip raw", "ECN"),
        (Match(ttl=IntegerSet.range(10, 200)), "ip raw", "two-sided"),
        (Match(date_minute=IntegerSet.range(0, 9)), "ip raw", "dates"),
        (Match(protocol=IntegerSet.range(0, 5)), "ip raw", "protocol 0"),
        (Match(protocol=ICMP, icmp_code=IntegerSet.values(1)), "ip raw", "one type only"),
        (Match(protocol=ICMP, icmp_type=IntegerSet.values(3, 255)), "ip raw", "255"),
        (Match(protocol=IntegerSet.values(58), icmp_type=IntegerSet.values(3)), "ip raw", "protocol 1"),
        (Match(noninitial=True), "ip filter", "reassembly"),
        (Match(noninitial=True), "ipv6 raw", "no matcher for later fragments"),
        (Match(protocol=IntegerSet.values(58), noninitial=False), "ipv6 raw", "no matcher"),
        (Match(ingress=InterfaceSet.only("eth*")), "ip raw", "patterns"),
        (Match(ingress=InterfaceSet.only("all")), "ip raw", "'all' is no name of one interface"),
        (Match(ingress=InterfaceSet.only("dynamic")), "ip raw", "'dynamic' is no name of one interface"),
        (Match(ingress=InterfaceSet(frozenset({"!wan"}), True)), "ip raw", "'!wan' is no name of one interface"),
        (Match(ingress=InterfaceSet(frozenset({"a", "b"}), True)), "ip raw", "one interface only"),
        (
            Match(
                protocol=TCP,
                source_port=IntegerSet.values(*range(0, 2000, 3)),
                destination_port=IntegerSet.values(*range(0, 2000, 3)),
            ),
            "ip raw",
            "above the limit of 1,024",
        ),
    ],
)
def test_what_cannot_be_said(match, table, words):
    assert words in refusal(match, table=table)
    adapted, refusals = adapt(ruleset(Rule(layer4(match), Verdict.RETURN), table=table), Options(bound=True))
    assert len(refusals) == 1
    assert [(rule.match, rule.verdict) for rule in adapted.chains[0].rules] == [(ANY, Verdict.RETURN)]
    adapted, _ = adapt(ruleset(Rule(layer4(match), Verdict.DROP), table=table), Options(bound=True))
    assert adapted.chains[0].rules


def test_fragments_follow_the_promise():
    later = Match(noninitial=True)
    promised = Options(fragments=Fragments.REASSEMBLED)
    assert lines(later, table="ip filter", options=promised) == []
    assert lines(later, table="ipv6 raw", options=promised) == []
    assert lines(later, options=promised) == ["fragment=yes"]  # raw can tell them apart anyway
    assert lines(later, table="ip filter", options=Options(fragments=Fragments.UNTRACKED)) == ["fragment=yes"]
    assert lines(Match(noninitial=False), table="ip filter") == [""]


def test_raw_has_no_reject():
    assert "use --deny drop or --place filter" in refusal(ANY, verdict=Verdict.REJECT)
    adapted, refusals = adapt(ruleset(Rule(ANY, Verdict.REJECT)), Options(bound=True))
    assert [rule.verdict for rule in adapted.chains[0].rules] == [Verdict.DROP]
    assert len(refusals) == 1
    said = lines(ANY, verdict=Verdict.REJECT, table="ip filter")
    assert said == ["action=reject reject-with=icmp-admin-prohibited"]


def test_goto_is_a_jump_and_a_return():
    assert lines(Match(protocol=TCP), verdict=Verdict.GOTO, target="other") == [
        "action=jump jump-target=other protocol=6",
        "action=return protocol=6",
    ]


def test_a_jump_that_cannot_be_said_has_no_bound():
    rule = Rule(Match(ttl=IntegerSet.range(10, 200)), Verdict.JUMP, "other")
    with pytest.raises(CannotSay):
        adapt(ruleset(rule), Options(bound=True))


def test_unmodelled_clauses():
    rule = Rule(Match(protocol=TCP), Verdict.DROP, unmodelled=(Clause("ct state new"),))
    _, refusals = adapt(ruleset(rule), Options())
    assert "ct state new" in refusals[0].why
    adapted, _ = adapt(ruleset(rule), Options(bound=True))
    assert [(one.match, one.unmodelled) for one in adapted.chains[0].rules] == [(Match(protocol=TCP), ())]


def test_a_policy_becomes_the_last_rule():
    tree = Ruleset(
        "t",
        "nftables",
        (Chain("ip filter", "input", (), frozenset({Family.IPV4}), Hook.INPUT, 0, Verdict.DROP),),
    )
    adapted, _ = adapt(tree, Options())
    (chain,) = adapted.chains
    assert chain.policy is Verdict.ACCEPT
    assert [(rule.match, rule.verdict) for rule in chain.rules] == [(ANY, Verdict.DROP)]


def test_equal_sets_share_one_list_and_names_stay_unique():
    odd = AddressSet.wildcard(Wildcard.of(0, 0x0102))
    other = AddressSet.wildcard(Wildcard.of(0, 0x0202))
    rules = [
        Rule(Match(source=odd), Verdict.DROP),
        Rule(Match(destination=odd), Verdict.DROP),
        Rule(Match(source=odd), Verdict.DROP, source_set="SERVERS"),
        Rule(Match(source=other), Verdict.DROP, source_set="SERVERS"),
        Rule(Match(source=hosts((9, 9))), Verdict.DROP, source_set="one host?"),
    ]
    adapted, _ = adapt(ruleset(*rules), Options())
    assert [named.name for named in adapted.sets] == ["wild-0.0.0.0-0.0.1.2", "SERVERS", "SERVERS-2", "one-host-"]
    found = [(rule.source_set, rule.destination_set) for rule in adapted.chains[0].rules]
    assert found == [
        ("wild-0.0.0.0-0.0.1.2", ""),
        ("", "wild-0.0.0.0-0.0.1.2"),
        ("SERVERS", ""),
        ("SERVERS-2", ""),
        ("one-host-", ""),
    ]


def test_the_size_of_a_list_is_known_before_it_is_built():
    case = AddressSet.wildcard(Wildcard.of(0x80000001, 0x0FFF_FFFE << 3 & 0xFFFF_FFFE))
    why = refusal(Match(source=case), options=Options(address_limit=100))
    assert why == f"needs {case.run_count():,} entries, above the limit of 100; raise it with --address-limit"


@pytest.mark.parametrize(
    "addresses",
    [hosts((1, 6), width=128), hosts((0, 2**128 - 2), width=128), hosts((5, 5), (7, 90), width=128), hosts((1, 6))],
)
def test_entry_count(addresses):
    built = len(addresses.prefixes()) if addresses.width == 128 else len(addresses.runs())
    assert entry_count(addresses) == built


@pytest.mark.parametrize(
    ("flags", "count"),
    [
        (flags_any(0x14), 2),
        (flags_all(0x12, 0x04), 1),
        (flags_any(0xFF), 8),
        (flags_any(0x02, 0x10), 2),
        (IntegerSet.values(0, 3), 2),
        (IntegerSet.values(0, 1, 3), 2),
        (full(8), 1),
        (IntegerSet.values(2).complement(8), 8),
    ],
)
def test_flag_cubes_cover_exactly(flags, count):
    cubes = flag_cubes(flags)
    together = IntegerSet.of(pair for cube in cubes for pair in cube_values(cube).intervals)
    assert together == flags
    assert len(cubes) == count


def test_tables_and_base_chains_are_checked():
    with pytest.raises(UsageError, match="no table"):
        adapt(ruleset(table="inet filter"), Options())
    tree = Ruleset("t", "x", (Chain("ip raw", "forward", (), frozenset(Family), Hook.FORWARD),))
    with pytest.raises(UsageError, match="no base chain"):
        adapt(tree, Options())


def test_all_lists_together_have_a_limit():
    limit = 4

    def odd(start):  # two entries
        return Rule(Match(source=hosts((start, start), (start + 2, start + 2))), Verdict.DROP)

    fitting = [odd(16 * number) for number in range(TOTAL_FACTOR * limit // 2)]
    adapted, refusals = adapt(ruleset(*fitting, fitting[0]), Options(address_limit=limit))
    assert refusals == ()
    assert len(adapted.sets) == len(fitting)
    one_more = odd(4096)
    _, refusals = adapt(ruleset(*fitting, one_more), Options(address_limit=limit))
    assert [refusal.why for refusal in refusals] == [
        "all address lists together need 34 entries, above 8 times the limit of 4; raise it with --address-limit"
    ]
    adapted, refusals = adapt(ruleset(*fitting, one_more), Options(address_limit=limit, bound=True))
    assert len(refusals) == 1
    assert adapted.chains[0].rules[-1].match == ANY  # a deny is bounded by a wider one


def test_an_empty_list_keeps_its_chain():
    adapted, refusals = adapt(ruleset(), Options())
    assert refusals == ()
    (chain,) = read(write(adapted), "t").chains
    assert [(chain.name, rule.match, rule.verdict) for rule in chain.rules] == [("list", ANY, Verdict.RETURN)]


def test_a_chain_that_no_jump_reaches_any_more_goes():
    def jump(target):
        return Rule(Match(noninitial=True), Verdict.GOTO, target)

    drop = Rule(ANY, Verdict.DROP)
    tree = Ruleset(
        "t",
        "ios",
        (
            Chain("ip filter", "deeper", (drop,), frozenset({Family.IPV4})),
            Chain("ip filter", "later", (Rule(ANY, Verdict.JUMP, "deeper"), drop), frozenset({Family.IPV4})),
            Chain("ip filter", "list", (jump("later"), drop), frozenset({Family.IPV4})),
            Chain("ip filter", "alone", (drop,), frozenset({Family.IPV4})),
        ),
    )
    adapted, _ = adapt(tree, Options(fragments=Fragments.REASSEMBLED))
    assert [chain.name for chain in adapted.chains] == ["list", "alone"]
    adapted, _ = adapt(tree, Options(fragments=Fragments.UNTRACKED))
    assert [chain.name for chain in adapted.chains] == ["deeper", "later", "list", "alone"]
