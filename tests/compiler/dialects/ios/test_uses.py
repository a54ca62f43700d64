"""Lines that name a list, and lines that must not be taken for one."""

import pytest

from compiler.dialects.ios.uses import feature, uses

NAMED = [
    ("access-class 10 in", [("10", "access-class")]),
    ("access-class MGMT in vrf-also", [("MGMT", "access-class")]),
    ("ipv6 access-class V6 in", [("V6", "ipv6 access-class")]),
    ("ip http access-class 20", [("20", "ip http access-class")]),
    ("ip http access-class ipv4 20", [("20", "ip http access-class")]),
    ("ip nat inside source list 1 interface Dialer1 overload", [("1", "ip nat")]),
    ("ip nat inside source list NAT pool P overload", [("NAT", "ip nat")]),
    ("ip nat inside destination list 2 pool P", [("2", "ip nat")]),
    ("snmp-server community public RO 99", [("99", "snmp-server community")]),
    ("snmp-server community public view V RW 98", [("98", "snmp-server community")]),
    (
        "snmp-server community public RO ipv6 SIX 97",
        [("SIX", "snmp-server community"), ("97", "snmp-server community")],
    ),
    ("snmp-server community public RO", []),
    ("snmp-server community public view V RO", []),
    ("snmp-server group G v3 priv access 5", [("5", "snmp-server")]),
    ("ntp access-group peer 1", [("1", "ntp access-group")]),
    ("ntp access-group ipv4 query-only 2 kod", [("2", "ntp access-group")]),
    ("match ip address 101 FOO", [("101", "route-map"), ("FOO", "route-map")]),
    ("match ip address prefix-list P", []),
    ("match access-group name WEB", [("WEB", "class-map")]),
    ("match not access-group 120", [("120", "class-map")]),
    ("match address VPN", [("VPN", "crypto map")]),
    ("match address local 10.0.0.1", []),
    ("distribute-list 7 in Serial0", [("7", "distribute-list")]),
    ("distribute-list prefix P in", []),
    ("neighbor 10.0.0.1 distribute-list 8 out", [("8", "neighbor distribute-list")]),
    ("ip igmp access-group 9", [("9", "ip igmp access-group")]),
    ("ip pim rp-address 10.0.0.1 11", [("11", "ip pim")]),
    ("ip pim rp-address 10.0.0.1 override", []),
    ("ip pim ssm range 12", [("12", "ip pim")]),
    ("ip pim send-rp-announce Loopback0 scope 16 group-list 13", [("13", "ip pim")]),
    ("ip multicast boundary 14", [("14", "ip multicast boundary")]),
    ("ip msdp sa-filter in 10.0.0.1 list 115", [("115", "ip msdp")]),
    ("ip verify unicast source reachable-via any 16", [("16", "ip verify unicast")]),
    ("ip verify unicast source reachable-via rx", []),
    ("dialer-list 1 protocol ip list 101", [("101", "dialer-list")]),
    (
        "rate-limit input access-group 102 8000 8000 8000 conform-action transmit exceed-action drop",
        [("102", "rate-limit")],
    ),
    ("traffic-shape group 103 64000", [("103", "traffic-shape")]),
    ("username bob access-class 17", [("17", "username access-class")]),
    ("ip wccp web-cache redirect-list 104", [("104", "ip wccp")]),
    ("ip tcp intercept list 105", [("105", "ip tcp intercept")]),
    ("ip nat inside source list global-list pool P overload", [("global-list", "ip nat")]),
    ("ip nat inside source list 7 pool my-list overload", [("7", "ip nat")]),
    ("ip inspect name FW http java-list 18", [("18", "ip inspect")]),
    ("monitor session 1 filter ip access-group CAP", [("CAP", "monitor access-group")]),
    ("description behind access-list 101", []),
    ("ip as-path access-list 1 permit ^$", []),
    ("ip access-list log-update threshold 5", []),
    ("access-list 700 permit 0000.0000.0001 0.0.0", []),
]


@pytest.mark.parametrize(("line", "found"), NAMED)
def test_uses(line, found):
    assert list(uses(line.split())) == found


@pytest.mark.parametrize(
    "line",
    [
        "ip nat inside",
        "ip nat pool P 10.0.0.1 10.0.0.9 prefix-length 24",
        "ip inspect FW in",
        "zone-member security INSIDE",
        "ip verify unicast reverse-path",
        "ip policy route-map R",
        "crypto map VPN",
        "service-policy input Q",
    ],
)
def test_features(line):
    assert feature(line.split())


@pytest.mark.parametrize(
    "line", ["ip address 10.0.0.1 255.255.255.0", "ip natural", "crypto map VPN 10 ipsec-isakmp", "shutdown"]
)
def test_other_lines_are_no_features(line):
    assert not feature(line.split())
