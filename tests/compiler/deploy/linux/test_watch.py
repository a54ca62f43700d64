"""The watch in a kernel: lines that die in three ways under living connections, and come back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from compiler.cli.main import main
from compiler.deploy.linux.connections import entries
from compiler.deploy.linux.deployment import LinuxDeployment
from tests.compiler.deploy.linux.traffic import Server, connect, says
from tests.compiler.deploy.linux.uplinks import INTENT, Uplinks, needs_kernel

pytestmark = needs_kernel
ROOT = Path(__file__).parents[4]
FAILURES = {
    "carrier": (["link set in down"], ["link set in up"]),
    "gateway": (["addr del 10.1.0.1/24 dev in"], ["addr add 10.1.0.1/24 dev in"]),
    "isp": (["link set out down"], ["link set out up", "route add default via 172.16.1.2"]),
}
INTERVAL = 0.1
START = "from compiler.cli.main import main; raise SystemExit(main())"


class Watching:
    """The daemon as a process in the router."""

    def __init__(self, network: Uplinks, folder: Path, text: str = INTENT, *more: str) -> None:
        self.file, self.state = folder / "isps.yaml", folder / "state"
        self.file.write_text(text)
        self._log = folder / "log"
        command = [sys.executable, "-c", START, "balance", "watch", str(self.file), *more]
        options = ["--interval", str(INTERVAL), "--state", str(self.state), "--format", "json"]
        with network.nodes["router"].inside(), self._log.open("w") as log:
            self.process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def __enter__(self) -> Watching:
        self.wait(lambda: self.events("start") and (self.state / "watch.json").exists())
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, self._log.read_text()
        assert self.events("stop")

    def events(self, kind: str) -> list[dict]:
        found = [json.loads(line) for line in self._log.read_text().split("\n") if line.endswith("}")]
        return [one for one in found if one["event"] == kind]

    def wait(self, is_so, seconds: float = 40) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, self._log.read_text()
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.01)


@pytest.fixture
def network(tmp_path):
    with Uplinks() as found:
        deploy(found, tmp_path)
        yield found


def deploy(network: Uplinks, folder: Path, text: str = INTENT) -> None:
    with network.nodes["router"].inside():
        deployment = LinuxDeployment(text, "isps.yaml", folder / "state")
        deployment.apply(60)
        deployment.confirm()


def lines(network: Uplinks, stack: ExitStack, count: int) -> list:
    made = [connect(network) for _ in range(count)]
    for connection, _ in made:
        stack.callback(connection.close)
    return made


@pytest.mark.parametrize("failure", FAILURES)
def test_a_line_dies_under_living_connections_and_comes_back(network, tmp_path, failure):
    cut, mend = FAILURES[failure]
    with ExitStack() as stack:
        stack.enter_context(Server(network))
        watch = stack.enter_context(Watching(network, tmp_path))
        before = lines(network, stack, 6)
        assert [line for _, line in before] == ["line1", "line2"] * 3
        assert {says(one) for one, _ in before} == {"echoed"}
        network.ip("gateway1", *cut)
        watch.wait(lambda: watch.events("forget"))
        assert [event["uplink"] for event in watch.events("dead")] == ["line1"]
        assert bool(watch.events("carrier")) is (failure == "carrier")
        with network.nodes["router"].inside():
            # The probes' own echoes have no mark, and are forgotten too where they were translated.
            assert entries(0x100) == []
            assert len(entries(0x200)) == 3
        assert watch.events("forget")[0]["connections"] >= 3
        assert {says(one) for one, line in before if line == "line2"} == {"echoed"}
        assert {line for _, line in lines(network, stack, 4)} == {"line2"}
        assert {says(one) for one, line in before if line == "line1"} == {"reset"}
        with network.nodes["router"].inside():
            main(["balance", "watch", "--status", "--state", str(tmp_path / "state")])
            assert LinuxDeployment(INTENT, "isps.yaml", tmp_path / "state").plan() == ()  # dead routes stay away
        network.ip("gateway1", *mend)
        watch.wait(lambda: watch.events("alive"))
        watch.wait(lambda: {line for _, line in lines(network, stack, 2)} == {"line1", "line2"})
        assert {says(one) for one, line in before if line == "line2"} == {"echoed"}
        assert watch.events("error") == []
    with network.nodes["router"].inside():
        assert LinuxDeployment(INTENT, "isps.yaml", tmp_path / "state").plan() == ()


def test_a_strict_exception_goes_nowhere_else_meanwhile(network, tmp_path):
    with Server(network), Watching(network, tmp_path) as watch:
        connection, line = connect(network, "198.51.100.77")
        connection.close()
        assert line == "line1"
        network.ip("gateway1", "link set in down")
        watch.wait(lambda: watch.events("forget"))
        with pytest.raises(OSError, match=r"."):
            connect(network, "198.51.100.77", seconds=0.5)
        connection, line = connect(network)
        connection.close()
        assert line == "line2"


def test_the_intent_is_read_anew_and_a_wrong_one_is_not_taken(network, tmp_path):
    with Watching(network, tmp_path) as watch:
        watch.file.write_text("nonsense: [")
        os.kill(watch.process.pid, signal.SIGHUP)
        watch.wait(lambda: watch.events("error"))
        watch.file.write_text(INTENT.replace("probes: 198.51.100.1}", "probes: 198.51.100.99}"))
        os.kill(watch.process.pid, signal.SIGHUP)
        watch.wait(lambda: len(watch.events("start")) == 2)
        watch.wait(lambda: watch.events("dead"))  # nobody has that address


def test_a_lease_is_told_by_a_hook(tmp_path):
    text = INTENT.replace("address: 10.1.0.2/24, gateway: 10.1.0.1", "gateway: dhcp")
    with Uplinks() as network:
        deploy(network, tmp_path, text)
        assert "10.1.0.1" not in network.standing()
        with Server(network), Watching(network, tmp_path, text) as watch:
            connection, line = connect(network)
            connection.close()
            assert line == "line2"
            network.ip("router", "addr add 10.1.0.2/24 dev ISP1")  # as a DHCP client does
            lease = ["--gateway", "10.1.0.1", "--address", "10.1.0.2/24", "--state", str(watch.state)]
            assert main(["balance", "lease", "line1", *lease]) == 0
            watch.wait(lambda: watch.events("alive"))
            watch.wait(lambda: "default via 10.1.0.1 dev ISP1 table 20001" in network.standing())
            with ExitStack() as stack:
                assert {line for _, line in lines(network, stack, 2)} == {"line1", "line2"}
                assert main(["balance", "lease", "line1", "--lost", "--state", str(watch.state)]) == 0
                watch.wait(lambda: watch.events("forget"))
                assert {line for _, line in lines(network, stack, 2)} == {"line2"}
