"""What strangers try at the TLS port by hand: no TLS, old TLS, and requests that two readers would read otherwise."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.appliance.daemon.test_running_it import with_tls

PATIENCE = 60.0
LARGE = 64 * 1024
HOST = b"Host: x\r\n"
GET = b"GET /v1/health HTTP/1.1\r\n" + HOST
POST = b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
WRONG = b'{"name":"x","password":"y"}'
LENGTH = b"Content-Length: 27\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
REQUESTS: list[tuple[bytes, list[int]]] = [
    (GET + b"\r\n", [200]),
    ((GET + b"\r\n") * 5, [200] * 5),
    (b"GET /v1/health HTTP/1.0\r\n\r\n", [200]),
    (b"GET /v1/health\r\n\r\n", [400]),
    (b"GET /v1/health HTTP/1.1\r\n\r\n", [400]),
    (GET + HOST + b"\r\n", [400]),
    *(
        (method + b" /v1/health HTTP/1.1\r\n" + HOST + b"\r\n", [405])
        for method in (b"OPTIONS", b"TRACE", b"PUT", b"X")
    ),
    (b"GET /v1/../v1/health HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    (b"GET http://other.example/v1/health HTTP/1.1\r\nHost: other.example\r\n\r\n", [404]),
    # Two readers of these would not agree where the request ends (RFC 9112, 11.2).
    (POST + b"Content-Length: 26\r\n" + LENGTH + b"\r\n" + WRONG, [400]),
    (POST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", [400]),
    (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", [400]),
    (POST + b"Content-Length: +27\r\n\r\n" + WRONG, [400]),
    (POST + b"Content-Length: -1\r\n\r\n" + WRONG, [400]),
    (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + WRONG, [400]),
    *((CHUNKED + part, [400]) for part in (b"zz\r\n", b"-3\r\n{} \r\n", b"0x3\r\n{} \r\n", b"3\r\n{} 0\r\n\r\n")),
    (POST + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n" + WRONG, [100, 401]),
    # A trailer is no header.
    (CHUNKED + b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n", [422]),
    (GET + b"X: a\0b\r\n\r\n", [400]),
    (GET + b"X: " + b"a" * 5_000_000, [400]),
    (GET + b"".join(b"X%d: a\r\n" % number for number in range(30_000)) + b"\r\n", [400]),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a daemon, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    with with_tls(folder) as (_path, number, _password):
        yield number, folder / "c.pem"


def _connected(port: tuple[int, Path], context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    believed = context or ssl.create_default_context(cafile=str(port[1]))
    plain = socket.create_connection(("127.0.0.1", port[0]), PATIENCE)
    try:
        return believed.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


def _statuses(port: tuple[int, Path], request: bytes, answers: int) -> list[int]:
    """Of so many answers, or of fewer when the connection ends before."""
    with _connected(port) as connection:
        with suppress(OSError):  # it may answer and close before it has all
            connection.sendall(request)
        read = b""
        with suppress(OSError):
            while len(found := re.findall(rb"HTTP/1\.[01] ([0-9]{3})", read)) < answers:
                if not (piece := connection.recv(65536)):
                    break
                read += piece
    return [int(one) for one in found]


def test_requests_are_read_as_every_proxy_reads_them(port: tuple[int, Path]) -> None:
    for request, statuses in REQUESTS:
        told = _statuses(port, request, len(statuses))
        # Who sends on after the answer is cut off, and may never read it.
        assert told == statuses or (len(request) > LARGE and not told), request[:200]


def test_a_stranger_says_for_nobody_who_he_is(port: tuple[int, Path]) -> None:
    invented = [
        POST + f"Gerbang-Peer: 198.51.100.{number}\r\nX-Forwarded-For: 198.51.100.{number}\r\n".encode()
        for number in range(12)
    ]
    told = [_statuses(port, one + LENGTH + b"\r\n" + WRONG, 1) for one in invented]
    assert told[-1] == [429]


def test_neither_old_tls_nor_none_nor_another_handshake(port: tuple[int, Path]) -> None:
    with socket.create_connection(("127.0.0.1", port[0]), PATIENCE) as plain:
        plain.sendall(GET + b"\r\n")
        with suppress(ConnectionError):
            assert plain.recv(100) == b""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _connected(port, old)
    weak = ssl.create_default_context(cafile=str(port[1]))
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("eNULL:aNULL:kRSA:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _connected(port, weak)
    with _connected(port) as modern:
        assert modern.version() == "TLSv1.3"
        assert modern.compression() is None
