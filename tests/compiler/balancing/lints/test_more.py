"""Recursive routes, roles that are told, what cannot be read, and texts of any kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.balancing.lints.check import check_script, mend_script
from compiler.balancing.lints.joining import joined
from compiler.balancing.lints.lint import apply_edits
from compiler.balancing.lints.roles import roles
from tests.compiler.balancing.lints.scripts import right

CORPUS = Path(__file__).parents[3] / "corpus" / "routeros"


def named(text, name, **told):
    return [one for one in check_script(text, "x.rsc", **told).lints if one.name == name]


@pytest.mark.parametrize("version", [6, 7])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gateway=192.168.1.1 scope=10", "gateway=192.168.1.1", "scope=30"),
        ("gateway=8.8.8.8 distance=1 target-scope=11", "gateway=8.8.8.8 distance=1 target-scope=9", "target-scope=9"),
        ("dst-address=8.8.4.4/32 gateway=192.168.2.1", "dst-address=8.8.4.4/32 gateway=192.168.1.1", "is for wan2"),
        (
            "add gateway=8.8.8.8 distance=1",
            "add dst-address=8.8.8.8/32 gateway=192.168.2.1 scope=10\nadd gateway=8.8.8.8 distance=1",
            "by wan1 and by wan2",
        ),
    ],
)
def test_probes_resolve_by_their_own_line(version, old, new, said):
    text = right(version, probes=True)
    assert not named(text, "recursive-scope")
    broken = text.replace(old, new, 1)
    assert broken != text
    found = named(broken, "recursive-scope")
    assert found
    assert any(said in one.message for one in found)
    if not found[0].mended:  # the script no longer tells who the neighbour on wan2 is
        assert "neighbour on wan2" in found[0].hint
        return
    after = check_script(apply_edits(broken, found), "x.rsc")
    assert {one.name for one in after.lints} == {"nth-knows-no-bandwidth"}


def test_roles_can_be_told():
    text = right(7).replace("in-interface=lan", "in-interface-list=LAN")
    text = text.replace("/ip dns", "add address=172.16.0.1/24 interface=dmz\n/ip dns")
    assert roles(text, "x.rsc").inside_names == ("lan", "dmz")
    assert roles(text, "x.rsc", inside=("lan",)).inside_names == ("lan",)
    assert roles(text, "x.rsc", uplinks=("wan2",)).uplink_names == ("wan2",)
    leased = "/ip dhcp-client add interface=ether1\n/interface pppoe-client add name=dial interface=ether2\n"
    found = roles(leased + "/ip address add address=10.0.0.1/24 interface=bridge\n", "x.rsc")
    assert {(one.interface, one.kind) for one in found.uplinks} == {("ether1", "dhcp"), ("dial", "pppoe")}
    assert found.inside_names == ("bridge",)


def test_a_mark_that_is_never_looked_at():
    text = right(6).replace(
        "/ip firewall filter",
        "/ip firewall mangle add chain=forward action=mark-connection new-connection-mark=idle\n/ip firewall filter",
    )
    found = named(text, "mark-without-use")
    assert len(found) == 1
    assert "idle" in found[0].message


def test_what_cannot_be_read_is_named():
    text = right(7).replace("nth=2,1", "layer7-protocol=video", 1)
    checked = check_script(text, "x.rsc")
    told = [one.message for one in checked.lints if one.name == "not-simulated"]
    assert any("layer7-protocol" in message for message in told)
    assert any("not computed" in message for message in told)
    assert not checked.subject.behaviour.known
    unclosed = check_script(right(7) + '/ip route add comment="never closed\n', "x.rsc")
    assert [one.span.line for one in unclosed.lints if one.name == "unreadable"] == [right(7).count("\n") + 1]
    script = check_script(right(7) + ":foreach i in=[/ip route find] do={ :put $i }\n", "x.rsc")
    assert any("scripting" in one.message for one in script.lints if one.name == "not-simulated")


def test_strings_and_comments_are_not_joined():
    text = '# a-\nb=c\n/ip dns set servers=8.8.8.8\n/system note set note="one-\ntwo=three gateway= x"\n'
    assert joined(text) == (text, ())


@given(st.text(alphabet='add set/ip=\\\n-"x1,. #[]{}$;', max_size=120))
def test_joining_keeps_the_length(text):
    assert len(joined(text)[0]) == len(text)


_SOURCES = [(CORPUS / "published-nth.rsc").read_text(), right(6), right(7, "pcc", probes=True)]
_WORDS = [
    "",
    "=",
    "nth=",
    "gateway=",
    "\\\n",
    '"',
    "{",
    "[find",
    "in-interface=",
    "9999999999999",
    "/",
    "!",
    "add ",
    "$x",
]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(_SOURCES),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 60), st.sampled_from(_WORDS)), min_size=1, max_size=3),
    st.sampled_from([None, 6, 7]),
)
def test_no_text_makes_it_fall_over(text, cuts, version):
    for start, length, word in cuts:
        place = start % len(text)
        text = text[:place] + word + text[place + length :]
    checked = check_script(text, "x.rsc", version)
    lines = text.split("\n")
    for one in checked.lints:
        assert 1 <= one.span.line <= len(lines)
        assert all(0 <= edit.start <= edit.end <= len(text) for edit in one.mended)
        apply_edits(text, [one])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=3), st.sampled_from([6, 7]))
def test_mending_comes_to_an_end(cuts, version):
    """A script that lost some of its lines is mended until nothing is left that can be."""
    lines = right(version).split("\n")
    for cut in cuts:
        del lines[cut % len(lines)]
    text, _ = mend_script("\n".join(lines), "x.rsc", version)
    assert mend_script(text, "x.rsc", version)[0] == text
