"""Explanations: sentences, exact sizes before anything is built, tables of the paper."""

import json

import pytest

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.explanation.explain import explain, template_packet
from compiler.analysis.explanation.plain_words import (
    address_words,
    flag_words,
    interface_words,
    match_words,
    number_words,
)
from compiler.dialects.ios.reader import read
from compiler.errors import UsageError
from compiler.fields import Family, flags_all, flags_any
from compiler.integers import IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.match import InterfaceSet, Match, layer4
from compiler.policy.packet import matches
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict

TCP, NONE = IntegerSet.values(6), IntegerSet.of(())

PAPER = """interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 deny tcp 172.16.6.0 0.0.248.255 host 10.0.0.2 eq ftp
access-list 101 permit ip any any
access-list 10 permit 10.0.0.0 0.255.255.255
"""


def test_the_paper():
    explanation = explain(read(PAPER, "r1.cfg"), "101")
    (one,) = explanation.lists
    assert one.heading == "extended list 101 (2 entries), used into GigabitEthernet0/2"
    deny, permit = one.entries
    assert deny.sentence == (
        "Denies TCP from 172.16.6.0 wildcard 0.0.248.255 (8,192 addresses in 32 ranges) to 10.0.0.2 port 21; "
        "fragments other than the first go on to the next entry."
    )
    assert deny.table.table.addresses(permitted=False) == 8192
    assert deny.table.within == AddressSet.wildcard(Wildcard.prefix(0xAC100000, 16))
    assert permit.sentence == "Permits everything from any address to any address."
    assert permit.table is None
    lines = list(explanation.lines(6))
    assert "        sources of 172.16.0.0/16, for packets such as: tcp 172.16.6.0:1025 > 10.0.0.2:21 flags=syn" in lines
    assert "        172.16.6.0  - 172.16.6.255   denied         256" in lines
    assert "        57,344 addresses permitted, 8,192 denied, in 65 ranges" in lines
    assert lines[-1] == "  end: denies all the rest"
    data = json.loads(json.dumps(explanation.as_json()))
    table = data["lists"][0]["entries"][0]["table"]
    assert (table["denied"], table["ranges"], len(table["rows"])) == (8192, 65, 65)


def test_within_limits_the_table():
    within = Wildcard.prefix(0xAC100000, 20)
    deny = explain(read(PAPER, "r1.cfg"), "101", within).lists[0].entries[0]
    assert deny.table.table.addresses(permitted=False) == 512
    assert deny.table.table.addresses(permitted=True) == 4096 - 512


def test_all_lists_and_unknown_ones():
    device = read(PAPER, "r1.cfg")
    assert [one.name for one in explain(device).lists] == ["101", "10"]
    assert "nowhere" in explain(device, "10").lists[0].heading
    with pytest.raises(UsageError, match="no list '7'; there is 10, 101"):
        explain(device, "7")


def test_sizes_are_known_where_a_table_would_be_too_large():
    device = read("access-list 10 permit 0.0.0.1 255.255.255.254\n", "r1.cfg")
    (entry,) = explain(device).lists[0].entries
    assert entry.table.table is None
    assert "smaller prefix" in entry.table.why
    assert "2,147,483,648 addresses in 2,147,483,648 ranges of 1: 0.0.0.1, 0.0.0.3" in entry.wildcards[0]
    assert "… and 2,147,483,640 more" in entry.wildcards[0]
    assert explain(device).as_json()["lists"][0]["entries"][0]["table"]["refused"]


def test_the_tables_of_one_list_are_counted():
    text = "".join(f"access-list 10 permit 10.{number}.0.0 0.0.248.255\n" for number in range(70))
    entries = explain(read(text, "r1.cfg")).lists[0].entries
    assert sum(entry.table.table is not None for entry in entries) == 64
    assert "left out" in entries[-1].table.why


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("permit tcp any any established log", "with ACK set or RST set"),
        ("permit icmp any any echo", "ICMP from any address to any address with type 8"),
        ("deny ip any any fragments", "only fragments other than the first"),
        ("permit ip any any dscp ef", "with DSCP 46"),
        ("permit tcp any range 1024 65535 any neq 80", "port 1024-65535 to any address port not 80"),
        ("permit 54 any any", "protocol 54 from"),
        ("permit ip any any time-range NEVER", "during NEVER (not defined: always)"),
    ],
)
def test_sentences(line, words):
    (entry,) = explain(read(f"ip access-list extended X\n {line}\n", "r1.cfg")).lists[0].entries
    assert words.replace("ACK set or RST set", "RST set or ACK set") in entry.sentence


ON = "; of the fragments other than the first, those of "


@pytest.mark.parametrize(
    ("members", "ending"),
    [
        ("tcp eq 80\n udp", ON + "UDP are denied too, those of TCP go on to the next entry."),
        (
            "tcp eq 80\n tcp eq 81\n udp\n icmp echo\n gre",
            ON + "UDP, GRE are denied too, those of TCP, ICMP go on to the next entry.",
        ),
        ("tcp eq 80\n udp eq 53", "; fragments other than the first go on to the next entry."),
        ("tcp eq 80\n tcp\n udp eq 53\n ip", "; fragments other than the first are denied too."),
        ("tcp\n udp", "and UDP from any address to any address."),
    ],
)
def test_a_denied_service_group_speaks_of_fragments_service_by_service(members, ending):
    text = f"object-group service S\n {members}\nip access-list extended X\n deny object-group S any any\n"
    (entry,) = explain(read(text, "r1.cfg")).lists[0].entries
    assert entry.sentence.endswith(ending)
    (permit,) = explain(read(text.replace("deny", "permit"), "r1.cfg")).lists[0].entries
    assert permit.sentence.endswith("on addresses and protocol alone.") is ("eq 80" in members)


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (Match(protocol=TCP, destination_port=NONE), "TCP from any address to any address no port"),
        (Match(protocol=TCP, source_port=NONE), "TCP from any address no port to any address"),
        (
            Match(ingress=InterfaceSet(frozenset())),
            "everything from any address to any address in through no interface",
        ),
        (
            Match(egress=InterfaceSet(frozenset())),
            "everything from any address to any address out through no interface",
        ),
        (Match(protocol=NONE), "no protocol from any address to any address"),
        (Match(tcp_flags=NONE), "everything from any address to any address with no combination of flags"),
        (Match(icmp_type=NONE), "everything from any address to any address with no type"),
        (Match(traffic_class=NONE), "everything from any address to any address with no DSCP"),
        (Match(ttl=NONE), "everything from any address to any address with no TTL"),
        (Match(source=AddressSet.of(32, [])), "everything from no address to any address"),
    ],
)
def test_empty_sets_are_said(match, words):
    assert match_words(match) == f"{words} (matches nothing)"


def test_all_interfaces_but_none_are_all():
    assert match_words(Match(ingress=InterfaceSet(frozenset(), True))).endswith("in through any interface")
    assert number_words(NONE, 16) == "none"


def test_words():
    assert address_words(AddressSet.of(32, [(0, 5)])) == "0.0.0.0-0.0.0.5"
    many = AddressSet.of(32, [(10 * number, 10 * number) for number in range(9)])
    assert address_words(many) == "0.0.0.0, 0.0.0.10, 0.0.0.20, 0.0.0.30 and 5 more"
    assert number_words(IntegerSet.of((number * 2, number * 2) for number in range(10)), 16).endswith("and 2 more")
    assert flag_words(flags_all(0x02, 0x10)) == "SYN set, ACK clear"
    assert flag_words(flags_any(0x04, 0x02)) == "RST set or SYN clear"
    assert flag_words(IntegerSet.values(1, 2, 3)) == "3 of the 256 combinations of flags"
    assert interface_words(InterfaceSet(frozenset({"a", "b"}), True)) == "any interface but a or b"
    odd = Match(Family.IPV6, traffic_class=IntegerSet.values(1), ttl=IntegerSet.range(0, 1), noninitial=True)
    assert match_words(odd) == (
        "IPv6 everything from any address to any address with TTL 0-1 with traffic class 1 "
        "in fragments other than the first"
    )


@pytest.mark.parametrize("seed", range(2))
def test_a_template_lies_in_its_match(realistic, seed):
    for match in realistic(80, seed):
        assert matches(match, template_packet(match, Family.IPV4))


def test_chains():
    ssh = layer4(Match(protocol=IntegerSet.values(6), destination_port=IntegerSet.values(22)))
    rules = (
        Rule(ssh, Verdict.JUMP, "inner"),
        Rule(ssh, Verdict.GOTO, "inner", disabled=True),
        Rule(Match(), Verdict.REJECT, answer="tcp reset", log="x", unmodelled=(Clause("ct state new"),)),
    )
    base = Chain("filter", "input", rules, frozenset({Family.IPV4}), Hook.INPUT, 0, Verdict.DROP)
    tree = Ruleset("r", "nftables", (base, Chain("filter", "inner", ())))
    first, second = explain(tree).lists
    assert first.heading == "chain input of table filter (3 rules, IPv4; hook input, priority 0)"
    assert first.entries[0].sentence == "Goes to chain inner with TCP from any address to any address port 22."
    assert first.entries[1].sentence.startswith("Disabled: Goes to chain inner and does not come back")
    assert first.entries[2].sentence.endswith(
        "; answers tcp reset; logs; at most that (outside the model: ct state new)."
    )
    assert first.ending == "the policy is drop"
    assert second.ending == "goes back to the caller"
    assert explain(tree, "inner").lists == (second,)
