"""Connections that do not get on: slow ones, half ones, many idle ones, other users, other daemons."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.daemon import peers
from appliance.daemon.sockets import listening_socket, remove_socket
from compiler.errors import UsageError
from tests.appliance.daemon.house import House

HEAD = b"POST /v1/commands/ledger/greet HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def path(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A live daemon with little patience."""
    monkeypatch.setattr(peers, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(peers, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(peers, "WRITE_SECONDS", 0.4)
    monkeypatch.setattr(peers, "MOST", 60)
    with house.live(tmp_path) as found:
        yield found


def connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(20)
    made.connect(str(path))
    return made


def greets(path: Path) -> bool:
    with Client(Address(path)) as client:
        return bool(client.call("ledger", "greet") == "hello visitor")


def ended(one: socket.socket) -> bytes:
    """What came until the other side closed."""
    said = b""
    try:
        while part := one.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"P",
        HEAD,
        HEAD + b"X: " + b"y" * 1000,
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        HEAD + b"Content-Length: 0\r\n\r\nGET /v1/hea",
    ],
)
def test_what_stays_half_is_cut(path: Path, start: bytes) -> None:
    with connected(path) as one:
        one.sendall(start)
        ended(one)
    assert greets(path)


def drips(one: socket.socket, most: int) -> bool:
    """Send a byte now and then; whether all of them could be sent."""
    try:
        for _ in range(most):
            one.sendall(b"y")
            time.sleep(0.02)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


@pytest.mark.parametrize("start", [HEAD + b"X: ", HEAD + b"Content-Length: 100000\r\n\r\n"])
def test_a_byte_at_a_time_buys_no_time(path: Path, start: bytes) -> None:
    with connected(path) as one:
        one.sendall(start)
        assert not drips(one, 400), "it was cut"
    assert greets(path)


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"X: " + b"y" * 200_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"\x00" * 1000,
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_request(path: Path, request_: bytes) -> None:
    with connected(path) as one:
        one.sendall(request_)
        said = ended(one)
    assert b" 200 " not in said.split(b"\r\n")[0]
    if b"Transfer-Encoding" in request_ and b"Content-Length" in request_:
        assert b" 400 " in said.split(b"\r\n")[0]
    assert greets(path)


def test_who_does_not_read_is_cut(house: House, path: Path) -> None:
    for place in range(60):
        house.parts.runner.call(
            _manager(), "ledger", "accounts.add", f'{{"code":"A{place}","title":"K","note":"{"x" * 4000}"}}'.encode()
        )
    token = house.token("maya")
    with connected(path) as one:
        asks = b"POST /v1/listings/ledger/accounts HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer "
        one.sendall((asks + token.encode() + b"\r\n\r\n") * 30)
        time.sleep(1.2)  # does not read: the daemon's buffer is full, and its patience ends
        said = ended(one)
    assert said.count(b"HTTP/1.1 200") < 30
    assert greets(path)


def _manager():  # type: ignore[no-untyped-def]
    from appliance.contract.people import Person

    return Person("maya", frozenset({"ledger.manager"}))


def test_many_idle_connections_leave_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "HEAD_SECONDS", 30.0)
    idle = [connected(path) for _ in range(200)]
    try:
        assert all(greets(path) for _ in range(5))
        gone = sum(1 for one in idle if _closed(one))
        assert gone >= 200 - 60, "the longest idle ones made room"
    finally:
        for one in idle:
            one.close()


def _closed(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_one_place_that_brings_many_slow_requests_makes_room_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "BODY_SECONDS", 600.0)
    places = iter(["203.0.113.9"] * 60)
    monkeypatch.setattr(peers, "_peer", lambda transport: next(places, "192.0.2.1"))
    slow = [connected(path) for _ in range(60)]
    try:
        for one in slow:
            one.sendall(HEAD + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n{")
        for one in slow:
            assert one.recv(100).startswith(b"HTTP/1.1 100 "), "all of them are being read"
        assert greets(path)
        assert ended(slow[0]) == b"", "the one that took longest has gone"
    finally:
        for one in slow:
            one.close()


def test_the_socket_is_for_its_group_only() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    with tempfile.TemporaryDirectory(prefix="gerbang-test-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "run" / "api.sock"
        own = listening_socket(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
        become = "os.setgroups([]); os.setgid(65534); os.setuid(65534)"
        code = f"import os, socket; {become}; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "PermissionError" in refused.stderr
        # Were the folder open, the socket's own mode would still hold.
        path.parent.chmod(0o755)
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "PermissionError" in refused.stderr
        own.close()


def test_the_peer_is_who_the_kernel_says(house: House, path: Path) -> None:
    with Client(Address(path)) as client, pytest.raises(Exception, match="wrong"):
        client.login("ani", "wrong")
    assert f'"uid:{os.geteuid()}"' in house.audit()[-1].arguments


def test_a_dead_daemon_s_socket_is_replaced_and_a_living_one_s_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run" / "api.sock"
    first = listening_socket(path)
    with pytest.raises(UsageError, match="answers on"):
        listening_socket(path)
    first.close()
    second = listening_socket(path)
    inode = path.stat().st_ino
    remove_socket(path, inode + 1)
    assert path.exists()
    remove_socket(path, inode)
    assert not path.exists()
    second.close()
    path.write_text("mine")
    with pytest.raises(UsageError, match="no socket"):
        listening_socket(path)
    with pytest.raises(UsageError, match="107 bytes"):
        listening_socket(tmp_path / ("x" * 120))


def test_requests_go_on_while_others_hang(path: Path) -> None:
    hanging = [connected(path) for _ in range(30)]
    for one in hanging:
        one.sendall(HEAD + b"Content-Length: 10\r\n\r\n{")
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(greets(path))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 10
    for one in hanging:
        one.close()
