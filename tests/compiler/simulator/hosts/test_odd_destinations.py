"""Where sockets of a host cannot send to, and the unspecified address, which is the host itself (Linux)."""

from __future__ import annotations

import pytest

from compiler.fields import Family
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import EchoAnswer, Endpoint, Failure, FailureKind
from tests.compiler.simulator.hosts.network import SERVER, V4, V6, Log, Pair

ALL, GROUP, NETWORK = 0xFFFFFFFF, 0xE0000001, 0x0A0000FF
GROUP6 = 0xFF02 << 112 | 1
NO_ROUTE, PROHIBITED = Failure(FailureKind.NO_ROUTE), Failure(FailureKind.PROHIBITED)


class Failures:
    """What a UDP socket's owner is told."""

    def __init__(self) -> None:
        self.heard: list[Failure] = []

    def received(self, _socket: object, _remote: Endpoint, _data: bytes | None, _octets: int) -> None:
        raise AssertionError("nobody answers")

    def failed(self, _socket: object, _remote: Endpoint, failure: Failure) -> None:
        self.heard.append(failure)


@pytest.mark.parametrize("has_gateway", [False, True])
@pytest.mark.parametrize(("family", "address"), [(V4, ALL), (V4, GROUP), (V4, NETWORK), (V6, GROUP6)])
def test_tcp_speaks_with_one_only(family: Family, address: int, has_gateway: bool) -> None:
    pair = Pair()
    pair.client.set_gateway(V4, SERVER if has_gateway else None)
    log = Log(pair.engine)
    pair.client.sockets.connect(Endpoint(family, address, 80), log)
    pair.engine.run()
    assert (log.failure, pair.engine.now, pair.between.seen) == (NO_ROUTE, 0, [])


@pytest.mark.parametrize(
    ("address", "has_gateway", "failure"),
    [(ALL, False, NO_ROUTE), (GROUP, False, NO_ROUTE), (NETWORK, False, PROHIBITED), (ALL, True, PROHIBITED)],
)
def test_echoes_and_datagrams_to_many(address: int, has_gateway: bool, failure: Failure) -> None:
    pair = Pair()
    pair.client.set_gateway(V4, SERVER if has_gateway else None)
    answers: list[EchoAnswer] = []
    told = Failures()
    pair.client.sockets.echo(V4, address, answers.append)
    pair.client.sockets.udp(0, told).send(Endpoint(V4, address, 9), b"all")
    pair.engine.run()
    assert (answers, told.heard, pair.between.seen) == ([EchoAnswer(0, failure)], [failure], [])


def test_multicast_follows_the_default_route() -> None:
    pair = Pair()
    pair.client.set_gateway(V4, SERVER)
    pair.client.sockets.echo(V4, GROUP, lambda _: None)
    pair.engine.run()
    assert [one.destination for _, _, one in pair.between.seen] == [GROUP]


@pytest.mark.parametrize(("family", "loopback"), [(V4, 0x7F000001), (V6, 1)])
def test_the_unspecified_address_is_the_host_itself(family: Family, loopback: int) -> None:
    pair = Pair()
    pair.client.sockets.listen(80, lambda _: Log(pair.engine))
    answers: list[EchoAnswer] = []
    served, refused = Log(pair.engine), Log(pair.engine)
    told = Failures()
    for port, log in ((80, served), (81, refused)):
        pair.client.sockets.connect(Endpoint(family, 0, port), log)
    pair.client.sockets.echo(family, 0, answers.append)
    pair.client.sockets.udp(0, told).send(Endpoint(family, 0, 9), b"me")
    pair.engine.run(SECOND)
    assert served.stream is not None
    assert (served.events, served.stream.local.address, served.stream.remote.address) == (
        ["connected"],
        loopback,
        loopback,
    )
    assert refused.failure == Failure(FailureKind.REFUSED)
    assert answers == [EchoAnswer(loopback, None)]
    assert [failure.kind for failure in told.heard] == [FailureKind.REFUSED]
    assert pair.between.seen == []
