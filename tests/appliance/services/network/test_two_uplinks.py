"""The appliance between a LAN and two providers: filter and balance in one change, by real connections."""

from __future__ import annotations

import dataclasses
import socket

import pytest

from appliance.services.network import applying
from appliance.services.network.checking import wrong_in_kernel
from appliance.services.network.model import Interface, NetworkDescription, Policy, Route, Settings
from appliance.services.network.reading import status
from appliance.services.network.records import Folders
from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.deployment import LinuxDeployment
from compiler.deploy.linux.records import Records
from tests.appliance.services.network.wires import written
from tests.compiler.deploy.linux.traffic import Server, connect
from tests.compiler.deploy.linux.uplinks import INTENT, Uplinks, needs_kernel

pytestmark = needs_kernel

WEB = """\
ip access-list extended WEB
 deny ip host 192.168.3.66 any
 permit tcp any any eq 7000
 permit icmp any any
"""


def described() -> NetworkDescription:
    return NetworkDescription(
        interfaces=(Interface(name="LAN", filter_in="WEB"), Interface(name="ISP1"), Interface(name="ISP2")),
        policies=(Policy(name="WEB", text=WEB),),
        settings=Settings(balance=INTENT, forward=True),
    )


@pytest.fixture
def network():
    with Uplinks() as found, found.nodes["router"].inside():
        yield found


def test_both_lines_carry_and_the_filter_decides(network, tmp_path):
    folders = Folders(tmp_path / "run", tmp_path / "state")
    before = network.standing()
    files = written(tmp_path / "1", described())
    applying.apply(None, files, 60, folders=folders)
    assert not list(wrong_in_kernel(files, folders))
    # Whoever looks after the uplinks leaves routes alone while the change waits.
    assert Records(folders.run).is_busy()
    with pytest.raises(DeployError):
        LinuxDeployment(INTENT, "isps.yaml", folders.run).apply(60)
    with Server(network):
        lines = []
        for _ in range(4):
            connection, line = connect(network)
            connection.close()
            lines.append(line)
        assert sorted(lines) == ["line1", "line1", "line2", "line2"]  # dealt in turn, exactly
        with pytest.raises(TimeoutError), _from_denied(network):
            pytest.fail("a host that the policy denies came through")
    applying.confirm(folders=folders)
    assert [(one.name, one.known) for one in status(folders).uplinks] == [("line1", False), ("line2", False)]
    denied = next(one for one in status(folders).lines if one.line == 2)
    assert not denied.permits
    assert denied.packets >= 1
    assert applying.apply(files, files, 60, folders=folders) is None
    assert LinuxDeployment(INTENT, "isps.yaml", folders.run).plan() == ()  # the balance is the compiler's own
    applying.apply(files, None, 60, folders=folders)
    applying.confirm(folders=folders)
    assert network.standing() == before
    assert status(folders).uplinks == ()


def _from_denied(network: Uplinks) -> socket.socket:
    network.ip("client", "addr add 192.168.3.66/24 dev eth0")
    with network.nodes["client"].inside():
        made = socket.socket()
    made.settimeout(0.3)
    made.bind(("192.168.3.66", 0))
    try:
        made.connect(("198.51.100.9", 7000))
    except BaseException:
        made.close()
        raise
    return made


def test_another_balance_is_taken_back(network, tmp_path):
    folders = Folders(tmp_path / "run", tmp_path / "state")
    one = written(tmp_path / "1", described())
    applying.apply(None, one, 60, folders=folders)
    applying.confirm(folders=folders)
    stood = network.standing()
    whole = described()
    other = dataclasses.replace(
        whole,
        interfaces=(*whole.interfaces[:2], Interface(name="ISP2", addresses=("10.2.0.2/24",))),
        routes=(Route(name="d", destination="0.0.0.0/0", gateway="10.2.0.1"),),
        settings=Settings(),
    )
    applying.apply(one, written(tmp_path / "2", other), 60, folders=folders)
    assert "gerbang_balance" not in network.standing()
    assert "default via 10.2.0.1 dev ISP2 proto 104" in network.standing()
    applying.roll_back(folders=folders)
    assert network.standing() == stood


def test_what_would_break_the_balance_takes_all_back(network, tmp_path):
    folders = Folders(tmp_path / "run", tmp_path / "state")
    network.ip("router", "rule add priority 50 lookup 77", "route add default dev LAN table 77")
    before = network.standing()
    with pytest.raises(DeployError, match=r"(?s)what is not ours would break the balance.*rule priority 50.*put back"):
        applying.apply(None, written(tmp_path / "1", described()), 60, folders=folders)
    assert network.standing() == before
