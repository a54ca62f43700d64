"""Every word known, or an error at the very word."""

import pytest

from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors, SyntaxFault, Unmodelled


def errors(text, **options):
    with pytest.raises(InputErrors) as caught:
        read(text, "r1.cfg", **options)
    return caught.value.errors


def entry_error(text, header="ip access-list extended L"):
    (error,) = errors(f"{header}\n {text}\n")
    assert error.span.line == 2
    return error


# text, column in the entry's line (which begins at column 2), a part of the message
EXTENDED = [
    ("permti ip any any", 2, "did you mean 'permit'?"),
    ("permit ipp any any", 9, "did you mean 'ip'?"),
    ("permit 256 any any", 9, "0 to 255"),
    ("permit ip any", 15, "the line ends here; expected an address"),
    ("permit ip host any", 17, "expected an IPv4 address"),
    ("permit ip host 1.2.3 any", 17, "3 octets instead of 4"),
    ("permit ip 10.0.0.300 0.0.0.255 any", 12, "is not an address"),
    ("permit ip 10.0.0.0 any", 21, "expected a wildcard for 10.0.0.0"),
    ("permit ip 10.0.0.0 0.0.0.256 any", 21, "is not an address"),
    ("permit ip 10.0.0.0/8 any", 12, "IOS wants '10.0.0.0 0.255.255.255'"),
    ("permit tcp any any eq https", 24, "write 443"),
    ("permit tcp any any eq wwww", 24, "did you mean 'www'?"),
    ("permit tcp any any eq snmp", 24, "expected a port"),
    ("permit tcp any any eq 65536", 24, "0 to 65535"),
    ("permit tcp any any eq", 23, "the line ends here"),
    ("permit tcp any any lt 0", 21, "matches nothing"),
    ("permit tcp any any gt 65535", 21, "matches nothing"),
    ("permit tcp any any range 9 3", 21, "did you mean 'range 3 9'?"),
    ("permit tcp any any eq 1 2 3 4 5 6 7 8 9 10 11", 45, "at most 10"),
    ("permit ip any any eq 80", 20, "needs tcp, udp or sctp"),
    ("permit icmp any eq 80 any", 18, "needs the protocol tcp, udp or sctp"),
    ("permit udp any any established", 21, "needs the protocol tcp"),
    ("permit udp any any syn", 21, "needs the protocol tcp"),
    ("permit tcp any any match-all +syn -sin", 36, "+ or -"),
    ("permit tcp any any match-all", 30, "flags with + or -"),
    ("permit tcp any any match-all +syn -syn", 36, "named twice"),
    ("permit tcp any any syn match-all +ack", 25, "does not mix"),
    ("permit tcp any any match-all +ack syn", 36, "does not mix"),
    ("permit tcp any any eq 80 fragments", 27, "no ports, flags or types"),
    ("permit icmp any any echo fragments", 22, "no ports, flags or types"),
    ("permit icmp any any ecko", 22, "did you mean 'echo'?"),
    ("permit icmp any any 256", 22, "ICMP type"),
    ("permit icmp any any 3 256", 24, "ICMP code"),
    ("permit ip any any dscp ef tos 3", 28, "excludes"),
    ("permit ip any any precedence 8", 31, "0 to 7"),
    ("permit ip any any ttl 5", 24, "eq, neq, gt, lt or range"),
    ("permit ip any any ttl eq 256", 27, "0 to 255"),
    ("permit ip any any tme-range X", 20, "did you mean 'time-range'?"),
    ("permit ip any any log establishd", 24, "did you mean 'established'?"),
    ("permit ip any any time-range", 30, "the name of a time-range"),
    ("permit ip object-group NONE any", 25, "the object-group network NONE is not defined"),
    ("permit object-group NONE any any", 22, "the object-group service NONE is not defined"),
]


@pytest.mark.parametrize(("text", "column", "part"), EXTENDED)
def test_extended(text, column, part):
    error = entry_error(text)
    assert isinstance(error, SyntaxFault)
    assert part in error.message
    assert error.span.column == column


UNMODELLED = [
    ("permit tcp any any reflect MIRROR timeout 9", 21, "reflect MIRROR timeout 9"),
    ("evaluate MIRROR", 2, "evaluate MIRROR"),
    ("dynamic LOCK timeout 5 permit ip any any", 2, "dynamic LOCK timeout 5"),
    ("permit ip any any option any-options", 20, "option any-options"),
    ("permit igmp any any host-query", 22, "host-query"),
]

UNMODELLED_IPV6 = [
    ("permit ipv6 any any routing", 22, "routing"),
    ("permit ipv6 any any flow-label 5", 22, "flow-label 5"),
    ("deny ipv6 any any log undetermined-transport", 24, "undetermined-transport"),
    ("permit hbh any any", 9, "hbh"),
    ("permit 43 any any", 9, "43"),
    ("permit ipv6 any any dest-option-type 5", 22, "dest-option-type 5"),
]


@pytest.mark.parametrize(
    ("header", "text", "column", "clause"),
    [("ip access-list extended L", *case) for case in UNMODELLED]
    + [("ipv6 access-list L", *case) for case in UNMODELLED_IPV6],
)
def test_unmodelled_is_refused_by_name_or_kept_when_bounding(header, text, column, clause):
    error = entry_error(text, header)
    assert isinstance(error, Unmodelled)
    assert f"'{clause}' is not modelled" in error.message
    assert (error.span.column, error.span.end) == (column, column + len(clause))
    (entry,) = read(f"{header}\n {text}\n", "t", unmodelled="bound").lists[0].entries
    assert [kept.text for kept in entry.unmodelled] == [clause]
    assert entry.unmodelled[0].span.column == column


WHOLE = [
    ("access-list 101 deny tcp 172.16.6.0.0.255.248 host 10.0.0.2 eq ftp", 1, 26, "try '172.16.6.0 0.0.255.248'"),
    ("access-list 101 deny tcp 172.16.6.00.0.0.255 any", 1, 26, "7 octets"),
    ("access-list 5000 permit any", 1, 13, "not the number of a list"),
    ("access-list x", 1, 13, "the number of a list"),
    ("access-list 101", 1, 16, "permit, deny or remark"),
    ("ip access-list extnded X", 1, 16, "did you mean 'extended'?"),
    ("ip access-list extended", 1, 24, "the name of the list"),
    ("ip access-list standard 101", 1, 25, "not the number of standard lists"),
    ("ip access-list standard A\nip access-list extended A", 2, 25, "standard on line 1"),
    ("ip access-list extended A\n 10 permit ip any any\n 10 deny ip any any", 3, 2, "taken by the entry on line 2"),
    ("ip access-list standard A\n permit 10.0.0.0 0.0.0.255 any", 2, 28, "looks at the source only"),
    ("ip access-list extended A\n no 20", 2, 5, "has no line 20"),
    ("ip access-list resequence NONE 10 10", 1, 27, "there is no list NONE"),
    ("interface e0\n ip access-group 101", 2, 21, "in or out"),
    ("object-group network G\n host 10.0.0.1\n 10.0.0.0 0.255.255.255", 3, 11, "is not a netmask"),
    ("object-group network G\n 10.0.0.0 255.0.255.0", 2, 11, "is not a netmask"),
    ("object-group network G\n group-object H", 2, 2, "H is not defined"),
    ("object-group network G\n group-object G", 2, 2, "contains itself"),
    ("object-group network G\n range 10.0.0.9 10.0.0.1", 2, 8, "ends before it begins"),
    ("object-group network G\n hots 10.0.0.9", 2, 2, "did you mean 'host'?"),
    ("object-group service G\n tcp eq wwww", 2, 9, "did you mean 'www'?"),
    ("object-group service G\n tpc eq www", 2, 2, "did you mean 'tcp'?"),
    ("time-range T\n periodic weekday 8:00 to 17:00", 2, 11, "did you mean 'weekdays'?"),
    ("time-range T\n periodic daily 17:00 to 8:00", 2, 11, "ends before it begins"),
    ("time-range T\n absolute start 00:00 30 February 2026", 2, 23, "not a date"),
    ("time-range T\n perodic daily 0:00 to 1:00", 2, 2, "did you mean 'periodic'?"),
    ("banner motd ^C\n hello", 1, 13, "never ends"),
]


@pytest.mark.parametrize(("text", "line", "column", "part"), WHOLE)
def test_whole(text, line, column, part):
    (error,) = errors(text)
    assert part in error.message
    assert (error.span.line, error.span.column) == (line, column)


FOREIGN = [
    ("access-list OUT extended permit tcp any any eq www", "Cisco ASA"),
    ("access-list 101 extended permit tcp any any eq www", "Cisco ASA"),
    ("access-group OUT in interface outside", "Cisco ASA"),
    ("interface Vlan2\nnameif outside", "Cisco ASA"),
    ("object network WEB\n host 10.0.0.1", "Cisco ASA"),
    (": Saved\n:\nASA Version 9.1", "Cisco ASA"),
    ("ASA Version 9.1(2)", "Cisco ASA"),
    ("object-group network G\n network-object host 10.0.0.1", "Cisco ASA"),
    ("feature bgp", "Cisco NX-OS"),
    ("ip access-list WEB\n 10 permit tcp any any eq www", "Cisco NX-OS"),
    ("!Command: show running-config\n!Time: now", "Cisco NX-OS"),
    ("object-group ip address G\n 10 host 10.0.0.1", "Cisco NX-OS"),
    ("ipv4 access-list WEB\n 10 permit tcp any any eq www", "Cisco IOS XR"),
    ("!! IOS XR Configuration 6.1.2\nhostname x", "Cisco IOS XR"),
]


@pytest.mark.parametrize(("text", "system"), FOREIGN)
def test_other_systems_are_refused_by_name(text, system):
    (error,) = errors(text)
    assert f"this is a configuration of {system}" in error.message


def test_all_errors_are_reported_in_order():
    text = "ip access-list extended A\n permit ip any\n permit tcp any any\n permit tpc any any\naccess-list x\n"
    assert [error.span.line for error in errors(text)] == [2, 4, 5]


def test_the_caret_stands_under_the_word():
    (error,) = errors("access-list 101 deny tcp 172.16.6.0.0.255.248 host 10.0.0.2 eq ftp\n")
    head, line, caret = error.render().split("\n")
    assert head.startswith("r1.cfg:1:26: '172.16.6.0.0.255.248' is not an address")
    assert line[caret.index("^") : caret.rindex("^") + 1] == "172.16.6.0.0.255.248"


def test_tabs_do_not_move_the_column():
    (error,) = errors("ip access-list extended A\n\tpermit\ttcp\tany\tanny\n")
    assert (error.span.line, error.span.column) == (2, 17)


STRAY = [
    ("ip acces-list extended A\n permit ip any any", [(1, 4), (2, 2)]),
    ("acess-list 101 permit ip any any", [(1, 1)]),
    ("hostname x\npermit tcp any any eq www", [(2, 1)]),
    ("interface Ethernet0\n ip acces-group 101 in", [(2, 5)]),
    ("Extended Resolved IP access list A\n 10 permit ip any any", [(1, 1), (2, 2)]),
    ("R1(config)#access-list 101 permit ip any any", [(1, 1)]),
    ("R1(config-if)# ip access-group 101 in", [(1, 1)]),
    ("ip access-list extended A\n permit ip any any\n no 10 now", [(3, 8)]),
    ("interface range Fa0/1 - 4\n ip access-group 101 in", [(2, 2)]),
    ("p access-list extended A\n deny ip any any", [(1, 1)]),
    ("access-l 101 permit ip any any", [(1, 1)]),
    ("acc 101 permit ip any any", [(1, 1)]),
    ("hostname x\nobj net G\n host 10.0.0.1", [(2, 1)]),
    ("time-r T\n periodic daily 0:00 to 1:00", [(1, 1)]),
    ("interface Ethernet0\n ip access-g 101 in", [(2, 5)]),
    ("interface Ethernet0\n ip access 101 in", [(2, 5)]),
    ("interface Ethernet0\n ipv6 traffic-f A in", [(2, 7)]),
]


@pytest.mark.parametrize(("text", "places"), STRAY)
def test_parts_of_a_list_never_vanish(text, places):
    assert [(error.span.line, error.span.column) for error in errors(text)] == places


@pytest.mark.parametrize(
    "text",
    [
        "mac access-list extended M\n permit any any",
        "ip access-list role-based R\n permit tcp dst eq 80\n deny ip",
        "arp access-list A\n permit ip host 10.0.0.1 mac any",
        "ip igmp profile 4\n permit\n range 229.9.9.0",
        "ip as-path access-list 1 permit ^$",
        "route-map R permit 10\n match as-path 1",
        "interface range Fa0/1 - 4\n switchport mode access",
        "interface range Fa0/1 - 4\n ip accounting output-packets",
        "time 5",
    ],
)
def test_lists_of_other_kinds_are_skipped(text):
    device = read(text, "t")
    assert (device.lists, device.uses) == ((), ())
    assert device.skipped_lines == len(text.split("\n"))


def test_a_known_word_in_the_wrong_place_is_no_slip_of_the_pen():
    error = entry_error("permit esp host any any")
    assert error.span.column == 18
    assert error.message == "'any' stands behind 'host'; expected an IPv4 address A.B.C.D"
    assert "did you mean" not in entry_error("permit tcp any eq eq 80").message
