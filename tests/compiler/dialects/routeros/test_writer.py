"""The script: its head, its stages, its versions."""

import pytest

from compiler.addresses import AddressSet
from compiler.dialects.routeros.adapt import adapt
from compiler.dialects.routeros.reader import read
from compiler.dialects.routeros.writer import write
from compiler.errors import CannotSay
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.lowering.options import Fragments, Options
from compiler.policy.match import ANY, InterfaceSet, Match
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict

IPV4 = frozenset({Family.IPV4})
SERVERS = AddressSet.of(32, ((1, 1), (4, 6)))
TREE = Ruleset(
    "r1.cfg",
    "ios",
    (
        Chain(
            "ip raw",
            "prerouting",
            (
                Rule(Match(ingress=InterfaceSet.only("ether2")), Verdict.JUMP, "acl-101"),
                Rule(Match(ingress=InterfaceSet.only("my wan")), Verdict.JUMP, "acl-101"),
            ),
            IPV4,
            Hook.PREROUTING,
            -300,
        ),
        Chain(
            "ip raw",
            "acl-101",
            (
                Rule(Match(source=SERVERS), Verdict.RETURN, comment="servers", source_set="SERVERS"),
                Rule(ANY, Verdict.DROP, log="101 deny "),
            ),
            IPV4,
        ),
    ),
    header=("Compiled by Gerbang", "two\nlines"),
)

SCRIPT = """\
/ip firewall raw
add chain=prerouting action=drop in-interface=ether2 comment="hold while gerbang loads"
add chain=prerouting action=drop in-interface="my wan" comment="hold while gerbang loads"
/ip firewall filter
remove [find where comment~"^gerbang:"]
/ip firewall raw
remove [find where comment~"^gerbang:"]
/ip firewall address-list
remove [find where comment~"^gerbang:"]
add list=SERVERS address=0.0.0.1 comment="gerbang:"
add list=SERVERS address=0.0.0.4-0.0.0.6 comment="gerbang:"
/ip firewall raw
add chain=acl-101 action=return src-address-list=SERVERS comment="gerbang: servers"
add chain=acl-101 action=drop log=yes log-prefix="101 deny " comment="gerbang:"
/ip firewall raw
add chain=prerouting action=jump jump-target=acl-101 in-interface=ether2 comment="gerbang:"
add chain=prerouting action=jump jump-target=acl-101 in-interface="my wan" comment="gerbang:"
/ip firewall filter
remove [find where comment="hold while gerbang loads"]
/ip firewall raw
remove [find where comment="hold while gerbang loads"]
"""


def written(tree=TREE, **options):
    chosen = Options(**options)
    adapted, refusals = adapt(tree, chosen)
    assert refusals == ()
    return write(adapted, chosen)


def body(text):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def test_the_stages_in_order():
    assert body(written(routeros=6)) == SCRIPT


def test_version_7_also_clears_the_menus_of_ipv6():
    assert "/ipv6 firewall raw" in written(routeros=7)
    assert "/ipv6" not in written(routeros=6)


def test_the_head():
    head = [line for line in written().splitlines() if line.startswith("#")]
    assert head[:2] == ["# Compiled by Gerbang", "# two lines"]
    assert any("/import" in line for line in head)


def test_foreign_rows_stay():
    foreign = '/ip firewall raw\nadd chain=prerouting action=drop comment="mine" src-address=10.9.9.9\n'
    rules = read(foreign + written() + written(), "t").chain("ip raw", "prerouting").rules
    assert [rule.comment for rule in rules] == ["mine", "gerbang:", "gerbang:"]


def test_untracked_switches_tracking_off():
    chains = (Chain("ip filter", "forward", (Rule(Match(noninitial=True), Verdict.DROP),), IPV4, Hook.FORWARD),)
    text = written(Ruleset("t", "ios", chains), fragments=Fragments.UNTRACKED)
    assert "/ip firewall connection tracking\nset enabled=no\n" in text
    assert not read(text, "t").chains[0].sees_reassembled


def test_an_unbound_list_is_held_nowhere():
    text = written(Ruleset("t", "ios", TREE.chains[1:]))
    assert "action=drop in-interface" not in text
    assert 'comment="hold while gerbang loads"\n' not in text


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Match(protocol=IntegerSet.values(6, 17)), Verdict.DROP),
        Rule(ANY, Verdict.GOTO, "x"),
        Rule(Match(source=SERVERS), Verdict.DROP),
        Rule(Match(date_minute=IntegerSet.values(1)), Verdict.DROP),
    ],
)
def test_rules_that_were_not_adapted_are_refused(rule):
    with pytest.raises(CannotSay):
        write(Ruleset("t", "ios", (Chain("ip raw", "x", (rule,), IPV4),)))
