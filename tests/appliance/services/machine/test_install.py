"""Packages: the daemon names a service, the helper asks apt; here apt is a function."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.contract.service import Service
from appliance.daemon.ports import MachinePorts
from appliance.helper.actions import Actions
from appliance.helper.admission import Admission
from appliance.helper.catalogue import installed_catalogue
from appliance.helper.client import HelperMachine
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from compiler.cli.main import main
from tests.appliance.daemon.house import House
from tests.appliance.helper.conftest import answering
from tests.appliance.helper.small import Answering

__all__ = ["answering"]

Gerbang = Callable[..., tuple[int, str, str]]


@pytest.fixture
def asked() -> list[tuple[str, tuple[str, ...]]]:
    """What apt was asked for."""
    return []


@pytest.fixture
def house(
    tmp_path: Path, answering: Answering, asked: list[tuple[str, tuple[str, ...]]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """A daemon and a helper; ``dns`` needs packages, ``mail`` some that are not there, ``plain`` none."""

    def apt(service: str, packages: tuple[str, ...]) -> str:
        asked.append((service, packages))
        if service == "mail":
            raise SupervisionFailed(service, "apt could not install dovecat", "E: Unable to locate package dovecat")
        return "Reading package lists...\n2 newly installed"

    needs = {"dns": ("nsd", "unbound"), "mail": ("dovecat",), "plain": ()}
    monkeypatch.syspath_prepend(tmp_path / "code")
    services = tuple(_service(name, packages, tmp_path / "code") for name, packages in needs.items())
    places = Places(tmp_path / "r", tmp_path / "s")
    with ExitStack() as stack:
        actions = Actions(
            catalogue=installed_catalogue(services),
            supervisor=stack.enter_context(OwnSupervisor(places, privileged=False)),
            admission=Admission(tmp_path, tmp_path / "store"),
            places=places,
            privileged=False,
            install=apt,
        )
        path = stack.enter_context(answering(actions.do))
        made = House(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}", services=(system, machine, *services))
        monkeypatch.setattr(MachinePorts, "machine", HelperMachine(path, tmp_path / "generations"))
        made.add("watcher", "machine.observer")
        yield made
    for name in [one for one in sys.modules if one.startswith("needs_")]:
        del sys.modules[name]


def _service(name: str, packages: tuple[str, ...], code: Path) -> Service:
    package = f"needs_{name}"
    (code / package).mkdir(parents=True)
    (code / package / "__init__.py").touch()
    (code / package / "components.py").write_text(f"PACKAGES = {packages!r}\n", encoding="utf-8")
    return Service(name=name, title=name, package=package, roles=())


@pytest.fixture
def gerbang(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Gerbang]:
    """``gerbang appliance install``: exit code, output, errors."""
    with house.live(tmp_path / "d") as socket:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("GERBANG_SOCKET", str(socket))

        def call(*words: str, person: str = "admin") -> tuple[int, str, str]:
            monkeypatch.setenv("GERBANG_TOKEN", house.token(person))
            code = main(["appliance", "install", *words])
            said = capsys.readouterr()
            return code, said.out, said.err

        yield call


def noted(house: House) -> list[tuple[str, str, str]]:
    return [
        (one.person, said["service"], said["ending"])
        for one in house.audit()
        if (one.service, one.command) == ("machine", "install") and (said := json.loads(one.arguments))
    ]


def test_what_a_service_needs_is_installed_and_noted(
    gerbang: Gerbang, house: House, asked: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert gerbang("dns") == (0, "The packages of dns are installed: nsd, unbound\n", "")
    assert asked == [("dns", ("nsd", "unbound"))]
    code, said, _ = gerbang("dns", "--format", "json")
    assert code == 0
    assert "2 newly installed" in said
    assert noted(house) == [("admin", "dns", "installed")] * 2


def test_what_apt_cannot_do_is_said_and_noted(gerbang: Gerbang, house: House) -> None:
    code, _, said = gerbang("mail")
    assert code == 1
    assert "not installed: mail: apt could not install dovecat" in said
    assert "Unable to locate package dovecat" in said
    assert noted(house) == [("admin", "mail", "failed")]


def test_what_needs_none_is_not_there_or_is_not_allowed_is_refused(
    gerbang: Gerbang, house: House, asked: list[tuple[str, tuple[str, ...]]]
) -> None:
    for words, person, why in (
        (("plain",), "admin", "the service plain needs no packages"),
        (("none",), "admin", "there is no service none"),
        (("dns",), "watcher", "none of the roles"),
    ):
        code, _, said = gerbang(*words, person=person)
        assert code == 1
        assert why in said
    assert asked == []
    assert noted(house) == []
