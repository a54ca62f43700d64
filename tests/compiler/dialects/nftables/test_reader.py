"""One rule of text, one match: the reader's table."""

from __future__ import annotations

import pytest

from compiler.addresses import AddressSet, Wildcard, parse_address
from compiler.dialects.nftables.exposure import exposed_chains
from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors, SyntaxFault, Unmodelled
from compiler.fields import Family
from compiler.integers import IntegerSet, bit_pattern, full
from compiler.policy.match import ANY, InterfaceSet, Match
from compiler.policy.ruleset import Hook, Verdict

TCP, UDP, ICMP = IntegerSet.values(6), IntegerSet.values(17), IntegerSet.values(1)
ANY_FLAG = full(8).difference(IntegerSet.values(0), 8)


def rule_text(rule: str, family: str = "ip", before: str = "") -> str:
    return f"table {family} t {{\n{before}\n\tchain other {{\n\t}}\n\tchain c {{\n\t\t{rule}\n\t}}\n}}\n"


def rules_of(rule: str, family: str = "ip", before: str = "", unmodelled: str = "refuse"):
    ruleset = read(rule_text(rule, family, before), "text", unmodelled=unmodelled)
    return ruleset.chain(f"{family} t", "c").rules


def only(rule: str, family: str = "ip", before: str = "") -> Match:
    (found,) = rules_of(rule, family, before)
    return found.match


def prefix(text: str) -> AddressSet:
    address, _, length = text.partition("/")
    value, width = parse_address(address)
    return AddressSet.wildcard(Wildcard.prefix(value, int(length or width), width))


def span(first: str, last: str) -> AddressSet:
    low, width = parse_address(first)
    return AddressSet.of(width, [(low, parse_address(last)[0])])


def ports(*pairs: tuple[int, int]) -> dict[str, object]:
    return {"protocol": TCP, "destination_port": IntegerSet.of(pairs), "noninitial": False}


def flags(value: IntegerSet) -> Match:
    return Match(protocol=TCP, tcp_flags=value, noninitial=False)


def masked(mask: int, bits: int) -> IntegerSet:
    return bit_pattern(bits, mask, 8)


ADDRESSES = [
    ("ip saddr 10.0.0.1", Match(source=prefix("10.0.0.1"))),
    ("ip saddr 10.0.0.0/8", Match(source=prefix("10.0.0.0/8"))),
    ("ip saddr 10.1.2.3/8", Match(source=prefix("10.0.0.0/8"))),
    ("ip daddr 10.0.0.1-10.0.0.9", Match(destination=span("10.0.0.1", "10.0.0.9"))),
    ("ip daddr 10.0.0.1 - 10.0.0.9", Match(destination=span("10.0.0.1", "10.0.0.9"))),
    ("ip saddr 0.0.0.0/0", ANY),
    ("ip saddr != 10.0.0.0/8", Match(source=prefix("10.0.0.0/8").complement())),
    ("ip saddr ne 10.0.0.0/8", Match(source=prefix("10.0.0.0/8").complement())),
    ("ip saddr < 10.0.0.0", Match(source=span("0.0.0.0", "9.255.255.255"))),
    ("ip saddr >= 10.0.0.0", Match(source=span("10.0.0.0", "255.255.255.255"))),
    ("ip saddr { 10.0.0.0/8, 11.0.0.0/8 }", Match(source=prefix("10.0.0.0/7"))),
    ("ip saddr != { 10.0.0.0/8, 11.0.0.0/8 }", Match(source=prefix("10.0.0.0/7").complement())),
    (
        "ip saddr & 255.255.0.255 == 128.12.0.1",
        Match(source=AddressSet.wildcard(Wildcard.of(0x800C0001, 0x0000FF00))),
    ),
    (
        "ip saddr & 255.255.0.255 != 128.12.0.1",
        Match(source=AddressSet.wildcard(Wildcard.of(0x800C0001, 0x0000FF00)).complement()),
    ),
    ("ip saddr & 255.0.0.0 == 10.0.0.1", Match(source=AddressSet.of(32))),
    ("ip saddr 10.0.0.0/8 ip saddr != 10.0.0.0/9", Match(source=prefix("10.128.0.0/9"))),
]


@pytest.mark.parametrize(("text", "expected"), ADDRESSES)
def test_addresses(text, expected):
    assert only(f"{text} drop") == expected


PORTS = [
    ("tcp dport 80", ports((80, 80))),
    ("tcp dport http", ports((80, 80))),
    ("tcp dport 0x50", ports((80, 80))),
    ("tcp dport 80-90", ports((80, 90))),
    ("tcp dport ssh-http", ports((22, 80))),
    ("tcp dport ftp-data", ports((20, 20))),
    ("tcp dport { 22, 80-90 }", ports((22, 22), (80, 90))),
    ("tcp dport {\n 22,\n 80-90,\n}", ports((22, 22), (80, 90))),
    ("tcp dport { { 22 }, 80 }", ports((22, 22), (80, 80))),
    ("tcp dport != 80", ports((0, 79), (81, 65535))),
    ("tcp dport != { 80, 0-5 }", ports((6, 79), (81, 65535))),
    ("tcp dport > 1023", ports((1024, 65535))),
    ("tcp dport le 1023", ports((0, 1023))),
    ("tcp dport gt 65535", ports()),
    ("tcp dport & 0xfffe == 80", ports((80, 81))),
    ("tcp dport 80 tcp dport != 80", ports()),
    ("meta l4proto tcp th dport 80", ports((80, 80))),
    ("@th,16,16 80 meta l4proto 6", ports((80, 80))),
    ("ip protocol tcp tcp dport 80", ports((80, 80))),
    ("meta l4proto { tcp, udp } tcp dport 80", ports((80, 80))),
]


@pytest.mark.parametrize(("text", "expected"), PORTS)
def test_ports(text, expected):
    assert only(f"{text} accept") == Match(**expected)


def test_all_ports_still_ask_for_a_transport_header():
    assert only("udp dport 0-65535 accept") == Match(protocol=UDP, noninitial=False)


FLAGS = [
    ("syn", masked(0x02, 0).complement(8)),
    ("syn,ack", masked(0x12, 0).complement(8)),
    ("ack | rst", masked(0x14, 0).complement(8)),
    ("(ack|rst)", masked(0x14, 0).complement(8)),
    ("0x12", masked(0x12, 0).complement(8)),
    ("0", IntegerSet.of([])),
    ("== syn", IntegerSet.values(2)),
    ("== syn,ack", IntegerSet.values(0x12)),
    ("!= syn,ack", IntegerSet.values(0x12).complement(8)),
    ("!= 0", ANY_FLAG),
    ("! syn,ack", masked(0x12, 0)),
    ("& (fin|syn|rst|ack) == syn", masked(0x17, 2)),
    ("& (fin | syn | rst | ack) == syn | ack", masked(0x17, 0x12)),
    ("& (ack|rst) != 0", masked(0x14, 0).complement(8)),
    ("& (ack|rst) == 0x0", masked(0x14, 0)),
    ("& (syn|ack) syn", masked(0x12, 2)),
    ("& syn != syn", masked(0x02, 2).complement(8)),
    ("& (fin|syn) == { fin, syn }", masked(3, 1).union(masked(3, 2))),
    ("syn / syn,ack", masked(0x12, 2)),
    ("!= syn / syn,ack", masked(0x12, 2).complement(8)),
    ("{ syn, syn | ack }", IntegerSet.values(0x02, 0x12)),
    ("!= { syn, 0x10-0x12 }", IntegerSet.values(0x02, 0x10, 0x11, 0x12).complement(8)),
    ("0x02-0x12", IntegerSet.range(2, 0x12)),
    ("> 0x12", IntegerSet.range(0x13, 255)),
    ("ecn,cwr", masked(0xC0, 0).complement(8)),
]


@pytest.mark.parametrize(("text", "expected"), FLAGS)
def test_flags(text, expected):
    assert only(f"tcp flags {text} drop") == flags(expected)


OTHERS = [
    ("ip", "meta l4proto tcp", Match(protocol=TCP)),
    ("ip", "meta l4proto != 6", Match(protocol=TCP.complement(8))),
    ("ip", "meta l4proto { tcp, 17, icmpv6 }", Match(protocol=IntegerSet.values(6, 17, 58))),
    ("ip", "ip protocol esp", Match(protocol=IntegerSet.values(50))),
    ("ip", "icmp type echo-request", Match(protocol=ICMP, icmp_type=IntegerSet.values(8), noninitial=False)),
    (
        "ip",
        "icmp type 3 icmp code { frag-needed, 13 }",
        Match(protocol=ICMP, icmp_type=IntegerSet.values(3), icmp_code=IntegerSet.values(4, 13), noninitial=False),
    ),
    (
        "ip6",
        "icmpv6 type { nd-neighbor-solicit, 136 }",
        Match(protocol=IntegerSet.values(58), icmp_type=IntegerSet.values(135, 136), noninitial=False),
    ),
    ("ip", "ip dscp cs1", Match(traffic_class=IntegerSet.range(32, 35))),
    ("ip", "ip dscp { 0, af11-af12 }", Match(traffic_class=IntegerSet.of([(0, 3), (40, 51)]))),
    ("ip", "ip dscp & 0x38 == 0x28", Match(traffic_class=IntegerSet.range(160, 191))),
    ("ip", "ip dscp 4 ip ecn ect0", Match(traffic_class=IntegerSet.values(0x12))),
    ("ip", "@nh,8,8 { 0x12, 20-32 }", Match(traffic_class=IntegerSet.of([(18, 18), (20, 32)]))),
    ("ip", "@nh,8,8 & 0x1e == 0x10", Match(traffic_class=bit_pattern(0x10, 0x1E, 8))),
    ("ip6", "@nh,4,8 0x18-0x20", Match(traffic_class=IntegerSet.range(0x18, 0x20))),
    ("ip6", "ip6 dscp != ef", Match(traffic_class=IntegerSet.range(0xB8, 0xBB).complement(8))),
    ("ip", "ip ttl < 5", Match(ttl=IntegerSet.range(0, 4))),
    ("ip6", "ip6 hoplimit { 1-4, 255 }", Match(ttl=IntegerSet.of([(1, 4), (255, 255)]))),
    ("ip", "ip frag-off & 0x1fff != 0", Match(noninitial=True)),
    ("ip", "ip frag-off & 8191 > 0", Match(noninitial=True)),
    ("ip", "ip frag-off & 8191 == 0", Match(noninitial=False)),
    ("ip6", "frag frag-off != 0", Match(noninitial=True)),
    ("ip6", "frag frag-off 1-8191", Match(noninitial=True)),
    ("ip", 'iifname "eth0"', Match(ingress=InterfaceSet.only("eth0"))),
    ("ip", "iif lo oifname eth1", Match(ingress=InterfaceSet.only("lo"), egress=InterfaceSet.only("eth1"))),
    ("ip", 'meta oifname != { "a", "b" }', Match(egress=InterfaceSet(frozenset({"a", "b"}), True))),
    ("ip", 'iifname "ppp*"', Match(ingress=InterfaceSet.only("ppp*"))),
    ("ip", "iifname != eth0 iifname != eth1", Match(ingress=InterfaceSet(frozenset({"eth0", "eth1"}), True))),
    ("inet", "meta nfproto ipv6", Match(family=Family.IPV6)),
    ("inet", "meta protocol ip", Match(family=Family.IPV4)),
    ("inet", "meta protocol { ip, ip6 }", ANY),
    ("inet", "ip saddr 10.0.0.0/8", Match(family=Family.IPV4, source=prefix("10.0.0.0/8"))),
    ("inet", "ip protocol tcp", Match(family=Family.IPV4, protocol=TCP)),
    ("inet", "tcp dport 80", Match(**ports((80, 80)))),
    (
        "inet",
        "icmp type 8",
        Match(family=Family.IPV4, protocol=ICMP, icmp_type=IntegerSet.values(8), noninitial=False),
    ),
    ("inet", "meta l4proto icmp icmp type 8", Match(protocol=ICMP, icmp_type=IntegerSet.values(8), noninitial=False)),
    ("ip6", "icmp type 8", Match(protocol=ICMP, icmp_type=IntegerSet.values(8), noninitial=False)),
]


@pytest.mark.parametrize(("family", "text", "expected"), OTHERS)
def test_other_fields(family, text, expected):
    assert only(f"{text} drop", family) == expected


STATEMENTS = [
    ("accept", Verdict.ACCEPT, "", None, "", ""),
    ("jump other", Verdict.JUMP, "other", None, "", ""),
    ('goto other comment "why; {x} #1"', Verdict.GOTO, "other", None, "", "why; {x} #1"),
    ("counter", Verdict.CONTINUE, "", None, "", ""),
    ("counter packets 5 bytes 6 drop", Verdict.DROP, "", None, "", ""),
    ("counter name web return", Verdict.RETURN, "", None, "", ""),
    ("log", Verdict.CONTINUE, "", "", "", ""),
    ('log prefix "in " level warn flags all counter drop', Verdict.DROP, "", "in ", "", ""),
    ('log group 2 snaplen 80 prefix "x" queue-threshold 5 drop', Verdict.DROP, "", "x", "", ""),
    ("log flags tcp sequence,options flags ip options ip ttl 3 drop", Verdict.DROP, "", "", "", ""),
    ("reject", Verdict.REJECT, "", None, "", ""),
    ("reject with icmp type port-unreachable", Verdict.REJECT, "", None, "", ""),
    ("reject with icmp 13", Verdict.REJECT, "", None, "icmp admin-prohibited", ""),
    ("reject with icmp type admin-prohibited", Verdict.REJECT, "", None, "icmp admin-prohibited", ""),
    ('continue comment "only words"', Verdict.CONTINUE, "", None, "", "only words"),
    ("continue", Verdict.CONTINUE, "", None, "", ""),
]


@pytest.mark.parametrize(("text", "verdict", "target", "log", "answer", "comment"), STATEMENTS)
def test_statements(text, verdict, target, log, answer, comment):
    (rule,) = rules_of(text)
    assert (rule.verdict, rule.target, rule.log, rule.answer, rule.comment) == (verdict, target, log, answer, comment)


def test_a_tcp_reset_asks_for_tcp():
    (rule,) = rules_of("reject with tcp reset")
    assert (rule.match, rule.answer) == (Match(protocol=TCP), "tcp reset")


def test_a_concatenation_is_one_rule_for_each_element():
    first, second = rules_of("ip saddr . tcp dport { 10.0.0.0/8 . 80, 1.1.1.1 . 90-100 } drop")
    assert first.match == Match(source=prefix("10.0.0.0/8"), **ports((80, 80)))
    assert second.match == Match(source=prefix("1.1.1.1"), **ports((90, 100)))
    assert {first.verdict, second.verdict} == {Verdict.DROP}


def test_a_verdict_map_is_one_rule_for_each_element():
    found = rules_of("tcp dport vmap { 22 : accept, 23:drop, 24-30 : jump other, * : return }")
    assert [(rule.verdict, rule.target) for rule in found] == [
        (Verdict.ACCEPT, ""),
        (Verdict.DROP, ""),
        (Verdict.JUMP, "other"),
        (Verdict.RETURN, ""),
    ]
    assert found[3].match == Match(**ports((0, 21), (31, 65535)))


def test_named_sets_and_maps():
    before = """
    set servers { typeof ip daddr; flags interval; auto-merge
        elements = { 10.0.0.0/24 comment "x", 10.0.1.0/24 counter packets 1 bytes 2,
                     10.0.9.9 } }
    map doors { type inet_service : verdict; elements = { 22 : accept, 23 : jump other } }
    set pairs { type ipv4_addr . inet_service; elements = { 1.1.1.1 . 80 } }"""
    (rule,) = rules_of("ip daddr @servers accept", before=before)
    assert rule.destination_set == "servers"
    assert rule.match.destination == prefix("10.0.0.0/23").union(prefix("10.0.9.9"))
    assert only("ip daddr != @servers accept", before=before).destination == rule.match.destination.complement()
    assert [one.verdict for one in rules_of("tcp dport vmap @doors", before=before)] == [Verdict.ACCEPT, Verdict.JUMP]
    assert only("ip saddr . tcp dport @pairs drop", before=before) == Match(source=prefix("1.1.1.1"), **ports((80, 80)))
    (named,) = [one for one in read(rule_text("accept", before=before), "t").sets if one.name == "servers"]
    assert (named.table, named.family, named.addresses) == ("ip t", Family.IPV4, rule.match.destination)


def test_commands_change_the_tables_in_order():
    ruleset = read(
        """
        add table inet f
        add chain inet f input { type filter hook input priority filter + 5; policy drop; }
        add rule inet f input tcp dport 22 accept
        insert rule inet f input tcp dport 23 accept
        add rule inet f input index 0 tcp dport 24 accept
        add set inet f s { type ipv4_addr; }
        add element inet f s { 1.1.1.1, 2.2.2.2 }; delete element inet f s { 1.1.1.1 }
        add rule inet f input ip saddr @s drop
        table ip gone { chain c { accept
        } }
        delete table ip gone
        table ip kept { chain c { accept
        } }
        flush chain ip kept c
        destroy table ip never
        """,
        "text",
    )
    chain = ruleset.chain("inet f", "input")
    assert (chain.hook, chain.priority, chain.policy) == (Hook.INPUT, 5, Verdict.DROP)
    assert [rule.match.destination_port for rule in chain.rules[:3]] == [IntegerSet.values(p) for p in (23, 24, 22)]
    assert chain.rules[3].match.source == prefix("2.2.2.2")
    assert [one.key for one in ruleset.chains] == [("inet f", "input"), ("ip kept", "c")]
    assert ruleset.chain("ip kept", "c").rules == ()


def test_the_frame_of_our_output_replaces_the_table():
    text = "table ip t {\n chain c {\n drop\n }\n}\n"
    ruleset = read(text + "table ip t\ndelete table ip t\n" + text, "text")
    assert len(ruleset.chain("ip t", "c").rules) == 1
    assert len(read(text + text, "text").chain("ip t", "c").rules) == 2
    assert read("flush ruleset\n", "text").chains == ()
    assert read(text + "flush ruleset ip6\n", "text").chains != ()


def test_variables_and_continued_lines():
    text = (
        "define wan = eth0\ndefine web = { 80, 443 }\ndefine both = { $web, 8080 }\n"
        "table ip t {\n define inner = 10.0.0.0/8\n chain c {\n"
        "  iifname $wan \\\n   tcp dport $both \\\n ip saddr $inner drop\n }\n}\n"
    )
    (rule,) = read(text, "text").chains[0].rules
    assert rule.match.ingress == InterfaceSet.only("eth0")
    assert rule.match.destination_port == IntegerSet.values(80, 443, 8080)
    assert (rule.span.line, rule.span.column) == (7, 3)


PRIORITIES = [("raw", -300), ("mangle", -150), ("filter - 5", -5), ("security", 50), ("-450", -450), ("srcnat+1", 101)]


@pytest.mark.parametrize(("text", "number"), PRIORITIES)
def test_priorities(text, number):
    ruleset = read(f"table ip t {{ chain c {{ type filter hook forward priority {text}; }}; }}", "text")
    assert ruleset.chains[0].priority == number


UNMODELLED = [
    ("ct state established,related accept", "ct state established,related"),
    ("limit rate 5/second burst 5 packets accept", "limit rate 5/second burst 5 packets"),
    ("meta mark 0x1 drop", "meta mark 0x1"),
    ("meta mark set 1", "no rule may change fields or state"),
    ("ip dscp set cs1", "no rule may change fields or state"),
    ("fib saddr . iif oif missing drop", "fib saddr . iif oif missing"),
    ("fib daddr type local accept", "fib daddr type local"),
    ("socket transparent 1 accept", "socket transparent 1"),
    ("quota over 5 mbytes drop", "quota over 5 mbytes"),
    ("numgen inc mod 2 == 0 drop", "numgen inc mod 2 == 0"),
    ("jhash ip saddr mod 2 0 drop", "jhash ip saddr mod 2 0"),
    ('meta hour "09:00"-"17:00" drop', 'meta hour "09:00" - "17:00"'),
    ("queue num 1", "queue"),
    ("notrack", "no rule may change fields or state"),
    ("tcp option maxseg size 1-500 drop", "tcp option maxseg size 1-500"),
    ("ip length 40 drop", "ip length 40"),
    ("ip frag-off & 0x3fff != 0 drop", "only whether the fragment offset is zero is modelled"),
    ("th dport 53 drop", "th sport/dport without meta l4proto"),
    ("@th,16,8 1 drop", "@th,16,8 1"),
    ("@nh,96,16 0x0a00 drop", "@nh,96,16 0x0a00"),
    ("add @seen { ip saddr } accept", "the set changes with the packets"),
    ("iif 2 drop", "an interface by its number"),
    ("masquerade", "a translation of addresses in a filter chain"),
    ("iifname ppp* iifname ppp0 drop", "two conditions on one interface"),
]


@pytest.mark.parametrize(("text", "named"), UNMODELLED)
def test_what_is_not_modelled_is_named(text, named):
    with pytest.raises(InputErrors) as caught:
        read(rule_text(text), "text")
    (error,) = caught.value.errors
    assert isinstance(error, Unmodelled)
    assert named in error.message
    assert error.span.line == 6


def test_next_headers_are_refused_with_the_better_word():
    with pytest.raises(InputErrors, match="write meta l4proto"):
        read(rule_text("ip6 nexthdr tcp drop", "ip6"), "text")


@pytest.mark.parametrize("unmodelled", ["refuse", "bound"])
def test_words_that_no_connection_has_are_no_clause_outside_the_model(unmodelled):
    with pytest.raises(InputErrors, match="'newaccept' where one of established, invalid, new") as caught:
        read(rule_text("ct state newaccept"), "text", unmodelled=unmodelled)
    assert isinstance(caught.value.errors[0], SyntaxFault)
    rules_of("ct state & (established | related) != 0 ct status dnat ct direction original", unmodelled="bound")


KEPT = [
    ("meter m { ip saddr limit rate over 3/minute }", Verdict.DROP),
    ("meter m size 9 { ip saddr limit rate 3/minute }", Verdict.ACCEPT),
    ('xt match "recent"', Verdict.DROP),
    ("flow add @f", Verdict.ACCEPT),
]


@pytest.mark.parametrize(("clause", "verdict"), KEPT)
def test_a_bound_keeps_the_verdict_behind_the_clause(clause, verdict):
    (rule,) = rules_of(f"tcp dport 25 {clause} {verdict.value}", unmodelled="bound")
    assert [kept.text for kept in rule.unmodelled] == [clause]
    assert rule.verdict is verdict


def test_what_may_do_anything_has_no_bound():
    with pytest.raises(InputErrors, match="'xt target"):
        read(rule_text('xt target "MARK"'), "text", unmodelled="bound")


def test_a_bound_keeps_the_clause_and_the_rest():
    (rule,) = rules_of("ip saddr 10.0.0.0/8 ct state new,established tcp dport 22 accept", unmodelled="bound")
    assert [clause.text for clause in rule.unmodelled] == ["ct state new,established"]
    assert rule.match == Match(source=prefix("10.0.0.0/8"), **ports((22, 22)))
    first, second = rules_of("ct state vmap { established : accept, invalid : drop }", unmodelled="bound")
    assert [clause.text for clause in first.unmodelled] == ["ct state established"]
    assert (first.verdict, second.verdict) == (Verdict.ACCEPT, Verdict.DROP)


FAULTS = [
    ("tcp dport eighty drop", 6, 13, "a port number or service name"),
    ("tcp dport 70000 drop", 6, 13, "at most 65535"),
    ("tcp dport 90-80 drop", 6, 13, "not above its last"),
    ("tcp dport 010 drop", 6, 13, "a port number"),
    ("ip saddr 010.1.1.1 drop", 6, 12, "an IPv4 address"),
    ("ip saddr 10.0.0.0/33 drop", 6, 12, "a prefix length from 0 to 32"),
    ("ip saddr 2001:db8::1 drop", 6, 12, "an IPv4 address"),
    ("ip6 saddr ::1 drop", 6, 3, "IPv6 in a rule or table for IPv4"),
    ("tcp dport 80 udp dport 53 drop", 6, 16, "protocols 6 and 17"),
    ("ip frag-off & 0x1fff != 0 tcp dport 80 drop", 6, 29, "which they lack"),
    ("accept drop", 6, 10, "the end of the rule or a comment"),
    ("ip sadr 10.0.0.1 drop", 6, 6, "a field of ip"),
    ("frobnicate drop", 6, 3, "a match or statement"),
    ("tcp flags sin drop", 6, 13, "TCP flags"),
    ("tcp dport { 22, 23 drop", 6, 22, "',' or '}'"),
    ("tcp dport { 22 23 } drop", 6, 18, "',' or '}'"),
    ("ip saddr @nothing drop", 6, 12, "no set 'nothing'"),
    ("reject with icmp type nonsense", 6, 25, "an answer"),
    ("reject with icmpx type no-route", 6, 15, "icmpx is for tables of the family inet"),
    ("log level loud drop", 6, 13, "a level"),
    ("jump 5", 6, 8, "the name of a chain"),
    ('counter comment "x" drop', 6, 23, "the comment is last"),
    ("drop comment unquoted", 6, 16, "a quoted comment"),
    ("ip ttl 256 drop", 6, 10, "a number below 256"),
    ("meta l4proto tcp meta nfproto arp drop", 6, 33, "ipv4 or ipv6"),
]


@pytest.mark.parametrize(("text", "line", "column", "expected"), FAULTS)
def test_faults_name_the_place_and_what_was_expected(text, line, column, expected):
    with pytest.raises(InputErrors) as caught:
        read(rule_text(text), "text")
    error = caught.value.errors[0]
    assert isinstance(error, SyntaxFault)
    assert expected in error.message
    assert (error.span.source, error.span.line, error.span.column) == ("text", line, column)
    assert error.text == rule_text(text).split("\n")[line - 1]


OUTER = [
    ("tabel ip t { }", 1, 1, "table, chain, rule"),
    ("table ip t {\n chian c { }\n}", 2, 2, "chain, set, map"),
    ("table ip t {\n chain c { type filter hook sideways priority 0\n }\n}", 2, 29, "a hook"),
    ("table ip t {\n chain c { type filter hook input priority soon\n }\n}", 2, 44, "a number or one of"),
    ("table ip t {\n chain c { policy drop\n }\n}", 2, 12, "a policy in a chain without a hook"),
    ("table ip t {\n set s { type ipv4_adr; }\n}", 2, 15, "a type of sets"),
    ("table ip t {\n set s { flags interval; }\n}", 2, 6, "has no type"),
    ("table ip t {\n set s { type ipv4_addr; colour red; }\n}", 2, 26, "type, typeof, flags"),
    ("add rule ip t c drop", 1, 13, "there is no table"),
    ("table ip t { chain c { drop\n }", 2, 3, "'}'"),
    ('include "other.nft"', 1, 1, "include reads another file"),
    ("table ip t {\n chain c {\n tcp dport $p drop\n }\n}", 3, 12, "$p is not defined"),
    ("table bridge b {\n chain c { type filter hook forward priority 0\n drop\n }\n}", 1, 14, "only ip, ip6 and inet"),
    ("table inet f {\n chain c { type filter hook ingress device eth0 priority 0\n }\n}", 2, 29, "the hook ingress"),
]


@pytest.mark.parametrize(("text", "line", "column", "expected"), OUTER)
def test_faults_outside_of_rules(text, line, column, expected):
    with pytest.raises(InputErrors) as caught:
        read(text, "text")
    error = caught.value.errors[0]
    assert expected in error.message
    assert (error.span.line, error.span.column) == (line, column)


def test_all_faults_of_a_text_are_found():
    with pytest.raises(InputErrors) as caught:
        read("table ip t {\n chain c {\n  tcp dprt 5\n  accept\n  ip ttl 300\n }\n nonsense\n}\n", "text")
    assert [error.span.line for error in caught.value.errors] == [3, 5, 7]


def test_two_rules_about_the_fragment_header_are_one():
    text = "table ip6 t {\n chain c {\n  exthdr frag missing drop\n  frag frag-off 0 drop\n  accept\n }\n}\n"
    first, second = read(text, "text").chains[0].rules
    assert (first.match, first.verdict) == (Match(noninitial=False), Verdict.DROP)
    assert second.verdict is Verdict.ACCEPT
    with pytest.raises(InputErrors, match="two rules alike"):
        read(text.replace("  exthdr frag missing drop\n", ""), "text")
    with pytest.raises(InputErrors, match="two rules alike"):
        read(text.replace("missing drop", "missing accept"), "text")


def test_translations_are_features_and_make_packets_whole():
    text = """
    table ip nat {
        chain post { type nat hook postrouting priority srcnat; policy accept;
            ip saddr 10.0.0.0/8 oifname "wan" masquerade random
            iifname wan tcp dport 80 dnat to 10.0.0.5:8080
            ct mark 1 snat ip to 1.2.3.4
        }
    }
    table ip f { chain fwd { type filter hook forward priority 0; policy drop;
            ip frag-off & 0x1fff != 0 accept
        }
        chain early { type filter hook prerouting priority -450; }
    }
    table ip6 f { chain fwd { type filter hook forward priority 0; }
    }
    """
    ruleset = read(text, "text")
    assert [chain.key for chain in ruleset.chains] == [("ip f", "fwd"), ("ip f", "early"), ("ip6 f", "fwd")]
    assert [chain.sees_reassembled for chain in ruleset.chains] == [True, False, False]
    assert 'ip nat post: ip saddr 10.0.0.0/8 oifname "wan" masquerade random' in [one.text for one in ruleset.features]
    with pytest.raises(InputErrors, match="a field of ip"):
        read(text.replace("ip saddr 10.0.0.0/8 oifname", "ip sadr 10.0.0.0/8 oifname"), "text")


def test_layer_four_rules_that_meet_fragments_are_found():
    chain = "type filter hook prerouting priority -450\n"
    exposed = read(f"table ip t {{ chain c {{ {chain} tcp dport 80 drop\n }}\n}}", "text")
    assert [chain.name for chain in exposed_chains(exposed.chains)] == ["c"]
    guarded = f"table ip t {{ chain c {{ {chain} ip frag-off & 0x1fff != 0 accept\n tcp dport 80 drop\n }}\n}}"
    assert exposed_chains(read(guarded, "text").chains) == ()
    tracked = f"table ip t {{ chain c {{ {chain.replace('-450', '0')} ct state new tcp dport 80 drop\n }}\n}}"
    assert exposed_chains(read(tracked, "text", unmodelled="bound").chains) == ()


def test_chains_without_a_name():
    text = (
        "table ip t {\n chain c {\n  tcp flags syn jump {\n   tcp sport 0 drop\n   ip ttl 1 goto {\n accept\n }\n  }\n"
        "  accept\n }\n}\n"
    )
    chains = {chain.name: chain for chain in read(text, "text").chains}
    first, last = chains["c"].rules
    assert (first.verdict, last.verdict) == (Verdict.JUMP, Verdict.ACCEPT)
    inner = chains[first.target].rules
    assert [rule.verdict for rule in inner] == [Verdict.DROP, Verdict.GOTO]
    assert chains[inner[1].target].rules[0].verdict is Verdict.ACCEPT


def test_a_map_over_families():
    first, second = rules_of("meta protocol vmap { ip : jump other, ip6 : drop, arp : accept }", "inet")
    assert [(rule.match, rule.verdict) for rule in (first, second)] == [
        (Match(family=Family.IPV4), Verdict.JUMP),
        (Match(family=Family.IPV6), Verdict.DROP),
    ]
    (kept,) = rules_of("meta protocol vmap { ip : jump other, ip6 : drop }", "ip6")
    assert kept.verdict is Verdict.DROP


def test_ports_of_a_concatenation_ask_for_protocols_with_ports():
    (rule,) = rules_of("meta l4proto . th dport vmap { udp . 67 : accept }")
    assert rule.match == Match(protocol=UDP, destination_port=IntegerSet.values(67), noninitial=False)
    with pytest.raises(InputErrors, match="th sport/dport"):
        rules_of("meta l4proto . th dport vmap { icmp . 67 : accept }")


def test_elements_that_overlap_with_other_verdicts_are_refused():
    with pytest.raises(InputErrors, match="elements overlap"):
        rules_of("ip saddr . tcp dport vmap { 10.0.0.0/8 . 80 : accept, 10.1.0.0/16 . 80-90 : drop }")
    assert len(rules_of("ip saddr . tcp dport vmap { 10.0.0.0/8 . 80 : accept, 10.1.0.0/16 . 81-90 : drop }")) == 2


def test_a_jump_to_nowhere_is_a_fault():
    with pytest.raises(InputErrors, match="has no chain 'nowhere'"):
        rules_of("jump nowhere")


def test_a_map_without_elements_decides_nothing():
    assert rules_of("tcp dport vmap @none", before="map none { type inet_service : verdict; }") == ()


@pytest.mark.parametrize("negation", ["!", "not"])
def test_not_is_another_word_for_none_of_these_flags(negation):
    assert only(f"tcp flags {negation} syn drop") == flags(masked(0x02, 0))
    assert only(f"tcp flags {negation} (syn | ack) drop") == flags(masked(0x12, 0))
    (rule,) = rules_of(f"ct state {negation} new drop", unmodelled="bound")
    assert [clause.text for clause in rule.unmodelled] == [f"ct state {negation} new"]


@pytest.mark.parametrize(
    "key", ["tcp flags & (fin | syn | rst | ack)", "tcp flags & syn", "tcp flags and (syn | ack)", "tcp flags"]
)
def test_verdict_maps_over_flags_are_outside_the_model(key):
    rule = f"{key} vmap {{ syn : drop, ack | syn : jump other }}"
    with pytest.raises(InputErrors, match="vmap") as caught:
        rules_of(rule)
    (error,) = caught.value.errors
    assert isinstance(error, Unmodelled)
    assert error.text[error.span.column - 1 : error.span.end - 1] == rule
    first, second = rules_of(rule, unmodelled="bound")
    (clause,) = first.unmodelled
    assert clause.text.replace("( ", "(").replace(" )", ")") == f"{key} syn"
    assert (first.verdict, second.verdict, second.target) == (Verdict.DROP, Verdict.JUMP, "other")
