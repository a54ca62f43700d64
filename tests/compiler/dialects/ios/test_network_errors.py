"""Every wrong line about the network: an error at the very word."""

import pytest

from compiler.dialects.ios.network import read_network
from compiler.errors import InputErrors, SyntaxFault, Unmodelled

PORTS = """\
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.0.1.1 255.255.255.0
"""


def errors(text):
    with pytest.raises(InputErrors) as caught:
        read_network(text, "r1.cfg")
    return caught.value.errors


def check(text, line, column, part, kind=SyntaxFault):
    (error,) = errors(text)
    assert (error.span.line, error.span.column) == (line, column), error.render()
    assert part in error.message
    assert type(error) is kind
    assert error.render().startswith(f"r1.cfg:{line}:{column}: ")


INTERFACE = [
    ("ip address", 12, "the line ends here; expected an IPv4 address A.B.C.D, dhcp or negotiated"),
    ("ip address 10.0.0.5", 21, "the line ends here; expected a netmask"),
    ("ip address 10.0.0.5/24", 13, "IOS wants '10.0.0.5 255.255.255.0'"),
    ("ip address 10.0.0 255.255.255.0", 13, "3 octets instead of 4"),
    ("ip address 10.0.0.256 255.255.255.0", 13, "is not an address"),
    ("ip address dchp", 13, "expected an IPv4 address A.B.C.D, dhcp or negotiated"),
    ("ip address 10.0.0.5 0.0.0.255", 22, "did you mean 255.255.255.0?"),
    ("ip address 10.0.0.5 255.0.255.0", 22, "is not a netmask"),
    ("ip address 10.0.0.5 0.0.0.0", 22, "no mask of an interface"),
    ("ip address 10.0.0.0 255.255.255.0", 13, "is the network of its own /24"),
    ("ip address 10.0.0.255 255.255.255.0", 13, "is the broadcast address of its own /24"),
    ("ip address 224.0.0.5 255.255.255.0", 13, "not the address of a host"),
    ("ip address 127.0.0.1 255.0.0.0", 13, "not the address of a host"),
    ("ip address 10.0.0.5 255.255.255.0 third", 36, "too much"),
    ("ip address 10.0.0.5 255.255.255.0 secondary", 13, "a secondary address and no primary one"),
    ("no ip address 10.0.0.5 255.255.255.0", 16, "no such address"),
    ("ipv6 address 2001:db8::1", 15, "expected an IPv6 address X:X::X/LENGTH"),
    ("ipv6 address 2001:db8::1/129", 15, "expected an IPv6 address X:X::X/LENGTH"),
    ("ipv6 address 2001:db8::/64", 15, "RFC 4291"),
    ("ipv6 address ff02::1/64", 15, "not a global address of a host"),
    ("no ipv6 address 2001:db8::1/64", 18, "no such address"),
    ("mtu 20", 6, "expected 64 to 18000"),
    ("ip mtu x", 9, "expected 68 to 1000000"),
    ("ip mtu 1600", 9, "above the MTU of GigabitEthernet0/2, which is 1500"),
    ("ip nat insde", 9, "did you mean 'inside'?"),
    ("ip policy routemap X", 12, "did you mean 'route-map'?"),
    ("ip policy route-map NONE", 22, "there is no route map NONE"),
    ("ip unreachables all", 18, "too much"),
    ("shutdown now", 11, "too much"),
    ("ip adress 10.0.0.5 255.255.255.0", 5, "did you mean 'address'?"),
    ("shutdwon", 2, "did you mean 'shutdown'?"),
    ("no shutdwn", 5, "did you mean 'shutdown'?"),
]


@pytest.mark.parametrize(("text", "column", "part"), INTERFACE)
def test_interface(text, column, part):
    check(f"interface GigabitEthernet0/2\n {text}\n", 2, column, part)


OUTSIDE_INTERFACE = [
    ("ip unnumbered Loopback0", 5, "borrows"),
    ("ip vrf forwarding RED", 2, "VRF"),
    ("vrf forwarding RED", 2, "VRF"),
    ("ip nat enable", 9, "NVI"),
    ("ip load-sharing per-packet", 5, "several ways"),
    ("ipv6 address fe80::1 link-local", 15, "link-local"),
    ("ipv6 address 2001:db8::/64 eui-64", 15, "whole address"),
    ("ipv6 address PREFIX ::1/64", 15, "general prefix"),
    ("ipv6 policy route-map X", 7, "policy routing of IPv6"),
    ("ipv6 mtu 1280", 7, "for IPv6 alone"),
    ("default ip address", 2, "say 'no'"),
]


@pytest.mark.parametrize(("text", "column", "part"), OUTSIDE_INTERFACE)
def test_interface_outside_the_model(text, column, part):
    check(f"interface GigabitEthernet0/2\n {text}\n", 2, column, part, Unmodelled)


GLOBAL = [
    ("ip route", 9, "expected a network A.B.C.D"),
    ("ip route 10.5.0.0", 18, "expected a netmask"),
    ("ip route 10.5.0.1 255.255.0.0 10.0.0.2", 10, "did you mean 10.5.0.0?"),
    ("ip route 10.5.0.0 0.0.255.255 10.0.0.2", 19, "did you mean 255.255.0.0?"),
    ("ip route 10.5.0.0 255.255.0.0", 30, "expected a next hop A.B.C.D, an interface, or both"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.300", 31, "is not an address"),
    ("ip route 10.5.0.0 255.255.0.0 255.255.255.255", 31, "not the address of a host"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.1", 31, "this router's own address, of GigabitEthernet0/0"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 256", 40, "expected 1 to 255"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 5 6", 42, "'distance' is given twice"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 name", 44, "the name of the route"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 tag 0", 44, "expected 1 to 4294967295"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 permanet", 40, "did you mean 'permanent'?"),
    ("ip route 10.5.0.0 255.255.0.0 Null0 10.0.0.2", 37, "expected a distance"),
    ("ip route 10.5.0.0 255.255.0.0 Gi0/5 10.0.0.2", 31, "there is no interface GigabitEthernet0/5"),
    ("no ip route 10.5.0.0 255.255.0.0", 4, "there is no such route"),
    ("ip rotue 10.5.0.0 255.255.0.0 10.0.0.2", 4, "did you mean 'route'?"),
    ("ipv6 route 2001:db8::1/64 2001:db8:1::1", 12, "bits outside its /64"),
    ("ipv6 route 2001:db8::/64 fe80::1", 26, "link-local: expected its interface"),
    ("ipv6 route 2001:db8::/64 10.0.0.2", 26, "expected a next hop X:X::X"),
    ("ip name-server", 15, "the address of a name server"),
    ("ip name-server ::1:5", 16, "name server"),
    ("no ip name-server 10.0.0.9", 19, "there is no name server"),
    ("ip address 10.0.0.1 255.255.255.0", 1, "outside of any interface"),
    ("ip nat inside", 1, "outside of any interface"),
    ("interfaec Gi0/3", 1, "did you mean 'interface'?"),
    ("interface", 10, "the name of an interface"),
    ("R1(config)# interface Gi0/3", 1, "a prompt stands before the command"),
    ("route-map", 10, "the name of a route map"),
    ("route-map X allow 10", 13, "expected permit, deny"),
    ("route-map X permit 70000", 20, "0 to 65535"),
    ("no route-map X", 14, "there is no route map X"),
    ("ip nat insid source list 1 pool P", 8, "did you mean 'inside'?"),
    ("ip nat inside source", 21, "expected static, list or route-map"),
    ("ip nat inside sauce list 1 pool P", 15, "did you mean 'source'?"),
    ("ip nat inside source list 1 pol P", 29, "did you mean 'pool'?"),
    ("ip nat inside source list 1 pool P overlaod", 36, "did you mean 'overload'?"),
    ("ip nat inside source list 1 pool NONE", 34, "there is no pool NONE"),
    ("ip nat inside source list 1 interface Gi0/7", 39, "there is no interface GigabitEthernet0/7"),
    ("ip nat inside source list 1 interface overload", 39, "the name of an interface"),
    ("ip nat inside source route-map NONE interface Gi0/0", 32, "there is no route map NONE"),
    ("ip nat inside source static 10.0.0.300 192.0.2.1", 29, "is not an address"),
    ("ip nat inside source static 10.0.0.3", 37, "a global address A.B.C.D, or interface"),
    ("ip nat inside source static tcp 10.0.0.3 0 192.0.2.1 80", 42, "expected 1 to 65535"),
    ("ip nat inside source static tcp 10.0.0.3 80 192.0.2.1", 54, "a port"),
    ("ip nat inside source static tcp 10.0.0.3 wwww 192.0.2.1 80", 42, "did you mean 'www'?"),
    ("ip nat inside source static 10.0.0.3 192.0.2.1 extendible", 48, "did you mean 'extendable'?"),
    ("ip nat inside source static network 10.0.0.3 192.0.2.0 /28", 37, "bits outside its /28"),
    ("ip nat inside source static network 10.0.0.0 192.0.2.0 /33", 56, "/1 to /32"),
    ("ip nat pool P 192.0.2.9 192.0.2.5 netmask 255.255.255.0", 25, "below the first"),
    ("ip nat pool P 192.0.2.1 192.0.3.5 prefix-length 24", 15, "not in one /24"),
    ("ip nat pool P 192.0.2.1 192.0.2.5 mask 255.255.255.0", 35, "netmask or prefix-length"),
    ("no ip nat pool P", 16, "there is no pool P"),
    ("no ip nat inside source list 1 pool P", 25, "no such translation"),
    ("no ip nat inside source static 10.0.0.3 192.0.2.1", 32, "no such translation"),
    ("ip default-gateway x", 20, "the address of the gateway"),
    ("ip cef load-sharing algorithm ports", 31, "include-ports"),
]


@pytest.mark.parametrize(("text", "column", "part"), GLOBAL)
def test_global(text, column, part):
    check(f"{PORTS}{text}\n", 5, column, part)


OUTSIDE = [
    ("ip route vrf RED 10.5.0.0 255.255.0.0 10.0.0.2", 10, "VRF"),
    ("ip route 0.0.0.0 0.0.0.0 dhcp", 26, "from a server"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 track 1", 40, "tracked objects"),
    ("ip route 10.5.0.0 255.255.0.0 10.0.0.2 global", 40, "VRF"),
    ("no ip routing", 1, "is a host"),
    ("ip default-network 10.0.0.0", 1, "ip route 0.0.0.0"),
    ("ip local policy route-map X", 1, "own packets"),
    ("ip name-server vrf RED 10.0.0.2", 16, "VRF"),
    ("ip nat inside destination list 1 pool P", 15, "load distribution"),
    ("ip nat inside source static 10.0.0.3 192.0.2.1 route-map X", 48, "some packets only"),
    ("ip nat inside source static esp 10.0.0.3 interface Gi0/0", 29, "tcp and udp"),
    ("ip nat outside source list 1 pool P", 23, "static entries"),
    ("ip nat outside source static 10.9.9.9 10.0.0.9 add-route", 48, "ip route"),
    ("ip nat source list 1 interface Gi0/0", 8, "NVI"),
    ("ip nat pool P netmask 255.255.255.0", 15, "several ranges"),
    ("ip nat pool P 192.0.2.1 192.0.2.5 prefix-length 24 type rotary", 52, "the router's own way"),
    ("ip cef load-sharing algorithm include-ports source", 8, "one of the ports"),
    ("no interface Gi0/1", 1, "physical"),
    ("no interface range Gi0/0 - 1", 1, "range"),
    ("default ip route 10.5.0.0 255.255.0.0", 1, "say 'no'"),
]


@pytest.mark.parametrize(("text", "column", "part"), OUTSIDE)
def test_global_outside_the_model(text, column, part):
    check(f"{PORTS}{text}\n", 5, column, part, Unmodelled)


POLICY = "interface Gi0/2\n ip policy route-map X\nroute-map X permit 10\n"

CLAUSES = [
    ("match length 3 50", 2, "match ip address", Unmodelled),
    ("match ip address prefix-list P", 2, "does not look at packets", Unmodelled),
    ("match interface Gi0/2", 2, "chooses the interface", Unmodelled),
    ("set ip precedence 5", 2, "set ip next-hop", Unmodelled),
    ("set ip next-hop recursive 10.0.0.2", 18, "not a neighbour", Unmodelled),
    ("set ip next-hop verify-availability 10.0.0.2 10 track 1", 18, "tracked objects", Unmodelled),
    ("set ip next-hop", 17, "the address of a next hop", SyntaxFault),
    ("set ip next-hop 10.0.0.2 10.0.0", 27, "3 octets", SyntaxFault),
    ("set interface Gi0/9", 16, "no interface GigabitEthernet0/9", SyntaxFault),
    ("match ip address", 18, "the name of a list", SyntaxFault),
    ("macth ip address 1", 2, "did you mean 'match'?", SyntaxFault),
    ("continue 20", 2, "is not modelled", Unmodelled),
    ("no match ip address 1", 5, "no such line", SyntaxFault),
]


@pytest.mark.parametrize(("text", "column", "part", "kind"), CLAUSES)
def test_route_map_of_policy_routing(text, column, part, kind):
    check(f"{POLICY} {text}\n", 4, column, part, kind)


def test_a_route_map_that_routes_no_packets_is_not_read():
    network = read_network("route-map BGP permit 10\n match as-path 1\n set ip next-hop peer-address\n", "r1.cfg")
    assert network.route_maps == ()
    assert network.skipped_lines == 3


def test_overlaps():
    text = PORTS + "interface GigabitEthernet0/2\n ip address 10.0.1.129 255.255.255.128\n"
    check(text, 6, 13, "10.0.1.128/25 overlaps with GigabitEthernet0/1 (line 4)")
    down = read_network(text + " shutdown\n", "r1.cfg")
    assert [one.enabled for one in down.interfaces] == [True, True, False]
    six = "interface Gi0/0\n ipv6 address 2001:db8::1/64\ninterface Gi0/1\n ipv6 address 2001:db8::2/64\n"
    check(six, 4, 15, "2001:db8::/64 overlaps with GigabitEthernet0/0")


def test_a_global_address_has_one_host():
    text = PORTS + "ip nat inside source static tcp 10.0.0.3 80 192.0.2.1 80\n"
    check(text + "ip nat inside source static tcp 10.0.0.4 80 192.0.2.1 80\n", 6, 29, "10.0.0.3 on line 5")
    other = read_network(text + "ip nat inside source static udp 10.0.0.4 80 192.0.2.1 80\n", "r1.cfg")
    assert len(other.static_translations) == 2


def test_all_errors_in_order():
    text = "interface Gi0/0\n mtu 1\nip route 1.0.0.0 255.0.0.0\n!\nip nat pool P\n"
    assert [error.span.line for error in errors(text)] == [2, 3, 5]


def test_an_interface_range_has_no_lines_of_its_own():
    found = errors("interface range Gi0/0 - 3\n description x\n speed 100\n no shutdown\n")
    assert [(error.span.line, type(error)) for error in found] == [(2, Unmodelled), (4, Unmodelled)]


def test_other_systems():
    (error,) = errors("ip access-list WEB\n 10 permit ip any any\ninterface Ethernet1/1\n ip address 10.0.0.1/24\n")
    assert "Cisco NX-OS" in error.message
