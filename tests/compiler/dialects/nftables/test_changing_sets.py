"""Sets that packets change hold what nobody knows; no rule may be read as if it were known."""

from __future__ import annotations

import pytest

from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors, Unmodelled
from compiler.policy.match import Match
from compiler.policy.ruleset import Verdict

SET = " set bl {\n type ipv4_addr\n size 100\n elements = { 10.0.0.1 }\n }\n"
MAP = " map m {\n type ipv4_addr : verdict\n }\n"
PAIRS = " set pairs {\n type ipv4_addr . inet_service\n }\n"
FILTER = " chain f {\n type filter hook forward priority filter\n {rule}\n }\n"


def filling(statement: str, kind: str = "type nat hook prerouting priority dstnat") -> str:
    return f" chain n {{\n {kind}\n {statement}\n }}\n"


def table(*parts: str) -> str:
    return "table ip t {\n" + "".join(parts) + "}\n"


def filtering(rule: str) -> str:
    return FILTER.replace("{rule}", rule)


FILLS = [
    filling("tcp dport 23 add @bl { ip saddr }"),
    filling("tcp dport 23 update @bl { ip saddr timeout 9s } counter"),
    filling("delete @bl { ip saddr }"),
    filling("set add ip saddr @bl"),
    filling("set update ip saddr timeout 5s @bl"),
    filling("add @bl { @nh,96,32 }"),
    filling("meter bl { ip saddr limit rate 3/second }"),
    filling("add @bl { ip saddr }", "type route hook output priority mangle"),
    filling("jump { add @bl { ip saddr } }"),
    filling("jump d") + filling("add @bl { ip saddr }", "").replace("chain n", "chain d"),
]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("filler_first", [False, True])
def test_a_set_that_any_chain_fills_is_unknown_to_filters(fill, filler_first):
    use = filtering("ip saddr @bl drop")
    text = table(SET, *((fill, use) if filler_first else (use, fill)))
    with pytest.raises(InputErrors, match="the set 'bl': packets change it") as caught:
        read(text, "text")
    assert {type(error) for error in caught.value.errors} == {Unmodelled}
    ruleset = read(text, "text", unmodelled="bound")
    (rule,) = ruleset.chain("ip t", "f").rules
    assert (rule.match, rule.verdict) == (Match(), Verdict.DROP)
    assert [clause.text for clause in rule.unmodelled] == ["ip saddr @bl"]
    assert ruleset.sets == ()


def test_a_filling_command_of_its_own_counts_wherever_it_stands():
    text = table(SET, filtering("ip saddr != @bl tcp dport 5 accept"))
    text += "add chain ip t n { type nat hook prerouting priority -100; }\nadd rule ip t n add @bl { ip saddr }\n"
    with pytest.raises(InputErrors, match="packets change it"):
        read(text, "text")
    (rule,) = read(text, "text", unmodelled="bound").chain("ip t", "f").rules
    assert [clause.text for clause in rule.unmodelled] == ["ip saddr != @bl"]
    assert rule.match.destination_port is not None


@pytest.mark.parametrize(
    ("use", "clause"),
    [
        ("ip saddr . tcp dport @pairs drop", "ip saddr . tcp dport @pairs"),
        ("ip saddr & 255.0.0.0 @bl drop", "ip saddr & 255.0.0.0 @bl"),
    ],
)
def test_keys_of_every_form_are_kept_whole(use, clause):
    fills = filling("add @bl { ip saddr } add @pairs { ip saddr . tcp dport }")
    (rule,) = read(table(SET, PAIRS, filtering(use), fills), "text", unmodelled="bound").chain("ip t", "f").rules
    assert [kept.text for kept in rule.unmodelled] == [clause]


def test_a_map_that_packets_change_has_no_bound():
    text = table(MAP, filtering("ip saddr vmap @m"), filling("add @m { ip saddr : drop }"))
    for unmodelled in ("refuse", "bound"):
        with pytest.raises(InputErrors, match="the set 'm': packets change it"):
            read(text, "text", unmodelled=unmodelled)


def test_sets_that_no_packet_changes_stay_known():
    """Commands add elements, and another table has a set of the same name."""
    text = table(SET, filtering("ip saddr @bl drop")) + "add element ip t bl { 10.0.0.2 }\n"
    text += "table ip6 t {\n" + SET.replace("ipv4_addr", "ipv6_addr").replace("10.0.0.1", "::1")
    text += " chain n {\n add @bl { ip6 saddr }\n }\n}\n"
    ruleset = read(text, "text", unmodelled="bound")
    (rule,) = ruleset.chain("ip t", "f").rules
    assert (rule.source_set, rule.unmodelled) == ("bl", ())
    assert rule.match.source is not None
    assert rule.match.source.contains(0x0A000002)
    assert [one.table for one in ruleset.sets] == ["ip t"]


def test_a_rule_that_was_flushed_changes_nothing():
    text = table(SET, filtering("ip saddr @bl drop"), filling("add @bl { ip saddr }")) + "flush chain ip t n\n"
    assert read(text, "text").chain("ip t", "f").rules[0].unmodelled == ()
