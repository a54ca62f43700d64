"""Lists that something else fills: what stands in the text is not all that they hold."""

import pytest

from compiler.dialects.routeros.reader import read
from compiler.errors import InputErrors, Unmodelled
from compiler.policy.match import InterfaceSet
from compiler.policy.ruleset import Verdict

STATIC = """
/ip firewall address-list
add list=clients address=10.0.0.1
/interface list
add name=WAN
/interface list member
add list=WAN interface=ether1
"""
BY_ADDRESS = """
/ip firewall raw
add chain=c action=drop src-address-list=clients
"""
BY_INTERFACE = """
/ip firewall raw
add chain=c action=drop in-interface-list=WAN
"""
FILL_ADDRESSES = [
    "/ppp profile add name=p address-list=clients",
    "/ip dhcp-server lease add address=10.0.0.9 address-lists=staff,clients",
    "/ip dns static add name=a.example address-list=clients",
    "/ip hotspot user profile set [find default=yes] address-list=clients",
    "/ip firewall mangle add chain=prerouting action=add-src-to-address-list address-list=clients",
    '/system scheduler add name=s on-event="/ip firewall address-list add list=clients address=10.0.0.7"',
    "/system script add name=s source={/ip firewall address-list; add list=\\\n clients address=10.0.0.7}",
    '/ppp profile add name=p on-up=":local l clients; /ip/firewall/address-list/add list=\\$l address=10.0.0.7"',
    "/ppp profile\nadd name=p disabled=yes address-list=clients\nenable 0",
]
FILL_INTERFACES = [
    "/ppp profile add name=p interface-list=WAN",
    "/interface detect-internet set wan-interface-list=WAN",
    "/caps-man datapath add name=d interface-list=WAN",
    "/interface wifi configuration add name=c datapath.interface-list=WAN",
    '/system scheduler add on-event="/interface list member add list=WAN interface=ether5"',
]
USES = [
    "/ip neighbor discovery-settings set discover-interface-list=WAN",
    "/tool mac-server set allowed-interface-list=WAN",
    "/ip firewall nat add chain=srcnat out-interface-list=WAN src-address-list=clients",
    "/interface detect-internet set detect-interface-list=WAN internet-interface-list=none",
    "/ppp profile add name=p address-list=others disabled=yes",
    "/ppp profile add name=p address-list=clients disabled=yes",
    "/ppp profile print where address-list=clients",
    '/system scheduler add on-event="/log info clients"',
]


def doubts(text):
    with pytest.raises(InputErrors) as caught:
        read(text, "t")
    assert all(isinstance(fault, Unmodelled) for fault in caught.value.errors)
    return [fault.message for fault in caught.value.errors]


@pytest.mark.parametrize("fill", FILL_ADDRESSES)
@pytest.mark.parametrize("rows", [STATIC, ""])
@pytest.mark.parametrize("last", [False, True])
def test_address_lists_that_are_filled(fill, rows, last):
    parts = [rows, BY_ADDRESS, fill] if last else [fill, rows, BY_ADDRESS]
    (why,) = doubts("\n".join(parts))
    assert "address list clients" in why


@pytest.mark.parametrize("fill", FILL_INTERFACES)
def test_interface_lists_that_are_filled(fill):
    (why,) = doubts("\n".join([fill, STATIC, BY_INTERFACE]))
    assert "interface list WAN" in why


def test_a_list_that_includes_a_filled_one():
    text = STATIC + "/interface list add name=OUT include=WAN\n/ppp profile add interface-list=WAN"
    (why,) = doubts(text + BY_INTERFACE.replace("=WAN", "=!OUT"))
    assert "interface list WAN" in why


@pytest.mark.parametrize("use", USES)
def test_what_only_uses_a_list_raises_no_doubt(use):
    ruleset = read("\n".join([use, STATIC, BY_ADDRESS, BY_INTERFACE]), "t")
    first, second = ruleset.chain("ip raw", "c").rules
    assert list(first.match.source.runs()) == [(0x0A000001, 0x0A000001)]
    assert second.match.ingress == InterfaceSet.only("ether1")


@pytest.mark.parametrize("name", ["none-such", "!none-such"])
def test_an_address_list_without_rows_is_unknown(name):
    (why,) = doubts(f"/ip firewall raw add chain=c action=drop src-address-list={name}")
    assert why == "the address list none-such is not defined in this text: give /ip firewall address-list too"
    (why,) = doubts(f"/ipv6 firewall raw add chain=c action=drop src-address-list={name}")
    assert "/ipv6 firewall address-list" in why


def test_a_row_that_is_disabled_defines_its_list():
    text = "/ip firewall address-list add list=clients address=10.0.0.1 disabled=yes"
    (only,) = read(text + BY_ADDRESS, "t").chains[0].rules
    assert only.match.source.is_empty


def test_bounded_rules_keep_the_clause():
    fill = "/ppp profile add name=p address-list=clients"
    (only,) = read(fill + STATIC + BY_ADDRESS, "t", unmodelled="bound").chains[0].rules
    assert (only.verdict, only.match.source) == (Verdict.DROP, None)
    assert [clause.text for clause in only.unmodelled] == ["src-address-list=clients"]


def test_a_list_that_only_the_router_can_name():
    (why,) = doubts("/ppp profile add name=p address-list=$which")
    assert "address-list=$which can only be known on a running router" in why


@pytest.mark.parametrize("name", ["dynamic", "static", "none", "all-ppp"])
@pytest.mark.parametrize("sign", ["", "!"])
def test_groups_are_no_interfaces(name, sign):
    (why,) = doubts(f"/ip firewall raw add chain=c action=drop in-interface={sign}{name}")
    assert "stands for the interfaces of a kind" in why


@pytest.mark.parametrize("member", ["all", "dynamic", "all-vlan"])
def test_groups_as_members(member):
    text = f"/interface list add name=WAN\n/interface list member add list=WAN interface={member}"
    (why,) = doubts(text + BY_INTERFACE)
    assert f"holds {member}" in why


@pytest.mark.parametrize("words", ["in-interface=all", "in-interface-list=all"])
def test_no_interface_is_known_on_the_way_out(words):
    (why,) = doubts(f"/ip firewall filter add chain=output action=drop {words}")
    assert "cannot match in chain output" in why
