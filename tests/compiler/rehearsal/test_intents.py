"""What our own configurations do: nothing that is wrong, at any weight, by any method, for any target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UsageError
from compiler.rehearsal import Failing, RehearsalOptions, WayToFail, rehearse_intent
from compiler.rehearsal.intent_scene import intent_scene
from compiler.rehearsal.shares import play_workload, seen_of
from tests.compiler.balancing.intents import FULL, simple

TARGETS = ("routeros6", "routeros7", "linux")
METHODS = {
    "nth": "",
    "pcc": "fields: both-addresses\n",
    "ecmp": "",
    "failover": "",
    "address_list": "members: {line2: 192.168.3.128/25}\notherwise: line1\n",
}


def intent(method: str, weights: tuple[int, ...] = (1, 2)) -> str:
    return simple((1, 1) if method == "ecmp" else weights, method, METHODS[method])


def once(text: str, target: str, failures: tuple[Failing, ...] = (), count: int = 150):
    options = RehearsalOptions(count, failures=failures, downloads=False)
    return rehearse_intent(text, "isps.yaml", target, options)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.long
def test_nothing_is_wrong_with_any_method_on_any_target(method, target):
    seen = rehearse_intent(intent(method), "isps.yaml", target)
    assert seen.problems == ()
    assert len(seen.failures) == 6


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_wrong_with_any_method(method):
    target = TARGETS[len(method) % 3]
    seen = once(intent(method), target)
    assert seen.problems == ()
    assert seen.classes
    assert all(one.answered == one.asked for one in (*seen.incoming, *seen.own))
    assert "VERDICT: nothing is wrong" in list(seen.lines())


@settings(max_examples=8, deadline=None)
@given(
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple),
    method=st.sampled_from(["nth", "pcc", "ecmp"]),
    target=st.sampled_from(TARGETS),
    repeated=st.sampled_from([0.0, 0.1, 1.0]),
    seed=st.integers(0, 99).map(str),
)
def test_shares_hold_whatever_the_weights(weights, method, target, repeated, seed):
    options = RehearsalOptions(connections=60, clients=12, repeated=repeated, seed=seed)
    if method == "ecmp" and target == "routeros7":
        weights = (1,) * len(weights)  # which has no weights of routes
    world, flows = play_workload(intent_scene(simple(weights, method, METHODS[method]), "isps.yaml", target), options)
    seen = seen_of(world, flows)
    assert all(one.holds for one in seen.classes)
    assert (seen.unmarked, seen.remarked, seen.moved, seen.unfinished) == (0, 0, 0, 0)
    assert sum(one.connections for one in seen.uplinks) == 60


@pytest.mark.parametrize("target", ["routeros7", "linux"])
def test_every_class_and_exception_of_an_intent_has_traffic(target):
    """On Linux the routes to probes and name servers once came before exceptions and classes."""
    world, flows = play_workload(intent_scene(FULL, "isps.yaml", target), RehearsalOptions(connections=400))
    seen = seen_of(world, flows)
    names = {one.name for one in seen.classes}
    assert {
        "class web",
        "class games",
        "class mail",
        "class video",
        "class rest",
        "exception 1",
        "exception 3",
    } <= names
    assert {"class staff, fibre", "class staff, others", "name servers of speedy1"} <= names
    assert all(one.holds for one in seen.classes)
    assert (seen.unmarked, seen.remarked, seen.moved, seen.unfinished) == (0, 0, 0, 0)
    assert sum(one.unmarked for one in seen.uplinks) > 0  # exception 2 says so


def failure(text: str, target: str, uplink: str, way: WayToFail):
    seen = once(text, target, (Failing(uplink, way),), 20)
    assert seen.problems == ()
    return seen.failures[0], seen


@pytest.mark.parametrize(("target", "least", "most"), [("routeros7", 11e9, 21.3e9), ("linux", 2e9, 4.3e9)])
def test_a_silent_gateway_is_left_in_the_time_that_its_checks_take(target, least, most):
    one, _ = failure(intent("nth"), target, "line2", WayToFail.GATEWAY)
    assert least < one.detected < most
    assert least < one.noticed <= one.detected
    assert 0 < one.failed < one.attempts
    assert one.lost_part == 0
    assert (one.reset, one.kept, one.silent, one.others_lost) == (one.established, 0, 0, 0)
    assert one.established > one.others > 0
    assert 0 <= one.returned < 11e9


CHANGING = """\
networks: {lan: {interface: LAN, address: 192.168.3.1/29}}
uplinks:
  leased: {interface: W1, gateway: dhcp}
  dialled: {interface: W2, gateway: pppoe, user: u, password: p, weight: 2}
method: nth
"""


@pytest.mark.parametrize("target", TARGETS)
def test_lines_whose_addresses_the_isp_gives(target):
    both = (Failing("leased", WayToFail.GATEWAY), Failing("dialled", WayToFail.GATEWAY))
    seen = once(CHANGING, target, both, 30)
    assert seen.problems == ()
    assert all(one.lost_part == 0 and one.failed for one in seen.failures)
    assert 10e9 <= seen.failures[1].noticed < 10.2e9  # the session hangs up
    assert "dialled: a session that hears nothing is taken to hang up after 10 s" in seen.notes


def test_a_network_with_room_for_one_client():
    options = RehearsalOptions(20, failures=(Failing("line1", WayToFail.LINK),))
    seen = rehearse_intent(intent("pcc").replace("3.1/24", "3.1/30"), "isps.yaml", "routeros7", options)
    assert (seen.clients, seen.problems, seen.downloads) == (1, (), ())


def test_a_pulled_cable_is_noticed_at_once():
    one, _ = failure(intent("failover"), "routeros7", "line1", WayToFail.LINK)
    assert (one.detected, one.noticed, one.failed) == (0, 0, 0)
    assert one.established == one.reset == 16


def test_an_isp_is_missed_where_no_probe_asks_beyond_its_modem():
    blind, seen = failure(intent("nth"), "routeros7", "line1", WayToFail.ISP)
    assert blind.detected is None
    assert 0.25 < blind.lost_part < 0.42
    assert "(the intent names no probes beyond this gateway)" in "\n".join(seen.lines())
    lost = f"{float(blind.lost_part):.0%} of new connections are lost for ever"
    wrong = f"line1, ISP dead behind a live modem: NOT noticed: {lost}"
    assert replace(seen, probed=("line1",)).problems == (wrong,)
    probing = intent("nth").replace("weight: 1}", "weight: 1, probes: [9.9.9.9]}")
    found, _ = failure(probing, "linux", "line1", WayToFail.ISP)
    assert 2e9 < found.detected < 14e9
    assert found.lost_part == 0


def test_one_download_has_one_line_and_several_have_more():
    options = RehearsalOptions(10, failures=())
    seen = rehearse_intent(intent("nth", (1, 1)), "isps.yaml", "routeros7", options)
    alone = [one for one in seen.downloads if not one.together]
    assert len(alone) == 1
    assert 10e6 < alone[0].rate < 20e6
    assert {one.uplink for one in seen.downloads if one.together} == {"line1", "line2"}


SAY = """
import json, sys
from compiler.rehearsal import *
options = RehearsalOptions(60, failures=(Failing("line1", WayToFail.GATEWAY),))
seen = rehearse_intent(sys.argv[1], "isps.yaml", "linux", options)
print(json.dumps(seen.as_json()), *seen.lines(), sep="\\n")
"""


def test_the_same_seed_says_the_same_whatever_python_hashes():
    text = intent("pcc")
    variables = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", SAY, text]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=variables).stdout
    options = RehearsalOptions(60, failures=(Failing("line1", WayToFail.GATEWAY),))
    seen = rehearse_intent(text, "isps.yaml", "linux", options)
    assert told == "\n".join([json.dumps(seen.as_json()), *seen.lines(), ""])
    assert seen.holds


def test_another_seed_has_other_traffic():
    first, second = (
        rehearse_intent(
            intent("pcc"), "isps.yaml", "routeros7", RehearsalOptions(60, failures=(), seed=seed, downloads=False)
        )
        for seed in ("1", "2")
    )
    assert first.uplinks != second.uplinks
    assert first.problems == second.problems == ()


def test_wrong_use_is_said():
    with pytest.raises(UsageError, match="unknown target"):
        rehearse_intent(intent("nth"), "isps.yaml", "cisco")
    for wrong in ({"connections": 0}, {"clients": 0}, {"repeated": 1.5}):
        with pytest.raises(ValueError, match=r"at least|between"):
            RehearsalOptions(**wrong)
