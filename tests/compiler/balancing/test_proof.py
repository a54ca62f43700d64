# ruff: noqa: E501
"""The proof holds for what is written, and fails for each of many ways to break it."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.balancing.ip_batch import read_batch, write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.proof import prove
from compiler.balancing.routeros import write_routeros
from compiler.balancing.view import view_linux, view_routeros
from compiler.balancing.wanted_routes import Lease
from compiler.errors import CannotSay, GerbangError, InputErrors
from compiler.policy.balance import CLASSIFIER_FIELDS
from tests.compiler.balancing.intents import FULL, plan_of, simple


@cache
def full():
    return plan_of(FULL)


@cache
def script(version):
    return write_routeros(full(), version)


@cache
def linux():
    return write_nftables(full()), write_batch(full())


@pytest.mark.parametrize("version", [6, 7])
def test_routeros_is_proved(version):
    proof = prove(full(), view_routeros(script(version), "x.rsc"))
    assert proof.findings == ()
    assert proof.cases > 5_000


def test_linux_is_proved():
    assert prove(full(), view_linux(*linux(), "x")).findings == ()


def test_a_router_without_a_name_keeps_its_own():
    assert "identity" not in write_routeros(plan_of(simple((1, 1))), 7)
    assert "set name=two-isps" in script(7)


@pytest.mark.parametrize("version", [6, 7])
def test_a_second_import_changes_nothing(version):
    once, twice = (view_routeros(script(version) * count, "x.rsc") for count in (1, 2))
    assert [len(chain.rules) for chain in once.ruleset.chains] == [len(chain.rules) for chain in twice.ruleset.chains]
    assert len(once.network.routes) == len(twice.network.routes)
    assert once.network.tables == twice.network.tables
    assert prove(full(), twice).holds


def test_a_second_load_changes_nothing_on_linux():
    rules, batch = linux()
    assert prove(full(), view_linux(rules * 2, batch * 2, "x")).holds
    assert len(read_batch(batch, "x").rules) == len(read_batch(batch * 2, "x").rules)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.sampled_from(["nth", "pcc", "ecmp", "failover"]),
    st.sampled_from(["gentle", "immediate"]),
)
def test_every_small_intent_is_proved(weights, method, failback):
    plan = plan_of(simple(tuple(weights), method, f"failback: {failback}\n"))
    for version in (6,) if method == "ecmp" and len(set(weights)) > 1 else (6, 7):
        assert prove(plan, view_routeros(write_routeros(plan, version), "x.rsc")).findings == ()
    assert prove(plan, view_linux(write_nftables(plan), write_batch(plan), "x")).findings == ()


@pytest.mark.parametrize("fields", CLASSIFIER_FIELDS)
@pytest.mark.parametrize("protocol", ["", "protocol: tcp", "protocol: icmp"])
def test_every_hash_is_proved(fields, protocol):
    """Where there may be no ports to hash, what is left is hashed, or all is one bucket."""
    chosen = f"classes: [{{name: some, to: 198.51.100.0/24, {protocol}{', ' * bool(protocol)}method: pcc, fields: {fields}}}]\n"
    if "icmp" in protocol and "port" in fields:
        with pytest.raises(InputErrors, match="hashes ports, and icmp has none"):
            plan_of(simple((2, 1), "nth", chosen))
        return
    plan = plan_of(simple((2, 1), "nth", chosen))
    assert prove(plan, view_routeros(write_routeros(plan, 7), "x.rsc")).findings == ()
    assert prove(plan, view_linux(write_nftables(plan), write_batch(plan), "x")).findings == ()


LEASED = """
networks: {lan: {interface: LAN, address: 192.168.3.1/24}}
uplinks:
  cable: {interface: ether1, gateway: dhcp, probes: 1.1.1.1, dns: 1.0.0.1}
  cable2: {interface: ether3, gateway: dhcp}
  adsl: {interface: ether2, gateway: pppoe, user: me@isp, password: 'se"$cret', probes: 9.9.9.9}
  adsl2: {interface: ether4, gateway: pppoe, user: you@isp}
method: nth
"""


@pytest.mark.parametrize("version", [6, 7])
def test_leases_and_pppoe(version):
    plan = plan_of(LEASED)
    text = write_routeros(plan, version)
    assert prove(plan, view_routeros(text, "x.rsc")).findings == ()
    assert (
        r"[/ip route find where comment~\"gateway of cable by lease\"] gateway=\$\"gateway-address\" disabled=no"
        in text
    )
    assert r'password="se\"\$cret"' in text


def test_leases_and_pppoe_on_linux():
    """What waits for its lease is written, read back and proved; it is in force once the lease is told."""
    plan = plan_of(LEASED)
    batch = write_batch(plan)
    assert "#? route replace default via {cable} dev" in batch
    assert prove(plan, view_linux(write_nftables(plan), batch, "x")).findings == ()
    lame = "\n".join(line for line in batch.split("\n") if "{cable}" not in line)
    assert prove(plan, view_linux(write_nftables(plan), lame, "x")).findings
    told = write_batch(plan, {"cable": Lease(0x0A630001), "cable2": Lease(0x0A640001)})
    assert "#?" not in told
    assert "via 10.99.0.1 dev" in told
    assert prove(plan, view_linux(write_nftables(plan), told, "x")).findings == ()


def test_pppoe_on_linux():
    """The lines are named by their place: pppoe1, pppoe2."""
    text = "\n".join(line for line in LEASED.split("\n") if "cable" not in line)
    plan = plan_of(text)
    assert prove(plan, view_linux(write_nftables(plan), write_batch(plan), "x")).findings == ()
    assert "route replace default dev pppoe2" in write_batch(plan)


@pytest.mark.parametrize("method", ["nth", "pcc", "ecmp", "failover"])
@pytest.mark.parametrize("version", [6, 7])
def test_more_ports_than_a_rule_holds(method, version):
    """Rules are split; what counts stays one, in a chain of its own."""
    ports = ", ".join([*(str(port) for port in range(1, 40, 2)), "6000-6010"])
    more = f"classes: [{{name: many, protocol: tcp, ports: [{ports}], method: {method}}}]\n"
    more += f"exceptions: [{{protocol: udp, ports: [{ports}], direct: yes}}]\n"
    plan = plan_of(simple((1, 1, 1), "pcc", more))
    text = write_routeros(plan, version)
    assert prove(plan, view_routeros(text, "x.rsc")).findings == ()
    slots = [len(found.split(",")) + found.count("-") for found in re.findall(r"dst-port=(\S+)", text)]
    assert max(slots) <= 15
    assert text.count("nth=3,1") == (method == "nth")


@pytest.mark.parametrize("weights", [(2, 1), (1, 1)])
def test_version_seven_weighs_no_routes(weights):
    plan = plan_of(simple(weights, "ecmp"))
    if weights == (1, 1):
        assert prove(plan, view_routeros(write_routeros(plan, 7), "x.rsc")).holds
        return
    with pytest.raises(CannotSay) as caught:
        write_routeros(plan, 7)
    (refusal,) = caught.value.refusals
    assert str(refusal).startswith("two.yaml:5:1: ecmp with the weights 2, 1: ")
    assert prove(plan, view_routeros(write_routeros(plan, 6), "x.rsc")).holds


MUTATIONS = {
    "no guard against a second count": (r"(add chain=gerbang-inside) connection-mark=no-mark( nth=7,1)", r"\1\2"),
    "no guard at the end": (r"(add chain=gerbang-inside) connection-mark=no-mark( action=mark-connection)", r"\1\2"),
    "ascending counts": (r"nth=7,1", "nth=6,1"),
    "one count too many": (r"nth=3,1", "nth=4,1"),
    "a slot for the wrong uplink": (r"(nth=5,1 action=mark-connection new-connection-mark)=via-\w+", r"\1=via-speedy1"),
    "a missing slot": (r"add chain=gerbang-inside connection-mark=no-mark nth=4,1 .*\n", ""),
    "nobody takes what is left": (r"add chain=gerbang-inside connection-mark=no-mark action=mark-connection .*\n", ""),
    "a wrong denominator": (r"src-address:7/3", "src-address:8/3"),
    "a remainder twice": (r"src-address:7/3", "src-address:7/2"),
    "another hash": (r"src-address:7/3", "dst-address:7/3"),
    "a mark that nobody has": (r"(new-connection-mark=)via-fibre", r"\1via-fiber"),
    "marks swapped at the table": (r"(connection-mark=via-speedy1 action=mark-routing new-routing-mark=)via-speedy1", r"\1via-fibre"),
    "local traffic marked": (r" dst-address-list=!gerbang-local( connection-state=new)", r"\1"),
    "a local network forgotten": (r"add list=gerbang-local address=192.168.4.0/24.*\n", ""),
    "inner networks forgotten": (r"add list=gerbang-local address=10.0.0.0/8.*\n", ""),
    "what is for the router marked": (r" dst-address-type=!local( dst-address-list=!gerbang-local connection-mark=via-fibre)", r"\1"),
    "an exception forgotten": (r"add chain=gerbang-inside .*action=accept.*\n", ""),
    "an exception after the fact": (r"add chain=gerbang-inside .*203.0.113.5 .*\n", ""),
    "an exception for another line": (r"new-connection-mark=only-speedy2", "new-connection-mark=via-speedy2"),
    "the guests' list interface": (r"add list=gerbang-lan interface=GUESTS.*\n", ""),
    "no mark by ingress": (r"add chain=prerouting in-interface=ISP2 .*\n", ""),
    "marks by the wrong ingress": (r"(add chain=prerouting in-interface=ISP2 .*new-connection-mark=)via-speedy2", r"\1via-fibre"),
    "every packet marked by ingress": (r"(in-interface=ISP1) connection-state=new connection-mark=no-mark", r"\1"),
    "answers by a table though from an ISP": (r"in-interface-list=gerbang-lan (dst-address-type=!local dst-address-list=!gerbang-local connection-mark=via-fibre)", r"\1"),
    "no answer of the router by its line": (r"add chain=output .*connection-mark=via-fibre.*\n", ""),
    "the router's own line": (r"(add chain=output .*new-connection-mark=)via-speedy2", r"\1via-speedy1"),
    "probes marked": (r"add chain=output dst-address-list=gerbang-hosts.*\n", ""),
    "no mark by the line that is left by": (r"add chain=gerbang-follow out-interface=ISP3.*\n", ""),
    "a strict mark lost": (r"add chain=gerbang-follow connection-mark=only-speedy2 .*\n", ""),
    "fasttrack takes marked connections": (r"(connection-state=established,related) connection-mark=no-mark( action=fasttrack)", r"\1\2"),
    "strays go on": (r"add chain=forward .*connection-mark=via-fibre action=reject.*\n", ""),
    "no translation": (r"add chain=srcnat out-interface=ISP2.*\n", ""),
    "a port forward to another host": (r"to-addresses=192.168.3.10", "to-addresses=192.168.3.9"),
    "a port forward lost": (r"add chain=dstnat in-interface=ISP3 .*8080.*\n", ""),
    "another port forwarded": (r"dst-port=8080", "dst-port=8080-8081"),
    "a port forward from everywhere": (r"(add chain=dstnat) in-interface=ISP1", r"\1"),
    "a port forward from inside": (r"(add chain=dstnat) in-interface=ISP1", r"\1 in-interface=LAN"),
    "translation for one network only": (r"(add chain=srcnat out-interface=ISP2)", r"\1 src-address=192.168.3.0/24"),
    "translation of what stays inside": (r"(add chain=srcnat) out-interface=ISP2", r"\1"),
    "names for the world by UDP": (r"add chain=input .*protocol=udp .*\n", ""),
    "names for the world by TCP": (r"add chain=input .*protocol=tcp .*\n", ""),
    "no names inside": (r"(add chain=input) in-interface-list=gerbang-wan( protocol=udp)", r"\1\2"),
    "marks changed on the way out": (r"(/ip firewall mangle\n)(?=add)", r"\1add chain=postrouting action=mark-connection new-connection-mark=via-fibre\n"),
    "marks changed on the way in": (r"(/ip firewall mangle\n)(?=add)", r"\1add chain=input action=mark-connection new-connection-mark=via-fibre\n"),
    "a default by a lease": (r"$", "\n/ip dhcp-client\nadd interface=ISP2\n"),
    "known connections marked by ingress": (r"(in-interface=ISP1) connection-state=new( connection-mark=no-mark)", r"\1\2"),
    "a gateway asked by ARP": (r"check-gateway=ping", "check-gateway=arp"),
    "everything dropped": (r"(/ip firewall filter\n)(?=add)", r"\1add chain=forward action=drop\n"),
    "half of the world in main": (r"$", "\n/ip route\nadd dst-address=0.0.0.0/1 gateway=192.168.2.2\n"),
    "a gateway of its own": (r"gateway=192.168.2.2( dst-address=0.0.0.0/0 distance=1)", r"gateway=192.168.2.254\1"),
    "a table without its first choice": (r"add (?=.*(?:routing-table|routing-mark)=via-speedy2 )(?=.*distance=1 ).*\n", ""),
    "choices exchanged": (r"(gateway=192.168.2.2 dst-address=0.0.0.0/0 distance)=1( \S+=via-speedy2)", r"\1=9\2"),
    "an unchecked gateway": (r"(add gateway=192.168.2.2 .*) check-gateway=ping(.*via-speedy2)", r"\1\2"),
    "a probe by the wrong uplink": (r"gateway=192.168.1.1( dst-address=8.8.4.4/32)", r"gateway=192.168.2.2\1"),
    "no route to the probe": (r"add gateway=192.168.1.1 dst-address=8.8.4.4/32.*\n", ""),
    "no blackhole behind a strict line": (r"add .*(?:blackhole=yes|type=blackhole).*\n", ""),
    "an address forgotten": (r"add address=192.168.2.254/24.*\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("version", [pytest.param(6, marks=pytest.mark.long), 7])
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_in_the_script_is_found(name, version):
    pattern, by = MUTATIONS[name]
    broken, count = re.subn(pattern, by, script(version), count=1)
    assert count == 1, "the mutation does not apply"
    try:
        proof = prove(full(), view_routeros(broken, "x.rsc"), most=1)
    except GerbangError:
        return  # not even readable
    assert not proof.holds
    assert any(finding.witness or finding.span.line for finding in proof.findings)


LINUX_MUTATIONS = {
    "the guard": (r"ct mark & 0x3f00 == 0 (numgen inc mod 7)", r"\1"),
    "a counter": (r"numgen inc mod 6", "numgen inc mod 5"),
    "bits of others cleared": (r"ct mark set ct mark & 0xffffc0ff \| 0x200", "ct mark set 0x200"),
    "a mark without its mask": (r"ct mark & 0x3f00 == 0x300", "ct mark == 0x300"),
    "a hash": (r"jhash ip saddr mod 7", "jhash ip saddr mod 6"),
    "hashes without ports": (r"jhash ip saddr \. ip daddr \. th sport \. th dport mod 7", "jhash ip saddr . ip daddr mod 7"),
    "local traffic": (r"ip daddr != @local (ct state new)", r"\1"),
    "the own addresses": (r"fib daddr type != local (ip daddr != @local ct mark)", r"\1"),
    "a forward from everywhere": (r'iifname "ISP1" (tcp dport 8080 dnat)', r"\1"),
    "everything translated": (r'\t\toifname "ISP2" (masquerade)', r"\t\t\1"),
    "masquerade": (r'\t\toifname "ISP2" masquerade.*\n', ""),
    "resets": (r'\t\tiifname \{ "LAN", "GUESTS" \} oifname .* reject .*\n', ""),
}  # fmt: skip
BATCH_MUTATIONS = {
    "main first": (r"rule add priority 1100 .*\n", ""),
    "a rule": (r"rule add priority 1102 .*\n", ""),
    "a rule's mask": (r"(rule add .*)0x300/0x3f00", r"\g<1>0x300/0xffff"),
    "a rule's table": (r"(rule add .*)lookup 20002", r"\g<1>lookup 20001"),
    "a gateway": (r"(via 192.168.2.)2( dev ISP2 metric 1 table 20002)", r"\g<1>254\2"),
    "an order": (r"metric 1 table 20002", "metric 7 table 20002"),
    "a weight": (r"weight 1", "weight 2"),
    "a probe": (r"8.8.4.4/32 via 192.168.1.1 dev ISP1", "8.8.4.4/32 via 192.168.2.2 dev ISP2"),
    "a probe for all": (r"(route replace 8.8.4.4/32 .*) table 20000", r"\1"),
    "the own packets": (r"rule add priority 1099 .*\n", ""),
    "a blackhole": (r"route replace blackhole .*\n", ""),
    "nonsense": (r"route replace default", "route replce default"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "name"), [(0, name) for name in LINUX_MUTATIONS] + [(1, name) for name in BATCH_MUTATIONS]
)
def test_a_fault_in_the_linux_files_is_found(part, name):
    texts = list(linux())
    pattern, by = (LINUX_MUTATIONS, BATCH_MUTATIONS)[part][name]
    texts[part], count = re.subn(pattern, by, texts[part], count=1)
    assert count == 1, "the mutation does not apply"
    try:
        proof = prove(full(), view_linux(*texts, "x"), most=1)
    except GerbangError:
        return
    assert not proof.holds


def test_scopes_of_version_seven():
    """Version 6 resolves a gateway by a route of the same scope, version 7 does not."""
    for version in (6, 7):
        bare = script(version).replace("target-scope=11 ", "")
        assert prove(full(), view_routeros(bare, "x.rsc"), most=1).holds == (version == 6)


@pytest.mark.long
def test_no_line_can_be_dropped():
    """But for the short way of unmarked connections, which is there to be quick, not to be right."""
    lines = script(7).split("\n")
    for number, line in enumerate(lines):
        if not line.startswith("add") or "connections without a mark" in line:
            continue
        broken = "\n".join(lines[:number] + lines[number + 1 :])
        with suppress(GerbangError):
            assert not prove(full(), view_routeros(broken, "x.rsc"), most=1).holds, line


def test_a_finding_has_its_packet():
    broken = script(7).replace("new-connection-mark=only-speedy2", "new-connection-mark=via-fibre", 1)
    finding = prove(full(), view_routeros(broken, "x.rsc"), most=1).findings[0]
    assert "203.0.113.5" in finding.witness
    assert "in by LAN" in finding.witness
    assert "NOT: this traffic (line" in finding.claim
