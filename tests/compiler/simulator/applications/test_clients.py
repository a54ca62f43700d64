"""Clients and servers with each other, over hosts in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest

from compiler.fields import Family
from compiler.simulator.applications.clients import start
from compiler.simulator.applications.matching import complete
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.applications.request import Activity, Request
from compiler.simulator.applications.server_log import ServerLog
from compiler.simulator.applications.servers import serve
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.sockets import Endpoint, FailureKind
from tests.compiler.simulator.applications.memory import Network

CLIENT, SERVER, NAT = 0x0A000002, 0xC0000209, 0xC0000201
CLIENT6, SERVER6 = 0x20010DB8 << 96 | 2, 0x20010DB8 << 96 | 9
PORTS = {"echo": 7, "discard": 9, "source": 19, "ftp": 21, "http": 80}
V4, V6 = Family.IPV4, Family.IPV6
SETTINGS = {
    "ftp": (("file", "readme.txt=1200"),),
    "http": (("page", "/index.html=77"),),
}
ZONE = (("zone", "www.example.test=host.example.test"), ("zone", "host.example.test=192.0.2.9"))


def serve_all(network: Network) -> list[ServerLog]:
    host = network.host((V4, SERVER), (V6, SERVER6))
    logs = [serve(host, name, port, SETTINGS.get(name, ())) for name, port in PORTS.items()]
    logs.append(serve(host, "dns", 53, ZONE))
    logs += [serve(host, "sink", 9), serve(host, "udp-echo", 7)]
    return logs


def outcome_of(network: Network, *requests: Request, until: int = 100 * SECOND) -> tuple[Outcome, ...]:
    logs = serve_all(network)
    client = network.host((V4, CLIENT), (V6, CLIENT6))
    runnings = [start(client, request) for request in requests]
    over: list[str] = []
    for running in runnings:
        running.when_over = lambda name=running.request.traffic: over.append(name)  # type: ignore[misc]
    network.engine.run(until)
    for running in runnings:
        assert (running.request.traffic in over) is running.is_over
    return complete(runnings, logs)


def one(network: Network, activity: Activity, port: int, **more: object) -> Outcome:
    family = more.pop("family", V4)
    server = Endpoint(V4, SERVER, port) if family is V4 else Endpoint(V6, SERVER6, port)
    (outcome,) = outcome_of(network, Request("t", activity, server, **more))  # type: ignore[arg-type]
    return outcome


def only(outcome: Outcome) -> ConnectionRecord:
    (record,) = outcome.connections
    return record


@pytest.mark.parametrize("piece", [1, 3, 1448])
@pytest.mark.parametrize("family", [V4, V6])
@pytest.mark.parametrize(
    ("activity", "port", "more", "octets", "detail"),
    [
        (Activity.DOWNLOAD, 19, {"octets": 5000}, 5000, ""),
        (Activity.DOWNLOAD, 19, {"octets": 0}, 0, ""),
        (Activity.UPLOAD, 9, {"octets": 5000}, 5000, ""),
        (Activity.HTTP, 80, {"octets": 300, "count": 3}, 900, "200 OK; 200 OK; 200 OK"),
        (Activity.HTTP, 80, {"query": "/index.html"}, 77, "200 OK"),
        (Activity.HTTP, 80, {"query": "/"}, 10, "200 OK"),
        (Activity.HTTP, 80, {"query": "/none", "count": 2}, 0, "404 Not Found; 404 Not Found"),
        (Activity.FTP, 21, {"query": "readme.txt"}, 1200, None),
        (Activity.FTP, 21, {"octets": 10}, 10, None),
        (Activity.FTP, 21, {"octets": 0, "mode": "active"}, 0, None),
        (Activity.FTP, 21, {"query": "readme.txt", "mode": "active"}, 1200, None),
        (Activity.CONNECT, 80, {}, 0, ""),
        (Activity.CONNECT, 21, {}, 0, ""),
    ],
)
def test_sessions_come_to_their_end(
    piece: int, family: Family, activity: Activity, port: int, more: dict[str, object], octets: int, detail: str | None
) -> None:
    outcome = one(Network(piece=piece), activity, port, family=family, **more)
    record = only(outcome)
    assert record.failure is None
    assert record.transferred == octets
    assert record.connected is not None
    assert record.ended is not None
    assert record.started < record.connected <= record.ended < SECOND
    assert record.seen_as == record.client
    if detail is not None:
        assert record.detail == detail
    else:
        assert record.detail.startswith("220 ")
        assert record.detail.endswith("221 Goodbye.")


@pytest.mark.parametrize(
    ("activity", "port", "more"),
    [
        (Activity.DOWNLOAD, 19, {"octets": 50}),
        (Activity.UPLOAD, 9, {"octets": 500}),
        (Activity.HTTP, 80, {"octets": 300}),
        (Activity.FTP, 21, {"octets": 10}),
        (Activity.CONNECT, 80, {}),
    ],
)
def test_servers_know_their_clients_behind_translations(activity: Activity, port: int, more: dict[str, object]) -> None:
    """Ports change into ones that tell nothing; tokens, or the order in time, tell all the same."""
    network = Network(disguise=lambda end: Endpoint(V4, NAT, 1024 + (end.port * 7919) % 50000))
    outcome = one(network, activity, port, connections=7, interval=5 * MILLISECOND, **more)
    assert len(outcome.connections) == 7
    for record in outcome.connections:
        assert record.seen_as == (V4, NAT, 1024 + (record.client.port * 7919) % 50000)


def test_many_bare_handshakes_at_once_are_told_apart_by_port() -> None:
    network = Network(disguise=lambda end: end._replace(address=NAT))
    ports = tuple(range(3000, 2900, -1))
    outcome = one(network, Activity.CONNECT, 80, connections=100, source_ports=ports)
    assert [record.client.port for record in outcome.connections] == list(ports)
    assert all(record.seen_as == (V4, NAT, record.client.port) for record in outcome.connections)


@pytest.mark.parametrize("activity", [Activity.CONNECT, Activity.DOWNLOAD, Activity.HTTP, Activity.FTP])
def test_refusal_and_silence(activity: Activity) -> None:
    refused = only(one(Network(), activity, 81, octets=1))
    assert refused.failure is not None
    assert refused.failure.kind is FailureKind.REFUSED
    assert refused.seen_as is None
    silent = only(one(Network(silent=frozenset({81})), activity, 81, octets=1, timeout=3 * SECOND))
    assert silent.failure is not None
    assert silent.failure.kind is FailureKind.TIMED_OUT
    assert silent.ended == 3 * SECOND


def test_a_transfer_of_a_duration() -> None:
    for activity, port in ((Activity.DOWNLOAD, 19), (Activity.UPLOAD, 9)):
        outcome = one(Network(), activity, port, duration=2 * SECOND, start=SECOND)
        record = only(outcome)
        assert record.failure is None
        assert (record.started, record.ended) == (SECOND, 3 * SECOND)
        assert record.transferred > 1 << 26
        assert outcome.samples[-1][1] >= record.transferred
        moments = [moment for moment, _ in outcome.samples]
        assert all(later - earlier >= 90 * MILLISECOND for earlier, later in pairwise(moments[:-1]))


def test_an_endless_transfer_can_be_asked_midway() -> None:
    network = Network()
    requests = (
        Request("down", Activity.DOWNLOAD, Endpoint(V4, SERVER, 19)),
        Request("up", Activity.UPLOAD, Endpoint(V4, SERVER, 9)),
    )
    for outcome in outcome_of(network, *requests, until=SECOND):
        assert only(outcome).ended is None
        assert only(outcome).transferred > 0


def test_connections_open_in_time_and_stop_with_the_duration() -> None:
    outcome = one(Network(), Activity.CONNECT, 80, connections=50, interval=100 * MILLISECOND, duration=SECOND)
    assert [record.started for record in outcome.connections] == [n * 100 * MILLISECOND for n in range(10)]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("www.example.test", "www.example.test CNAME host.example.test; host.example.test A 192.0.2.9"),
        ("HOST.example.test.", "host.example.test A 192.0.2.9"),
        ("host.example.test AAAA", "no records of that type"),
        ("nobody.example.test", "NXDOMAIN"),
    ],
)
def test_names(query: str, detail: str) -> None:
    outcome = one(Network(), Activity.DNS, 53, query=query)
    assert only(outcome).detail == detail
    assert only(outcome).seen_as == only(outcome).client
    assert (outcome.sent, outcome.received) == (1, 1)


def test_a_query_is_asked_twice_and_then_given_up() -> None:
    """resolv.conf(5): attempts 2, timeout 5."""
    late = one(Network(loses=lambda number: number == 1), Activity.DNS, 53, query="www.example.test")
    assert (late.sent, late.received) == (2, 1)
    assert only(late).connected == 5 * SECOND + 2 * MILLISECOND
    never = one(Network(loses=lambda number: True), Activity.DNS, 53, query="www.example.test")
    failure = only(never).failure
    assert failure is not None
    assert (failure.kind, only(never).ended) == (FailureKind.TIMED_OUT, 10 * SECOND)
    refused = one(Network(), Activity.DNS, 54, query="www.example.test")
    assert refused.sent == 2
    assert only(refused).failure is not None


def test_pings_and_hops() -> None:
    pings = one(Network(), Activity.PING, 0, count=4)
    assert (pings.sent, pings.received, pings.delays) == (4, 4, (2 * MILLISECOND,) * 4)
    assert [record.started for record in pings.connections] == [0, SECOND, 2 * SECOND, 3 * SECOND]
    flood = one(Network(), Activity.PING, 0, count=4, interval=0)
    assert [record.started for record in flood.connections] == [0] * 4
    trace = one(Network(path=(0x0A000001, 0, 0xC6336401)), Activity.TRACEROUTE, 0, count=30)
    assert [record.detail for record in trace.connections] == ["10.0.0.1", "*", "198.51.100.1", "192.0.2.9"]
    assert [record.failure is None for record in trace.connections] == [True, False, True, True]
    assert trace.connections[2].started == 5 * SECOND + 2 * MILLISECOND
    short = one(Network(path=(1, 2, 3)), Activity.TRACEROUTE, 0, count=2)
    assert len(short.connections) == 2


def arrivals(_: Random) -> Iterator[tuple[int, int]]:
    return iter([(number * 10 * MILLISECOND, 100) for number in range(20)])


@pytest.mark.parametrize("port", [7, 9])
def test_datagrams_are_counted_where_they_arrive(port: int) -> None:
    network = Network(loses=lambda number: number in (1, 3))
    outcome = one(network, Activity.UDP, port, arrivals=arrivals, connections=1)
    lost = 2 if port == 9 else 1  # the echo's answers count among the datagrams
    assert (outcome.sent, outcome.received) == (20, 20 - lost)
    assert only(outcome).transferred == (20 - lost) * 100
    assert outcome.delays == (MILLISECOND,) * (20 - lost)
    assert only(outcome).seen_as == only(outcome).client
    assert outcome.samples[-1][1] == (20 - lost) * 100


def test_a_flow_stops_with_its_duration() -> None:
    outcome = one(Network(), Activity.UDP, 9, arrivals=arrivals, duration=95 * MILLISECOND)
    assert (outcome.sent, outcome.received) == (10, 10)
