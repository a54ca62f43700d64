"""The whole way: a client's command, the daemon without rights, the root helper, the kernel, and packets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.services.machine.standing import Standing, needs_everything
from tests.appliance.services.network.wires import LAN, Wires, needs_kernel, reaches, wait_until

pytestmark = [needs_kernel, needs_everything]
LAN_INTERFACE = {"name": "lan", "addresses": ["10.1.0.1/24"], "filter_in": None}
OPEN, FILTERED = 9000, 22


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with Wires(tmp_path_factory.mktemp("wires")) as wires, Standing(wires) as made:
        made.call("network", "interfaces.add", LAN_INTERFACE)
        made.call("network", "management.add", {"name": "office", "network": "10.1.0.0/24", "interface": "lan"})
        yield made


@pytest.fixture
def stood(standing: Standing) -> str:
    """The address alone, confirmed: how the machine stands with generation 1, and how the next plan differs."""
    wires = standing.wires
    if not standing.stands(1):
        outcome = standing.commit(60, "an address")
        assert (outcome["ending"], outcome["generation"]) == ("unconfirmed", 1), outcome
        assert standing.work("confirm")["ending"] == "confirmed"
        _filter(standing)
    assert reaches(wires, "10.1.0.1", OPEN, seconds=2)
    return wires.stands()


def test_a_killed_daemon_takes_back_and_what_is_confirmed_stays(standing: Standing, stood: str) -> None:
    wires = standing.wires
    plan = standing.call("machine", "plan")
    assert any("filter.nft" in one["path"] and "+" in one["difference"] for one in plan["files"]), plan
    outcome = standing.commit(2, "killed")
    assert outcome["ending"] == "unconfirmed", outcome
    assert not reaches(wires, "10.1.0.1", OPEN)
    assert reaches(wires, "10.1.0.1", FILTERED, seconds=2)
    standing.kill_daemon()
    standing.start_daemon()
    wait_until(lambda: standing.stands(1))
    assert reaches(wires, "10.1.0.1", OPEN, seconds=2)
    assert wires.stands() == stood
    assert _became(standing, outcome["generation"]) == "undone"

    outcome = standing.commit(60, "kept")
    assert standing.work("confirm")["ending"] == "confirmed"
    assert standing.stands(outcome["generation"])
    assert not reaches(wires, "10.1.0.1", OPEN)
    counted = {(one["line"], one["family"]): one["packets"] for one in standing.call("network", "status")["lines"]}
    assert counted[0, 4] > 0, "the implicit deny has counted what it dropped"

    # An older generation comes back by its number.
    assert standing.work("rollback", {"to": 1})["ending"] == "confirmed"
    assert wires.stands() == stood


@pytest.mark.long
def test_what_nobody_confirms_is_taken_back_by_the_daemon_that_lives(standing: Standing, stood: str) -> None:
    outcome = standing.commit(2, "a filter")
    assert not reaches(standing.wires, "10.1.0.1", OPEN)
    wait_until(lambda: standing.stands(1))
    assert standing.wires.stands() == stood
    assert _became(standing, outcome["generation"]) == "undone"
    assert standing.work("diagnose")["findings"] == []


@pytest.mark.long
def test_without_any_daemon_the_helper_takes_it_back_and_it_never_acts_again(standing: Standing, stood: str) -> None:
    """The helper's own time, GRACE after the commit's, is brought forward."""
    wires = standing.wires
    outcome = standing.commit(600, "dead")
    assert not reaches(wires, "10.1.0.1", OPEN)
    standing.kill_daemon()
    record = standing.helpers_file("/run/gerbang-balance/standing.json")
    _hasten(record)
    wait_until(lambda: reaches(wires, "10.1.0.1", OPEN) and not record.exists())
    assert wires.stands() == stood
    # The next daemon finds its generation half undone, in its time, and takes the rest back.
    standing.start_daemon()
    wait_until(lambda: standing.stands(1))
    assert wires.stands() == stood
    assert _became(standing, outcome["generation"]) == "undone"


def _filter(standing: Standing) -> None:
    standing.call("network", "policies.add", {"name": "LAN", "text": LAN})
    kept = standing.call("network", "interfaces.get", {"name": "lan"})
    changed = {**LAN_INTERFACE, "filter_in": "LAN"}
    standing.call("network", "interfaces.change", {"name": "lan", "version": kept["version"], "row": changed})


def _became(standing: Standing, number: int) -> Any:
    return next(one["standing"] for one in standing.call("machine", "generations") if one["number"] == number)


def _hasten(path: Path) -> None:
    """The guardian reads its deadline again and again."""
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "deadline": 0.0}))
