"""What others had before the balance: left where it is as wanted, refused where it is not, and back after a removal."""

from __future__ import annotations

import pytest

from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.deployment import RouterosDeployment
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.server import Server
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.routeros.devices import Moment, access, cut, deploy, exported, made, pass_time, served

_INTENT = simple((1, 1), "nth", "name: gate\ndns: {servers: 8.8.8.8, serve: yes}\n")
_ADDRESS, _LIST = ("ip", "address"), ("interface", "list")
_MINE = {"address": "192.168.3.1/24", "interface": "LAN", "comment": "mgmt"}
_PRINTER = {"address": "10.1.0.2/24", "interface": "GUESTS", "comment": 'office "printer"'}


def _router(*, printer: bool = True) -> Device:
    device = made(foreign=False)
    device.call(_ADDRESS, "add", _MINE)
    device.call(_LIST, "add", {"name": "gerbang-wan", "comment": "mine"})
    device.call(("routing", "table"), "add", {"name": "via-line1", "fib": "", "comment": "mine"})
    device.call(("ip", "firewall", "address-list"), "add", {"list": "mine", "address": "1.2.3.4"})
    device.call(("ip", "dns"), "set", {"servers": "1.1.1.1"})
    if printer:
        device.call(_ADDRESS, "add", _PRINTER)
        device.call(_LIST, "add", {"name": "gerbang-lan", "include": "static", "comment": "odd"})
    return device


def _replacing(server: Server, text: str | None = _INTENT) -> RouterosDeployment:
    return RouterosDeployment(text, "two.yaml", access(server), remove=text is None, replace_foreign=True)


def _rows(device: Device, path: tuple[str, ...]) -> list[dict[str, str]]:
    return [dict(row.properties) for row in device.tables[path].rows]


def test_what_is_as_wanted_already_stays_whose_it_is() -> None:
    device = _router(printer=False)
    before = exported(device)
    with served(device) as server:
        for text in (_INTENT, None):
            deployment = deploy(server, text)
            deployment.apply(60)
            assert any(row.get("comment") == "mgmt" for row in _rows(device, _ADDRESS))
            assert not any("192.168.3.1" in str(change) for change in deploy(server, None).plan())
            deployment.confirm()
            assert deploy(server, text).plan() == ()
    assert exported(device) == before, "the name and the name servers too"


def test_what_conflicts_is_refused_by_name() -> None:
    device = _router()
    before = exported(device)
    with served(device) as server:
        with pytest.raises(DeployError, match="--replace-foreign") as caught:
            deploy(server, _INTENT).apply(60)
        assert '/ip address remove [find where address="10.1.0.2/24" and interface="GUESTS"]' in str(caught.value)
        assert '/interface list remove [find where name="gerbang-lan"]' in str(caught.value)
    assert exported(device) == before


def test_another_length_and_one_that_is_disabled() -> None:
    device = made(foreign=False)
    row = device.call(_ADDRESS, "add", {"address": "10.1.0.2/30", "interface": "GUESTS"}).ret
    with served(device) as server:
        with pytest.raises(DeployError, match=r"10\.1\.0\.2/30"):
            deploy(server, _INTENT).plan()
        device.call(_ADDRESS, "set", {".id": str(row), "disabled": "yes"})
        assert deploy(server, _INTENT).plan()


def test_what_made_room_comes_back_with_the_removal() -> None:
    device = _router()
    before = exported(device)
    with served(device) as server:
        first = _replacing(server)
        assert not any("office" in str(change) for change in first.plan() if change.where == "/system script")
        assert any("10.1.0.2/24" in text and "goes" in text for text in (first.plan(), first.warnings)[1])
        first.apply(60)
        assert _PRINTER not in _rows(device, _ADDRESS)
        first.roll_back()
        assert exported(device) == before
        first.apply(60)
        deploy(server, _INTENT).confirm()
        assert deploy(server, _INTENT).plan() == ()
        second = deploy(server, simple((1, 2), "nth", "dns: {servers: 9.9.9.9}\n"))
        second.apply(60)
        second.confirm()
        standing = exported(device)
        removal = deploy(server, None)
        removal.apply(60)
        assert exported(device).split("/system")[0] != standing
        pass_time(device, 61)
        assert exported(device) == standing, "nobody confirmed"
        removal.apply(60)
        removal.confirm()
    assert exported(device) == before


def test_settings_that_somebody_changed_since_stay() -> None:
    device = _router(printer=False)
    with served(device) as server:
        first = deploy(server, _INTENT)
        first.apply(60)
        first.confirm()
        device.call(("ip", "dns"), "set", {"servers": "4.4.4.4"})
        removal = deploy(server, None)
        removal.apply(60)
        assert any("servers=4.4.4.4 was changed since" in text for text in removal.warnings)
        removal.confirm()
    (dns,) = _rows(device, ("ip", "dns"))
    assert (dns["servers"], dns["allow-remote-requests"]) == ("4.4.4.4", "false")
    assert _rows(device, ("system", "script")) == []


def test_a_removal_tells_of_the_address_that_one_is_connected_by() -> None:
    text = _INTENT.replace("192.168.3.1/24", "127.0.0.1/8")
    device = made(foreign=False)
    with served(device) as server:
        first = deploy(server, text)
        first.apply(60)
        first.confirm()
        removal = deploy(server, None)
        removal.plan()
        assert sum("by which you are connected" in text for text in removal.warnings) == 1
        assert sum("goes: who reaches" in text for text in removal.warnings) == 2


@pytest.mark.parametrize("way", ["replacing", "removing"])
@pytest.mark.parametrize("number", [8, 16, 25])
def test_cut_while_rows_make_room_and_come_back(way: str, number: int) -> None:
    device = _router()
    with served(device) as server:
        if way == "removing":
            first = _replacing(server)
            first.apply(60)
            first.confirm()
        before = exported(device)
        for moment in Moment:
            cut(server, number, moment)
            with pytest.raises(DeployError):
                _replacing(server, _INTENT if way == "replacing" else None).apply(60)
            pass_time(device, 61)
            assert exported(device) == before, moment


@pytest.mark.long
@pytest.mark.parametrize("way", ["replacing", "removing"])
def test_cut_at_every_sentence(way: str) -> None:
    for number in range(1, 400):
        device = _router()
        with served(device) as server:
            if way == "removing":
                first = _replacing(server)
                first.apply(60)
                first.confirm()
            before = exported(device)
            cut(server, number, list(Moment)[number % len(Moment)])
            try:
                _replacing(server, _INTENT if way == "replacing" else None).apply(60)
                assert number > 40
                return
            except DeployError:
                pass_time(device, 61)
        assert exported(device) == before, number
