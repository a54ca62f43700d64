from __future__ import annotations

import pytest

from compiler.balancing.reading import read_balance
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.placed.addresses import show
from compiler.policy.balance import Addressing, Failback, Method
from tests.compiler.balancing.intents import FULL, simple


def complaints(text):
    with pytest.raises(InputErrors) as caught:
        read_balance(text, "two.yaml")
    return [str(error) for error in caught.value.errors]


def test_a_full_intent():
    balance = read_balance(FULL, "two.yaml")
    assert [uplink.name for uplink in balance.uplinks] == ["speedy1", "speedy2", "fibre"]
    assert [one.method for one in balance.classes] == [
        Method.PCC,
        Method.PCC,
        Method.FAILOVER,
        Method.ECMP,
        Method.ADDRESS_LIST,
        Method.NTH,
    ]
    first = balance.uplinks[0]
    assert [show(Family.IPV4, probe) for probe in first.probes] == ["8.8.4.4", "9.9.9.9"]
    assert (first.download, first.upload) == (3_000_000, 512_000)
    assert balance.exceptions[0].strict
    assert balance.exceptions[1].uplink == ""
    assert balance.forwards[0].uplinks == ("speedy1", "fibre")
    assert balance.failback is Failback.GENTLE
    assert (first.span.source, first.span.line) == ("two.yaml", 6)


def test_dhcp_and_pppoe():
    text = """
networks: {lan: {interface: LAN, address: 192.168.3.1/24}}
uplinks:
  cable: {interface: ether1, gateway: dhcp, probes: 1.1.1.1}
  adsl: {interface: ether2, gateway: pppoe, user: me@isp, password: secret}
method: {METHOD}
failback: immediate
""".replace("{METHOD}", "pcc")
    balance = read_balance(text, "two.yaml")
    assert [uplink.addressing for uplink in balance.uplinks] == [Addressing.DHCP, Addressing.PPPOE]
    assert balance.classes[-1].fields == "both-addresses"


WRONG = [
    ("weight: 1}", "weight: 0}", "3:77: 0 is out of bounds: expected 1 to 1000"),
    ("weight: 1}", "weight: -2}", "-2 is out of bounds"),
    ("weight: 1}", "wieght: 1}", "unknown key 'wieght'; did you mean 'weight'?"),
    ("gateway: 10.1.0.1", "gateway: 10.1.0.2", "the gateway 10.1.0.2 is the router's own address (uplink 'line1')"),
    ("gateway: 10.1.0.1", "gateway: 10.2.0.2", "the gateway 10.2.0.2 is the router's own address (uplink 'line2')"),
    ("gateway: 10.1.0.1", "gateway: 10.9.0.1", "the gateway 10.9.0.1 lies outside 10.1.0.0/24"),
    ("gateway: 10.1.0.1", "gateway: 10.1.0.255", "the gateway 10.1.0.255 is no host's"),
    ("10.1.0.2/24", "10.2.0.9/24", "10.2.0.0/24 overlaps 10.2.0.0/24 of uplink 'line1'"),
    ("192.168.3.1/24", "10.0.0.1/8", "overlaps 10.0.0.0/8 of network 'lan'"),
    ("interface: ISP2", "interface: ISP1", "interface 'ISP1' is already that of uplink 'line1'"),
    ("interface: ISP2", "interface: LAN", "interface 'LAN' is already that of network 'lan'"),
    ("method: nth", "method: nht", "'nht' is not known here; did you mean 'nth'?"),
    ("method: nth", "", "the file has no 'method'"),
    ("method: nth", "method: nth\nfields: src-address", "'fields' are of method pcc, not of nth"),
    ("method: nth", "method: pcc\nfields: both-addresses_and-ports", "did you mean 'both-addresses-and-ports'?"),
    ("method: nth", "method: nth\nexceptions: [{to: 1.2.3.4, via: line9}]", "unknown uplink 'line9'; did you mean"),
    ("method: nth", "method: nth\nexceptions: [{to: 1.2.3.4}]", "an exception says 'via: UPLINK'"),
    ("method: nth", "method: nth\nexceptions: [{via: line1}]", "an exception for everything"),
    ("method: nth", "method: nth\nexceptions: [{to: 1.2.3.4/8, direct: yes}]", "has host bits: meant 1.0.0.0/8?"),
    ("method: nth", "method: nth\nexceptions: [{from: lab, direct: yes}]", "unknown network 'lab'"),
    ("method: nth", "method: nth\nexceptions: [{ports: 80, direct: yes}]", "ports need 'protocol: tcp'"),
    ("method: nth", "method: nth\nclasses: [{name: a, method: ecmp}]", "class 'a' takes everything"),
    ("method: nth", "method: address_list", "address_list: whose addresses?"),
    (
        "method: nth",
        "method: address_list\nmembers: {line1: 192.168.3.0/25, line2: 192.168.3.7}",
        "192.168.3.7 is a member of both 'line1' and 'line2'",
    ),
    ("method: nth", "method: nth\nforwards: [{ports: 80, to: 172.16.0.1}]", "a host that is in none of the networks"),
    (
        "method: nth",
        "method: nth\nforwards: [{ports: 80, to: 192.168.3.7}, {ports: 70-90, to: 192.168.3.8}]",
        "forwarded in line 6 already",
    ),
    ("method: nth", "method: nth\nrouter: {via: nobody}", "unknown uplink 'nobody'"),
    ("method: nth", "method: nth\ninside: [0.0.0.0/0]", "6:10: inside: with this the whole Internet is inside"),
    ("method: nth", "method: nth\ninside: [0.0.0.0/1, 128.0.0.0/1]", "6:21: inside: with this the whole Internet"),
    ("method: nth", "method: nth\ninside: 10.1.0.0/16", "10.1.0.0/16 covers the gateway 10.1.0.1 of uplink 'line1'"),
    ("weight: 1}", "probes: 10.2.0.1}", "the probe 10.2.0.1 is the gateway of uplink 'line2'"),
    ("weight: 1}", "probes: 10.2.0.9}", "the probe 10.2.0.9 lies in the network of uplink 'line2'"),
    ("weight: 1}", "dns: 10.2.0.1}", "the name server 10.2.0.1 is the gateway of uplink 'line2'"),
    (
        "method: nth",
        "method: nth\nclasses: [{name: a, protocol: icmp, method: pcc, fields: src-port}]",
        "6:50: src-port hashes ports, and icmp has none",
    ),
    ("method: nth", "method: nth\nforwards: [{ports: 80, to: 192.168.3.1}]", "a port forward to the router itself"),
    ("method: nth", "method: nth\nfailback: slow", "'slow' is not known here"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_place(old, new, said):
    text = simple((1, 2))
    assert old in text
    found = complaints(text.replace(old, new, 1))
    assert any(said in one for one in found), found
    assert all(one.startswith("two.yaml:") for one in found)


def test_a_probe_lies_not_inside():
    text = simple((1, 2), more="inside: 8.0.0.0/8\n").replace("weight: 1}", "probes: 8.8.8.8}")
    assert complaints(text)[0].startswith("two.yaml:6:9: inside: 8.0.0.0/8 covers the probe 8.8.8.8 of uplink 'line1'")


def test_probes_of_two_uplinks_are_apart():
    text = simple((1, 2)).replace("weight: 1}", "probes: 8.8.8.8}").replace("weight: 2}", "dns: 8.8.8.8}")
    assert any("8.8.8.8 is the probe of uplink 'line1' too" in one for one in complaints(text))


@pytest.mark.parametrize(("weights", "count"), [((1,), 1), ((1,) * 9, 9)])
def test_two_to_eight_uplinks(weights, count):
    assert any(f"{count} uplink" in one and "two to 8" in one for one in complaints(simple(weights)))


def test_weights_with_too_many_slots():
    assert any("1001 slots: at most 128" in one for one in complaints(simple((1000, 1))))
    assert read_balance(simple((1000, 500)), "x").uplinks[0].weight == 1000


def test_classes_with_tables_are_few():
    classes = "\n".join(
        f"  - {{name: c{port}, method: failover, protocol: tcp, ports: {port}}}" for port in range(1, 27)
    )
    assert any("at most 24" in one for one in complaints(simple((1, 1), more=f"classes:\n{classes}\n")))


ALONE = [
    (simple((1, 1)), "3.1/24", "3.0/24", "forwards: [{ports: 80, to: 192.168.3.9}]\n"),
    (simple((1, 1)), "method: nth", "method: nth\nclasses: x", ""),
    (simple((1, 1)), "method: nth", "method: nth\nforwards: [80]", ""),
    (simple((1, 1)), "method: nth", "method: nth\nexceptions: none", ""),
    ("null", "", "", ""),
    ("[1]", "", "", ""),
]


@pytest.mark.parametrize(("text", "old", "new", "more"), ALONE)
def test_one_mistake_is_told_once(text, old, new, more):
    """What follows from it alone is not told too."""
    assert len(complaints(text.replace(old, new, 1) + more)) == 1


def test_a_class_without_anything_is_not_everything():
    found = complaints(simple((1, 1), more="classes: [{}]\n"))
    assert ["has no 'name'" in found[0], "has no 'method'" in found[1], len(found)] == [True, True, 2]


def test_everything_is_told_in_one_go():
    text = simple((1, 2)).replace("weight: 1}", "weight: 0}").replace("10.2.0.1", "10.2.0.2").replace("nth", "nht")
    assert len(complaints(text)) == 3
