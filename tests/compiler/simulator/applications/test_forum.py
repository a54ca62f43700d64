"""The forum that knows its users by their address, and its readers, over hosts in memory."""

from __future__ import annotations

import pytest

from compiler.fields import Family
from compiler.simulator.applications.clients import start
from compiler.simulator.applications.matching import complete
from compiler.simulator.applications.outcome import Outcome
from compiler.simulator.applications.request import Activity, Request
from compiler.simulator.applications.servers import serve
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Endpoint
from tests.compiler.simulator.applications.memory import Network

CLIENT, OTHER, SERVER = 0x0A000002, 0x0A000003, 0xC0000214
V4 = Family.IPV4
FIRST = "200 Logged in; 200 Thread 1"


def read(network: Network, *requests: Request, clients: tuple[int, ...] = (CLIENT,)) -> tuple[Outcome, ...]:
    log = serve(network.host((V4, SERVER)), "forum", 80)
    hosts = [network.host((V4, client)) for client in clients]
    runnings = [start(host, request) for host, request in zip(hosts, requests, strict=True)]
    network.engine.run(100 * SECOND)
    assert all(running.is_over for running in runnings)
    return complete(runnings, [log])


def request(name: str = "reader", **more: object) -> Request:
    values: dict[str, object] = {"connections": 4, "interval": SECOND} | more
    return Request(name, Activity.FORUM, Endpoint(V4, SERVER, 80), **values)  # type: ignore[arg-type]


def alternating(endpoint: Endpoint) -> Endpoint:
    """What Nth does to a client: every second connection comes from another address."""
    return Endpoint(V4, 0xC6336402 + endpoint.port % 2, endpoint.port)


def test_who_keeps_his_address_logs_in_once():
    (outcome,) = read(Network(), request())
    details = [record.detail for record in outcome.connections]
    assert details == [FIRST, "200 Thread 2", "200 Thread 3", "200 Thread 4"]
    assert {record.transferred for record in outcome.connections} == {20_000}


def test_another_address_ends_the_session_each_time():
    (outcome,) = read(Network(disguise=alternating), request())
    again = [f"302 Log in again; 200 Logged in; 200 Thread {number}" for number in (2, 3, 4)]
    assert [record.detail for record in outcome.connections] == [FIRST, *again]
    assert not outcome.failures


def test_a_session_is_over_for_its_owner_too_once_it_was_used_from_elsewhere():
    """Three visits from A, B, A: the third is not taken back."""
    (outcome,) = read(Network(disguise=alternating), request(connections=3))
    assert outcome.connections[2].detail.startswith("302 Log in again")


def test_two_readers_have_two_sessions():
    one, other = read(Network(), request(), request("other"), clients=(CLIENT, OTHER))
    for outcome in (one, other):
        assert [record.detail.count("Logged in") for record in outcome.connections] == [1, 0, 0, 0]


def test_visits_are_made_at_their_moments():
    moments = (0, 3 * SECOND, 34 * SECOND)
    (outcome,) = read(Network(), request(start=SECOND, connections=3, interval=None, moments=moments))
    assert [record.started for record in outcome.connections] == [SECOND + moment for moment in moments]
    (late,) = read(Network(), request(connections=2, interval=None, moments=(5 * SECOND, 6 * SECOND)))
    assert [record.started for record in late.connections] == [5 * SECOND, 6 * SECOND]


def test_the_reader_says_how_large_a_thread_is():
    (outcome,) = read(Network(), request(connections=1, octets=777))
    assert outcome.transferred == 777


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_any_cutting_of_the_stream_will_do(piece):
    (outcome,) = read(Network(disguise=alternating, piece=piece), request(connections=2, octets=50))
    assert [record.detail.count("Logged in") for record in outcome.connections] == [1, 1]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET /thread/1 HTTP/1.1\r\n\r\n", "302 Log in"),
        ("GET /thread/1 HTTP/1.1\r\nCookie: session=99\r\n\r\n", "302 Log in again"),
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /thread/1 HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("DELETE /thread/1 HTTP/1.1\r\n\r\n", "501 Not Implemented"),
        ("nonsense\r\n\r\n", "400 Bad Request"),
    ],
)
def test_what_it_says_to_others(text, status):
    network = Network()
    serve(network.host((V4, SERVER)), "forum", 80)
    heard = bytearray()

    class Events:
        def connected(self, stream):
            stream.send(text.encode())

        def received(self, stream, data, octets):
            heard.extend(data or bytes(octets))

        def drained(self, stream): ...
        def finished(self, stream): ...
        def closed(self, stream): ...
        def failed(self, stream, failure): ...

    network.host((V4, CLIENT)).connect(Endpoint(V4, SERVER, 80), Events())
    network.engine.run(SECOND)
    assert heard.startswith(f"HTTP/1.1 {status}\r\n".encode())
