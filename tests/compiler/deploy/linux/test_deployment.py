"""A deploy to the kernel of a namespace: planned, done, kept, taken back, and taken back when nobody comes."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from compiler.deploy.deployment import Action, DeployError
from compiler.deploy.linux.changes import steps
from compiler.deploy.linux.deployment import LinuxDeployment
from compiler.deploy.linux.kernel import open_kernel
from compiler.deploy.linux.records import Records
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.linux.uplinks import INTENT, Uplinks, needs_kernel

pytestmark = needs_kernel
FOREIGN = """\
table inet mine {
  chain c {
    type filter hook forward priority 0; policy accept;
    accept comment "theirs"
  }
}
"""


@pytest.fixture
def network():
    with Uplinks() as found, found.nodes["router"].inside():
        subprocess.run(["nft", "-f", "-"], input=FOREIGN, text=True, check=True)
        found.ip(
            "router",
            "addr add 10.9.9.9/32 dev lo",
            "route add 203.0.113.0/24 dev LAN metric 7",
            "route add default dev LAN table 77",
            "rule add priority 1000 fwmark 0x1/0x1 lookup 77",
        )
        yield found


def deployment(tmp_path, text: str = INTENT, **more) -> LinuxDeployment:
    return LinuxDeployment(text, "isps.yaml", tmp_path / "state", **more)


def test_it_is_done_and_kept_and_a_second_time_changes_nothing(network, tmp_path):
    before = network.standing()
    planned = deployment(tmp_path).plan()
    assert network.standing() == before  # planning only reads
    assert {change.action for change in planned} <= {Action.ADD, Action.CHANGE}
    standing = deployment(tmp_path).apply(60)
    assert 55 <= standing.remaining <= 60
    assert deployment(tmp_path).standing().identity == standing.identity
    deployment(tmp_path).confirm()
    assert deployment(tmp_path).standing() is None
    after = network.standing()
    assert set(before.split("\n")) - set(after.split("\n")) <= {"0", "1", "2"}  # values of settings alone
    assert deployment(tmp_path).plan() == ()
    assert deployment(tmp_path).apply(60) is None
    assert network.standing() == after
    deployment(tmp_path, remove=True).apply(60)
    deployment(tmp_path).confirm()
    assert network.standing() == before
    assert deployment(tmp_path, remove=True).plan() == ()


def test_it_is_taken_back_by_hand(network, tmp_path):
    before = network.standing()
    deployment(tmp_path).apply(60)
    assert network.standing() != before
    with pytest.raises(DeployError, match="waits for its confirmation"):
        deployment(tmp_path).apply(60)
    deployment(tmp_path).roll_back()
    assert network.standing() == before
    with pytest.raises(DeployError, match="no deployment waits"):
        deployment(tmp_path).confirm()


def test_another_intent_is_a_small_change_and_comes_back(network, tmp_path):
    deployment(tmp_path, simple((1, 1))).apply(60)
    deployment(tmp_path, simple((1, 1))).confirm()
    before = network.standing()
    other = deployment(tmp_path, simple((1, 2)))
    planned = other.plan()
    assert [change.where for change in planned] == ["nft"]
    other.apply(60)
    assert network.standing() != before
    deployment(tmp_path).roll_back()
    assert network.standing() == before


def test_what_somebody_else_has_in_our_place_is_left_and_said(network, tmp_path):
    network.ip("router", "addr add 10.1.0.2/24 dev ISP1", "route add default via 10.1.0.99 dev ISP1 metric 1")
    before = network.standing()
    with pytest.raises(DeployError, match="somebody else"):
        deployment(tmp_path).apply(60)
    assert network.standing() == before
    network.ip("router", "route replace default via 10.1.0.1 dev ISP1 metric 1")
    deployment(tmp_path).apply(60)
    deployment(tmp_path).roll_back()  # what was as wanted already was somebody else's, and stays
    assert "via 10.1.0.1 dev ISP1 metric 1" in network.standing()


def test_a_refusal_in_the_middle_takes_all_back(network, tmp_path):
    before = network.standing()
    network.ip("router", "link set ISP2 down")
    with pytest.raises(DeployError, match="ISP2"):
        deployment(tmp_path).apply(60)
    network.ip("router", "link set ISP2 up")

    class Unplugged(LinuxDeployment):
        def _after_step(self, number: int) -> None:
            if number == 10:  # settings and addresses are done, and the first routes
                network.ip("router", "link set ISP2 down")

    with pytest.raises(DeployError, match=r"(?s)the kernel says.*put back"):
        Unplugged(INTENT, "isps.yaml", tmp_path / "state").apply(60)
    network.ip("router", "link set ISP2 up")
    assert network.standing() == before
    assert deployment(tmp_path).standing() is None


def test_a_tampered_rule_is_seen(network, tmp_path):
    deployment(tmp_path).apply(60)
    deployment(tmp_path).confirm()
    subprocess.run(["nft", "flush", "chain", "ip", "gerbang_balance", "leaving"], check=True)
    network.ip("router", "route del default table 20001 metric 1", "rule del priority 1101")
    assert [change.where for change in deployment(tmp_path).plan()] == ["table 20001", "nft", "rule"]
    deployment(tmp_path).apply(60)
    deployment(tmp_path).confirm()
    assert deployment(tmp_path).plan() == ()


def _wait(is_so, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


class Killed(LinuxDeployment):
    """Its process dies, unasked, after so many changes."""

    last = 0

    def _after_step(self, number: int) -> None:
        if number == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def _killed_after(tmp_path, number: int, within: int = 1) -> None:
    child = os.fork()
    if not child:
        found = Killed(INTENT, "isps.yaml", tmp_path / "state")
        found.last = number
        found.apply(within)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def _count(tmp_path) -> int:
    return len(deployment(tmp_path).plan())


@pytest.mark.parametrize("part", [0.0, 0.6, 1.0])
def test_the_guardian_returns_when_the_deploy_was_killed(network, tmp_path, part):
    before = network.standing()
    count = _count(tmp_path)
    _killed_after(tmp_path, max(1, round(part * count)))
    _wait(lambda: deployment(tmp_path).standing() is None)
    assert network.standing() == before


def test_what_was_cut_off_is_not_confirmed(network, tmp_path):
    before = network.standing()
    _killed_after(tmp_path, 5, 60)
    assert network.standing() != before
    with pytest.raises(DeployError, match="cut off"):
        deployment(tmp_path).confirm()
    deployment(tmp_path).roll_back()
    assert network.standing() == before


@pytest.mark.long
def test_the_guardian_returns_whatever_step_was_the_last(network, tmp_path):
    before = network.standing()
    for number in range(1, _count(tmp_path) + 1):
        _killed_after(tmp_path, number)
        _wait(lambda: deployment(tmp_path).standing() is None)
        assert network.standing() == before


def test_nobody_confirms(network, tmp_path):
    before = network.standing()
    deployment(tmp_path).apply(1)
    _wait(lambda: deployment(tmp_path).standing() is None)
    assert network.standing() == before
    assert deployment(tmp_path).plan()


def test_a_lost_guardian_is_made_up_for_by_the_next_deploy(network, tmp_path):
    before = network.standing()
    deployment(tmp_path).apply(60)
    records = Records(tmp_path / "state")
    waiting = records.waiting()
    records.wait(waiting._replace(identity="another", deadline=0.0))  # as if its guardian had been killed
    assert deployment(tmp_path).standing().remaining == 0
    with pytest.raises(DeployError, match="time for the confirmation is over"):
        deployment(tmp_path).confirm()
    deployment(tmp_path).apply(60)
    deployment(tmp_path).roll_back()
    assert network.standing() == before


def test_a_route_that_goes_between_plan_and_return_does_no_harm(network, tmp_path):
    before = network.standing()
    deployment(tmp_path).apply(60)
    network.ip("router", "route flush table 20002", "rule del priority 1102")
    deployment(tmp_path).roll_back()
    assert network.standing() == before
    with open_kernel() as kernel:
        assert steps(kernel.held([]), kernel.held([]).ours) == ()


def test_a_line_by_pppoe_may_come_later(network, tmp_path):
    """pppd makes the interface when it is connected; until then its routes are not wanted."""
    text = INTENT.replace("method:", "  dsl: {interface: ISP3, gateway: pppoe, user: me}\nmethod:")
    deployment(tmp_path, text).apply(60)
    deployment(tmp_path, text).confirm()
    assert deployment(tmp_path, text).plan() == ()
    network.ip("router", "link add pppoe3 type veth peer name far", "link set pppoe3 up", "link set far up")
    planned = deployment(tmp_path, text).plan()
    assert {change.where for change in planned} >= {"main table", "table 20001", "sysctl"}
    assert {"pppoe3" in change.what for change in planned} == {True}
    deployment(tmp_path, text).apply(60)
    deployment(tmp_path, text).confirm()
    assert "default dev pppoe3 table 20003" in network.standing()
