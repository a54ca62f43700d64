"""A firewall of chains for another: the same chains in the target's places, or a reason why not."""

from __future__ import annotations

import pytest

from compiler.analysis.compilation import compile_tree
from compiler.dialects import read
from compiler.errors import CannotSay
from compiler.fields import Family
from compiler.lowering.options import Fragments, Options
from compiler.lowering.translate import translate

FIREWALL = """\
table inet filter {
 set servers {
  type ipv4_addr
  flags interval
  elements = { 10.0.0.0/24, 10.1.0.5 }
 }
 chain lan {
  tcp dport { 22, 80, 443 } accept
  udp dport 53 return
  ip saddr 10.0.0.9 drop
 }
 chain input {
  type filter hook input priority filter; policy drop;
  iifname "eth0" jump lan
  icmp type echo-request accept
  icmpv6 type { echo-request, nd-neighbor-solicit } accept
 }
 chain forward {
  type filter hook forward priority filter; policy drop;
  iifname "eth0" oifname "eth1" ip daddr @servers goto lan
 }
}
"""
WHOLE = Options(interfaces={"eth0": "ether1", "eth1": "ether2"}, fragments=Fragments.REASSEMBLED)


def test_there_and_back_is_proved():
    there = compile_tree(read(FIREWALL, "fw.nft"), "routeros", WHOLE)
    assert there.report is not None
    assert there.report.holds
    names = {"ether1": "eth0", "ether2": "eth1"}
    back = compile_tree(
        read(there.text, "fw.rsc"), "nftables", Options(interfaces=names, fragments=Fragments.REASSEMBLED)
    )
    assert back.report is not None
    assert back.report.holds
    assert "policy drop" in back.text or "drop" in back.text


def test_a_return_from_a_base_chain_is_its_policy():
    """Regression: RouterOS has no policies, so a return there accepted what nft drops."""
    head = "table ip t {\n chain c {\n  type filter hook forward priority 0; policy drop;\n"
    text = head + "  ip ttl 9 return\n  accept\n }\n}\n"
    result = compile_tree(read(text, "fw.nft"), "routeros", Options())
    assert result.report is not None
    assert result.report.holds
    assert "action=return" not in result.text


def test_chains_keep_their_family_and_place():
    found = translate(read(FIREWALL, "fw.nft"), "routeros", WHOLE)
    assert not found.refusals
    places = {(chain.table, chain.name) for chain in found.ruleset.chains}
    assert places == {(table, name) for table in ("ip filter", "ipv6 filter") for name in ("lan", "input", "forward")}
    six = [chain for chain in found.ruleset.chains if chain.families == {Family.IPV6}]
    assert not any(rule.match.source or rule.match.destination for chain in six for rule in chain.rules)


@pytest.mark.parametrize(
    ("hook", "priority", "why"),
    [("postrouting", 0, "after routing"), ("prerouting", -100, "after connection tracking")],
)
def test_hooks_without_a_place_are_refused(hook, priority, why):
    text = f"table ip t {{\n chain c {{\n  type filter hook {hook} priority {priority};\n  ip ttl 1 drop\n }}\n}}\n"
    refusals = translate(read(text, "fw.nft"), "routeros", Options()).refusals
    assert [refusal for refusal in refusals if why in refusal.why]


@pytest.mark.parametrize("promise", [Fragments.EXACT, Fragments.UNTRACKED])
def test_one_side_that_reassembles_is_no_equal_of_one_that_does_not(promise):
    """Regression: under the promise of no tracking, a tracked RouterOS was tried, and failed only in the proof."""
    text = "/ip firewall filter\nadd chain=forward protocol=tcp dst-port=80 action=drop\n"
    with pytest.raises(CannotSay) as caught:
        compile_tree(read(text, "fw.rsc"), "nftables", Options(fragments=promise))
    assert "reassembles" in caught.value.render()


def test_payload_that_only_nft_reads_is_refused():
    text = "table ip t {\n chain c {\n  type filter hook prerouting priority -450;\n  tcp dport 80 drop\n }\n}\n"
    with pytest.raises(CannotSay) as caught:
        compile_tree(read(text, "fw.nft"), "routeros", Options())
    assert "payload" in caught.value.render()
    guarded = text.replace("  tcp", "  ip frag-off & 0x1fff != 0 accept\n  tcp")
    report = compile_tree(read(guarded, "fw.nft"), "routeros", Options()).report
    assert report is not None
    assert report.holds


def test_unknown_clauses_are_bounded_or_refused():
    text = (
        "table ip t {{\n chain c {{\n  type filter hook prerouting priority -450; policy drop;\n"
        "  ct state established {}\n  ip saddr 10.0.0.1 accept\n }}\n}}\n"
    )
    tree = read(text.format("accept"), "fw.nft", unmodelled="bound")
    result = compile_tree(tree, "routeros", Options())
    assert result.report is not None
    assert result.report.holds
    assert {claim.relation for claim in result.report.claims} == {"narrower"}
    assert "NARROWER" in result.text
    refusals = translate(read(text.format("return"), "fw.nft", unmodelled="bound"), "routeros", Options()).refusals
    assert any("no bound" in refusal.why for refusal in refusals)
