"""Deploys under a running watch: it holds still while one waits, follows what is kept, and ends with a removal."""

from __future__ import annotations

import stat

import pytest

from compiler.cli.main import main
from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.deployment import LinuxDeployment
from tests.compiler.deploy.linux.test_watch import Watching, deploy
from tests.compiler.deploy.linux.uplinks import INTENT, Uplinks, needs_kernel

pytestmark = needs_kernel
OTHER = INTENT.replace("probes: 198.51.100.2}", "probes: 198.51.100.9}")
"""Another host is asked by line2, which has a route of its own."""


@pytest.fixture
def network(tmp_path):
    with Uplinks() as found:
        deploy(found, tmp_path)
        yield found


def _deployment(folder, text: str = OTHER, **more) -> LinuxDeployment:
    return LinuxDeployment(text, "isps.yaml", folder / "state", **more)


def _hosts(network: Uplinks) -> str:
    return network.ip("router", "route show table 20000")


def test_a_deploy_waits_and_is_kept(network, tmp_path):
    with Watching(network, tmp_path) as watch, network.nodes["router"].inside():
        _deployment(tmp_path).apply(60)
        watch.wait(lambda: watch.events("held"))
        network.ip("gateway1", "link set out down")
        watch.wait(lambda: watch.events("dead"))
        assert "198.51.100.9 via" in _hosts(network)
        assert "dev ISP1" in network.ip("router", "route show table 20001"), "routes are held, though the line is dead"
        assert watch.events("forget") == []
        _deployment(tmp_path).confirm()
        watch.wait(lambda: len(watch.events("start")) == 2)
        watch.wait(lambda: "dev ISP1" not in network.ip("router", "route show table 20001"))
        assert "198.51.100.9 via" in _hosts(network)
        assert _deployment(tmp_path).plan() == ()
        assert watch.events("error") == []


def test_a_deploy_that_is_taken_back(network, tmp_path):
    before = _hosts(network)
    with Watching(network, tmp_path) as watch, network.nodes["router"].inside():
        _deployment(tmp_path).apply(60)
        watch.wait(lambda: watch.events("held"))
        with pytest.raises(DeployError, match="is not the intent that was deployed"):
            _deployment(tmp_path, INTENT).confirm()
        _deployment(tmp_path).roll_back()
        watch.wait(lambda: watch.events("resumed"))
        assert _hosts(network) == before


def test_a_removal_ends_it_and_a_start_after_it_is_refused(network, tmp_path, capsys):
    with Watching(network, tmp_path) as watch, network.nodes["router"].inside():
        removal = _deployment(tmp_path, INTENT, remove=True)
        removal.apply(60)
        watch.wait(lambda: watch.events("held"))
        removal.confirm()
        assert watch.process.wait(20) == 0
        assert "removed" in watch.events("stop")[0]["text"]
        assert _hosts(network) == ""
        assert main(["balance", "watch", str(watch.file), "--state", str(watch.state)]) == 1
        assert "deploy an intent first" in capsys.readouterr().err
        _deployment(tmp_path).apply(60)
        _deployment(tmp_path).confirm()


def test_a_file_that_was_not_deployed_is_not_watched(network, tmp_path):
    with Watching(network, tmp_path, OTHER) as watch:
        watch.wait(lambda: watch.events("intent"))
        assert "198.51.100.9" not in _hosts(network)


def test_names_of_uplinks_and_modes_of_files(network, tmp_path, capsys):
    state = tmp_path / "state"
    for name in ("../x", "line9", ""):
        assert main(["balance", "lease", name, "--lost", "--state", str(state)]) == 2
        assert "is no uplink here" in capsys.readouterr().err
    assert main(["balance", "lease", "../x", "--lost", "--state", str(tmp_path / "none")]) == 2
    assert main(["balance", "lease", "line1", "--lost", "--state", str(state)]) == 0
    with network.nodes["router"].inside():
        _deployment(tmp_path).apply(60)
        files = [one for one in state.iterdir() if one.is_file()]
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
        assert {one.name for one in files} >= {"standing.json", "deployed.json", "leases.json", "settings.json"}
        _deployment(tmp_path).roll_back()
