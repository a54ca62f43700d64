"""A review: which files are configurations, what changed in each, and by which lines of the new text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.analysis.review.files import ChangedFile, Version, is_configuration
from compiler.analysis.review.outcome import Verdict
from compiler.analysis.review.reviewing import review, review_file
from compiler.dialects import read
from compiler.fields import Family
from compiler.policy.packet import Packet
from compiler.policy.packet_text import parse_packet
from compiler.semantics.decision import context_of, decide
from compiler.semantics.lower import machine

HEAD = "hostname edge\ninterface Gi0/1\n ip access-group A in\nip access-list extended A\n"
WEB = HEAD + " permit tcp any any eq 80\n"


def changed(old: str | None, new: str | None, path: str = "edge.cfg", **more) -> ChangedFile:
    versions = [
        None if text is None else Version(name, text.encode()) for text, name in ((old, f"main:{path}"), (new, path))
    ]
    return ChangedFile(path, *versions, **more)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (WEB, WEB.replace("eq 80", "range 80 80"), Verdict.EQUAL),
        (WEB, WEB.replace("eq 80", "eq 80 443"), Verdict.WIDER),
        (WEB.replace("eq 80", "eq 80 443"), WEB, Verdict.NARROWER),
        (WEB, WEB.replace("eq 80", "eq 443"), Verdict.BOTH),
        (WEB, WEB.replace(" ip access-group A in\n", ""), Verdict.WIDER),
        (WEB, WEB + "access-list 7 permit any\n", Verdict.LISTS),
        (WEB, "ip nat inside source static 10.0.0.2 192.0.2.2\n" + WEB, Verdict.OUTSIDE),
        (WEB, WEB.replace("permit", "prmit"), Verdict.UNREADABLE),
        (WEB.replace("permit", "prmit"), WEB, Verdict.UNREADABLE),
        (None, WEB, Verdict.ADDED),
        (WEB, None, Verdict.DELETED),
    ],
)
def test_verdicts(old, new, verdict):
    assert review_file(changed(old, new)).verdict is verdict


def test_the_line_that_permits_is_named_with_its_packets():
    (line,) = review_file(changed(WEB, WEB + " permit udp any host 10.0.0.9 eq 53\n")).lines[:1]
    assert (line.span.source, line.span.line, line.newly) == ("edge.cfg", 6, "permitted")
    assert line.text == "permit udp any host 10.0.0.9 eq 53"
    assert parse_packet(line.example).destination_port == 53


def test_what_the_end_of_a_list_denies_is_shown_at_its_last_line():
    lines = review_file(changed(WEB + " permit udp any any\n", WEB)).lines
    assert {line.span.line for line in lines} == {5}
    assert all("implicit deny" in line.did for line in lines)


def test_a_binding_that_is_gone_is_shown_at_its_interface():
    lines = review_file(changed(WEB, WEB.replace(" ip access-group A in\n", ""))).lines
    assert {(line.span.line, line.text) for line in lines} == {(2, "interface Gi0/1")}


def test_of_two_lists_in_the_way_the_one_that_changed_is_named():
    both = (
        "interface Gi0/1\n ip access-group A in\ninterface Gi0/2\n ip access-group B out\n"
        "ip access-list extended A\n permit tcp any any eq 80\nip access-list extended B\n permit ip any any\n"
    )
    lines = review_file(changed(both, both.replace("eq 80", "eq 80 443"))).lines
    assert {line.span.line for line in lines} == {6}


def test_of_two_chains_in_the_way_the_one_that_changed_is_named():
    both = (
        "table inet f {\n"
        " chain a {\n  type filter hook forward priority 0; policy drop;\n  tcp dport 80 accept\n }\n"
        " chain b {\n  type filter hook forward priority 9; policy drop;\n  meta l4proto tcp accept\n }\n}\n"
    )
    found = review_file(changed(both, both.replace("dport 80", "dport { 80, 443 }"), "fw.nft"))
    assert {line.span.line for line in found.lines} == {4}
    found = review_file(changed(both, both.replace("meta l4proto tcp", "tcp dport 443"), "fw.nft"))
    assert {(line.newly, line.span.line) for line in found.lines} == {("denied", 8)}
    assert all("after this line" in line.did for line in found.lines)


def test_errors_keep_their_place_and_name_the_old_version_where_that_is_at_fault():
    wrong = WEB.replace("permit", "prmit")
    (problem, *_) = review_file(changed(WEB, wrong)).problems
    assert (problem.span.source, problem.span.line) == ("edge.cfg", 5)
    (problem, *_) = review_file(changed(wrong, WEB)).problems
    assert (problem.span.source, problem.span.line) == ("main:edge.cfg", 5)


def test_clauses_outside_the_model_are_refused_or_bounds():
    stateful = "table inet f {\n chain c {\n  type filter hook forward priority 0; policy drop;\n  {}\n }\n}\n"
    old = stateful.replace("{}", "ct state established accept")
    new = stateful.replace("{}", "ct state established accept\n  tcp dport 22 accept")
    assert review_file(changed(old, new, "f.nft")).verdict is Verdict.UNREADABLE
    found = review([changed(old, new, "f.nft")], "a", "b", unmodelled="bound")
    assert found.files[0].verdict is Verdict.WIDER
    assert any("bounds" in note for note in found.aside())


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("edge.cfg", WEB, True),
        ("edge", WEB, True),
        ("README.md", WEB, False),
        ("setup.cfg", "[metadata]\nname = x\n", False),
        ("nginx.conf", "server {\n listen 80;\n}\n", False),
        ("fw.nft", "", True),
        ("firewall.conf", "#!/usr/sbin/nft -f\n", True),
        ("export.txt", "# 2026-01-01 by RouterOS 7.1\n/ip firewall filter\n", True),
        ("schema", "create table x {\n", False),
        ("image", "\0\0", False),
    ],
)
def test_which_files_are_configurations(path, text, expected):
    assert is_configuration(changed(None, text, path)) is expected
    assert is_configuration(changed(text, None, path)) is expected


def test_a_file_that_is_named_is_a_configuration_whatever_it_looks_like():
    assert is_configuration(changed(None, "x", "odd.md", named=True))


def test_the_gravest_file_comes_first_and_others_are_counted():
    files = [
        changed(WEB, WEB + "!\n", "equal.cfg"),
        changed(WEB, WEB + " permit udp any any\n", "wider.cfg"),
        changed("a", "b", "notes.md"),
        changed(WEB, "access-list 1 prmit any\n", "broken.cfg"),
    ]
    found = review(files, "a", "b", skipped=("logo.png", "b.py"))
    assert [one.path for one in found.files] == ["broken.cfg", "wider.cfg", "equal.cfg"]
    assert found.skipped == ("b.py", "logo.png", "notes.md")
    assert not found.empty
    assert [found.fails(word) for word in ("difference", "wider", "unreadable")] == [True, True, True]
    assert not review(files[:2], "a", "b").fails("unreadable")
    assert review(files[:1], "a", "b").empty


LINES = st.sampled_from(
    [
        "permit ip any any",
        "deny tcp any any eq 80",
        "permit tcp 10.0.0.0 0.0.0.254 any",
        "permit tcp any host 10.0.0.3 range 79 81",
        "deny ip host 10.0.0.2 any",
        "permit tcp any any established",
    ]
)
PACKETS = st.builds(
    lambda source, port, flags: Packet(Family.IPV4, source, 0x0A000003, 6, 1025, port, flags, ingress="Gi0/1"),
    st.integers(0x0A000000, 0x0A000004),
    st.integers(78, 82),
    st.sampled_from([0x02, 0x10]),
)


def texts(lines):
    return HEAD + "".join(f" {line}\n" for line in lines)


@given(st.lists(LINES, min_size=1, max_size=5), st.lists(LINES, min_size=1, max_size=5), PACKETS)
def test_the_lines_are_those_that_decide_what_changed(old_lines, new_lines, packet):
    old, new = texts(old_lines), texts(new_lines)
    lines = review_file(changed(old, new)).lines
    before, after = (machine(read(text, "x")) for text in (old, new))

    def decided(device, one):
        return decide(device.stages(context_of(one)), one)

    for line in lines:  # each line that is named decides its example, and did otherwise before
        example = parse_packet(line.example)
        assert decided(after, example).passes is (line.newly == "permitted")
        assert decided(before, example).passes is (line.newly == "denied")
        if line.did in ("permits", "denies"):
            assert decided(after, example).span.line == line.span.line
    one = decided(after, packet)
    if one.passes != decided(before, packet).passes:  # and no line that decides is left out
        newly = "permitted" if one.passes else "denied"
        last = HEAD.count("\n") + len(new_lines)
        assert (one.span.line or last, newly) in {(line.span.line, line.newly) for line in lines}
