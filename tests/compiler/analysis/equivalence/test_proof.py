"""Proofs of whole devices and of lists: what is paired, what is claimed, what is an error."""

import pytest

from compiler.analysis.equivalence.proof import DEVICE_THEOREM, LIST_THEOREM, prove
from compiler.dialects import read
from compiler.errors import UsageError
from compiler.policy.packet import Path
from compiler.semantics.lower import machine

BOUND = "interface Ethernet0\n ip access-group {} in\n"
LIST = "ip access-list extended {}\n permit tcp any any eq 80\n deny ip any any\n"


def proof(left: str, right: str, **options):
    """The report over two texts."""
    return prove(machine(read(left, "left")), machine(read(right, "right")), **options)


def test_bound_devices_are_compared_as_devices():
    report = proof(BOUND.format("A") + LIST.format("A"), BOUND.format("B") + LIST.format("B"))
    assert report.holds
    assert report.theorem == DEVICE_THEOREM.format(left="left", right="right")
    assert [claim.what for claim in report.claims] == ["the devices"]


def test_lists_alone_claim_nothing_about_bindings():
    report = proof(LIST.format("A"), LIST.format("A"))
    assert report.holds
    assert report.theorem == LIST_THEOREM
    assert [claim.what for claim in report.claims] == ["list A"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LIST.format("A"), LIST.format("B")),
        (LIST.format("A") + LIST.format("B"), LIST.format("A")),
        (BOUND.format("A") + LIST.format("A") + LIST.format("B"), BOUND.format("A") + LIST.format("A")),
        ("hostname x\n", "hostname y\n"),
    ],
    ids=["other name", "one missing", "one missing beside what is bound", "no list at all"],
)
def test_a_list_without_a_partner_is_never_equal(left, right):
    with pytest.raises(UsageError):
        proof(left, right)


def test_named_pairs_are_compared():
    assert proof(LIST.format("A"), LIST.format("B"), pairs=[("A", "B")]).holds
    other = LIST.format("B").replace("80", "81")
    report = proof(LIST.format("A"), other, pairs=[("A", "B")])
    assert {(witness.left.passes, witness.right.passes) for witness in report.claims[0].witnesses} == {
        (True, False),
        (False, True),
    }
    with pytest.raises(UsageError, match="no list"):
        proof(LIST.format("A"), other, pairs=[("A", "C")])


@pytest.mark.parametrize(
    ("change", "with_"),
    [("80", "81"), ("permit tcp", "permit udp"), (" in\n", " out\n"), ("Ethernet0", "Ethernet1"), ("deny", "permit")],
)
def test_a_difference_has_a_witness_with_both_verdicts(change, with_):
    text = BOUND.format("A") + LIST.format("A")
    report = proof(text, text.replace(change, with_))
    assert not report.holds
    (claim,) = report.claims
    for witness in claim.witnesses:
        assert witness.left.passes != witness.right.passes
    shown = "\n".join(report.lines())
    assert shown.startswith("DISPROVED")
    assert "packet " in shown
    assert "passes" in shown
    assert "stopped" in shown


def test_interfaces_are_mapped():
    left = BOUND.format("A") + LIST.format("A")
    right = left.replace("Ethernet0", "Ethernet9")
    assert not proof(left, right).holds
    report = proof(left, right, interfaces={"Ethernet0": "Ethernet9"})
    assert report.holds
    assert any("Ethernet0 is Ethernet9" in line for line in report.assumptions)


def test_an_interface_of_the_right_with_a_mapped_name_is_its_own():
    """Regression: the right device's own Ethernet0 was compared with the left one's, which is its Ethernet9."""
    left = BOUND.format("A") + LIST.format("A")
    right = left.replace("Ethernet0", "Ethernet9") + BOUND.format("A")
    assert not proof(left, right, interfaces={"Ethernet0": "Ethernet9"}).holds


def test_patterns_that_could_mean_any_interface_are_told_from_all():
    """Regression: ``a*`` was proved equal to every interface."""
    text = "table ip x {{\n chain f {{\n type filter hook forward priority 0; policy accept;\n {}\n }}\n}}\n"
    report = proof(text.format('iifname "a*" drop'), text.format("drop"))
    assert not report.holds
    (witness,) = report.claims[0].witnesses
    assert (witness.left.passes, witness.right.passes) == (True, False)


def test_a_ttl_that_no_packet_can_have_is_no_difference():
    """Regression: behind the router no TTL is 255; the proof took it for a free field."""
    text = "table ip x {{\n chain f {{\n type filter hook forward priority 0; policy accept;\n {}\n }}\n}}\n"
    assert proof(text.format("ip ttl 255 drop"), text.format("ip ttl 255 accept")).holds
    assert not proof(text.format("ip ttl 254 drop"), text.format("ip ttl 254 accept")).holds


def test_two_hooks_see_one_packet():
    """Regression: a witness had one TTL before the router and an unrelated one after it."""
    text = (
        "table ip x {{\n chain e {{\n type filter hook prerouting priority -450; policy accept;\n"
        " ip ttl != {} drop\n }}\n"
        " chain f {{\n type filter hook forward priority 0; policy accept;\n ip ttl != 7 drop\n }}\n}}\n"
    )
    report = proof(text.format(8), text.format(9))
    forwarded = [witness for witness in report.claims[0].witnesses if witness.packet.path is Path.FORWARD]
    assert [(witness.packet.ttl, witness.left.passes) for witness in forwarded] == [(8, True)]


def test_a_narrower_claim_takes_what_passes_less():
    text = BOUND.format("A") + LIST.format("A")
    stricter = text.replace("permit tcp any any eq 80", "permit tcp host 10.0.0.1 any eq 80")
    assert proof(text, stricter, narrower=True).holds
    report = proof(stricter, text, narrower=True)
    assert not report.holds
    assert all(witness.right.passes for witness in report.claims[0].witnesses)


def test_progress_is_told():
    lines = "".join(BOUND.format("A").replace("0\n", f"{number}\n", 1) for number in range(12))
    told = []
    proof(lines + LIST.format("A"), lines + LIST.format("A"), progress=lambda done, all_of: told.append((done, all_of)))
    assert told
    assert all(done <= all_of for done, all_of in told)


def report_of(left: str, right: str, **choices):
    return prove(machine(read(left, "left")), machine(read(right, "right")), **choices)


def test_a_list_name_of_two_families_is_compared_in_both():
    text = "ip access-list extended A\n permit tcp any any\nipv6 access-list A\n permit udp any any\n"
    other = text.replace("udp", "tcp")
    report = report_of(text, other, pairs=(("A", "A"),))
    assert [claim.holds for claim in report.claims] == [True, False]
    with pytest.raises(UsageError, match="same address families"):
        report_of(text, "ip access-list extended A\n permit tcp any any\n", pairs=(("A", "A"),))


def test_chains_of_one_name_in_two_tables_are_two_lists():
    text = (
        "table ip a {\n chain c {\n  tcp dport 80 drop\n }\n}\ntable ip b {\n chain c {\n  tcp dport 443 drop\n }\n}\n"
    )
    assert not report_of(text, text.replace("443", "22")).holds
    assert report_of(text, text).holds
    with pytest.raises(UsageError, match="several chains"):
        report_of(text, text.replace("table ip b", "table ip d").replace("table ip a", "table ip e"))


def test_an_interface_map_is_one_to_one_and_whole():
    two = "ip access-list extended A\n deny ip any any\n"
    for name in ("GigabitEthernet0/1", "GigabitEthernet0/2"):
        two += f"interface {name}\n ip access-group A in\n"
    with pytest.raises(UsageError, match="cannot both be"):
        report_of(two, two, interfaces={"GigabitEthernet0/1": "x", "GigabitEthernet0/2": "x"})
    pattern = 'table ip t {\n chain c {\n  type filter hook input priority 0;\n  iifname "eth*" drop\n }\n}\n'
    with pytest.raises(UsageError, match="pattern"):
        report_of(pattern, pattern, interfaces={"eth*": "lan*"})
    assert not report_of(pattern, pattern, interfaces={"eth0": "wan0"}).holds


def test_a_list_that_only_another_feature_uses_needs_a_partner_too():
    used = "access-list 5 permit any\nsnmp-server community c RO 5\naccess-list 7 permit any\n"
    alone = "access-list 7 permit any\n"
    with pytest.raises(UsageError, match="no partner for list 5"):
        report_of(used, alone)
    bound = "interface GigabitEthernet0/1\n ip access-group 7 in\n"
    report = report_of(bound + used, bound + alone)
    assert report.holds
    assert any("list 5" in line for line in report.assumptions)


def test_many_interfaces_are_compared_part_by_part():
    text = "".join(
        f"interface GigabitEthernet{n // 48}/{n % 48}\n ip access-group I{n % 5} in\n ip access-group O{n % 3} out\n"
        for n in range(300)
    )
    text += "".join(
        f"ip access-list extended I{n}\n deny tcp any any eq {n + 1}\n permit ip any any\n" for n in range(5)
    )
    text += "".join(
        f"ip access-list extended O{n}\n deny udp any any eq {n + 1}\n permit ip any any\n" for n in range(3)
    )
    report = report_of(text, text)
    assert report.holds
    assert report.claims[0].contexts == 4 * (301 * 301 + 2 * 301)
    changed = text.replace("deny udp any any eq 2", "deny udp any any eq 9")
    (claim,) = report_of(text, changed).claims
    assert {witness.packet.destination_port for witness in claim.witnesses} == {2, 9}


def test_a_part_that_another_hides_is_no_difference():
    """Every way out is closed, so what the ways in let pass does not matter."""
    text = """\
interface GigabitEthernet0/1
 ip access-group I in
 ip access-group O out
ip access-list extended I
 permit tcp any any eq 80
ip access-list extended O
 deny ip any any
"""
    report = report_of(text, text.replace("eq 80", "eq 81"))
    assert not report.holds  # to the router, and out by other interfaces, it does matter
    assert all(witness.packet.egress != "GigabitEthernet0/1" for witness in report.claims[0].witnesses)
