"""What a script leaves in the tables, and what its rules mean."""

import pytest

from compiler.addresses import AddressSet, parse_address
from compiler.dialects.routeros.reader import read
from compiler.errors import InputErrors, SyntaxFault, Unmodelled
from compiler.fields import Family, flags_all
from compiler.integers import EMPTY, IntegerSet
from compiler.policy.match import ANY, InterfaceSet, Match
from compiler.policy.ruleset import Hook, Verdict

TCP = IntegerSet.values(6)


def addresses(*pairs):
    return AddressSet.of(32, [(parse_address(first)[0], parse_address(last)[0]) for first, last in pairs])


def rule(words, *, menu="/ip firewall raw", before=""):
    """The only rule of a chain that is no base chain."""
    ruleset = read(f"{before}\n{menu}\nadd chain=x {words}\n", "t.rsc")
    (chain,) = ruleset.chains
    (only,) = chain.rules
    return only


def faults(text, **options):
    with pytest.raises(InputErrors) as caught:
        read(text, "t.rsc", **options)
    return caught.value.errors


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ("", ANY),
        ("src-address=10.1.2.3/8", Match(source=addresses(("10.0.0.0", "10.255.255.255")))),
        ("src-address=10.1.2.3/255.0.0.0", Match(source=addresses(("10.0.0.0", "10.255.255.255")))),
        ("src-address=0.0.0.0/0", ANY),
        ("dst-address=10.0.0.9", Match(destination=addresses(("10.0.0.9", "10.0.0.9")))),
        ("dst-address=10.0.0.9-10.0.1.4", Match(destination=addresses(("10.0.0.9", "10.0.1.4")))),
        (
            "src-address=!128.0.0.0/1",
            Match(source=addresses(("0.0.0.0", "127.255.255.255"))),
        ),
        ("protocol=tcp", Match(protocol=TCP)),
        ("protocol=6", Match(protocol=TCP)),
        ("protocol=!udp", Match(protocol=IntegerSet.values(17).complement(8))),
        (
            "protocol=tcp dst-port=80,8000-8080",
            Match(protocol=TCP, destination_port=IntegerSet.of([(80, 80), (8000, 8080)]), noninitial=False),
        ),
        (
            "protocol=udp src-port=!53",
            Match(protocol=IntegerSet.values(17), source_port=IntegerSet.values(53).complement(16), noninitial=False),
        ),
        ("protocol=tcp dst-port=0-65535", Match(protocol=TCP, noninitial=False)),
        (
            "protocol=tcp tcp-flags=syn,!ack",
            Match(protocol=TCP, tcp_flags=flags_all(2, 16), noninitial=False),
        ),
        (
            "protocol=tcp tcp-flags=!fin,!syn",
            Match(protocol=TCP, tcp_flags=flags_all(0, 3), noninitial=False),
        ),
        (
            "protocol=icmp icmp-options=3:4",
            Match(
                protocol=IntegerSet.values(1),
                icmp_type=IntegerSet.values(3),
                icmp_code=IntegerSet.values(4),
                noninitial=False,
            ),
        ),
        (
            "protocol=icmp icmp-options=8:0-255",
            Match(protocol=IntegerSet.values(1), icmp_type=IntegerSet.values(8), noninitial=False),
        ),
        (
            "protocol=icmp icmp-options=!8:0-255",
            Match(protocol=IntegerSet.values(1), icmp_type=IntegerSet.values(8).complement(8), noninitial=False),
        ),
        ("dscp=46", Match(traffic_class=IntegerSet.range(184, 187))),
        ("dscp=!0", Match(traffic_class=IntegerSet.range(4, 255))),
        ("ttl=equal:1", Match(ttl=IntegerSet.values(1))),
        ("ttl=less-than:5", Match(ttl=IntegerSet.range(0, 4))),
        ("ttl=greater-than:5", Match(ttl=IntegerSet.range(6, 255))),
        ("ttl=not-equal:5", Match(ttl=IntegerSet.values(5).complement(8))),
        ("fragment=yes", Match(noninitial=True)),
        ("fragment=no", Match(noninitial=False)),
        ("in-interface=ether1", Match(ingress=InterfaceSet.only("ether1"))),
        ('out-interface="!my wan"', Match(egress=InterfaceSet(frozenset({"my wan"}), True))),
        ("time=8h-16h59m59s,tue", Match(week_minute=IntegerSet.range(1440 + 480, 1440 + 1019))),
        ("time=0s-1d,mon,tue,wed,thu,fri,sat,sun", ANY),
        ("time=08:30:00-1d,sun", Match(week_minute=IntegerSet.range(6 * 1440 + 510, 10079))),
        ("in-interface=all", ANY),
        ("in-interface=!all", Match(ingress=InterfaceSet(frozenset()))),
        ("in-interface=ether1 in-interface-list=all", Match(ingress=InterfaceSet.only("ether1"))),
        ('src-port="" tcp-flags="" src-address-list=""', ANY),
        (
            "protocol=tcp dst-port=80 fragment=yes",
            Match(protocol=EMPTY, destination_port=IntegerSet.values(80), noninitial=False),
        ),
    ],
)
def test_matchers(words, match):
    assert rule(words).match == match


def test_port_is_either_port():
    text = "/ip firewall raw add chain=x protocol=tcp port=53 action=drop"
    first, second = read(text, "t").chains[0].rules
    assert first.match.source_port == second.match.destination_port == IntegerSet.values(53)
    assert first.match.destination_port is second.match.source_port is None
    both = rule("protocol=tcp port=!53").match
    assert both.source_port == both.destination_port == IntegerSet.values(53).complement(16)


def test_negated_icmp_code_is_two_rules():
    text = "/ip firewall raw add chain=x protocol=icmp icmp-options=!3:4 action=drop"
    first, second = read(text, "t").chains[0].rules
    assert (first.match.icmp_type, first.match.icmp_code) == (IntegerSet.values(3).complement(8), None)
    assert second.match.icmp_code == IntegerSet.values(4).complement(8)


def test_ipv6_matchers():
    found = rule(
        "src-address=2001:db8::/32 hop-limit=equal:255 protocol=icmpv6 icmp-options=135:0-255",
        menu="/ipv6 firewall raw",
    )
    base = parse_address("2001:db8::")[0]
    assert found.match.source == AddressSet.of(128, [(base, base | (1 << 96) - 1)])
    assert found.match.ttl == IntegerSet.values(255)
    assert found.match.icmp_type == IntegerSet.values(135)


@pytest.mark.parametrize(
    ("words", "verdict", "target", "answer"),
    [
        ("", Verdict.ACCEPT, "", ""),
        ("action=accept", Verdict.ACCEPT, "", ""),
        ("action=drop", Verdict.DROP, "", ""),
        ("action=reject", Verdict.REJECT, "", "icmp-network-unreachable"),
        ("action=reject reject-with=tcp-reset protocol=tcp", Verdict.REJECT, "", "tcp-reset"),
        ("action=return", Verdict.RETURN, "", ""),
        ("action=passthrough", Verdict.CONTINUE, "", ""),
        ("action=log", Verdict.CONTINUE, "", ""),
        ("action=add-src-to-address-list address-list=seen", Verdict.CONTINUE, "", ""),
    ],
)
def test_actions(words, verdict, target, answer):
    found = rule(words, menu="/ip firewall filter")
    assert (found.verdict, found.target, found.answer) == (verdict, target, answer)


def test_log_and_comment_and_disabled():
    found = rule('action=drop log=yes log-prefix="no: " comment="why not" disabled=yes')
    assert (found.log, found.comment, found.disabled) == ("no: ", "why not", True)
    assert rule("action=drop").log is None


def test_chains_have_hooks_and_priorities():
    text = """
/ip firewall filter
add chain=input action=jump jump-target=mine
add chain=mine action=drop
/ip firewall raw
add chain=prerouting action=drop
"""
    ruleset = read(text, "t")
    found = {chain.key: (chain.hook, chain.priority, chain.sees_reassembled) for chain in ruleset.chains}
    assert found == {
        ("ip filter", "input"): (Hook.INPUT, 0, True),
        ("ip filter", "mine"): (None, 0, True),
        ("ip raw", "prerouting"): (Hook.PREROUTING, -300, False),
    }
    assert all(chain.families == frozenset({Family.IPV4}) for chain in ruleset.chains)
    assert all(chain.policy is Verdict.ACCEPT for chain in ruleset.chains)


def test_without_tracking_filter_sees_fragments():
    text = "/ip firewall connection tracking\nset enabled=no\n/ip firewall filter add chain=input action=drop\n"
    ruleset = read(text, "t")
    assert not ruleset.chains[0].sees_reassembled
    assert [clause.text for clause in ruleset.features] == ["/ip firewall connection tracking"]


def test_a_jump_to_nothing_comes_back():
    ruleset = read("/ip firewall filter add chain=input action=jump jump-target=empty", "t")
    assert ruleset.chain("ip filter", "empty").rules == ()


def test_address_lists():
    text = """
/ip firewall address-list
add list=servers address=10.0.0.1
add list=servers address=10.0.0.2-10.0.0.5
add list=servers address=10.9.0.0/16 disabled=yes
add list=odd address=10.0.0.0/29
add list=odd address=10.0.0.16/29
/ip firewall raw
add chain=x src-address-list=servers dst-address-list=!servers
add chain=x src-address-list=odd
"""
    ruleset = read(text, "t")
    first, second = ruleset.chains[0].rules
    servers = addresses(("10.0.0.1", "10.0.0.5"))
    assert (first.match.source, first.source_set) == (servers, "servers")
    assert (first.match.destination, first.destination_set) == (servers.complement(), "")
    assert len(second.match.source.wildcards) == 1
    assert [(named.table, named.name) for named in ruleset.sets] == [("ip", "servers"), ("ip", "odd")]


def test_interface_lists():
    text = """
/interface list
add name=LAN
add name=WAN
add name=ALL-BUT-WAN include=all exclude=WAN
add name=BOTH include=LAN,WAN
/interface list member
add list=LAN interface=ether2
add list=LAN interface=ether3 disabled=yes
add list=WAN interface=ether1
add list=WAN interface=*1F
/ip firewall filter
add chain=x in-interface-list=LAN
add chain=x in-interface-list=!WAN
add chain=x in-interface-list=ALL-BUT-WAN
add chain=x in-interface-list=BOTH
add chain=x in-interface-list=all
add chain=x in-interface-list=none
add chain=x in-interface-list=BOTH in-interface=!ether1
"""
    found = [one.match.ingress for one in read(text, "t").chains[0].rules]
    assert found == [
        InterfaceSet.only("ether2"),
        InterfaceSet(frozenset({"ether1"}), True),
        InterfaceSet(frozenset({"ether1"}), True),
        InterfaceSet.only("ether1", "ether2"),
        None,
        InterfaceSet(frozenset()),
        InterfaceSet.only("ether2"),
    ]


TABLE = """
/ip firewall filter
add chain=x comment=a
add chain=x comment=b
add chain=x comment=c disabled=yes
add chain=x comment=d
"""


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("remove [find comment=b]", "acd"),
        ("remove 0,3", "bc"),
        ("remove numbers=1", "acd"),
        ("remove [find where disabled]", "abd"),
        ("remove [find]", ""),
        ('remove ""', "abcd"),
        ("move [find comment=d] [find comment=b]", "adbc"),
        ("move 3 0", "dabc"),
        ("move 0", "bcda"),
        ("move numbers=0,1 destination=3", "cabd"),
        ("add chain=x comment=e place-before=0", "eabcd"),
        ("add chain=x comment=e place-before=[find comment=c]", "abecd"),
        ("set [find comment=b] comment=z", "azcd"),
        ("comment 1 comment=z", "azcd"),
        ("unset 1 comment", "acd"),
        ("set 1 !comment", "acd"),
        ("print", "abcd"),
    ],
)
def test_table_commands(command, left):
    ruleset = read(TABLE + command, "t")
    chains = ruleset.chains
    assert "".join(one.comment for chain in chains for one in chain.rules) == left


@pytest.mark.parametrize(
    ("command", "disabled"),
    [("disable [find comment=a]", "ac"), ("enable [find comment=c]", ""), ("set 0 disabled=yes", "ac")],
)
def test_enable_and_disable(command, disabled):
    rules = read(TABLE + command, "t").chains[0].rules
    assert "".join(one.comment for one in rules if one.disabled) == disabled


COMPACT = """# 2024-05-01 12:00:00 by RouterOS 7.14.3
/ip firewall address-list
add address=10.0.0.0/24 list=mgmt
/ip firewall filter
add action=drop chain=input comment="no one from outside, and this comment is so long \\
    that it is broken" dst-port=22,8291 log=yes log-prefix=in protocol=tcp \\
    src-address-list=!mgmt
add chain=forward dst-address=10.1.0.0/16
"""
TERSE = """# 2024-05-01 12:00:00 by RouterOS 7.14.3
/ip firewall address-list add address=10.0.0.0/24 list=mgmt
/ip firewall filter add action=drop chain=input comment="no one from outside, and this comment is so long that it is\
 broken" dst-port=22,8291 log=yes log-prefix=in protocol=tcp src-address-list=!mgmt
/ip firewall filter add chain=forward dst-address=10.1.0.0/16
"""
VERBOSE = """# 2024-05-01 12:00:00 by RouterOS 7.14.3
/ip firewall connection tracking
set enabled=auto tcp-syn-sent-timeout=5s
/ip firewall address-list
add address=10.0.0.0/24 comment="" disabled=no list=mgmt !timeout
/ip firewall filter
add action=drop chain=input comment="no one from outside, and this comment is so long that it is broken" \\
    !connection-bytes !connection-state disabled=no !dscp !dst-address dst-port=22,8291 log=yes log-prefix=in \\
    protocol=tcp !src-address src-address-list=!mgmt
add action=accept chain=forward comment="" disabled=no dst-address=10.1.0.0/16 log=no log-prefix="" !src-address
"""


def test_compact_terse_and_verbose_exports_mean_the_same():
    def meaning(text):
        found = read(text, "t")
        return [(chain.key, [one[:1] for one in map(essence, chain.rules)]) for chain in found.chains]

    def essence(one):
        return ((one.match, one.verdict, one.log, one.comment, one.disabled, one.source_set),)

    assert meaning(COMPACT) == meaning(TERSE) == meaning(VERBOSE)
    assert len(read(COMPACT, "t").chains) == 2


def test_other_menus_are_skipped_and_counted():
    text = "/ip address\nadd address=10.0.0.1/24 interface=ether1\n/system identity\nset name=r1\n:put done\n"
    ruleset = read(text, "t")
    assert (ruleset.chains, ruleset.skipped_lines) == ((), 3)


def test_features():
    text = """
/ip firewall nat
add chain=srcnat action=masquerade out-interface=ether1
/ip firewall mangle
add chain=prerouting action=mark-routing disabled=yes
"""
    ruleset = read(text, "t")
    assert [(clause.text, clause.span.line) for clause in ruleset.features] == [("/ip firewall nat", 3)]


@pytest.mark.parametrize(
    ("text", "line", "column", "kind", "words"),
    [
        ("/ip firewall filter\nadd chian=input", 2, 5, SyntaxFault, "did you mean chain?"),
        ("/ip firewall filter\nadd chain=input dst-prot=1", 2, 17, SyntaxFault, "did you mean dst-port?"),
        ("/ip firewall filter\nadd action=drop", 2, 1, SyntaxFault, "without chain"),
        ("/ip firewall filter\nad chain=x", 2, 1, SyntaxFault, "did you mean add?"),
        ("/ip firewall filter\nrem 0", 2, 1, SyntaxFault, "no command"),
        ("/ip firewall fliter\nadd chain=x", 1, 1, SyntaxFault, "'fliter' is no menu"),
        ("/ip fire fil\nadd chain=x", 1, 1, SyntaxFault, "write it out"),
        ("/ipx firewall filter\nadd chain=x", 1, 1, SyntaxFault, "did you mean ip"),
        ("/ip firewall filter\nadd chain=x chain=y", 2, 13, SyntaxFault, "twice"),
        ("/ip firewall filter\nadd chain=x action=dorp", 2, 13, SyntaxFault, "no action"),
        ("/ip firewall raw\nadd chain=x action=reject", 2, 13, SyntaxFault, "no action"),
        ("/ip firewall raw\nadd chain=x connection-state=new", 2, 13, SyntaxFault, "no property"),
        ("/ip firewall filter\nadd chain=x action=jump", 2, 13, SyntaxFault, "without jump-target"),
        ("/ip firewall filter\nadd chain=x dst-port=80", 2, 13, SyntaxFault, "needs protocol"),
        ("/ip firewall filter\nadd chain=x protocol=icmp dst-port=80", 2, 27, SyntaxFault, "needs protocol"),
        ("/ip firewall filter\nadd chain=x protocol=!tcp dst-port=80", 2, 27, SyntaxFault, "needs protocol"),
        ("/ip firewall filter\nadd chain=x protocol=udp tcp-flags=syn", 2, 26, SyntaxFault, "needs protocol=tcp"),
        ("/ip firewall filter\nadd chain=x protocol=icmpv6 icmp-options=8", 2, 29, SyntaxFault, "needs protocol=icmp"),
        ("/ip firewall filter\nadd chain=x protocol=icpm", 2, 13, SyntaxFault, "did you mean icmp?"),
        ("/ip firewall filter\nadd chain=x protocol=tcp dst-port=70000", 2, 26, SyntaxFault, "0 to 65535"),
        ("/ip firewall filter\nadd chain=x protocol=tcp dst-port=9-1", 2, 26, SyntaxFault, "backwards"),
        (
            "/ip firewall filter\nadd chain=x protocol=tcp dst-port=1,2,3,4,5,6,7,8,9,10,11,12,13,14-15,16",
            2,
            26,
            SyntaxFault,
            "16 slots",
        ),
        ("/ip firewall filter\nadd chain=x protocol=tcp tcp-flags=ack,fni", 2, 26, SyntaxFault, "no TCP flag"),
        ("/ip firewall filter\nadd chain=x src-address=10.0.0.300", 2, 13, SyntaxFault, "IPv4 address"),
        ("/ip firewall filter\nadd chain=x src-address=2001:db8::/32", 2, 13, SyntaxFault, "other address family"),
        ("/ip firewall filter\nadd chain=x src-address=10.0.0.0/33", 2, 13, SyntaxFault, "0 to 32"),
        ("/ip firewall filter\nadd chain=x src-address=10.0.0.0/255.0.255.0", 2, 13, SyntaxFault, "ones in front"),
        ("/ipv6 firewall filter\nadd chain=x src-address=::1-::2", 2, 13, SyntaxFault, "IPv4 only"),
        ("/ipv6 firewall filter\nadd chain=x fragment=yes", 2, 13, SyntaxFault, "no property"),
        ("/ip firewall filter\nadd chain=x dscp=64", 2, 13, SyntaxFault, "0 to 63"),
        ("/ip firewall filter\nadd chain=x ttl=above:3", 2, 13, SyntaxFault, "less-than"),
        ("/ip firewall filter\nadd chain=x time=8h-17h,xyz", 2, 13, SyntaxFault, "no day"),
        ("/ip firewall filter\nadd chain=x log=maybe", 2, 13, SyntaxFault, "yes or no"),
        ("/ip firewall filter\nadd chain=x foo", 2, 13, SyntaxFault, "expected NAME=VALUE"),
        ("/ip firewall filter\nset 0 chain=x", 2, 5, SyntaxFault, "no such item: 0"),
        ("/ip firewall filter\nset chain=x", 2, 1, SyntaxFault, "without items"),
        ("/ip firewall address-list\nadd list=x address=10.0.0.0.1/3/4", 2, 12, SyntaxFault, "IPv4"),
        ("/ip firewall filter\nadd chain=x src-address={{ lan }}", 2, 13, SyntaxFault, "fill in the template"),
        ("/ip firewall filter\nadd chain=x connection-state=new", 2, 13, Unmodelled, "connection-state=new"),
        ("/ip firewall filter\nadd chain=x action=fasttrack-connection", 2, 13, Unmodelled, "fasttrack"),
        ("/ip firewall raw\nadd chain=x action=notrack", 2, 13, Unmodelled, "notrack"),
        ("/ip firewall filter\nadd chain=x in-interface-list=WAN", 2, 13, Unmodelled, "WAN is not defined"),
        ("/ip firewall filter\nadd chain=x in-interface=all-ppp", 2, 13, Unmodelled, "all-ppp"),
        ("/ip firewall filter\nadd chain=x in-interface=*E", 2, 13, Unmodelled, "no longer exists"),
        ("/ip firewall filter\nadd chain=x protocol=0", 2, 13, Unmodelled, "any protocol"),
        ("/ip firewall filter\nadd chain=x protocol=icmp icmp-options=255:0", 2, 27, Unmodelled, "any type"),
        ("/ip firewall filter\nadd chain=x time=22h-6h,mon", 2, 13, Unmodelled, "ends before"),
        ("/ip firewall filter\nadd chain=x time=8h-8h30m5s,mon", 2, 13, Unmodelled, "seconds"),
        ("/ip firewall filter\nadd chain=x src-address=$me", 2, 13, Unmodelled, "$me"),
        ("/ip firewall filter\nset *4 disabled=yes", 2, 5, Unmodelled, "*4"),
        ("/ip firewall filter\nset [find bytes=3] disabled=yes", 2, 5, Unmodelled, "find by bytes"),
        (":foreach i in=[/ip address find] do={ }", 1, 1, Unmodelled, ":foreach"),
        ("/ip firewall filter\nadd chain=input out-interface=a", 2, 17, Unmodelled, "cannot match in chain input"),
        ("/ip firewall filter\nadd chain=output in-interface=a", 2, 18, Unmodelled, "cannot match in chain output"),
        (
            "/ip firewall filter\nadd chain=input action=jump jump-target=x\nadd chain=x out-interface=a",
            3,
            13,
            Unmodelled,
            "reaches x by jumps",
        ),
        (
            "/ip firewall filter\nadd chain=a action=jump jump-target=b\nadd chain=b action=jump jump-target=a",
            3,
            25,
            Unmodelled,
            "circle",
        ),
    ],
)
def test_faults(text, line, column, kind, words):
    (fault,) = faults(text)
    assert (type(fault), fault.span.line, fault.span.column) == (kind, line, column)
    assert words in fault.message
    assert fault.text == text.split("\n")[line - 1]


def test_all_faults_of_a_text_in_order():
    found = faults("/ip firewall filter\nadd chain=x dscp=99\nadd chian=y\nset 9 chain=z\n")
    assert [fault.span.line for fault in found] == [2, 3, 4]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("address=10.0.0.1 timeout=1h", "for a time only"),
        ("address=10.0.0.1 dynamic=yes", "for a time only"),
        ("address=www.example.com", "DNS name"),
    ],
)
def test_lists_that_cannot_be_known_are_refused_where_used(entry, words):
    lists = f"/ip firewall address-list add list=l {entry}\n/ip firewall filter\n"
    (fault,) = faults(lists + "add chain=x src-address-list=l")
    assert isinstance(fault, Unmodelled)
    assert words in fault.message
    assert read(lists + "add chain=x src-address=1.1.1.1", "t").chains


def test_lists_that_rules_fill_are_refused_where_used():
    fill = "add chain=x action=add-src-to-address-list address-list=bad"
    for menu in ("filter", "mangle"):
        text = f"/ip firewall {menu}\n{fill}\n/ip firewall raw\nadd chain=y action=drop src-address-list=bad\n"
        (fault,) = faults(text)
        assert "rules fill" in fault.message


def test_bound_keeps_what_is_not_modelled():
    text = "/ip firewall filter add chain=x action=drop connection-state=invalid protocol=tcp"
    (found,) = read(text, "t", unmodelled="bound").chains[0].rules
    assert [clause.text for clause in found.unmodelled] == ["connection-state=invalid"]
    assert found.match == Match(protocol=TCP)


@pytest.mark.parametrize("words", ["action=log", "action=drop disabled=yes", "action=passthrough"])
def test_what_decides_nothing_is_not_refused(words):
    (found,) = read(f"/ip firewall filter add chain=x connection-state=new {words}", "t").chains[0].rules
    assert [clause.text for clause in found.unmodelled] == ["connection-state=new"]


def test_slashes_are_refused_for_version_6():
    text = "/ip/firewall/filter/add chain=x"
    assert read(text, "t", version=7).chains
    (fault,) = faults(text, version=6)
    assert "blanks" in fault.message
    (fault,) = faults("# jan/02/1970 by RouterOS 6.48.6\n" + text)
    assert "blanks" in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "/ip firewall\nfilter add chain=x",
        "/ip\nfirewall filter\nadd chain=x",
        "/\nip firewall filter add chain=x",
        "/ip firewall nat\n.. filter\nadd chain=x",
        "/interface\nlist add name=a\n/ip firewall filter\nadd chain=x",
    ],
)
def test_paths_in_steps(text):
    assert [chain.key for chain in read(text, "t").chains] == [("ip filter", "x")]


@pytest.mark.parametrize(
    "path", ["/i f f", "/ip f filter", "/ip firewall fil", "/ipv6 fire raw", "/int list", "/interface l"]
)
def test_short_paths_are_never_skipped(path):
    (fault,) = faults(f"{path}\nadd chain=x")
    assert fault.span.line == 1
