"""Total failures that every single rule hides: found by following a connection from its first packet on."""

import re

import pytest

from compiler.balancing.lints.check import check_script, mend_script
from tests.compiler.balancing.lints.scripts import right

INSIDE = "chain=prerouting in-interface=lan"
BROKEN = {
    "passthrough=no ends the chain": (
        r"(in-interface=lan connection-state=new(?:.|\n)*?)passthrough=yes",
        r"\1passthrough=no",
        "first-packet-unrouted",
        "passthrough=no ends the chain",
    ),
    "given in forward": (
        r"chain=prerouting (in-interface=lan connection-state=new)",
        r"chain=forward \1",
        "marked-too-late",
        "after the way is chosen",
    ),
    "a table by the other line": (
        r"gateway=192.168.2.1( routing-table=to_wan2)",
        r"gateway=192.168.1.1\1",
        "table-by-another-line",
        "wan2 are marked wan2_conn",
    ),
    "a mark that inside nobody routes": (
        r"in-interface=lan connection-mark=wan2_conn",
        "in-interface=lan connection-mark=wan1_conn",
        "mark-without-use",
        "1/2 of the connections from lan are marked wan2_conn",
    ),
    "the other line's source": (
        r"chain=srcnat out-interface=wan2 action=masquerade",
        "chain=srcnat out-interface=wan2 action=src-nat to-addresses=192.168.1.2",
        "source-of-another-line",
        "what leaves by wan2 gets 192.168.1.2, an address of wan1",
    ),
    "a forward for everybody": (
        r"(chain=dstnat) in-interface=wan1",
        r"\1",
        "forward-takes-inside",
        "what lan sends to port 8080 anywhere",
    ),
    "a misspelt value": (
        r"check-gateway=ping",
        "check-gateway=pnig",
        "unknown-value",
        "did you mean ping?",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("method", ["nth", "pcc"])
def test_a_total_failure_is_found_and_mended(name, method):
    pattern, by, lint, said = BROKEN[name]
    text, count = re.subn(pattern, by, right(7, method))
    assert count
    found = [one for one in check_script(text, "x.rsc").lints if one.name == lint]
    assert found, "not found"
    assert said in found[0].message
    mended, checked = mend_script(text, "x.rsc")
    assert [one for one in checked.lints if one.severity.value != "note"] == [], mended


def test_the_right_scripts_have_none_of_them():
    names = {lint for _, _, lint, _ in BROKEN.values()} | {"connection-remarked", "bridge-port-in-rule"}
    for version in (6, 7):
        for method in ("nth", "pcc"):
            assert not names & {one.name for one in check_script(right(version, method), "x.rsc").lints}


def test_marks_become_tables_before_they_are_given():
    lines = right(7, "pcc").replace("\\\n    ", "").split("\n")
    senders = [line for line in lines if "in-interface=lan connection-mark=" in line]
    first = next(number for number, line in enumerate(lines) if "per-connection" in line)
    rest = [line for line in lines if line not in senders]
    text = "\n".join([*rest[:first], *senders, *rest[first:]])
    (one, two) = [found for found in check_script(text, "x.rsc").lints if found.name == "first-packet-unrouted"]
    assert "stands before mark-connection" in one.message
    assert one.span != two.span
    checked = mend_script(text, "x.rsc")[1]
    assert "first-packet-unrouted" not in {found.name for found in checked.lints}


def test_hashes_without_a_guard_take_answers_too():
    text = right(7, "pcc").replace("\\\n    ", "")
    text = text.replace("in-interface=lan connection-state=new connection-mark=no-mark", "in-interface=lan")
    found = [one for one in check_script(text, "x.rsc").lints if one.name == "connection-remarked"]
    assert len(found) == 2
    assert "per-connection-classifier" in text.split("\n")[found[0].span.line - 1]
    assert all("connection-mark=no-mark" in edit.shown for edit in found[0].mended)
    assert not mend_script(text, "x.rsc")[1].exit_code


def test_a_port_of_a_bridge_is_no_interface_of_a_rule():
    text = right(7, "pcc").replace("in-interface=lan", "in-interface=ether5")
    text += "/interface bridge\nadd name=lan\n/interface bridge port\nadd bridge=lan interface=ether5\n"
    checked = check_script(text, "x.rsc")
    found = [one for one in checked.lints if one.name == "bridge-port-in-rule"]
    assert len(found) == 7
    assert all("in-interface=lan" in one.mended[0].shown for one in found)
    assert checked.subject.roles.inside_names == ("lan",)
    assert not any("in-interface=ether5" in edit.shown for one in checked.lints for edit in one.mended)


def test_probes_that_end_in_one_line():
    text = right(7, "pcc", probes=True)
    one = text.replace("dst-address=8.8.4.4/32 gateway=192.168.2.1", "dst-address=8.8.4.4/32 gateway=192.168.1.1")
    assert "probes-by-one-line" in {found.name for found in check_script(one, "x.rsc").lints}
    assert "probes-by-one-line" not in {found.name for found in check_script(text, "x.rsc").lints}


def test_version_seven_resolves_through_lower_scopes():
    text = right(7, "pcc", probes=True).replace(" target-scope=11", "")
    assert {one.name for one in check_script(text, "x.rsc").lints} == {"recursive-scope"}
    six = right(6, "pcc", probes=True).replace(" target-scope=11", "")
    assert "recursive-scope" not in {one.name for one in check_script(six, "x.rsc").lints}
    assert not mend_script(text, "x.rsc")[1].exit_code


def test_a_client_outside_is_spoken_of_once():
    text = right(7, "pcc").replace("in-interface=lan", "src-address=192.168.30.0/24 in-interface=lan")
    (found,) = [one for one in check_script(text, "x.rsc").lints if one.name == "client-outside-lan"]
    assert re.search(r"\(lines [\d, ]+ too\)", found.message)
