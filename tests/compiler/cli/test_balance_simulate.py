from __future__ import annotations

import json

import pytest

from compiler.cli.balance_simulate import TARGETS, WAYS
from compiler.rehearsal import WayToFail
from tests.compiler.balancing.intents import simple
from tests.compiler.rehearsal.scripts import router

QUICK = ("--connections", "40", "--no-failures", "--no-downloads")


@pytest.fixture
def intent(tmp_path):
    path = tmp_path / "isps.yaml"
    path.write_text(simple((1, 2)))
    return path


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "router.rsc"
    path.write_text(router(["nth=2,1", "nth=2,2"]))
    return path


def test_an_intent(gerbang, intent):
    code, out, err = gerbang("balance", "simulate", intent, *QUICK)
    assert (code, err) == (0, "")
    assert "routeros7: 40 connections of 40 clients, seed 1" in out
    assert "class rest  nth     line1   13 of 40" in out
    assert out.endswith("VERDICT: nothing is wrong\n")


def test_a_script_with_something_wrong_says_so_by_its_code(gerbang, script):
    code, out, _ = gerbang("balance", "simulate", script, *QUICK, "--repeat", "0", "--clients", "7")
    assert code == 1
    assert "WRONG: 10 connections left unmarked" in out
    assert "of 7 clients" in out


def test_one_failure_as_json(gerbang, intent):
    words = (
        "--connections",
        "20",
        "--no-downloads",
        "--fail",
        "line2:gateway",
        "--target",
        "linux",
        "--format",
        "json",
        "--seed",
        "x",
    )
    code, out, _ = gerbang("balance", "simulate", intent, *words)
    told = json.loads(out)
    assert code == 0
    assert (told["target"], told["seed"], told["holds"], told["problems"]) == ("linux", "x", True, [])
    (failure,) = told["failures"]
    assert (failure["uplink"], failure["way"]) == ("line2", "gateway")
    assert 2 < failure["detected"] < 4.3
    assert failure["verdict"].startswith("noticed after ")


def test_an_intent_with_something_wrong_says_so_by_its_code(gerbang, intent, monkeypatch):
    from compiler.rehearsal.result import Rehearsal

    monkeypatch.setattr(Rehearsal, "problems", property(lambda seen: ("line1 is wrong",)))
    code, out, _ = gerbang("balance", "simulate", intent, *QUICK)
    assert code == 1
    assert "WRONG: line1 is wrong" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fail", "line9:link"), "has no uplink 'line9': it has line1, line2"),
        (("--fail", "line1"), "expected an uplink and a way"),
        (("--fail", "line1:fire"), "expected an uplink and a way"),
        (("--repeat", "120%"), "expected a part such as 10%"),
        (("--connections", "0"), "expected a whole number above zero"),
        (("--no-failures", "--fail", "line1:isp"), "contradict"),
        (("--version", "6"), "--version is for scripts"),
        (("--uplink", "ISP1"), "--uplink is for scripts"),
    ],
)
def test_wrong_use(gerbang, intent, words, said):
    code, out, err = gerbang("balance", "simulate", intent, *words)
    assert (code, out) == (2, "")
    assert said in err


def test_wrong_input(gerbang, tmp_path, script):
    empty = tmp_path / "empty.rsc"
    empty.write_text("/ip address add interface=LAN address=192.168.3.1/24\n")
    code, _, err = gerbang("balance", "simulate", empty)
    assert code == 2
    assert "no uplink" in err
    code, _, err = gerbang("balance", "simulate", script, "--target", "linux")
    assert code == 2
    assert "--target is for intents" in err
    empty.write_text("/ip route add ateway=10.0.0.1\n")
    code, _, err = gerbang("balance", "simulate", empty)
    assert code == 2
    assert f"{empty}:1:" in err


def test_the_words_are_those_of_the_library():
    assert tuple(way.value for way in WayToFail) == WAYS
    assert TARGETS == ("linux", "routeros6", "routeros7")
