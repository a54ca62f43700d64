"""What of others breaks a balance is refused with its mending; what is the owner's policy is not."""

from __future__ import annotations

import pytest

from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.deployment import RouterosDeployment
from labs.virtual_routeros.device import Device
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.routeros.devices import access, deploy, exported, made, served

_INTENT = simple((1, 1))
_FORWARD = {"chain": "forward"}
_FILTER = "/ip/firewall/filter"
_STATES = {"connection-state": "established,related"}
BREAKING = [
    ("/ip/firewall/mangle", {"chain": "gerbang-inside", "action": "accept", "comment": 'm"x'}, "chain of the balance"),
    (_FILTER, {**_FORWARD, "action": "drop"}, "before it does"),
    (_FILTER, {**_FORWARD, "action": "reject", "in-interface-list": "!WAN"}, "before it does"),
    (_FILTER, {**_FORWARD, "action": "jump", "jump-target": "x", "in-interface": "LAN"}, "before it does"),
    (_FILTER, {**_FORWARD, "action": "fasttrack-connection", **_STATES}, "past the marks"),
    ("/ip/firewall/address-list", {"list": "gerbang-local", "address": "1.2.3.0/24"}, "in its list"),
    ("/interface/list/member", {"list": "gerbang-wan", "interface": "GUESTS"}, "in its list"),
]
HARMLESS = [
    (_FILTER, {**_FORWARD, "action": "drop", "connection-state": "invalid"}),
    (_FILTER, {**_FORWARD, "action": "drop", "in-interface-list": "WAN", "connection-state": "new"}),
    (_FILTER, {**_FORWARD, "action": "drop", "protocol": "tcp", "dst-port": "25"}),
    (_FILTER, {**_FORWARD, "action": "drop", "out-interface": "GUESTS"}),
    (_FILTER, {**_FORWARD, "action": "fasttrack-connection", **_STATES, "connection-mark": "no-mark"}),
    (_FILTER, {"chain": "input", "action": "drop"}),
    ("/ip/firewall/mangle", {"chain": "gerbang-inside", "action": "log"}),
    ("/ip/firewall/address-list", {"list": "gerbang-local", "address": "192.168.3.0/24", "comment": "as ours"}),
]


def _router(*rows: tuple[str, dict[str, str]]) -> Device:
    device = made(foreign=False)
    device.call(("interface", "list"), "add", {"name": "WAN"})
    for port in ("ISP1", "ISP2"):
        device.call(("interface", "list", "member"), "add", {"list": "WAN", "interface": port})
    if any("gerbang-wan" in values.values() for _, values in rows):
        device.call(("interface", "list"), "add", {"name": "gerbang-wan"})
    for path, values in rows:
        device.call(tuple(path.strip("/").split("/")), "add", values)
    return device


@pytest.mark.parametrize(("path", "values", "says"), BREAKING)
def test_what_breaks_it_is_refused(path: str, values: dict[str, str], says: str) -> None:
    device = _router((path, values))
    before = exported(device)
    with served(device) as server:
        deployment = deploy(server, _INTENT)
        assert deployment.plan()
        (line,) = deployment.obstacles
        assert says in line
        assert f": /{path.strip('/').replace('/', ' ')} " in line
        with pytest.raises(DeployError, match=r"nothing was changed:(?s:.*)--despite-foreign"):
            deployment.apply(60)
        assert exported(device) == before
        bold = RouterosDeployment(_INTENT, "two.yaml", access(server), despite_foreign=True)
        assert bold.apply(60) is not None
        assert line in bold.warnings
        bold.roll_back()
    assert exported(device) == before


@pytest.mark.parametrize(("path", "values"), HARMLESS)
def test_the_owners_policy_is_none(path: str, values: dict[str, str]) -> None:
    with served(_router((path, values))) as server:
        deployment = deploy(server, _INTENT)
        deployment.plan()
        assert deployment.obstacles == ()


def test_a_drop_behind_an_accept_and_one_that_is_disabled() -> None:
    accept = (_FILTER, {**_FORWARD, "action": "accept", "in-interface": "LAN", "out-interface-list": "WAN"})
    drop = (_FILTER, {**_FORWARD, "action": "drop"})
    for rows, count in (
        ([accept, drop], 0),
        ([drop, accept], 1),
        ([(_FILTER, {**_FORWARD, **_STATES}), drop], 1),
        ([(_FILTER, {**_FORWARD, "action": "drop", "disabled": "yes"})], 0),
    ):
        with served(_router(*rows)) as server:
            deployment = deploy(server, _INTENT)
            deployment.plan()
            assert len(deployment.obstacles) == count, rows


def test_the_printed_command_mends_it() -> None:
    path, values, _ = BREAKING[0]
    device = _router((path, values))
    with served(device) as server:
        deployment = deploy(server, _INTENT)
        deployment.plan()
        command = deployment.obstacles[0].rpartition(": ")[2]
        device.scheduler.start(command, "by hand")
        deployment.plan()
        assert deployment.obstacles == ()


def test_a_removal_is_never_refused() -> None:
    device = _router((_FILTER, {**_FORWARD, "action": "drop"}))
    with served(device) as server:
        bold = RouterosDeployment(_INTENT, "two.yaml", access(server), despite_foreign=True)
        bold.apply(60)
        bold.confirm()
        removal = deploy(server, None)
        removal.apply(60)
        removal.confirm()


def test_a_dhcp_client_comes_after_the_routes_that_its_lease_fills_in() -> None:
    text = _INTENT.replace("address: 10.1.0.2/24, gateway: 10.1.0.1", "gateway: dhcp")
    with served(made(foreign=False)) as server:
        places = [change.where for change in deploy(server, text).plan()]
    assert "/ip dhcp-client" in places
    assert places.index("/ip dhcp-client") > max(place for place, name in enumerate(places) if name == "/ip route")
