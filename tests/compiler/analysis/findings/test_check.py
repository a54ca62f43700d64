"""Each rule of ``check``: one configuration that it speaks about, and its neighbour that it leaves alone."""

import json
from datetime import datetime

import pytest

from compiler.addresses import AddressSet
from compiler.analysis.findings.check import Severity, check, exit_code, render
from compiler.analysis.findings.lints.catalogue import RULES
from compiler.analysis.findings.lints.wildcards import byte_values
from compiler.analysis.findings.sarif import sarif
from compiler.dialects.ios.reader import read
from compiler.dialects.nftables.reader import read as read_nftables
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import AccessList, Action, Clause, Device, Entry, ListKind, NetworkGroup, TimeRange
from compiler.policy.match import InterfaceSet, Match, layer4
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from compiler.source import Span

NOW = datetime(2026, 6, 1)


def found(text):
    """(rule, line) of each finding of an IOS text."""
    return [(one.rule, one.span.line) for one in check(read(text, "r1.cfg"), now=NOW)]


def message(text, rule):
    """The message of the only finding of a rule."""
    (one,) = [one for one in check(read(text, "r1.cfg"), now=NOW) if one.rule == rule]
    return one.message


BIND = "interface GigabitEthernet0/1\n ip access-group {} in\n"

SPEAKS = {
    "shadowed-by-one": ("access-list 101 permit tcp any any\naccess-list 101 deny tcp any any eq 22\n", 2),
    "shadowed-by-union": (
        "ip access-list extended X\n permit tcp any any range 0 99\n permit tcp any any range 90 65535\n"
        " deny tcp host 10.0.0.1 any range 50 150\n",
        4,
    ),
    "redundant": ("access-list 101 permit tcp any any eq 22\naccess-list 101 permit tcp any any\n", 1),
    "permit-all-before-denies": ("access-list 101 permit ip any any\naccess-list 101 deny tcp any any eq 22\n", 1),
    "no-permit": ("access-list 101 deny tcp any any eq 22\n", 1),
    "never-bound": ("interface GigabitEthernet0/1\naccess-list 101 permit ip any any\n", 2),
    "undefined-list": (BIND.format("101"), 2),
    "empty-list": ("ip access-list extended X\n remark nothing here\n", 1),
    "unused-group": ("object-group network SERVERS\n host 10.0.0.1\n", 1),
    "undefined-time-range": ("access-list 101 permit ip any any time-range WORK\n", 1),
    "unused-time-range": ("time-range WORK\n periodic weekdays 8:00 to 17:00\n", 1),
    "time-range-never-active": (
        "time-range T\n absolute start 8:00 1 June 2026 end 9:00 1 June 2026\n periodic Tuesday 8:00 to 9:00\n",
        1,
    ),
    "time-range-expired": ("time-range T\n absolute end 9:00 1 May 2026\n", 1),
    "ftp-control-only": ("access-list 101 permit tcp any host 10.0.0.2 eq ftp\n", 1),
    "fragments-pass": ("access-list 101 permit tcp any any eq 80\n", 1),
    "established-is-stateless": ("access-list 101 permit tcp any any established\n", 1),
    "deny-kills-nd": ("ipv6 access-list X\n permit tcp any any\n deny ipv6 any any\n", 3),
    "wildcard-looks-like-netmask": ("access-list 10 permit 10.0.0.0 255.255.255.0\n", 1),
    "base-bits-ignored": ("access-list 10 permit 10.0.0.5 0.0.0.255\n", 1),
    "discontiguous-wildcard": ("access-list 10 permit 10.0.0.0 0.0.255.248\n", 1),
    "host-zero-trap": ("access-list 90 permit 0.0.0.0\n", 1),
    "host-mask-on-link": ("interface GigabitEthernet0/1\n ip address 10.0.0.1 255.255.255.255\n", 2),
}

SILENT = {
    "shadowed-by-one": "access-list 101 permit tcp any any fragments\naccess-list 101 permit tcp any any eq 22\n",
    "shadowed-by-union": "ip access-list extended X\n permit tcp any any range 0 88\n"
    " permit tcp any any range 90 65535\n deny tcp host 10.0.0.1 any range 50 150\n",
    "redundant": "access-list 101 permit tcp any any eq 22 log\naccess-list 101 permit tcp any any\n",
    "permit-all-before-denies": "access-list 101 deny tcp any any eq 22\naccess-list 101 permit ip any any\n",
    "no-permit": "access-list 101 permit tcp any any eq 22\n",
    "never-bound": "line vty 0 4\n access-class 10 in\naccess-list 10 permit any\n",
    "undefined-list": BIND.format("10") + "access-list 10 permit any\n",
    "empty-list": "access-list 10 permit any\n",
    "unused-group": "object-group network S\n host 10.0.0.1\nip access-list extended X\n"
    " permit ip object-group S any\n",
    "undefined-time-range": "time-range WORK\n periodic daily 8:00 to 17:00\n"
    "access-list 101 permit ip any any time-range WORK\n",
    "unused-time-range": "time-range WORK\n periodic daily 8:00 to 17:00\n"
    "access-list 101 permit ip any any time-range WORK\n",
    "time-range-never-active": "time-range T\n absolute start 8:00 1 June 2026 end 9:00 1 June 2026\n"
    " periodic Monday 8:30 to 10:00\n",
    "time-range-expired": "time-range T\n absolute end 9:00 1 May 2027\n",
    "ftp-control-only": "ip access-list extended X\n permit tcp any host 10.0.0.2 eq 20 21\n",
    "fragments-pass": "access-list 101 deny ip any any fragments\naccess-list 101 permit tcp any any eq 80\n",
    "established-is-stateless": "access-list 101 permit tcp any any\n",
    "deny-kills-nd": "ipv6 access-list X\n permit icmp any any nd-na\n permit icmp any any nd-ns\n deny ipv6 any any\n",
    "wildcard-looks-like-netmask": "access-list 10 permit 10.0.0.0 0.0.0.255\n"
    "access-list 10 deny 0.0.0.0 255.255.255.255\n",
    "base-bits-ignored": "access-list 10 permit 10.0.0.0 0.0.0.255\n",
    "discontiguous-wildcard": "access-list 101 permit ip host 10.0.0.1 10.0.0.0 0.0.0.255\n",
    "host-zero-trap": "access-list 90 permit host 0.0.0.0\naccess-list 90 permit 0.0.0.0 255.255.255.255\n",
    "host-mask-on-link": "interface Loopback0\n ip address 10.0.0.1 255.255.255.255\n",
}


@pytest.mark.parametrize("rule", SPEAKS)
def test_a_rule_speaks_where_it_should(rule):
    text, line = SPEAKS[rule]
    assert (rule, line) in found(text)


@pytest.mark.parametrize("rule", SILENT)
def test_a_rule_is_silent_where_it_should(rule):
    assert rule not in [name for name, _ in found(SILENT[rule])]


def test_each_rule_of_the_catalogue_has_its_test():
    of_trees = {"undefined-group", "unmodelled", "unreachable-chain", "missing-chain", "lets-everything-pass"}
    of_trees |= {"disabled-rule", "not-analysed", "matches-nothing", "payload-read-as-ports"}
    assert SPEAKS.keys() == SILENT.keys()
    assert SPEAKS.keys() | of_trees == RULES.keys()
    assert not SPEAKS.keys() & of_trees


def test_a_deny_that_never_happens_is_said_to_be_so():
    text = "access-list 101 permit tcp any any\naccess-list 101 deny tcp any any eq 22\n"
    assert "line 1, 'access-list 101 permit tcp any any'" in message(text, "shadowed-by-one")
    assert "decides otherwise" in message(text, "shadowed-by-one")
    text = text.replace("deny", "permit")
    assert "otherwise" not in message(text, "shadowed-by-one")


def test_an_entry_is_dead_only_when_its_fragments_are_too():
    """The permit covers the whole packets of the second entry, and its fragments also; the deny does not."""
    text = "access-list 101 {} tcp any any range 0 65535\naccess-list 101 permit tcp host 10.0.0.1 any\n"
    assert ("shadowed-by-one", 2) in found(text.format("permit"))
    assert not {("shadowed-by-one", 2), ("shadowed-by-union", 2)} & set(found(text.format("deny")))


def test_errata_of_the_wildcard_paper():
    line = "access-list 101 deny tcp 172.16.6.0 {} host 10.0.0.2 eq ftp\n"
    text = message(line.format("0.0.248.255"), "discontiguous-wildcard")
    assert "8,192 addresses in 32 separate ranges" in text
    assert "third byte 6, 14, 22, 30, …, which are not the multiples of 8" in text
    assert "third byte 6, 22, 38, 54, …" in message(line.format("0.0.240.255"), "discontiguous-wildcard")
    stored = message(line.format("0.0.255.248"), "base-bits-ignored")
    assert "stores 172.16.0.0 0.0.255.248" in stored
    zero = message(line.replace("6.0", "0.0").format("0.0.248.248"), "discontiguous-wildcard")
    assert zero.count("the multiples of 8, 0 among them") == 2
    assert "data connections are not denied" in message(line.format("0.0.0.255"), "ftp-control-only")


@pytest.mark.parametrize(("base", "free"), [(6, 0xF8), (0, 0xF0), (1, 0x0A), (0, 255)])
def test_byte_values(base, free):
    assert byte_values(base & ~free, free) == [one for one in range(256) if (one ^ base) & ~free & 255 == 0]


def test_findings_stand_in_the_order_of_the_lines_and_are_rendered():
    text = "access-list 90 permit 0.0.0.0\naccess-list 91 deny 10.0.0.0 255.255.255.0\n"
    device = read(text, "r1.cfg")
    findings = check(device, now=NOW)
    assert [one.span.line for one in findings] == sorted(one.span.line for one in findings)
    trap = next(one for one in findings if one.rule == "host-zero-trap")
    lines = render(trap, device.lines).splitlines()
    assert lines[0].startswith("r1.cfg:1:23: warning: 0.0.0.0 without a wildcard")
    assert lines[0].endswith("[host-zero-trap]")
    assert lines[1:] == ["    access-list 90 permit 0.0.0.0", "    " + " " * 22 + "^^^^^^^"]
    assert json.loads(json.dumps(trap.as_json()))["line"] == 1
    assert exit_code(findings) == 1
    assert exit_code([one for one in findings if one.severity is Severity.NOTE]) == 0


def test_sarif_has_what_its_schema_requires():
    text = SPEAKS["shadowed-by-union"][0]
    log = json.loads(json.dumps(sarif(check(read(text, "a b/r1.cfg"), now=NOW), "a b/r1.cfg")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "gerbang"
    identifiers = [rule["id"] for rule in driver["rules"]]
    assert len(set(identifiers)) == len(identifiers)
    assert run["results"]
    for result in run["results"]:
        assert identifiers[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/r1.cfg"
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["endColumn"] > region["startColumn"] >= 1
    union = next(one for one in run["results"] if one["ruleId"] == "shadowed-by-union")
    assert [one["physicalLocation"]["region"]["startLine"] for one in union["relatedLocations"]] == [2, 3]
    assert [one["id"] for one in union["relatedLocations"]] == [1, 2]


# -- trees that no IOS text gives ------------------------------------------------------


def rules_of(tree):
    return {one.rule for one in check(tree, now=NOW)}


def device_of(*entries, **parts):
    return Device("d", (AccessList("X", Family.IPV4, ListKind.EXTENDED, tuple(entries)),), **parts)


def test_groups_and_clauses_of_trees():
    span = Span("d", 1, 1, 5)
    entry = Entry(Action.PERMIT, (Match(),), 10, source_group="G", unmodelled=(Clause("reflect R", span),))
    assert {"undefined-group", "unmodelled"} <= rules_of(device_of(entry))
    group = NetworkGroup("G", AddressSet.of(32, [(1, 1)]))
    assert "undefined-group" not in rules_of(device_of(entry, network_groups=(group,)))
    assert not any("shadowed" in rule for rule in rules_of(device_of(entry, Entry(Action.DENY, (Match(),), 20))))


def test_an_entry_that_never_is_active_matches_nothing():
    never = TimeRange("T", IntegerSet(()))
    entry = Entry(Action.PERMIT, (Match(week_minute=IntegerSet.range(0, 5)),), 10, time_range="T")
    assert {"matches-nothing", "time-range-never-active"} <= rules_of(device_of(entry, time_ranges=(never,)))


def ruleset_of(*rules, **chain):
    base = Chain("filter", "forward", tuple(rules), hook=Hook.FORWARD, **chain)
    inner = Chain("filter", "inner", (Rule(Match(), Verdict.DROP),))
    return Ruleset("r", "nftables", (base, inner))


SSH = layer4(Match(protocol=IntegerSet.values(6), destination_port=IntegerSet.values(22)))
TCP = Match(protocol=IntegerSet.values(6))


def test_chains():
    lonely = rules_of(ruleset_of(Rule(SSH, Verdict.ACCEPT)))
    assert {"unreachable-chain", "lets-everything-pass"} <= lonely
    called = rules_of(ruleset_of(Rule(SSH, Verdict.JUMP, "inner")))
    assert not {"unreachable-chain", "lets-everything-pass", "missing-chain"} & called
    assert "unreachable-chain" in rules_of(ruleset_of(Rule(SSH, Verdict.JUMP, "inner", disabled=True)))
    assert "disabled-rule" in rules_of(ruleset_of(Rule(SSH, Verdict.JUMP, "inner", disabled=True)))
    assert "missing-chain" in rules_of(ruleset_of(Rule(SSH, Verdict.GOTO, "nowhere")))
    assert "lets-everything-pass" not in rules_of(ruleset_of(policy=Verdict.DROP))
    clause = Clause("ct state new")
    assert "unmodelled" in rules_of(ruleset_of(Rule(SSH, Verdict.ACCEPT, unmodelled=(clause,))))


def shadowed(*rules, **chain):
    return [one.rule for one in check(ruleset_of(*rules, **chain)) if one.rule.startswith(("shadowed", "redundant"))]


def test_shadows_in_chains():
    accept, drop = Verdict.ACCEPT, Verdict.DROP
    assert shadowed(Rule(TCP, drop), Rule(SSH, accept)) == ["shadowed-by-one"]
    assert shadowed(Rule(TCP, drop, disabled=True), Rule(SSH, drop)) == []
    assert shadowed(Rule(TCP, Verdict.JUMP, "inner"), Rule(SSH, drop)) == []
    assert shadowed(Rule(TCP, drop, unmodelled=(Clause("ct"),)), Rule(SSH, drop)) == []
    assert shadowed(Rule(TCP, Verdict.CONTINUE, log=""), Rule(SSH, drop)) == []
    assert shadowed(Rule(SSH, accept)) == ["redundant"]  # the policy accepts as well
    assert shadowed(Rule(SSH, Verdict.RETURN)) == ["redundant"]  # a return meets the policy
    assert shadowed(Rule(SSH, accept, log="ssh")) == []
    assert shadowed(Rule(SSH, drop), policy=drop) == ["redundant"]
    assert shadowed(Rule(SSH, Verdict.REJECT), policy=drop) == []  # it answers


def test_interfaces_in_chains():
    def through(*names, negated=False):
        return TCP._replace(ingress=InterfaceSet(frozenset(names), negated))

    drop = Verdict.DROP
    assert shadowed(Rule(through("a"), drop), Rule(through("b"), drop)) == []
    assert shadowed(Rule(through("a"), drop), Rule(through("a"), drop)) == ["shadowed-by-one"]
    assert shadowed(Rule(through("ppp*"), drop), Rule(through("ppp1"), drop)) == ["shadowed-by-one"]
    assert shadowed(Rule(through("ppp1"), drop), Rule(through("ppp*"), drop)) == ["redundant"]
    assert shadowed(Rule(through("a"), drop), Rule(through("a", negated=True), drop), Rule(TCP, drop)) == [
        "shadowed-by-union"
    ]
    assert shadowed(Rule(through("a"), drop), Rule(through("b", negated=True), drop), Rule(TCP, drop)) == [
        "redundant",
        "redundant",
    ]


def test_interfaces_without_a_spare_field():
    crowded = Match(
        traffic_class=IntegerSet.values(1),
        ttl=IntegerSet.values(1),
        week_minute=IntegerSet.values(1),
        date_minute=IntegerSet.values(1),
        ingress=InterfaceSet.only("a"),
    )
    assert "not-analysed" in rules_of(ruleset_of(Rule(crowded, Verdict.DROP)))


def test_fragments_that_reach_port_matches_of_nft_are_told():
    text = "table ip t {\n chain c {\n  type filter hook prerouting priority -450;\n  %s\n  tcp dport 22 drop\n }\n}\n"
    exposed = {finding.rule for finding in check(read_nftables(text % "counter", "x.nft"))}
    guarded = {finding.rule for finding in check(read_nftables(text % "ip frag-off & 0x1fff != 0 accept", "x.nft"))}
    assert exposed - guarded == {"payload-read-as-ports"}


def test_unmodelled_clauses_are_reported_once_a_line_and_not_of_disabled_rules():
    clause = Clause("limit rate 1/second", Span("r", 3, 5, 9))
    twice = [Rule(SSH, Verdict.ACCEPT, unmodelled=(clause,)), Rule(TCP, Verdict.ACCEPT, unmodelled=(clause,))]
    assert [found.rule for found in check(ruleset_of(*twice))].count("unmodelled") == 1
    assert "unmodelled" not in rules_of(ruleset_of(Rule(SSH, Verdict.ACCEPT, disabled=True, unmodelled=(clause,))))


def test_the_advice_about_fragments_speaks_of_the_family():
    text = "ipv6 access-list A\n permit icmp any any echo-request\n"
    (found,) = [found for found in check(read(text, "r")) if found.rule == "fragments-pass"]
    assert "'deny ipv6 any any fragments'" in found.message
