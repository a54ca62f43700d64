"""A whole compile: text in, proved text out, or a refusal that says why."""

from __future__ import annotations

import pytest

from compiler.analysis.compilation import FailedProof, compile_tree
from compiler.dialects import read
from compiler.errors import CannotSay, UsageError
from compiler.lowering.options import Deny, Fragments, Options, Placement

BOUND = """\
interface GigabitEthernet0/1
 ip access-group OUTSIDE out
interface GigabitEthernet0/2
 ip access-group INSIDE in
ip access-list extended INSIDE
 10 deny tcp 172.16.0.0 0.0.255.248 host 10.0.0.2 eq ftp
 20 permit tcp any any established
 30 permit udp any range 1000 2000 any neq 53 log
 40 permit icmp any any unreachable
 50 deny ip any 10.0.0.0 0.255.0.255
 60 permit ip any any
ip access-list extended OUTSIDE
 10 deny ip any host 10.0.0.9
 20 permit ip any any
"""
NAMES = {
    "ios": {},
    "nftables": {"GigabitEthernet0/1": "wan", "GigabitEthernet0/2": "lan"},
    "routeros": {"GigabitEthernet0/1": "ether1", "GigabitEthernet0/2": "ether2"},
}


def compiled(text: str, target: str, **choices):
    choices.setdefault("interfaces", NAMES[target])
    return compile_tree(read(text, "source"), target, Options(**choices))


@pytest.mark.parametrize("target", NAMES)
def test_every_target_is_proved(target):
    result = compiled(BOUND, target)
    assert result.report is not None
    assert result.report.holds
    assert any("PROVED" in line for line in result.report.lines())


@pytest.mark.parametrize("target", NAMES)
def test_compiling_the_output_again_changes_nothing_that_matters(target):
    first = compiled(BOUND, target)
    back = {there: there for there in NAMES[target].values()}
    second = compile_tree(read(first.text, "first"), target, Options(interfaces=back))
    assert second.report is not None
    assert second.report.holds


@pytest.mark.parametrize("middle", ["nftables", "routeros"])
def test_there_and_back_to_ios(middle):
    there = compiled(BOUND, middle)
    names = {name: ios for ios, name in NAMES[middle].items()}
    back = compile_tree(read(there.text, "middle"), "ios", Options(interfaces=names))
    assert back.report is not None
    assert back.report.holds


@pytest.mark.parametrize("target", ["nftables", "routeros"])
def test_an_unmapped_interface_is_asked_for(target):
    with pytest.raises(UsageError, match=r"--interface GigabitEthernet0/1=NAME --interface GigabitEthernet0/2=NAME"):
        compiled(BOUND, target, interfaces={})


def test_an_unknown_interface_is_an_error():
    with pytest.raises(UsageError, match="did you mean GigabitEthernet0/2"):
        compiled(BOUND, "nftables", interfaces={**NAMES["nftables"], "gi0/22": "x"})


def test_without_proof_the_output_says_so():
    result = compile_tree(read(BOUND, "source"), "nftables", Options(interfaces=NAMES["nftables"]), prove=False)
    assert result.report is None
    assert "NOT PROVED" in result.text


@pytest.mark.parametrize("target", ["nftables", "routeros"])
def test_an_out_list_that_looks_at_layer_4_has_no_exact_place(target):
    text = BOUND.replace("10 deny ip any host 10.0.0.9", "10 deny tcp any host 10.0.0.9 eq 25")
    with pytest.raises(CannotSay) as caught:
        compiled(text, target)
    (refusal,) = caught.value.refusals
    assert "--fragments" in refusal.why
    whole = compiled(text, target, fragments=Fragments.REASSEMBLED)
    assert whole.report is not None
    assert whole.report.holds
    assert any("fragments" in line for line in whole.report.assumptions)


def test_untracked_nftables_decides_fragments_of_out_lists():
    text = BOUND.replace("10 deny ip any host 10.0.0.9", "10 permit tcp any host 10.0.0.9 eq 25")
    text = text.replace("20 permit ip any any\n", "20 deny ip any any\n")
    result = compiled(text, "nftables", fragments=Fragments.UNTRACKED)
    assert result.report is not None
    assert result.report.holds
    assert "frag-off" in result.text


def test_out_lists_behind_address_translation_are_refused():
    with pytest.raises(CannotSay, match="cannot say"):
        compiled("interface GigabitEthernet0/9\n ip nat outside\n" + BOUND, "routeros")


@pytest.mark.parametrize("target", ["nftables", "routeros"])
def test_filter_placement_covers_forwarded_and_local_packets(target):
    text = BOUND.replace(" ip access-group OUTSIDE out\n", "")
    result = compiled(
        text,
        target,
        interfaces={"GigabitEthernet0/2": "ether2"},
        placement=Placement.FILTER,
        fragments=Fragments.REASSEMBLED,
        deny=Deny.REJECT,
    )
    assert result.report is not None
    assert result.report.holds
    assert "reject" in result.text


def test_raw_cannot_reject():
    text = BOUND.replace(" ip access-group OUTSIDE out\n", "")
    with pytest.raises(CannotSay) as caught:
        compiled(text, "routeros", interfaces={"GigabitEthernet0/2": "ether2"}, deny=Deny.REJECT)
    assert "--place filter" in caught.value.render()


def test_an_address_list_above_the_limit_is_refused_and_its_size_told_before():
    heard: list[str] = []
    with pytest.raises(CannotSay, match="cannot say"):
        compile_tree(
            read(BOUND, "source"),
            "routeros",
            Options(interfaces=NAMES["routeros"], address_limit=100),
            announce=heard.append,
        )
    assert any("8,192" in line for line in heard)


def test_a_bound_is_narrower_proved_and_listed():
    result = compiled(BOUND, "routeros", address_limit=100, bound=True)
    assert result.report is not None
    assert result.report.holds
    assert {claim.relation for claim in result.report.claims} == {"narrower"}
    assert result.refusals
    assert "NARROWER" in result.text


def test_unmodelled_clauses_are_bounded_on_request():
    text = "ip access-list extended X\n permit tcp any any reflect MIRROR\n permit ip host 10.0.0.1 any\n"
    tree = read(text, "source", unmodelled="bound")
    result = compile_tree(tree, "nftables", Options())
    assert result.report is not None
    assert result.report.holds
    assert "10.0.0.1" in result.text
    assert "reflect" in result.text  # the header tells what is missing


def test_lists_that_other_features_use_are_left_out_with_a_note():
    text = "access-list 5 permit 10.0.0.0 0.0.0.255\nsnmp-server community public RO 5\naccess-list 7 permit any\n"
    result = compile_tree(read(text, "source"), "nftables", Options())
    assert "acl-7" in result.text
    assert "acl-5" not in result.text
    assert any("list 5" in note for note in result.notes)
    chosen = compile_tree(read(text, "source"), "nftables", Options(lists=("5",)))
    assert "acl-5" in chosen.text


def test_without_bindings_only_the_lists_are_claimed():
    result = compile_tree(read("access-list 101 permit tcp any any eq 80\n", "source"), "routeros", Options())
    assert result.report is not None
    assert "nothing is claimed about where they are bound" in result.report.theorem


def test_a_firewall_for_every_interface_cannot_be_lifted():
    text = (
        "table inet f {\n chain c {\n type filter hook forward priority 0; policy drop;\n tcp dport 22 accept\n }\n}\n"
    )
    with pytest.raises(CannotSay) as caught:
        compile_tree(read(text, "source"), "ios", Options())
    assert "every interface" in caught.value.render()


def test_lifting_keeps_fragments_apart_where_ios_would_let_them_pass():
    text = """table ip f {
 chain l { ip frag-off & 0x1fff != 0 drop
  tcp dport 22 return
  drop
 }
 chain c { type filter hook prerouting priority -450; policy accept
  iifname "lan" jump l
 }
}
"""
    result = compile_tree(read(text, "source"), "ios", Options(interfaces={"lan": "GigabitEthernet0/1"}))
    assert result.report is not None
    assert result.report.holds
    assert "fragments" in result.text


def test_later_fragments_that_reach_a_port_match_cannot_be_lifted():
    """What nft reads there is the fragment's payload (seen in the kernel)."""
    text = """table ip f {
 chain l { tcp dport 22 return
  drop
 }
 chain c { type filter hook prerouting priority -450; policy accept
  iifname "lan" jump l
 }
}
"""
    with pytest.raises(CannotSay) as caught:
        compile_tree(read(text, "source"), "ios", Options(interfaces={"lan": "GigabitEthernet0/1"}))
    assert "payload" in caught.value.render()


def test_a_wrong_writer_is_caught_and_nothing_is_returned(monkeypatch):
    from compiler.dialects.nftables import writer

    right = writer.write
    monkeypatch.setattr(writer, "write", lambda ruleset: right(ruleset).replace("dport 21", "dport 22"))
    with pytest.raises(FailedProof) as caught:
        compiled(BOUND, "nftables")
    assert caught.value.exit_code == 1
    assert ":21" in caught.value.render() or ":22" in caught.value.render()
