"""Contact is lost and comes back by itself; whoever is killed, the kernel is as it was or as it was made."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from appliance.services.network import applying
from appliance.services.network.checking import wrong_in_kernel
from appliance.services.network.components import NetworkComponent
from appliance.services.network.kernel import NetworkKernel
from appliance.services.network.model import Interface
from appliance.services.network.records import Records
from compiler.deploy.deployment import DeployError
from tests.appliance.services.network.wires import (
    LAN,
    Wires,
    described,
    needs_kernel,
    reaches,
    run_killed,
    wait_until,
    written,
)

pytestmark = needs_kernel
BLIND = LAN.replace("any eq 22", "any eq 2222").replace("any eq 8443", "any eq 9443")
"""Drops those who look after the appliance; its verification says so, and somebody goes on all the same."""


@pytest.fixture
def wires(tmp_path):
    with Wires(tmp_path) as found, found.nodes["appliance"].inside():
        applying.apply(None, written(tmp_path / "good", described(LAN)), 60, folders=found.folders)
        applying.confirm(folders=found.folders)
        yield found


@pytest.fixture
def blind(tmp_path):
    folder = tmp_path / "blind"
    # Rendered without a management network, for with one it is not rendered at all.
    whole = described(BLIND)
    assert any("lock out" in str(one) for one in NetworkComponent(whole).verify({}))
    return written(folder, dataclasses.replace(whole, management=()))


def test_contact_that_is_lost_comes_back_by_itself(wires, blind, tmp_path):
    before = wires.stands()
    assert reaches(wires, "10.1.0.1", 22)
    applying.apply(tmp_path / "good", blind, 2, folders=wires.folders)
    assert not reaches(wires, "10.1.0.1", 22)
    wait_until(lambda: applying.standing(folders=wires.folders) is None)
    assert reaches(wires, "10.1.0.1", 22, seconds=2)
    assert wires.stands() == before
    with pytest.raises(DeployError, match="no change of the network waits"):
        applying.confirm(folders=wires.folders)


def test_what_is_confirmed_in_time_stays(wires, tmp_path):
    applying.apply(tmp_path / "good", written(tmp_path / "2", described()), 2, folders=wires.folders)
    identity = applying.standing(folders=wires.folders).identity
    applying.confirm(folders=wires.folders)
    text = wires.stands()
    _wait_for_guardian(identity)
    assert wires.stands() == text
    assert reaches(wires, "10.1.0.1", 9000)


def test_a_lost_guardian_is_made_up_for(wires, blind, tmp_path):
    before = wires.stands()
    applying.apply(tmp_path / "good", blind, 60, folders=wires.folders)
    for guardian in _guardians(applying.standing(folders=wires.folders).identity):
        os.kill(guardian, signal.SIGKILL)
    records = Records(wires.folders)
    records.wait(records.waiting()._replace(deadline=0.0))
    with pytest.raises(DeployError, match="the time for the confirmation is over"):
        applying.confirm(folders=wires.folders)
    assert applying.apply(blind, tmp_path / "good", 60, folders=wires.folders) is None
    assert wires.stands() == before


def test_after_a_killed_applier_the_guardian_puts_back(wires, tmp_path):
    """The guardian is not the applier's child."""
    before = wires.stands()
    assert run_killed(wires, tmp_path / "good", None, 3, 2)
    wait_until(lambda: applying.standing(folders=wires.folders) is None)
    assert wires.stands() == before


@pytest.mark.parametrize("step", [1, pytest.param(2, marks=pytest.mark.long), 4])
def test_after_a_killed_applier_it_is_put_back_by_hand(wires, tmp_path, step):
    """Routes, addresses and nft go one after the other."""
    _killed(wires, tmp_path / "good", None, step)


@pytest.mark.long
@pytest.mark.parametrize("step", range(1, 8))
def test_a_killed_applier_of_another_change(wires, tmp_path, step):
    more = (Interface(name="wan", addresses=("10.2.0.1/24",), mtu=1400),)
    other = dataclasses.replace(described(more=more, forward=True), routes=())
    _killed(wires, tmp_path / "good", written(tmp_path / "2", other), step)


def _killed(wires, before, after, step):
    stood = wires.stands()
    assert run_killed(wires, before, after, step, 60)
    assert wires.stands() != stood
    with pytest.raises(DeployError, match=r"cut off"):
        applying.confirm(folders=wires.folders)
    applying.roll_back(folders=wires.folders)
    assert wires.stands() == stood
    assert not list(wrong_in_kernel(before, wires.folders))


def test_a_killed_return_is_done_again(wires, tmp_path, monkeypatch):
    """Put back cut off after each of its changes: another one ends it."""
    stood = wires.stands()
    applying.apply(tmp_path / "good", None, 60, folders=wires.folders)

    class Cut(BaseException):
        pass

    left = 0

    def cut(original):
        def instead(*given, **more):
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut
            return original(*given, **more)

        return instead

    for name in ("add_address", "set_route", "load"):
        monkeypatch.setattr(NetworkKernel, name, cut(getattr(NetworkKernel, name)))
    for left in (0, 1, 2):  # noqa: B007 - what is left to do is counted down by the calls
        with pytest.raises(Cut):
            applying.roll_back(folders=wires.folders)
    left = 99
    applying.roll_back(folders=wires.folders)
    assert wires.stands() == stood


def _guardians(identity: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if identity.encode() in words and applying.GUARDIAN.encode() in words:
                found.append(int(name))
    return found


def _wait_for_guardian(identity: str) -> None:
    wait_until(lambda: not _guardians(identity))
