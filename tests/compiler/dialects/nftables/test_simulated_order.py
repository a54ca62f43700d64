"""What is drawn, taken or set before a match of the same rule happens even where that match fails."""

from __future__ import annotations

import random

import pytest

from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.policy.packet import Packet
from compiler.policy.ruleset import Verdict
from compiler.policy.stateful import NumberIn, SetMark
from tests.compiler.dialects.nftables.interpreter import Interpreter
from tests.compiler.dialects.nftables.kernel import KernelRouter, why_not
from tests.compiler.dialects.nftables.packets import craft

CASES = {
    "number first": "numgen inc mod 3 0 ip saddr 10.0.0.1 drop",
    "number last": "ip saddr 10.0.0.1 numgen inc mod 3 0 drop",
    "two numbers": "numgen inc mod 3 != 1 ip saddr 10.0.0.0/30 numgen inc mod 2 1 drop",
    "mark first": "meta mark set 5 ip saddr 10.0.0.1 drop\nmeta mark 5 udp dport 3 drop",
    "mark of a number": "meta mark set numgen inc mod 4 map { 0 : 1, 1 : 2, 3 : 4 } ip saddr 10.0.0.2 accept\n"
    "meta mark { 1, 4 } drop",
    "ways": "numgen inc mod 4 vmap { 0 : jump a, 2 : jump b, 3 : drop }",
    "ways behind a match": "udp dport 1-3 numgen inc mod 3 vmap { 1 : goto a, 2 : goto b }\nmeta mark 7 drop",
    "unsteady ways": "meta mark set 1\nmeta mark vmap { 1 : jump a, 2 : jump b }\nmeta mark 7 drop",
    "many alternatives and a number": "ip saddr . udp dport { 10.0.0.1 . 1-3, 10.0.0.2-10.0.0.3 . 1-9 } "
    "numgen inc mod 2 0 drop",
    "alternatives, then a draw into a mark": "meta mark set ip saddr map { 10.0.0.1 : 1, 10.0.0.2 : 2 } "
    "numgen inc mod 2 1 jump b\nmeta mark 7 drop",
    "field set, then matched": "ip dscp set cs1 ip dscp cs1 udp dport 2 drop",
    "mark arithmetic": "meta mark set numgen inc mod 8 meta mark set mark and 6 xor 3 or 8\nmeta mark { 9, 13 } drop",
    "jump to a chain with a number": "udp dport vmap { 1 : jump c, 2 : jump c, 3 : accept }",
    "overlapping elements": "ip saddr . udp dport { 10.0.0.1 . 1, 10.0.0.2 . 2 } counter jump c",
    "joined words": "udp dport vmap { 1:jump a, 2:jump b }\nmeta mark 7 drop",
    "anonymous chain": "numgen inc mod 2 0 udp dport 1-5 jump { ip saddr 10.0.0.1 drop\n }",
    "log in between": 'log prefix "x" ip saddr 10.0.0.1 numgen inc mod 2 0 drop',
}

CHAINS = """
 chain a {
  meta mark set 2
  ip saddr 10.0.0.3 drop
 }
 chain b {
  meta mark set 7
  udp dport 2 accept
 }
 chain c {
  numgen inc mod 3 0 drop
 }
"""


def text_of(rules: str) -> str:
    return f"table ip t {{\n{CHAINS}\n chain f {{\n  type filter hook forward priority 0\n  {rules}\n }}\n}}\n"


def packets(seed: str) -> list[Packet]:
    chosen = random.Random(seed)
    return [
        Packet(
            Family.IPV4,
            0x0A000000 + chosen.randint(1, 4),
            0x0A010001,
            17,
            4000,
            chosen.randint(1, 5),
            ingress="west0",
            egress="east0",
        )
        for _ in range(120)
    ]


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_kernel_does_the_same_packet_for_packet():
    with KernelRouter() as router:
        for name, rules in CASES.items():
            text = text_of(rules)
            sent = packets(name)
            router.load(text)
            expected = router.verdicts([craft(packet) for packet in sent], "west")
            interpreter = Interpreter(read(text, name, unmodelled="simulate"))
            assert [interpreter.passes(packet) for packet in sent] == expected, name
            assert {True, False} == set(expected), f"{name} tells nothing"


CLAUSES = [
    "ip saddr 10.0.0.1",
    "ip saddr 10.0.0.0/30",
    "udp dport 1-3",
    "ip saddr . udp dport { 10.0.0.1 . 1-3, 10.0.0.2-10.0.0.3 . 2-9 }",
    "ip dscp cs1",
    "ip dscp set cs1",
    "numgen inc mod 3 != 1",
    "numgen inc mod 2 0",
    "meta mark & 3 != 1",
    "meta mark set 5",
    "meta mark set mark or 2",
    "meta mark set numgen inc mod 4",
    "meta mark set numgen inc mod 3 map { 0 : 1, 2 : 6 }",
    "meta mark set ip saddr map { 10.0.0.1 : 1, 10.0.0.2-10.0.0.3 : 6 }",
    "meta mark set mark map { 0-1 : 2, 5 : 1, * : 3 }",
    "counter",
]
ENDS = [
    "accept",
    "drop",
    "jump a",
    "jump b",
    "jump c",
    "",
    "numgen inc mod 3 vmap { 0 : jump a, 1 : jump c }",
    "meta mark vmap { 0-1 : jump a, 2 : jump b, 5 : drop }",
    "udp dport vmap { 1 : jump c, 2 : accept }",
]


def random_rules(chosen: random.Random) -> str:
    """Rules of up to five clauses in any order; the last one drops by mark."""
    lines = []
    for _ in range(chosen.randint(1, 4)):
        clauses = chosen.sample(CLAUSES, chosen.randint(1, 5))
        lines.append(" ".join([*clauses, chosen.choice(ENDS)]))
    return "\n".join([*lines, "meta mark & 6 != 0 drop"])


def agrees(router: KernelRouter, seed: str) -> None:
    rules = random_rules(random.Random(seed))
    sent = packets(seed)
    router.load(text_of(rules))
    expected = router.verdicts([craft(packet) for packet in sent], "west")
    interpreter = Interpreter(read(text_of(rules), seed, unmodelled="simulate"))
    assert [interpreter.passes(packet) for packet in sent] == expected, rules


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_kernel_agrees_on_random_rules():
    with KernelRouter() as router:
        for number in range(25):
            agrees(router, f"random {number}")


@pytest.mark.long
@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_kernel_agrees_on_many_random_rules():
    with KernelRouter() as router:
        for number in range(1000):
            agrees(router, f"many {number}")


def test_a_rule_without_a_late_match_stays_one_rule():
    ruleset = read(text_of("ip saddr 10.0.0.1 numgen inc mod 3 0 meta mark set 3 drop"), "text", unmodelled="simulate")
    (rule,) = ruleset.chain("ip t", "f").rules
    assert rule.verdict is Verdict.DROP
    assert [type(clause.meaning) for clause in rule.unmodelled] == [NumberIn, SetMark]
    assert len(ruleset.chains) == 4


def test_pure_conditions_may_stand_before_a_match():
    text = text_of("ct state new meta mark 1 ip saddr 10.0.0.1 return")
    (rule,) = read(text, "text", unmodelled="simulate").chain("ip t", "f").rules
    assert rule.verdict is Verdict.RETURN
    assert rule.match.source is not None
    assert len(rule.unmodelled) == 2


@pytest.mark.parametrize(
    "rule",
    [
        "numgen inc mod 2 0 ip saddr 10.0.0.1 return",
        "meta mark set 1 ip saddr 10.0.0.1 goto a",
        "limit rate 5/second ip saddr 10.0.0.1 return",
        "numgen inc mod 2 vmap { 0 : jump a, 1 : goto b }",
        "meta mark vmap { 0 : jump a, 1 : return }",
    ],
)
def test_what_cannot_be_cut_asks_for_the_match_first(rule):
    with pytest.raises(InputErrors, match="put the matches first"):
        read(text_of(rule), "text", unmodelled="simulate")
