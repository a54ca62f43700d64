"""The daemon as a process: how it starts, stops, and reads its settings."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.daemon.run_settings import RunSettings, Tls, read_settings
from appliance.daemon.sockets import tls_context
from compiler.errors import InputErrors, UsageError
from tests.appliance.daemon.process import Process


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "state: /srv/g\nsocket: /run/x.sock\nstore: postgresql:///g\nzone: Asia/Makassar\n"
        "tls:\n  port: 443\n  certificate: /c\n  key: /k\n"
    )
    found = read_settings(file)
    assert (found.state, found.socket, found.store) == (Path("/srv/g"), Path("/run/x.sock"), "postgresql:///g")
    assert found.zone.key == "Asia/Makassar"
    assert found.tls == Tls(certificate=Path("/c"), key=Path("/k"), port=443)
    assert RunSettings(state=Path("/srv/g")).store_url == "sqlite:////srv/g/gerbang.sqlite"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sockt: /x", "a.yaml:1:1: unknown key 'sockt'"),
        ("state: relative", "a.yaml:1:8: 'relative' is no absolute path"),
        ("zone: Mars/Olympus", "a.yaml:1:7: there is no time zone"),
        ("zone: ../../etc/passwd", "a.yaml:1:7: there is no time zone"),
        ("tls:\n  port: 70000\n  certificate: /c\n  key: /k", "a.yaml:2:9: '70000' is no port"),
        ("tls:\n  port: 443", "tls needs certificate and key"),
        ("tls: yes", "a.yaml:1:6: 'yes': expected a mapping"),
        ("state: [a]", "a.yaml:1:8: a list: expected a text"),
        ("- a", "expected a mapping"),
        ("", "the file is empty"),
    ],
)
def test_errors_have_their_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(InputErrors) as wrong:
        read_settings(file)
    assert said in wrong.value.render()


def test_certificates_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("nonsense")
    with pytest.raises(UsageError, match="no certificate"):
        tls_context(tmp_path / "c", tmp_path / "none")


def test_a_second_daemon_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.start()
    second = [sys.executable, "-m", "tests.appliance.daemon.run_ledger", str(process.state)]
    for socket in (process.socket, tmp_path / "other.sock"):
        refused = subprocess.run([*second, str(socket)], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "owns this store" in refused.stderr
    with process.client() as client:
        assert client.call("ledger", "greet") == "hello visitor"
    with process.client("maya") as client:
        client.call("ledger", "count-up", {"steps": 1_000_000})
    process.stop()  # long work does not hold it up
    assert process.running.returncode == 0
    assert not process.socket.exists()


def test_the_demonstration_has_people_for_each_role_and_ends_with_its_pipe(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "compiler", "appliance", "run", "--demo", "--socket", str(tmp_path / "d" / "x.sock")]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        assert demo.stdin is not None
        accounts = {}
        for line in demo.stdout:
            if line.startswith("ready "):
                break
            _, name, password, roles = line.split()
            accounts[name] = (password, roles)
        else:
            raise AssertionError(demo.stderr.read() if demo.stderr else "")
        assert accounts["admin"][1] == "system.administrator"
        with Client(Address(tmp_path / "d" / "x.sock")) as client:
            assert client.login("admin", accounts["admin"][0])["must_change_password"] is False
        demo.stdin.close()
        assert demo.wait(20) == 0
    assert not (tmp_path / "d" / "x.sock").exists()


def test_tls_is_served_beside_the_socket(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*made, "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True)
    port = _free_port()
    words = ["--state", tmp_path / "s", "--socket", tmp_path / "r" / "x.sock", "--tls-port", str(port)]
    words += ["--tls-certificate", certificate, "--tls-key", key]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "compiler", "appliance", "run", *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as daemon:
        assert daemon.stdout is not None
        said = list(iter(daemon.stdout.readline, f"ready {tmp_path / 'r' / 'x.sock'}\n"))
        password = said[0].split()[-1]
        believed = ssl.create_default_context(cafile=str(certificate))
        with Client(Address.of(url=f"https://localhost:{port}"), verify=believed) as client:
            with pytest.raises(Exception, match="log in"):
                client.openapi()
            assert client.login("admin", password)["must_change_password"] is True
        with Client(Address(tmp_path / "r" / "x.sock")) as client:
            assert client.openapi()["openapi"] == "3.1.0"
        daemon.terminate()
        assert daemon.wait(20) == 0


def _free_port() -> int:
    import socket

    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])
