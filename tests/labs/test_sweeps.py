"""Sweeps of labs: failures in sets of packets, seeds in the simulator."""

import pickle
from argparse import ArgumentParser

import pytest

from compiler.errors import UsageError
from compiler.testing.sweeps import sweep
from labs.sweeps import failures, seeds

LAB = """
name: two-ways
duration: 2 s
nodes:
  anna: {kind: host, address: 10.1.0.2/24, gateway: 10.1.0.1}
  server: {kind: server, address: 10.2.0.2/24, gateway: 10.2.0.1, services: [http]}
  router:
    kind: router
    interfaces: {lan: 10.1.0.1/24, dmz: 10.2.0.1/24}
links:
  - {name: left, ends: [anna, "router:lan"]}
  - {name: right, ends: ["router:dmz", server], loss: LOSS}
traffic:
  - {name: web, client: anna, server: server, connect: http, connections: 3, timeout: 500 ms}
assert:
  - {connected: web}
"""


@pytest.fixture
def lab(tmp_path):
    def write(loss="0"):
        (tmp_path / "lab.yaml").write_text(LAB.replace("LOSS", loss))
        return str(tmp_path)

    return write


def plan_of(source, *words):
    parser = ArgumentParser()
    source.configure(parser)
    return source.plan(parser.parse_args(words))


def test_failures(lab):
    plan = plan_of(
        failures,
        lab(),
        "--most",
        "2",
        "--among",
        "router",
        "--among",
        "left",
        "--check",
        "reachable anna server tcp/80",
    )
    found = {one.identity: one.held for one in sweep(*plan, processes=0)}
    assert found == {
        "without nothing": True,
        "without router": False,
        "without left": False,
        "without left, router": False,
    }


def test_seeds(lab):
    plan = plan_of(seeds, lab(), "--seeds", "3", "--first", "5")
    assert {one.identity: one.held for one in sweep(*plan, processes=0)} == {"5": True, "6": True, "7": True}
    assert pickle.loads(pickle.dumps(plan.check)).question == plan.check.question


def test_a_seed_that_fails_says_how_to_repeat_it(lab):
    folder = lab("100 %")
    (found,) = sweep(*plan_of(seeds, folder, "--seeds", "1"), processes=0)
    assert not found.held
    assert found.answers[0]["witness"]["command"] == f"gerbang lab run {folder} --seed 1"


def test_a_changed_lab_is_another_question(lab):
    first = plan_of(seeds, lab()).check.fingerprint
    assert plan_of(seeds, lab()).check.fingerprint == first
    assert plan_of(seeds, lab("1 %")).check.fingerprint != first


def test_without_a_property_there_is_no_sweep(lab):
    with pytest.raises(UsageError, match="say what must hold"):
        plan_of(failures, lab())
