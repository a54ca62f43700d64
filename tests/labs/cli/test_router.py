"""``gerbang lab router``: a virtual RouterOS on loopback, until it is told to stop."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import sys

import pytest
import routeros_api

from compiler.cli.main import main
from labs.virtual_routeros.sentences import encode_sentence

SCRIPT = "/ip address add address=192.168.3.1/24 interface=LAN\n"


@pytest.fixture
def start():
    """Starts the command; gives the process, its first line and its port."""
    running = []

    def begin(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "compiler", "lab", "router", "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        first = process.stdout.readline()
        found = re.search(r" at 127\.0\.0\.1:(\d+),", first)
        assert found, first + process.stderr.read()
        return process, first, int(found[1])

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def login(port, password="", **more):
    return routeros_api.RouterOsApiPool(
        "127.0.0.1", port=port, username="admin", password=password, plaintext_login=True, **more
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_changes_are_printed_and_exported_at_the_end(tmp_path, start, how):
    script, after = tmp_path / "edge.rsc", tmp_path / "after.rsc"
    script.write_text(SCRIPT)
    words = [str(script), "--interfaces", "LAN,ISP1", "--export", str(after), "--version", "7.15"]
    process, first, port = start(*words)
    assert first.startswith("RouterOS 7.15 at 127.0.0.1:")
    pool = login(port)
    route = pool.get_api().get_resource("/ip/route")
    route.add(gateway="192.168.3.9", distance="2")
    id = route.get(gateway="192.168.3.9")[0]["id"]
    route.set(id=id, comment="by hand")
    route.add(gateway="192.168.3.8", distance="3")
    route.remove(id=id)
    pool.disconnect()
    process.send_signal(how)
    printed, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    added, changed, second, gone = printed.strip().split("\n")
    assert added.startswith("+ /ip/route *")
    assert "gateway=192.168.3.9" in added
    assert changed.endswith(" comment=by hand")
    assert second.startswith("+ ")
    assert gone == "- " + added.split(" ", 3)[1] + " " + added.split(" ", 3)[2]
    text = after.read_text()
    assert "/ip address add address=192.168.3.1/24 interface=LAN" in text
    assert "192.168.3.8" in text
    assert "192.168.3.9" not in text


def test_tls_and_a_password_from_a_file(tmp_path, start):
    secret = tmp_path / "password"
    secret.write_text("long and secret\nmore\n")
    process, _, port = start("--tls", "--password-file", str(secret))
    line = process.stderr.readline()
    certificate = line.removeprefix("certificate: ").partition(" (")[0]
    context = ssl.create_default_context(cafile=certificate)
    pool = login(port, "long and secret", use_ssl=True, ssl_context=context)
    assert pool.get_api().get_resource("/system/resource").get()[0]["version"].startswith("7.18.2")
    pool.disconnect()
    plain = socket.create_connection(("127.0.0.1", port), 10)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        connection.sendall(encode_sentence((b"/login", b"=name=admin", b"=password=other")))
        assert b"invalid user name or password" in connection.recv(1000)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "long and secret" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--version", "5.1"], "'5.1' is no version of RouterOS"),
        (["--port", "x"], "expected a port"),
        (["--interfaces", "a,,b"], "expected names"),
        (["--password-file", "/nowhere"], "cannot read '/nowhere'"),
        (["/nowhere.rsc"], "/nowhere.rsc"),
    ],
)
def test_wrong_use_is_2(capsys, words, said):
    assert main(["lab", "router", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_script_that_the_router_refuses_is_told_with_its_line(tmp_path, capsys):
    script = tmp_path / "wrong.rsc"
    script.write_text(SCRIPT)
    assert main(["lab", "router", str(script), "--port", "0"]) == 2
    told = capsys.readouterr().err
    assert "wrong.rsc line 1" in told
