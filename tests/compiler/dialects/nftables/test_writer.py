"""What the writer says, word for word, and what adapt splits or refuses."""

from __future__ import annotations

import shutil

import pytest

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.nftables.adapt import adapt
from compiler.dialects.nftables.reader import read
from compiler.dialects.nftables.writer import clean, write
from compiler.errors import UsageError
from compiler.fields import Family, flags_all, flags_any
from compiler.integers import IntegerSet
from compiler.lowering.options import Options
from compiler.policy.access_list import Clause
from compiler.policy.match import ANY, InterfaceSet, Match, layer4
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from tests.compiler.dialects.nftables.rulesets import nft, without_places

TCP, UDP = IntegerSet.values(6), IntegerSet.values(17)
SOURCES = AddressSet.of(32, [(0, 255)])
ODD = Wildcard.of(0xAC100000, 0x0000FFF8)


def ruleset_of(*rules: Rule, family: Family = Family.IPV4, name: str = "acl-101") -> Ruleset:
    table = "ip gerbang" if family is Family.IPV4 else "ip6 gerbang"
    return Ruleset("source", "nftables", (Chain(table, name, rules, frozenset({family})),))


def lines_of(*rules: Rule, family: Family = Family.IPV4) -> list[str]:
    adapted, refusals = adapt(ruleset_of(*rules, family=family), Options())
    assert refusals == ()
    lines = [line.strip() for line in write(adapted).splitlines()]
    return lines[lines.index("chain acl-101 {") + 1 : -2]


def said(match: Match, family: Family = Family.IPV4) -> list[str]:
    return [line.removesuffix(" drop") for line in lines_of(Rule(layer4(match), Verdict.DROP), family=family)]


SENTENCES = [
    (ANY, ["drop"]),
    (Match(source=AddressSet.wildcard(ODD)), ["ip saddr & 255.255.0.7 == 172.16.0.0"]),
    (Match(destination=AddressSet.of(32, [(10, 19)])), ["ip daddr 0.0.0.10-0.0.0.19"]),
    (Match(destination=AddressSet.of(32, [(0, 15), (32, 32)])), ["ip daddr { 0.0.0.0/28, 0.0.0.32 }"]),
    (
        Match(source=AddressSet.of(32, [(0, 15)], [ODD])),
        ["ip saddr 0.0.0.0/28", "ip saddr & 255.255.0.7 == 172.16.0.0"],
    ),
    (Match(protocol=TCP), ["meta l4proto 6"]),
    (Match(protocol=IntegerSet.of([(6, 6), (47, 50)])), ["meta l4proto { 6, 47-50 }"]),
    (Match(protocol=TCP, destination_port=IntegerSet.values(80)), ["tcp dport 80"]),
    (Match(protocol=TCP, source_port=IntegerSet.values(80).complement(16)), ["tcp sport { 0-79, 81-65535 }"]),
    (
        Match(protocol=TCP.union(UDP), destination_port=IntegerSet.values(53)),
        ["meta l4proto { 6, 17 } th dport 53"],
    ),
    (Match(protocol=TCP, tcp_flags=flags_any(0x14)), ["tcp flags & 0x14 != 0x00"]),
    (Match(protocol=TCP, tcp_flags=flags_all(0x02, 0x10)), ["tcp flags & 0x12 == 0x02"]),
    (Match(protocol=TCP, tcp_flags=IntegerSet.values(2)), ["tcp flags & 0xff == 0x02"]),
    (Match(protocol=TCP, tcp_flags=IntegerSet.values(1, 2, 4)), ["tcp flags { 0x01, 0x02, 0x04 }"]),
    (Match(protocol=IntegerSet.values(1), icmp_type=IntegerSet.values(8)), ["icmp type 8"]),
    (Match(traffic_class=IntegerSet.range(0xB8, 0xBB)), ["ip dscp 46"]),
    (Match(traffic_class=IntegerSet.values(0x10, 0x12)), ["@nh,8,8 { 16, 18 }"]),
    (Match(traffic_class=IntegerSet.values(0x12)), ["ip dscp 4 ip ecn 2"]),
    (Match(traffic_class=IntegerSet.of((n, n) for n in range(256) if n & 3 == 2)), ["ip ecn 2"]),
    (Match(ttl=IntegerSet.range(0, 4)), ["ip ttl 0-4"]),
    (Match(noninitial=True), ["ip frag-off & 0x1fff != 0"]),
    (Match(noninitial=False), ["ip frag-off & 0x1fff == 0"]),
    (Match(ingress=InterfaceSet.only("a", "b")), ['iifname { "a", "b" }']),
    (Match(ingress=InterfaceSet.only("a", "p*")), ['iifname "a"', 'iifname "p*"']),
    (Match(egress=InterfaceSet(frozenset({"a", "p*"}), True)), ['oifname != "a" oifname != "p*"']),
    (Match(protocol=IntegerSet.of([])), []),
]


@pytest.mark.parametrize(("match", "expected"), SENTENCES)
def test_sentences(match, expected):
    assert said(match) == expected


SENTENCES6 = [
    (Match(noninitial=True), ["frag frag-off != 0"]),
    (Match(noninitial=False), ["exthdr frag missing", "frag frag-off 0"]),
    (Match(traffic_class=IntegerSet.values(0x10, 0x12)), ["@nh,4,8 { 16, 18 }"]),
    (Match(ttl=IntegerSet.values(255)), ["ip6 hoplimit 255"]),
    (
        Match(source=AddressSet.wildcard(Wildcard.of(0x2001 << 112, ((1 << 32) - 1) << 64, 128))),
        ["ip6 saddr & ffff:ffff::ffff:ffff:ffff:ffff == 2001::"],
    ),
]


@pytest.mark.parametrize(("match", "expected"), SENTENCES6)
def test_sentences_for_ipv6(match, expected):
    assert said(match, Family.IPV6) == expected


def test_statements_stand_behind_the_conditions():
    assert lines_of(
        Rule(Match(protocol=TCP), Verdict.REJECT, log="acl deny ", comment="why"),
        Rule(comment="only a remark"),
        Rule(log=""),
        Rule(verdict=Verdict.GOTO, target="acl-101"),
        Rule(Match(ttl=IntegerSet.values(1)), Verdict.DROP, disabled=True),
    ) == [
        'meta l4proto 6 log prefix "acl deny " reject with icmp type admin-prohibited comment "why"',
        'continue comment "only a remark"',
        "log",
        "goto acl-101",
    ]


def test_a_remark_that_does_not_fit_stands_whole_above_its_rule():
    remark = 'say "no" ' + "é" * 100
    first, second = lines_of(Rule(verdict=Verdict.DROP, comment=remark))
    assert first == f"# {remark}"
    assert second.startswith("drop comment \"say 'no' é")
    assert len(second.split('"')[1].encode()) <= 128


def test_clean_cuts_between_characters():
    assert clean("é" * 100, 7) == "ééé"
    assert clean('a"b\\c\n d', 99) == "a'b/c d"


def test_a_group_of_ranges_is_a_named_set_and_one_with_odd_masks_is_not():
    ranges, odd = AddressSet.of(32, [(0, 255), (512, 600)]), AddressSet.of(32, [(0, 255)], [ODD])
    adapted, _ = adapt(
        ruleset_of(
            Rule(Match(source=ranges), Verdict.DROP, source_set="servers"),
            Rule(Match(destination=ranges), Verdict.DROP, destination_set="servers"),
            Rule(Match(source=odd), Verdict.DROP, source_set="odd"),
            Rule(Match(source=AddressSet.of(32, [(0, 255)])), Verdict.DROP, source_set="servers"),
        ),
        Options(),
    )
    text = write(adapted)
    assert text.count("set servers {") == 1
    assert "elements = { 0.0.0.0/24, 0.0.2.0-0.0.2.88 }" in text
    assert "ip saddr @servers drop" in text
    assert "ip daddr @servers drop" in text
    assert "set odd" not in text
    assert "ip saddr 0.0.0.0/24 drop" in text
    assert without_places(read(text, "text")) == without_places(adapted)


def test_names_that_nft_refuses_are_changed_and_stay_distinct():
    chains = tuple(
        Chain("ip gerbang", name, rules, frozenset({Family.IPV4}))
        for name, rules in (
            ("accept", (Rule(verdict=Verdict.JUMP, target="a b"),)),
            ("a b", ()),
            ("a_b", ()),
            ("7up", ()),
        )
    )
    adapted, _ = adapt(Ruleset("s", "nftables", chains), Options())
    names = [chain.name for chain in adapted.chains]
    assert names == ["_accept", "a_b", "a_b_2", "_7up"]
    assert adapted.chains[0].rules[0].target == "a_b"


def test_time_is_refused_or_bounded():
    match = Match(protocol=TCP, week_minute=IntegerSet.range(0, 59))
    permit, deny = Rule(match, Verdict.RETURN, comment="p"), Rule(match, Verdict.DROP, comment="d")
    adapted, refusals = adapt(ruleset_of(permit, deny), Options())
    assert [one.what for one in refusals] == ["p", "d"]
    assert adapted.chains[0].rules == ()
    adapted, refusals = adapt(ruleset_of(permit, deny), Options(bound=True))
    assert len(refusals) == 2
    assert [rule.match for rule in adapted.chains[0].rules] == [Match(protocol=TCP)]


def test_rules_with_unknown_clauses_are_not_written():
    with pytest.raises(UsageError, match="ct state"):
        write(ruleset_of(Rule(verdict=Verdict.DROP, unmodelled=(Clause("ct state new"),))))


def test_the_frame():
    chain = Chain("ip gerbang", "early", (), frozenset({Family.IPV4}), Hook.PREROUTING, -450, Verdict.ACCEPT)
    text = write(Ruleset("s", "nftables", (chain,), header=("Gerbang", "", "second")))
    assert text == (
        "# Gerbang\n#\n# second\n\n"
        "table ip gerbang\ndelete table ip gerbang\ntable ip gerbang {\n"
        "\tchain early {\n\t\ttype filter hook prerouting priority -450; policy accept;\n\t}\n}\n"
    )


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
def test_every_sentence_is_listed_with_the_same_meaning():
    for sentences, family in ((SENTENCES, Family.IPV4), (SENTENCES6, Family.IPV6)):
        rules = tuple(Rule(layer4(match), Verdict.DROP) for match, _ in sentences)
        adapted, _ = adapt(ruleset_of(*rules, family=family), Options())
        assert without_places(read(nft(write(adapted), times=2), "listed")) == without_places(read(write(adapted), "w"))


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
def test_inet_tables_keep_their_meaning():
    rules = [
        Rule(Match(family=Family.IPV6), Verdict.ACCEPT),
        Rule(layer4(Match(protocol=TCP, destination_port=IntegerSet.values(22))), Verdict.ACCEPT),
        Rule(Match(source=AddressSet.of(32, [(10, 10)])), Verdict.DROP),
        Rule(Match(ttl=IntegerSet.values(1)), Verdict.DROP),
        Rule(Match(noninitial=True), Verdict.DROP),
        Rule(verdict=Verdict.REJECT),
    ]
    chain = Chain("inet filter", "c", tuple(rules), hook=Hook.FORWARD)
    adapted, refusals = adapt(Ruleset("s", "nftables", (chain,)), Options())
    assert refusals == ()
    assert without_places(read(nft(write(adapted)), "listed")) == without_places(read(write(adapted), "w"))
    back = read(write(adapted), "w").chains[0].rules
    assert [rule.match for rule in back] == [rule.match for rule in adapted.chains[0].rules]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("TenGigEthernet1x", "Linux names have at most 15 bytes"),
        ("\u00e9" * 8, "Linux names have at most 15 bytes"),
        ("Serial0/0", "Linux names have no '/'"),
        ("eth 0", "Linux names have no '/', ':' or blanks"),
        ("..", "are not '.' or '..'"),
        ("a*b", "no way to write"),
        ('a"b', "no way to write"),
    ],
)
@pytest.mark.parametrize("field", ["ingress", "egress"])
def test_interfaces_that_linux_cannot_have_are_refused(name, why, field):
    rule = Rule(Match(source=SOURCES, **{field: InterfaceSet(frozenset({name, "eth0"}))}), Verdict.DROP)
    adapted, (refusal,) = adapt(ruleset_of(rule), Options())
    assert f"interface {name}: " in refusal.why
    assert why in refusal.why
    assert adapted.chains[0].rules == ()
    narrowed, (refusal,) = adapt(ruleset_of(rule), Options(bound=True))
    assert [one.match for one in narrowed.chains[0].rules] == [Match(source=SOURCES)]


@pytest.mark.parametrize("name", ["abcdefghijklmno", "ppp*", "lan.10", ""])
def test_interfaces_that_linux_can_have_are_read_back(name):
    rule = Rule(Match(ingress=InterfaceSet(frozenset({name}))), Verdict.DROP)
    adapted, refusals = adapt(ruleset_of(rule), Options())
    assert refusals == ()
    assert read(write(adapted), "written").chains[0].rules[0].match == rule.match
