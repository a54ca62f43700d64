"""The live check without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.workbench.checking import MOST, Checked, check_text
from appliance.workbench.highlighting import NAMES, coloured
from appliance.workbench.kinds import Kind, kind_of
from appliance.workbench.remarks import Level
from tests.appliance.workbench.sources import BOUND, LABS, nothing, paper_cases


@pytest.mark.parametrize(("case", "path", "_denied"), paper_cases(), ids=lambda one: str(one)[:8])
def test_the_cases_of_the_paper_have_no_error(case, path, _denied):
    checked = check_text(path.read_text(), path.name, None, nothing)
    assert checked.kind is Kind.IOS
    assert checked.count(Level.ERROR) == 0
    assert checked.lists == ("101",)
    assert checked.interfaces == ("GigabitEthernet0/2",)
    assert any(remark.rule == "ftp-control-only" for remark in checked.remarks)


def test_an_error_has_its_place_and_the_tree_is_not_linted():
    told: list[Checked] = []
    checked = check_text(BOUND.replace("permit ip", "permitt ip"), "edge.cfg", None, told.append)
    (error,) = (remark for remark in checked.remarks if remark.level is Level.ERROR)
    assert error.line == 8
    assert "permitt" in error.message
    assert BOUND.splitlines()[7][error.column - 1 :].startswith("permit")
    assert told == []


def test_the_reader_speaks_before_the_lints():
    told: list[Checked] = []
    whole = check_text(BOUND, "edge.cfg", None, told.append)
    assert [one.is_whole for one in told] == [False]
    assert told[0].remarks == ()
    assert whole.is_whole
    assert whole.remarks


def test_clauses_outside_the_model_are_errors_and_the_rest_is_linted():
    text = BOUND.replace("permit ip any any", "permit ip any any option any-options")
    checked = check_text(text, "edge.cfg", None, nothing)
    assert checked.count(Level.ERROR) == 1
    assert checked.count(Level.WARNING) >= 1


def test_many_remarks_are_counted_and_the_first_kept():
    lines = "\n".join(f"access-list 101 permit tcp any host 10.0.{n // 250}.{n % 250} eq 80" for n in range(MOST + 50))
    checked = check_text(f"access-list 101 permit ip any any\n{lines}\n", "many.cfg", None, nothing)
    assert checked.count(Level.WARNING) + checked.count(Level.NOTE) > MOST
    assert max(sum(one.level is level for one in checked.remarks) for level in Level) == MOST


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.rsc", "", Kind.ROUTEROS),
        ("a.txt", "/ip firewall filter\nadd chain=input action=drop\n", Kind.ROUTEROS),
        ("a.txt", "table inet filter {\n}\n", Kind.NFTABLES),
        ("a.cfg", "hostname x\n", Kind.IOS),
        ("isps.yaml", "uplinks:\n  - name: a\n", Kind.BALANCE),
        ("lab.yaml", "name: x\nnodes: {}\n", Kind.LAB),
        ("p.yml", "properties: []\n", Kind.PROPERTIES),
        ("x.yaml", "a: 1\n", Kind.YAML),
        ("x.json", "{}", Kind.JSON),
    ],
)
def test_what_a_text_is(name, text, kind):
    assert kind_of(text, name) is kind


def test_yaml_and_json_have_places_too():
    (yaml,) = check_text("a: [1,\nb: 2\n", "x.yaml", None, nothing).remarks
    assert yaml.level is Level.ERROR
    assert yaml.line
    (json,) = check_text('{"a": 1,\n}', "x.json", None, nothing).remarks
    assert json.line == 2 or json.line == 1
    intent = check_text("uplinks: 3\n", "isps.yaml", None, nothing)
    assert intent.count(Level.ERROR) >= 1


def test_a_lab_is_checked_from_its_file_only_when_that_holds_the_text():
    file = LABS / "ios-edge" / "lab.yaml"
    assert check_text(file.read_text(), "lab.yaml", str(file), nothing).count(Level.ERROR) == 0
    assert check_text("name: x\nnodes: {}\n", "lab.yaml", None, nothing).remarks == ()


@given(st.text(max_size=200), st.sampled_from([Kind.IOS, Kind.ROUTEROS, Kind.NFTABLES]))
def test_colours_are_parts_of_the_line_in_order(line, kind):
    end = 0
    for part in coloured(line, kind):
        assert end <= part.start < part.end <= len(line)
        assert part.name in NAMES
        end = part.end


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120), st.sampled_from(["a.cfg", "a.rsc", "a.nft", "a.yaml", "a.json", "lab.yaml"]))
def test_no_text_breaks_the_check(text, name):
    checked = check_text(text, name, None, nothing)
    assert all(remark.line <= text.count("\n") + 2 for remark in checked.remarks if not remark.source)


def test_words_of_a_list_get_their_colours():
    parts = {line_part(part, text) for text in [BOUND.splitlines()[6]] for part in coloured(text, Kind.IOS)}
    assert ("deny", "deny") in parts
    assert ("address", "172.16.6.0") in parts
    assert ("keyword", "access-list") in parts


def line_part(part, text):
    return part.name, text[part.start : part.end]


def test_a_clause_outside_the_model_is_said_once():
    text = "ip access-list extended A\n permit tcp any any reflect B\n permit ip any any\n"
    found = check_text(text, "a.cfg", None, lambda _told: None).remarks
    assert [one.level for one in found if one.line == 2 and one.column > 2] == [Level.ERROR]
