"""Whole rulesets with state, as people write them and as nft lists them."""

from __future__ import annotations

import shutil

import pytest

from compiler.dialects import read as read_any
from compiler.dialects.nftables.reader import read
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.packet import Packet
from compiler.policy.ruleset import ChainKind, Verdict
from compiler.policy.stateful import (
    AddToSet,
    ClampSegment,
    Counter,
    HelperIs,
    Limit,
    MarkIn,
    MarkValue,
    Numbered,
    Register,
    SetMark,
    StateIn,
    Translate,
    Untrack,
)
from compiler.semantics.firewall import FirewallMachine
from tests.compiler.dialects.nftables.kernel import KernelRouter, why_not
from tests.compiler.dialects.nftables.packets import craft
from tests.compiler.dialects.nftables.rulesets import nft
from tests.compiler.dialects.nftables.stateful_rulesets import BALANCER, HOME_ROUTER, RULESETS, SERVER


def meanings(ruleset, table: str, chain: str) -> list[list[object]]:
    return [[clause.meaning for clause in rule.unmodelled] for rule in ruleset.chain(table, chain).rules]


@pytest.mark.parametrize("name", RULESETS)
def test_every_clause_has_a_meaning_and_every_target_exists(name):
    ruleset = read_any(RULESETS[name], name, unmodelled="simulate")
    names = {chain.key for chain in ruleset.chains}
    for chain in ruleset.chains:
        for rule in chain.rules:
            assert all(clause.meaning is not None for clause in rule.unmodelled)
            assert not rule.target or (chain.table, rule.target) in names
    assert any(rule.unmodelled for chain in ruleset.chains for rule in chain.rules)
    with pytest.raises(UsageError, match="read for the simulator"):
        FirewallMachine(ruleset)


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.parametrize("name", RULESETS)
def test_what_nft_lists_means_the_same(name):
    ruleset, listed = (read(text, name, unmodelled="simulate") for text in (RULESETS[name], nft(RULESETS[name])))
    for mine, theirs in ((ruleset, listed), (listed, ruleset)):
        for chain in mine.chains:
            if chain.name.startswith("__rule"):
                continue
            other = theirs.chain(*chain.key)
            assert (chain.hook, chain.kind, chain.priority, chain.policy) == (
                other.hook, other.kind, other.priority, other.policy,
            )  # fmt: skip
            said = [
                sorted(
                    (str(rule.match), rule.verdict.value, str([clause.meaning for clause in rule.unmodelled]))
                    for rule in one.rules
                    if not rule.target.startswith("__rule")
                )
                for one in (chain, other)
            ]
            assert said[0] == said[1]
    assert {(one.name, one.addresses) for one in ruleset.sets} == {(one.name, one.addresses) for one in listed.sets}


def test_the_balancer():
    ruleset = read(BALANCER, "text", unmodelled="simulate")
    connection, packet = Register.CONNECTION, Register.PACKET
    found = meanings(ruleset, "ip balance", "prerouting")
    assert isinstance(found[0][0], StateIn)
    assert found[0][1:] == [SetMark(connection, 1)]
    assert [type(one).__name__ for one in found[2]] == ["LocalAddress", "StateIn", "MarkIn", "SetMark"]
    drawn = found[2][3]
    assert isinstance(drawn.value, Numbered)
    assert drawn.value.number == Counter(2)
    assert [value for _, value in drawn.value.table] == [1, 2]
    assert found[3][1] == SetMark(packet, MarkValue(connection))
    by_mark = ruleset.chain("ip balance", ruleset.chain("ip balance", "prerouting").rules[4].target)
    assert [(rule.verdict, rule.target) for rule in by_mark.rules] == [
        (Verdict.GOTO, "first"),
        (Verdict.GOTO, "second"),
    ]
    assert all(clause.meaning.mask == 0xFF for rule in by_mark.rules for clause in rule.unmodelled)
    assert [chain.kind for chain in ruleset.chains if chain.hook] == [
        ChainKind.FILTER,
        ChainKind.ROUTE,
        ChainKind.NAT,
    ]


def test_the_home_router():
    ruleset = read(HOME_ROUTER, "text", unmodelled="simulate")
    logged = ruleset.chain("inet filter", "input").rules[-1]
    assert (logged.log, logged.unmodelled, logged.verdict) == ("input: ", (), Verdict.JUMP)
    (behind,) = ruleset.chain("inet filter", logged.target).rules
    assert [clause.meaning for clause in behind.unmodelled] == [Limit(3, 60_000_000_000, 5)]
    found = meanings(ruleset, "inet filter", "forward")
    assert found[0] == [ClampSegment()]
    assert found[2] == [HelperIs("ftp")]
    assert ruleset.chain("inet filter", "forward").rules[-1].answer == "icmpx admin-prohibited"
    nat = ruleset.chain("ip nat", "prerouting")
    assert [rule.unmodelled[0].meaning.ports for rule in nat.rules] == [(443, 443), (22, 22), None, (5353, 5353)]
    assert all(isinstance(rule.unmodelled[0].meaning, Translate) for rule in nat.rules)
    assert all(chain.sees_reassembled for chain in ruleset.chains if chain.hook)


def test_the_server():
    ruleset = read(SERVER, "text", unmodelled="simulate")
    assert meanings(ruleset, "ip filter", "raw")[0] == [Untrack()]
    rules = ruleset.chain("ip filter", "input").rules
    assert rules[1].unmodelled == ()
    assert rules[1].source_set == "friends"
    assert rules[2].unmodelled[0].meaning == AddToSet("ip filter", "banned", "source", 600_000_000_000, False)
    assert [type(clause.meaning) for clause in rules[3].unmodelled] == [StateIn, Limit, AddToSet]
    assert {one.name: one.addresses.ranges for one in ruleset.sets} == {
        "banned": (),
        "friends": ((0xC0000201, 0xC0000201), (0xC0000207, 0xC0000207)),
        "seen": (),
    }


def test_named_marks_are_conditions_on_the_connection():
    text = BALANCER.replace("ct mark & 0xff vmap @line_of_mark", "ct mark vmap @line_of_mark")
    ruleset = read(text, "text", unmodelled="simulate")
    target = ruleset.chain("ip balance", "prerouting").rules[4].target
    assert [rule.unmodelled[0].meaning for rule in ruleset.chain("ip balance", target).rules] == [
        MarkIn(Register.CONNECTION, numbers) for numbers in (IntegerSet.values(1), IntegerSet.values(2))
    ]


LIMITS = [
    ("limit rate 1/hour burst 7 packets accept", 7),
    ("limit rate 3/day accept", 5),
    ("limit rate over 2/week burst 9 packets drop", 9),
    ("limit rate 100 bytes/hour burst 50 bytes accept", 5),
    ("limit rate over 1 kbytes/day drop", 36),
    ("limit rate 60 bytes/day accept", 2),
]


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_bucket_of_the_kernel_is_as_deep_as_the_burst():
    """Of packets sent at once as many pass as the bucket holds: ``burst`` packets, or octets by packets of 28."""
    sent = [craft(Packet(Family.IPV4, 0x0A000001, 0x0A010001, 17))] * 50
    with KernelRouter() as router:
        for rule, passed in LIMITS:
            policy = "accept" if "over" in rule else "drop"
            head = f"type filter hook forward priority 0; policy {policy};"
            text = f"table ip t {{\n chain c {{\n  {head}\n  {rule}\n }}\n}}\n"
            router.load(text)
            assert sum(router.verdicts(sent, "west")) == passed, rule
            limit = read(text, "text", unmodelled="simulate").chain("ip t", "c").rules[0].unmodelled[0].meaning
            assert limit.burst // (28 if limit.octets else 1) == passed
            assert limit.over is (policy == "accept")
