from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from compiler.balancing.routeros import write_routeros
from tests.compiler.balancing.intents import plan_of, simple
from tests.compiler.balancing.lints.scripts import right

PUBLISHED = Path(__file__).parents[2] / "corpus" / "routeros" / "published-nth.rsc"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "isps.rsc"
        path.write_text(text)
        return path

    return write


def test_the_published_script(gerbang):
    code, out, err = gerbang("balance", "check", PUBLISHED, "--no-simulation")
    assert (code, err) == (1, "")
    assert re.search(
        r"published-nth.rsc:58:19: error: gateway-is-own-address: gateway=192.168.1.252 is the router's", out
    )
    assert out.count("why: A gateway is the neighbour's address") == 1  # once is enough
    assert (
        "    mended: /ip route add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.2.2 routing-mark" in out
    )
    assert re.search(
        r"31 errors, 4 warnings, 3 notes; read for RouterOS 6; inside: LAN; uplinks: Speedy1, Speedy2", out
    )


def test_what_it_will_do_is_played(gerbang):
    """No router takes the script as it was printed; as it was meant it sends all to itself."""
    code, out, _ = gerbang("balance", "check", PUBLISHED, "--format", "json")
    told = json.loads(out)
    assert code == 1
    assert told["uplinks"] == ["Speedy1", "Speedy2"]
    assert "as it was meant" in told["simulation_note"]
    assert told["simulation"]
    assert "router's own address" in json.dumps(told["simulation"])


def test_a_right_script_is_fine(gerbang, written):
    code, out, _ = gerbang("balance", "check", written(right(7, "pcc", probes=True)), "--no-simulation")
    assert code == 0
    assert out.startswith("0 errors, 0 warnings, 0 notes; read for RouterOS 7")


@pytest.mark.parametrize(("wrong", "code"), [(True, 1), (False, 0)])
def test_what_goes_wrong_when_it_is_played_is_a_finding(gerbang, written, monkeypatch, wrong, code):
    """Lints alone do not decide: a script without one may lose packets all the same."""
    from compiler.rehearsal.result import Rehearsal

    monkeypatch.setattr(Rehearsal, "problems", ("7 connections left unmarked",) if wrong else ())
    found, out, _ = gerbang("balance", "check", written(right(7, "pcc", probes=True)))
    assert (found, "WRONG: 7 connections left unmarked" in out) == (code, wrong)


@pytest.mark.long
def test_ours_is_played(gerbang, written):
    code, out, _ = gerbang("balance", "check", written(write_routeros(plan_of(simple((1, 1))), 7)))
    assert code == 0
    assert "0 errors, 0 warnings, 2 notes;" in out
    assert re.search(r"ISP1 .*50", out)


def test_sarif_has_the_mended_lines(gerbang, written):
    text = right(6).replace("gateway=192.168.1.1 distance", "gateway=192.168.1.2 distance")
    path = written(text)
    code, out, _ = gerbang("balance", "check", path, "--format", "sarif", "--no-simulation")
    run = json.loads(out)["runs"][0]
    assert code == 1
    result = next(one for one in run["results"] if one["ruleId"] == "gateway-is-own-address")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "gateway-is-own-address"
    assert result["level"] == "error"
    change = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    region = change["deletedRegion"]
    mended = text[: region["charOffset"]] + change["insertedContent"]["text"]
    mended += text[region["charOffset"] + region["charLength"] :]
    assert mended == right(6)


def test_the_mended_script_is_written(gerbang, tmp_path):
    out = tmp_path / "mended.rsc"
    assert gerbang("balance", "check", PUBLISHED, "--no-simulation", "-o", out)[0] == 1
    code, told, _ = gerbang("balance", "check", out, "--no-simulation")
    assert code == 0
    assert "0 errors, 0 warnings, 3 notes" in told


def test_version_and_roles_can_be_told(gerbang, written):
    path = written(right(6).replace("# by RouterOS 6.1\n", ""))
    code, out, _ = gerbang("balance", "check", path, "--version", "7", "--no-simulation")
    assert code == 1
    assert "old-words-on-v7" in out
    _, out, _ = gerbang("balance", "check", path, "--inside", "lan", "--uplink", "wan2", "--no-simulation")
    assert "inside: lan; uplinks: wan2" in out


@pytest.mark.parametrize("text", ["", "hello world\n", "# nothing\n"])
def test_what_is_no_script(gerbang, written, text):
    code, out, err = gerbang("balance", "check", written(text), "--no-simulation")
    assert (code, out) == (2, "")
    assert "no row of a RouterOS configuration" in err


def test_a_missing_file(gerbang, tmp_path):
    assert gerbang("balance", "check", tmp_path / "none.rsc")[0] == 2


def test_without_roles_nothing_is_played(gerbang, written):
    _, out, _ = gerbang("balance", "check", written("/ip dns set servers=8.8.8.8\n"))
    assert "not simulated: no inside interface is known: name it with --inside" in out
