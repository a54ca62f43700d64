"""One clause of text, one meaning; and real nft takes each of these texts."""

from __future__ import annotations

import shutil

import pytest

from compiler.addresses import parse_address
from compiler.dialects.nftables.reader import read
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.ruleset import ChainKind, Verdict
from compiler.policy.stateful import (
    AddressKind,
    AddressRange,
    AddToSet,
    AssignHelper,
    ChangeField,
    ClampSegment,
    Counter,
    DirectionIs,
    Hash,
    HelperIs,
    InSet,
    LengthIn,
    Limit,
    LocalAddress,
    MarkIn,
    MarkValue,
    Numbered,
    NumberIn,
    RandomNumber,
    Register,
    SetMark,
    State,
    StateIn,
    StatusIs,
    Translate,
    Translation,
    Untrack,
)
from tests.compiler.dialects.nftables.rulesets import nft

SECOND = 1_000_000_000
PACKET, CONNECTION = Register.PACKET, Register.CONNECTION
SETS = """
 set d { type ipv4_addr; flags dynamic, timeout; timeout 1m; }
 set plain { type ipv4_addr; elements = { 1.2.3.4 }; }
 set marks { type mark; elements = { 1, 5 }; }
 map m { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/8 : 5 }; }
 map ports { type inet_service : ipv4_addr . inet_service; elements = { 80 : 10.0.0.1 . 8080 }; }
 ct helper f { type "ftp" protocol tcp; l3proto ip; }
"""


def states(*names: str) -> StateIn:
    return StateIn(frozenset(State(name) for name in names))


def values(*numbers: int) -> IntegerSet:
    return IntegerSet.values(*numbers)


def span(low: int, high: int) -> IntegerSet:
    return IntegerSet.range(low, high)


def status(*bits: str, negated: bool = False) -> StatusIs:
    return StatusIs(frozenset(bits), negated)


def place(first: str, last: str = "") -> AddressRange:
    low, width = parse_address(first)
    return AddressRange(Family.IPV4 if width == 32 else Family.IPV6, low, parse_address(last or first)[0])


CLAUSES = [
    ("ct state new,established", [states("new", "established")]),
    ("ct state { new, related }", [states("new", "related")]),
    ("ct state != invalid", [states("new", "established", "related", "untracked")]),
    ("ct state ! new,invalid", [states("established", "related", "untracked")]),
    ("ct state == new,established", [states()]),
    ("ct state & (new | established) != 0", [states("new", "established")]),
    ("ct status dnat", [status("dnat")]),
    ("ct status ! snat,dnat", [status("snat", "dnat", negated=True)]),
    ("ct status & (snat | dnat) == snat", [status("snat"), status("dnat", negated=True)]),
    ("ct status & snat != snat", [status("snat", negated=True)]),
    ("ct status seen-reply", [status("seen-reply")]),
    ("ct direction original", [DirectionIs(True)]),
    ("ct direction != original", [DirectionIs(False)]),
    ("ct mark 0x10", [MarkIn(CONNECTION, values(16))]),
    ("ct mark & 0xff == 0x10", [MarkIn(CONNECTION, values(16), 0xFF)]),
    ("meta mark and 0xff { 1, 4-9 }", [MarkIn(PACKET, values(1).union(span(4, 9)), 0xFF)]),
    ("mark != 0", [MarkIn(PACKET, span(1, 0xFFFFFFFF))]),
    ("meta mark @marks", [MarkIn(PACKET, values(1, 5))]),
    ("meta mark > 9", [MarkIn(PACKET, span(10, 0xFFFFFFFF))]),
    ("fib daddr type local", [LocalAddress("destination", frozenset({AddressKind.LOCAL}))]),
    ("fib saddr type != { local, multicast }", [
        LocalAddress("source", frozenset({AddressKind.LOCAL, AddressKind.MULTICAST}), True)
    ]),
    ("meta length > 1400", [LengthIn(span(1401, 0xFFFFFFFF))]),
    ("ip length 20-100", [LengthIn(span(20, 100))]),
    ("numgen inc mod 3 offset 5 6", [NumberIn(Counter(3, 5), values(6))]),
    ("numgen random mod 100 < 30", [NumberIn(RandomNumber(100), span(0, 29))]),
    ("jhash ip saddr . ip daddr mod 4 seed 0xabc 0", [
        NumberIn(Hash(("source", "destination"), 4, 0xABC), values(0))
    ]),
    ("jhash ip saddr . udp sport mod 4 1", [NumberIn(Hash(("source", "source_port"), 4), values(1))]),
    ("jhash ip saddr . meta l4proto mod 2 seed 0x1 offset 7 8", [
        NumberIn(Hash(("source", "protocol"), 2, 1, 7), values(8))
    ]),
    ("limit rate 10/second", [Limit(10, SECOND, 5)]),
    ("limit rate over 6/minute burst 9 packets", [Limit(6, 60 * SECOND, 9, True)]),
    ("limit rate 2 kbytes/second burst 1 kbytes", [Limit(2048, SECOND, 3072, octets=True)]),
    ("limit rate over 3 mbytes/hour", [Limit(3 << 20, 3600 * SECOND, 3 << 20, True, True)]),
    ("ip saddr @d", [InSet("ip t", "d", "source")]),
    ("ip daddr != @d", [InSet("ip t", "d", "destination", True)]),
    ("ip saddr @plain", [InSet("ip t", "plain", "source")]),
    ('ct helper "ftp"', [HelperIs("ftp")]),
    ("meta mark set 5", [SetMark(PACKET, 5)]),
    ("meta mark set 1 | 2", [SetMark(PACKET, 3)]),
    ("meta mark set ct mark", [SetMark(PACKET, MarkValue(CONNECTION))]),
    ("ct mark set mark", [SetMark(CONNECTION, MarkValue(PACKET))]),
    ("ct mark set ct mark and 0xff or 0x100", [SetMark(CONNECTION, 0x100, 0xFFFFFF00)]),
    ("meta mark set ct mark & 0xff | 0x100", [SetMark(PACKET, MarkValue(CONNECTION, 0xFF, 0x100))]),
    ("ct mark set numgen inc mod 2 offset 1", [SetMark(CONNECTION, Numbered(Counter(2, 1)))]),
    ("meta mark set numgen inc mod 10 map { 0-5 : 7, 6-9 : 8 }", [
        SetMark(PACKET, Numbered(Counter(10), ((span(0, 5), 7), (span(6, 9), 8))))
    ]),
    ("meta mark set jhash ip saddr mod 2 seed 0x5 map { 0 : 1, 1 : 2 }", [
        SetMark(PACKET, Numbered(Hash(("source",), 2, 5), ((values(0), 1), (values(1), 2))))
    ]),
    ("meta mark set ct state map { new : 3 }", [states("new"), SetMark(PACKET, 3)]),
    ("meta mark set ct mark & 0xf map { 1 : 3 }", [MarkIn(CONNECTION, values(1), 15), SetMark(PACKET, 3)]),
    ("meta mark set ip saddr map @m", [SetMark(PACKET, 5)]),
    ("ip dscp set cs1", [ChangeField("traffic_class", 0x20, 0xFC)]),
    ("ip ecn set ce", [ChangeField("traffic_class", 3, 3)]),
    ("ip ttl set 64", [ChangeField("ttl", 64)]),
    ("tcp option maxseg size set 1360", [ClampSegment(1360)]),
    ("tcp option maxseg size set rt mtu", [ClampSegment()]),
    ("add @d { ip saddr }", [AddToSet("ip t", "d", "source", 60 * SECOND, False)]),
    ("update @d { ip daddr timeout 1m30s }", [AddToSet("ip t", "d", "destination", 90 * SECOND)]),
    ("delete @d { ip saddr }", [AddToSet("ip t", "d", "source", 0, False, True)]),
    ("add @plain { ip saddr }", [AddToSet("ip t", "plain", "source", 0, False)]),
    ('tcp dport 21 ct helper set "f"', [AssignHelper("ftp")]),
    ("notrack", [Untrack()]),
    ("ct state new counter meta nftrace set 1", [states("new")]),
]  # fmt: skip

DNAT, SNAT = Translation.DESTINATION, Translation.SOURCE
TRANSLATIONS = [
    ("dnat to 10.0.0.1", Translate(DNAT, (place("10.0.0.1"),))),
    ("dnat ip to 10.0.0.1-10.0.0.9 persistent", Translate(DNAT, (place("10.0.0.1", "10.0.0.9"),), persistent=True)),
    ("tcp dport 80 dnat to 10.0.0.1:8080", Translate(DNAT, (place("10.0.0.1"),), (8080, 8080))),
    ("tcp dport 80 dnat to 10.0.0.1 : 8080-8090", Translate(DNAT, (place("10.0.0.1"),), (8080, 8090))),
    ("tcp dport 80 dnat to :8080", Translate(DNAT, (), (8080, 8080))),
    ("dnat to 10.0.0.0/30", Translate(DNAT, (place("10.0.0.0", "10.0.0.3"),))),
    ("dnat prefix to 10.0.0.0/30", Translate(Translation.NETMAP_DESTINATION, (place("10.0.0.0", "10.0.0.3"),))),
    ("dnat to numgen inc mod 2 map { 0 : 10.0.0.7-10.0.0.8, 1 : 10.0.0.2-10.0.0.4 }", Translate(
        DNAT,
        number=Counter(2),
        table=((values(0), place("10.0.0.7", "10.0.0.8")), (values(1), place("10.0.0.2", "10.0.0.4"))),
    )),
    ("dnat to tcp dport map { 80 : 10.0.0.1 }", Translate(DNAT, (place("10.0.0.1"),))),
    ("dnat ip to tcp dport map @ports", Translate(DNAT, (place("10.0.0.1"),), (8080, 8080))),
    ("tcp dport 80 redirect to :8080 random", Translate(Translation.REDIRECT, (), (8080, 8080), random=True)),
    ("meta l4proto tcp redirect to tcp dport map { 80 : 81 }", Translate(Translation.REDIRECT, (), (81, 81))),
    ("redirect", Translate(Translation.REDIRECT)),
]  # fmt: skip
SOURCES = [
    ("masquerade", Translate(Translation.MASQUERADE)),
    ("masquerade fully-random,persistent", Translate(Translation.MASQUERADE, persistent=True, random=True)),
    ("tcp dport 5 masquerade to :1024-65535", Translate(Translation.MASQUERADE, (), (1024, 65535))),
    ("snat to 1.2.3.4", Translate(SNAT, (place("1.2.3.4"),))),
    ("udp dport 53 snat to 1.2.3.4-1.2.3.9:1024-65535", Translate(SNAT, (place("1.2.3.4", "1.2.3.9"),), (1024, 65535))),
    ("snat ip prefix to ip saddr map { 10.1.0.0/24 : 10.2.0.0/24 }", Translate(
        Translation.NETMAP_SOURCE, (place("10.2.0.0", "10.2.0.255"),)
    )),
]  # fmt: skip


def table(rules: list[str], head: str = "type filter hook forward priority mangle") -> str:
    lines = "\n".join(f"  {rule}" for rule in rules)
    return f"table ip t {{\n{SETS}\n chain x {{\n }}\n chain y {{\n }}\n chain c {{\n  {head}\n{lines}\n }}\n}}\n"


FILTER = table([text for text, _ in CLAUSES])
INTO = table([text for text, _ in TRANSLATIONS], "type nat hook prerouting priority dstnat")
OUT_OF = table([text for text, _ in SOURCES], "type nat hook postrouting priority srcnat")


def rules_of(text: str):
    return read(text, "text", unmodelled="simulate").chain("ip t", "c").rules


@pytest.mark.parametrize(("text", "meanings"), CLAUSES)
def test_clauses(text, meanings):
    more = ["add @plain { ip saddr }"] if "@plain" in text else []
    rule = rules_of(table([text, *more]))[0]
    assert [clause.meaning for clause in rule.unmodelled] == meanings
    assert rule.verdict is Verdict.CONTINUE
    assert all(clause.span.line and clause.text for clause in rule.unmodelled)


@pytest.mark.parametrize(
    ("text", "meaning", "head"),
    [(*one, "type nat hook prerouting priority dstnat") for one in TRANSLATIONS]
    + [(*one, "type nat hook postrouting priority srcnat") for one in SOURCES],
)
def test_translations(text, meaning, head):
    (rule,) = rules_of(table([text], head))
    assert [clause.meaning for clause in rule.unmodelled] == [meaning]
    assert rule.verdict is Verdict.ACCEPT


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.parametrize("text", [FILTER, INTO, OUT_OF], ids=["filter", "dstnat", "srcnat"])
def test_real_nft_takes_all_of_them_and_its_listing_means_the_same(text):
    listed = nft(text)
    mine, theirs = (
        [(rule.match, rule.verdict, [clause.meaning for clause in rule.unmodelled]) for rule in rules_of(one)]
        for one in (text, listed)
    )
    for (clause, _), one, other in zip(
        CLAUSES if text == FILTER else [("", [])] * len(mine), mine, theirs, strict=True
    ):
        # nft lists an exact comparison of two states as one that any of them meets.
        assert one == other or clause == "ct state == new,established"


def test_a_map_over_fields_is_one_rule_for_each_element():
    first, second = rules_of(table(["meta mark set ip saddr map { 10.0.0.1 : 1, 10.0.1.0/24 : 2 }"]))
    assert [clause.meaning for clause in first.unmodelled] == [SetMark(PACKET, 1)]
    assert [clause.meaning for clause in second.unmodelled] == [SetMark(PACKET, 2)]
    assert second.match.source.ranges == ((0x0A000100, 0x0A0001FF),)


def test_a_verdict_map_over_states():
    rules = rules_of(table(["ct state vmap { established : accept, related : accept, new : jump x, invalid : drop }"]))
    assert [(rule.verdict, rule.target) for rule in rules] == [
        (Verdict.ACCEPT, ""),
        (Verdict.ACCEPT, ""),
        (Verdict.JUMP, "x"),
        (Verdict.DROP, ""),
    ]
    assert [rule.unmodelled[0].meaning for rule in rules] == [
        states("established"),
        states("related"),
        states("new"),
        states("invalid"),
    ]


def test_a_mark_and_then_a_translation():
    (rule,) = rules_of(table(["meta mark set 7 snat to 1.2.3.4"], "type nat hook postrouting priority srcnat"))
    assert [clause.meaning for clause in rule.unmodelled] == [
        SetMark(PACKET, 7),
        Translate(SNAT, (place("1.2.3.4"),)),
    ]


def test_both_families():
    text = """table inet t {
 chain c {
  type nat hook prerouting priority dstnat
  tcp dport 80 dnat ip6 to [2001:db8::1]:8080
  ip saddr 10.0.0.1 dnat to 10.0.0.2
 }
}
"""
    first, second = read(text, "text", unmodelled="simulate").chain("inet t", "c").rules
    assert first.match.family is Family.IPV6
    assert first.unmodelled[0].meaning == Translate(DNAT, (place("2001:db8::1"),), (8080, 8080))
    assert second.match.family is Family.IPV4


def test_kinds_priorities_and_sets():
    text = table(["ip saddr @d drop"]) + "table ip n {\n" + "".join(
        f" chain c{hook} {{\n  type {kind} hook {hook} priority {priority}; policy {policy};\n }}\n"
        for kind, hook, priority, policy in [
            ("nat", "prerouting", "dstnat", "accept"),
            ("nat", "postrouting", "srcnat + 5", "drop"),
            ("route", "output", "mangle", "accept"),
        ]
    ) + " chain free {\n }\n}\n"  # fmt: skip
    ruleset = read(text, "text", unmodelled="simulate")
    assert ruleset.for_simulation
    assert [(one.name, one.kind, one.priority, one.policy) for one in ruleset.chains if one.table == "ip n"] == [
        ("cprerouting", ChainKind.NAT, -100, Verdict.ACCEPT),
        ("cpostrouting", ChainKind.NAT, 105, Verdict.DROP),
        ("coutput", ChainKind.ROUTE, -150, Verdict.ACCEPT),
        ("free", ChainKind.FILTER, 0, Verdict.ACCEPT),
    ]
    assert {one.name: one.addresses.ranges for one in ruleset.sets} == {
        "d": (),
        "plain": ((0x01020304, 0x01020304),),
    }
    assert ruleset.features == ()
