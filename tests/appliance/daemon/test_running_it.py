"""The daemon as a process: how it starts, stops, and reads its settings."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.daemon.run_settings import RunSettings, Tls, read_settings
from appliance.daemon.sockets import ServedCertificate, tls_context
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
    for path in (process.socket, tmp_path / "other.sock"):
        refused = subprocess.run([*second, str(path)], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "owns this store" in refused.stderr
    with process.client() as client:
        assert client.call("ledger", "greet") == "hello visitor"
    with process.client("maya") as client:
        client.call("ledger", "count-up", {"steps": 1_000_000})
    process.stop()  # long work does not hold it up
    assert process.running.returncode == 0
    assert not process.socket.exists()


def test_what_two_daemons_would_share_is_of_the_first_and_kill_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.start()
    link = tmp_path / "link.sqlite"
    link.symlink_to(process.state / "gerbang.sqlite")
    run = [sys.executable, "-m", "compiler", "appliance", "run"]
    for state, path, store, said in (
        (process.state, tmp_path / "a.sock", tmp_path / "own.sqlite", "runs on this state folder"),
        (tmp_path / "other", tmp_path / "b.sock", link, "owns this store"),
        (tmp_path / "another", process.socket, tmp_path / "another.sqlite", "answers on"),
    ):
        words = [*run, "--state", str(state), "--socket", str(path), "--store", f"sqlite:///{store}"]
        refused = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        assert refused.returncode == 2, refused.stderr
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
    process.kill()
    assert process.socket.exists()
    process.start()
    with process.client() as client:
        assert client.call("ledger", "greet") == "hello visitor"
    process.stop()


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


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for localhost, and its key."""
    certificate, key = folder / "c.pem", folder / "k.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*made, "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True)
    return certificate, key


@contextmanager
def with_tls(folder: Path, *, files: int = 4096) -> Iterator[tuple[Path, int, str]]:
    """A daemon with a TLS port and so many open files at most: its socket, its port and the first password."""
    certificate, key = certificate_in(folder)
    port, path = _free_port(), folder / "r" / "x.sock"
    words = ["--state", folder / "s", "--socket", path, "--tls-port", str(port)]
    words += ["--tls-certificate", certificate, "--tls-key", key]
    limited = ["prlimit", f"--nofile={files}:{files}", sys.executable, "-m", "compiler", "appliance", "run"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*limited, *map(str, words)], stdout=subprocess.PIPE, text=True, env=environment) as daemon:
        try:
            assert daemon.stdout is not None
            said: list[str] = []
            for line in daemon.stdout:
                if line == f"ready {path}\n":
                    break
                said.append(line)
            else:
                raise AssertionError(f"it ended with {daemon.wait(60)}: {said}")
            yield path, port, said[0].split()[-1]
            daemon.terminate()
            assert daemon.wait(60) == 0
        finally:
            daemon.kill()


def test_tls_is_served_beside_the_socket(tmp_path: Path) -> None:
    with with_tls(tmp_path) as (path, port, password):
        believed = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
        with Client(Address.of(url=f"https://localhost:{port}"), verify=believed) as client:
            with pytest.raises(Exception, match="log in"):
                client.openapi()
            assert client.login("admin", password)["must_change_password"] is True
        with Client(Address(path)) as client:
            assert client.openapi()["openapi"] == "3.1.0"


def test_strangers_who_connect_and_say_nothing_take_no_files_from_others(tmp_path: Path) -> None:
    with with_tls(tmp_path, files=200) as (path, port, _password):
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(250)]
        try:
            # Until their handshakes have run out asyncio's own server would let nobody in.
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(30)
                asking.connect(str(path))
                asking.sendall(b"GET /v1/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert asking.recv(100).startswith(b"HTTP/1.1 200 ")
        finally:
            for one in silent:
                one.close()


def test_a_renewed_certificate_is_served_and_a_broken_one_is_not(tmp_path: Path) -> None:
    served = ServedCertificate(*certificate_in(tmp_path))
    first = _shown(served)
    assert not served.renew()
    certificate_in(tmp_path)
    assert served.renew()
    second = _shown(served)
    assert second != first
    (tmp_path / "c.pem").write_text("half of a cert")
    with pytest.raises(UsageError):
        served.renew()
    assert not served.renew(), "it is said once"
    assert _shown(served) == second


def _shown(served: ServedCertificate) -> bytes | None:
    """The certificate that a client sees."""
    ours, theirs = socket.socketpair()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def answer() -> None:
        with suppress(OSError):
            served.context.wrap_socket(theirs, server_side=True).close()

    answering = threading.Thread(target=answer)
    answering.start()
    with context.wrap_socket(ours) as client:
        seen = client.getpeercert(binary_form=True)
    answering.join()
    return seen


def _free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])
