"""Interfaces, addresses, settings: what a script leaves of them, and what is wrong."""

import pytest

from compiler.addresses import parse_address
from compiler.dialects.routeros.network import read_network
from compiler.errors import InputErrors, SyntaxFault, Unmodelled
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress, NextHop, Prefix


def address(text):
    return parse_address(text)[0]


def network(text, **options):
    return read_network(text, "t.rsc", **options)


def faults(text, **options):
    with pytest.raises(InputErrors) as caught:
        network(text, **options)
    return caught.value.errors


def names(found):
    return [interface.name for interface in found.interfaces]


def test_ports_are_renamed_by_find_by_name_and_by_number():
    found = network(
        """
/interface ethernet
set [ find default-name=ether1 ] name=WAN1 mtu=1492 comment="first line"
set ether2 name=WAN2
set 2 name=LAN disabled=yes
/interface set WAN2 mtu=1400
/interface disable WAN1
/interface set [find name=ether5] comment=spare
"""
    )
    assert [(one.name, one.mtu, one.enabled, one.comment) for one in found.interfaces] == [
        ("WAN1", 1492, False, "first line"),
        ("WAN2", 1400, True, ""),
        ("LAN", 1500, False, ""),
        ("ether5", 1500, True, "spare"),
    ]
    assert found.interface("WAN1").span.line == 3


def test_a_name_with_blanks_is_one_name():
    found = network(
        """
/interface ethernet set [ find default-name=ether1 ] name="my wan"
/interface set [ find name="my wan" ] mtu=1400
/interface ethernet disable [ find name="my wan" ]
/ip address add address=10.0.0.1/8 interface="my wan"
"""
    )
    assert [(one.name, one.mtu, one.enabled, len(one.addresses)) for one in found.interfaces] == [
        ("my wan", 1400, False, 1)
    ]


def test_a_port_that_no_menu_lists_is_known_by_its_address():
    found = network("/ip address add address=10.0.0.1/8 interface=sfp1\n/ip dhcp-client add interface=ether1")
    assert names(found) == ["sfp1", "ether1"]
    assert found.interface("ether1").addresses == ()


def test_a_renamed_port_has_lost_its_name():
    renamed = "/interface ethernet set [find default-name=ether1] name=WAN"
    text = f"{renamed}\n/ip address add address=10.0.0.1/8 interface=ether1"
    (fault,) = faults(text)
    assert "is called WAN here" in fault.message
    assert (fault.span.line, fault.text[fault.span.column - 1 :]) == (2, "interface=ether1")


def test_addresses():
    found = network(
        """
/ip address
add address=192.168.3.1/24 interface=LAN network=192.168.3.0
add address=192.168.4.1 netmask=255.255.255.0 interface=LAN
add address=192.168.5.1/24 interface=LAN disabled=yes
add address=10.9.9.9 interface=lo
/ipv6 address
add address=2001:db8::1/48 interface=LAN
add address=2001:db8:1::1 interface=LAN advertise=no
"""
    )
    assert found.interface("LAN").addresses == (
        InterfaceAddress(Family.IPV4, address("192.168.3.1"), 24),
        InterfaceAddress(Family.IPV4, address("192.168.4.1"), 24),
        InterfaceAddress(Family.IPV6, address("2001:db8::1"), 48),
        InterfaceAddress(Family.IPV6, address("2001:db8:1::1"), 64),
    )
    assert found.interface("lo").addresses == (InterfaceAddress(Family.IPV4, address("10.9.9.9"), 32),)
    assert found.routes == ()


def test_the_other_end_of_a_line_is_a_route():
    found = network("/ip address add address=203.0.113.6 interface=isp2 network=203.0.113.5")
    (route,) = found.routes
    assert route.prefix == Prefix(Family.IPV4, address("203.0.113.5"), 32)
    assert (route.next_hops, route.distance, route.scope) == ((NextHop(None, "isp2"),), 0, 10)
    assert route.preferred_source == address("203.0.113.6")


def test_a_bridge_has_members():
    found = network(
        """
/interface bridge add name=LAN protocol-mode=rstp
/interface bridge add
/interface bridge port
add bridge=LAN interface=ether2
add bridge=LAN interface=ether3
add bridge=LAN interface=ether4 disabled=yes
/ip address add address=10.0.0.1/24 interface=LAN
"""
    )
    assert found.interface("LAN").members == ("ether2", "ether3")
    assert found.interface("bridge1").members == ()
    assert names(found) == ["LAN", "bridge1", "ether2", "ether3"]


def test_vlans_tunnels_and_lines():
    found = network(
        """
/interface vlan add name=guests vlan-id=20 interface=ether3
/interface pppoe-client add interface=ether1 user=x password=y add-default-route=yes default-route-distance=3
/interface pppoe-client add interface=ether2 user=x max-mtu=1492 name=second disabled=yes
/interface wireless set [ find default-name=wlan1 ] name=air ssid="my net" band=2ghz-b/g/n
/interface wireguard add name=wg0 listen-port=13231 mtu=1420
"""
    )
    assert [(one.name, one.mtu, one.enabled) for one in found.interfaces] == [
        ("guests", 1500, True),
        ("pppoe-out1", 1480, True),
        ("second", 1492, False),
        ("air", 1500, True),
        ("wg0", 1420, True),
        ("ether3", 1500, True),
        ("ether1", 1500, True),
        ("ether2", 1500, True),
    ]
    (route,) = found.routes
    assert (route.prefix.length, route.next_hops, route.distance) == (0, (NextHop(None, "pppoe-out1"),), 3)


def test_settings():
    found = network(
        """
/ip dns set servers=8.8.8.8,202.134.0.155 allow-remote-requests=yes
/ip settings set ipv4-multipath-hash-policy=l4 rp-filter=no
/ip firewall connection tracking set enabled=no tcp-established-timeout=1h
/system identity set name="my router"
/ip firewall filter add chain=input action=drop
/queue simple add name=x target=10.0.0.1/32 max-limit=1M/1M
"""
    )
    assert found.name_servers == (address("8.8.8.8"), address("202.134.0.155"))
    assert (found.multipath_policy, found.tracking, found.hostname) == ("l4", False, "my router")
    assert found.skipped_lines == 2
    assert network("/ip firewall connection tracking set enabled=yes").tracking is True
    plain = network("")
    assert (plain.tracking, plain.version, plain.multipath_policy, plain.hostname) == (None, 7, "l3", "")


@pytest.mark.parametrize(
    ("text", "kind", "words", "highlight"),
    [
        ("/ip address add addres=1.1.1.1/24 interface=x", SyntaxFault, "did you mean address?", "addres="),
        ("/ip address add address=1.1.1.300/24 interface=x", SyntaxFault, "300 is above 255", "address="),
        ("/ip address add address=1.1.1.1/33 interface=x", SyntaxFault, "0 to 32", "address="),
        (
            "/ip address add address=1.1.1.1 netmask=255.0.255.0 interface=x",
            SyntaxFault,
            "no prefix length",
            "netmask=",
        ),
        ("/ip address add address=2001:db8::1/64 interface=x", SyntaxFault, "other address family", "address="),
        ("/ip address add address=1.1.1.1/24 interface=x network=2.2.2.0", Unmodelled, "does not lie in", "network="),
        ("/ip address add address=1.1.1.1/24", SyntaxFault, "add without interface", "/ip"),
        ("/ipv6 address add from-pool=x interface=y address=::1", Unmodelled, "on the running router", "from-pool="),
        ("/ip dns set primary-dns=8.8.8.8", SyntaxFault, "/ip dns has servers=FIRST,SECOND now", "primary-dns"),
        ("/ip dns set allow-remote-request=yes", SyntaxFault, "did you mean allow-remote-requests?", "allow-"),
        ("/ip dns set servers=8.8.8.8.8", SyntaxFault, "not an IPv4 address", "servers="),
        ("/ip dns set servers=2001:4860:4860::8888", Unmodelled, "by IPv6", "servers="),
        ("/ip dns add servers=1.1.1.1", SyntaxFault, "/ip dns has no add: expected set", "/ip"),
        ("/ip settings set rp-filter=strict", Unmodelled, "rp-filter", "rp-filter="),
        ("/ip settings set ip-forward=no", Unmodelled, "does not forward", "ip-forward="),
        ("/ip settings set ipv4-multipath-hash-policy=l5", SyntaxFault, "none of its values", "ipv4-"),
        ("/interface bridge add name=b vlan-filtering=yes", Unmodelled, "filters VLANs", "vlan-filtering="),
        ("/interface bridge settings set use-ip-firewall=yes", Unmodelled, "bridged packets", "use-ip-firewall="),
        ("/ip vrf add name=x interfaces=ether1", Unmodelled, "VRF", "/ip"),
        (
            "/interface list add name=L; /interface bridge add name=b; /interface bridge port add bridge=b interface=L",
            *(Unmodelled, "interface list as a port", "interface=L"),
        ),
        ("/interface bridge filter add chain=forward action=drop", Unmodelled, "bridged frames", "/interface"),
        ("/interface bridge port add bridge=LAN interface=ether1", SyntaxFault, "names no bridge", "bridge=LAN"),
        ("/interface ethernet set ether1 mtu=big", SyntaxFault, "expected a number from 68", "mtu="),
        ("/interface ethernet set ether1 naem=x", SyntaxFault, "did you mean name?", "naem="),
        ("/interface ethernet set sfp1 name=a; /interface ethernet set 3 name=b", Unmodelled, "name the port", "3"),
        ("/interface set 0 name=x", Unmodelled, "name the interface", "0"),
        ("/interface remove ether1", SyntaxFault, "/interface has no remove", "/interface"),
        ("/interface vlan add name=x vlan-id=1", SyntaxFault, "add without interface", "/interface"),
        (
            "/interface bridge add name=x; /interface vlan add name=x vlan-id=2 interface=e",
            SyntaxFault,
            "already",
            "name=x v",
        ),
        ("/ip addr add address=1.1.1.1/24 interface=x", SyntaxFault, "short for another path", "/ip"),
        ("/ip add add address=1.1.1.1/24 interface=x", SyntaxFault, "no command stands here", "/ip"),
        ("/interfac list member x add name=x", SyntaxFault, "did you mean interface?", "/interfac"),
        ("/ip address add address=[:pick $x 1] interface=y", Unmodelled, "running router", "address="),
        (":local wan ether1", Unmodelled, "scripting (:local)", ":local"),
    ],
)
def test_faults_have_a_place(text, kind, words, highlight):
    (fault,) = faults(text)
    assert type(fault) is kind
    assert words in fault.message
    assert fault.text[fault.span.column - 1 :].startswith(highlight)
    assert fault.span.line == 1


def test_every_wrong_word_of_a_statement_is_told():
    found = faults("/ip dns set primary-dns=8.8.8.8 secondary-dns=1.1.1.1 allow-remote-request=yes")
    assert [fault.span.column for fault in found] == [13, 33, 55]
    found = faults("/ip route\nadd ateway=1.1.1.1 distanc=2")
    assert [fault.message.split(";")[1] for fault in found] == [" did you mean gateway?", " did you mean distance?"]
