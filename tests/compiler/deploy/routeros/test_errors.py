"""What goes wrong: each time one paragraph that says how the device was left, and what to do."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.access import Access, Tls
from compiler.deploy.routeros.deployment import Patience, RouterosDeployment
from compiler.errors import UsageError
from labs.virtual_routeros.certificate import self_signed
from labs.virtual_routeros.server import Server
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.routeros.devices import Moment, access, cut, deploy, exported, made, pass_time, served

_INTENT = simple((1, 1))


def _with(server: Server, **more: object) -> RouterosDeployment:
    settings = {"host": server.address[0], "user": "admin", "password": "secret", "port": server.address[1]}
    return RouterosDeployment(_INTENT, "two.yaml", Access(**{**settings, "timeout": 5.0, **more}))  # type: ignore[arg-type]


@pytest.mark.parametrize("release", ["7.18.2", "6.49.17", "6.42.9"])
def test_a_wrong_password(release: str) -> None:
    with (
        served(made(release)) as server,
        pytest.raises(DeployError, match=r"does not know the user 'admin' with this password .*Nothing was changed\."),
    ):
        _with(server, password="wrong").apply(60)


def test_an_old_login() -> None:
    with served(made("6.42.9")) as server:
        assert _with(server).plan()


def test_nobody_is_there() -> None:
    with served(made()) as server:
        gone = _with(server)
    with pytest.raises(DeployError, match="cannot be reached: Connection refused"):
        gone.plan()


def test_a_device_that_hangs_up() -> None:
    with served(made()) as server:
        server.faults.is_deaf = True
        with pytest.raises(DeployError, match=r"cannot be reached: .*Nothing was changed"):
            _with(server).plan()


def test_a_device_that_does_not_answer() -> None:
    with served(made()) as server:
        server.faults.delay = 0.5
        with pytest.raises(DeployError, match="cannot be reached: timed out"):
            _with(server, timeout=0.1).plan()


@pytest.mark.parametrize("has_empty", [True, False])
def test_slow_answers_with_and_without_empty(has_empty: bool) -> None:
    device = made(has_empty=has_empty, foreign=False)
    with served(device) as server:
        server.faults.delay = 0.003
        deployment = _with(server)
        assert deployment.apply(60) is not None
        deployment.confirm()
        assert deployment.plan() == ()


def test_tls(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    octets = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    digest = hashlib.sha256(octets).hexdigest()
    colons = ":".join(digest[place : place + 2] for place in range(0, 64, 2)).upper()
    with Server(made(), tls=context) as server:
        for tls in (Tls(ca=str(certificate)), Tls(fingerprint=digest), Tls(fingerprint=colons), Tls(insecure=True)):
            assert _with(server, tls=tls).plan()
        server.received.clear()
        for tls in (Tls(), Tls(fingerprint="0" * 64)):
            with pytest.raises(DeployError, match=r"certificate is not trusted.*--fingerprint"):
                _with(server, tls=tls).plan()
        assert server.received == [], "no password went to a stranger"
        with pytest.raises(DeployError, match=r"cannot be reached|TLS"):
            _with(server, timeout=0.5).plan()
    with served(made()) as plain, pytest.raises(DeployError, match=r"TLS fails|cannot be reached"):
        _with(plain, tls=Tls(insecure=True), timeout=0.5).plan()


@pytest.mark.parametrize("tls", [Tls(fingerprint="12:34"), Tls(ca="/nowhere.pem")])
def test_trust_that_is_none(tls: Tls) -> None:
    with pytest.raises(UsageError, match=r"--fingerprint|--ca"):
        tls.context()


@pytest.mark.parametrize("within", [0, 9, 100_000])
def test_a_time_that_is_none(within: int) -> None:
    with served(made()) as server, pytest.raises(UsageError, match="--confirm-within"):
        _with(server).apply(within)


def test_the_device_goes_for_good() -> None:
    """The error says that the device puts things back by itself, and when; and it does."""
    device = made()
    before = exported(device)
    with served(device) as server:
        deployment = deploy(server, _INTENT, attempts=2)
        cut(server, 60, Moment.AFTER)
        sleeps: list[float] = []

        def leave(seconds: float) -> None:
            sleeps.append(seconds)

        deployment = RouterosDeployment(_INTENT, "two.yaml", access(server), patience=Patience(3, 1.5, leave))
        server.faults.trap("x", lambda words: words[0] == b"/login" and server.faults.seen > 60, times=99)
        with pytest.raises(DeployError, match=r"lost .* by itself what was there, at \d\d:\d\d:\d\d of this clock"):
            deployment.apply(60)
    assert exported(device) != before
    pass_time(device, 61)
    assert exported(device) == before


def test_rows_that_somebody_changed_are_not_confirmed() -> None:
    device = made()
    before = exported(device)
    with served(device) as server:
        deployment = deploy(server, _INTENT)
        deployment.apply(60)
        rules = device.tables["ip", "firewall", "mangle"]
        row = next(row for row in rules.rows if row.properties.get("nth"))
        device.call(rules.menu.path, "set", {".id": row.id, "nth": "3,1"})
        with pytest.raises(DeployError, match=r"not those that were deployed.*Not confirmed"):
            deployment.confirm()
        with pytest.raises(DeployError, match=r"not those that were deployed\. Not confirmed"):
            RouterosDeployment(None, "", access(server)).confirm()
        deployment.roll_back()
    assert exported(device) == before


def test_a_device_that_keeps_something_else_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back decides: here the device says yes to a rule and keeps another."""
    device = made()
    before = exported(device)
    call = device.call

    def forgetful(path, command, arguments=None, query=()):  # type: ignore[no-untyped-def]
        if command == "add" and (arguments or {}).get("nth"):
            arguments = {**arguments, "nth": "5,1"}
        return call(path, command, arguments, query)

    monkeypatch.setattr(device, "call", forgetful)
    with served(device) as server, pytest.raises(DeployError, match=r"not as planned: .*nth=2,1.*as it was before"):
        deploy(server, _INTENT).apply(60)
    assert exported(device) == before


def test_a_device_that_cuts_scripts_short_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    device = made()
    before = exported(device)
    call = device.call

    def short(path, command, arguments=None, query=()):  # type: ignore[no-untyped-def]
        if command == "add" and "source" in (arguments or {}):
            arguments = {**arguments, "source": arguments["source"][:100]}
        return call(path, command, arguments, query)

    monkeypatch.setattr(device, "call", short)
    with served(device) as server, pytest.raises(DeployError, match="did not keep the script"):
        deploy(server, _INTENT).apply(60)
    assert exported(device) == before


def test_an_interrupt_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    from compiler.deploy.routeros import deployment as module

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    device = made()
    before = exported(device)
    monkeypatch.setattr(module, "carry_out", interrupted)
    with served(device) as server, pytest.raises(DeployError, match=r"KeyboardInterrupt.*as it was before"):
        deploy(server, _INTENT).apply(60)
    assert exported(device) == before
