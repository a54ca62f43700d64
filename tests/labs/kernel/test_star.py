"""Clients, a switch, a router with rules and a server, in the kernel."""

from __future__ import annotations

import pytest

from compiler.fields import Family
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.sockets import FailureKind
from labs.kernel import run, why_not
from labs.observation import Observation
from labs.topology import Lab, PacketSpec, Traffic, TrafficKind
from tests.labs.kernel.topologies import number, star

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

FILTER = """
table inet filter {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        icmpv6 type echo-request accept
        icmp type echo-request accept
        tcp dport { 9, 19, 21, 80 } accept
        tcp dport 7 reject with tcp reset
        tcp dport 23 reject with icmpx admin-prohibited
        udp dport { 7, 9, 53 } accept
        udp dport 69 reject with icmpx admin-prohibited
    }
}
"""
KIND = TrafficKind


def outcome(observation: Observation, name: str) -> Outcome:
    found = observation.outcome(name)
    assert found is not None
    return found


def only(observation: Observation, name: str) -> ConnectionRecord:
    (record,) = outcome(observation, name).connections
    return record


def kind(record: ConnectionRecord) -> FailureKind | None:
    return record.failure.kind if record.failure else None


@pytest.fixture(scope="module")
def seen() -> Observation:
    """One run with all kinds of clients."""
    return run(
        star(
            Traffic(
                "web", KIND.CONNECT, "anna", "server", port=80, connections=4, source_ports=(4001, 4002, 4003, 4004)
            ),
            Traffic("six", KIND.CONNECT, "anna", "server", Family.IPV6, port=80),
            Traffic("reset", KIND.CONNECT, "anna", "server", port=7),
            Traffic("prohibited", KIND.CONNECT, "bima", "server", port=23),
            Traffic("dropped", KIND.CONNECT, "bima", "server", port=25, timeout=300_000_000),
            Traffic("nowhere", KIND.CONNECT, "bima", "10.0.0.99", port=80, timeout=300_000_000),
            Traffic("unrouted", KIND.CONNECT, "bima", "203.0.113.1", port=80, timeout=300_000_000),
            Traffic("down", KIND.DOWNLOAD, "anna", "server", port=19, octets=100_000),
            Traffic("up", KIND.UPLOAD, "bima", "server", port=9, octets=100_000),
            Traffic("pages", KIND.HTTP, "bima", "server", port=80, query="/bytes/5000", count=3),
            Traffic("lost", KIND.HTTP, "bima", "server", port=80, query="/none"),
            Traffic("names", KIND.DNS, "anna", "server", port=53, query="www.example.test"),
            Traffic("none", KIND.DNS, "anna", "server", port=53, query="example.test"),
            Traffic("ping", KIND.PING, "bima", "server", count=3, interval=10_000_000),
            Traffic("ping6", KIND.PING, "anna", "server", Family.IPV6, count=2, interval=10_000_000),
            Traffic("trace", KIND.TRACEROUTE, "bima", "server", count=30),
            Traffic("trace6", KIND.TRACEROUTE, "anna", "server", Family.IPV6, count=30),
            Traffic("voice", KIND.UDP, "bima", "server", port=9, rate=400_000, size=200, duration=200_000_000),
            Traffic("refused", KIND.UDP, "bima", "server", port=53, rate=80_000, size=200, count=2, duration=10**8),
            Traffic("barred", KIND.UDP, "anna", "server", port=69, rate=80_000, size=200, duration=10**8),
            rules=FILTER,
            seconds=3,
        )
    )


def test_nothing_is_lacking(seen: Observation) -> None:
    assert seen.world == "kernel"
    assert not seen.lacks
    assert len(seen.outcomes) == 20


def test_connections_come_about_and_are_seen_as_they_are(seen: Observation) -> None:
    for record, port in zip(outcome(seen, "web").connections, (4001, 4002, 4003, 4004), strict=True):
        assert record.failure is None
        assert record.connected is not None
        assert record.connected >= record.started
        assert record.client == (Family.IPV4, number("10.0.0.11"), port)
        assert record.seen_as == record.client
    six = only(seen, "six")
    assert six.seen_as == six.client
    assert six.client.address == number("2001:db8:1::11")


@pytest.mark.parametrize(
    ("name", "why", "reporter"),
    [
        ("reset", FailureKind.REFUSED, None),
        ("prohibited", FailureKind.PROHIBITED, "10.0.0.1"),
        ("dropped", FailureKind.TIMED_OUT, None),
        ("nowhere", FailureKind.TIMED_OUT, None),
        ("unrouted", FailureKind.UNREACHABLE, "10.0.0.1"),
    ],
)
def test_failures_have_their_kind_and_reporter(
    seen: Observation, name: str, why: FailureKind, reporter: str | None
) -> None:
    record = only(seen, name)
    assert record.connected is None
    assert record.seen_as is None
    assert record.failure is not None
    assert record.failure.kind is why
    assert record.failure.reporter == (number(reporter) if reporter else None)


def test_transfers_arrive_whole(seen: Observation) -> None:
    for name, octets in (("down", 100_000), ("up", 100_000), ("pages", 15_000)):
        record = only(seen, name)
        assert (record.failure, record.transferred) == (None, octets)
        assert record.seen_as == record.client
    assert only(seen, "pages").detail == "200 OK; 200 OK; 200 OK"
    assert only(seen, "lost").detail == "404 Not Found"
    assert outcome(seen, "down").samples[-1][1] == 100_000
    assert outcome(seen, "up").samples[-1][1] == 100_000


def test_names_are_asked_for(seen: Observation) -> None:
    assert only(seen, "names").detail == "www.example.test A 192.0.2.9"
    assert only(seen, "none").detail == "NXDOMAIN"
    assert only(seen, "names").seen_as == only(seen, "names").client


def test_echoes_and_hops(seen: Observation) -> None:
    assert (outcome(seen, "ping").sent, outcome(seen, "ping").received) == (3, 3)
    assert outcome(seen, "ping6").received == 2
    assert [hop.detail for hop in outcome(seen, "trace").connections] == ["10.0.0.1", "192.0.2.9"]
    assert [hop.detail for hop in outcome(seen, "trace6").connections] == ["2001:db8:1::1", "2001:db8:2::9"]
    assert all(delay > 0 for delay in outcome(seen, "ping").delays)


def test_datagrams_are_measured(seen: Observation) -> None:
    voice = outcome(seen, "voice")
    assert voice.sent == voice.received == 50
    assert len(voice.delays) == 50
    assert all(delay > 0 for delay in voice.delays)
    assert only(seen, "voice").transferred == 50 * 200
    # Somebody listens (names), but nobody who counts: no answer, and no ICMP error either.
    assert kind(only(seen, "refused")) is FailureKind.TIMED_OUT
    assert kind(only(seen, "barred")) is FailureKind.PROHIBITED


def test_links_count_frames(seen: Observation) -> None:
    counts = {(count.link, count.direction): count for count in seen.links}
    assert counts["wan", "down"].octets > 115_000
    assert counts["anna-switch", "up"].frames > 20
    assert not any(count.drops for count in seen.links)


def test_ftp_sessions_need_their_data_connections() -> None:
    """The filter drops them: sessions fail at the data, not at the control connection."""
    traffic = (
        Traffic("passive", KIND.FTP, "anna", "server", port=21, query="readme.txt", timeout=300_000_000),
        Traffic("active", KIND.FTP, "anna", "server", port=21, octets=800, mode="active", timeout=300_000_000),
        Traffic("six", KIND.FTP, "anna", "server", Family.IPV6, port=21, octets=70, timeout=300_000_000),
    )
    barred = run(star(*traffic, rules=FILTER, seconds=3))
    for name in ("passive", "active", "six"):
        record = only(barred, name)
        assert record.detail.startswith("220 ")
        assert kind(record) is FailureKind.TIMED_OUT
        assert record.transferred == 0
    opened = run(star(*traffic, seconds=3))
    assert [one.connections[0].transferred for one in opened.outcomes] == [1200, 800, 70]
    assert [one.connections[0].failure for one in opened.outcomes] == [None, None, None]
    assert "229" in only(opened, "six").detail


def test_crafted_packets_are_followed() -> None:
    specs = (
        PacketSpec("tcp 10.0.0.11:1234 > 192.0.2.9:80 flags=syn", 3),
        PacketSpec("tcp 10.0.0.11:1234 > 192.0.2.9:25 flags=syn"),
        PacketSpec("tcp 10.0.0.11:1234 > 192.0.2.9:23 flags=syn"),
        PacketSpec("udp 10.0.0.11:1234 > 192.0.2.9:9 ttl=1"),
        PacketSpec("47 10.0.0.11 > 192.0.2.9"),
        PacketSpec(
            "udp 2001:db8:1::11:9 > 2001:db8:2::9:9".replace("2001:db8:1::11:9", "[2001:db8:1::11]:9").replace(
                "2001:db8:2::9:9", "[2001:db8:2::9]:9"
            )
        ),
    )
    lab: Lab = star(Traffic("raw", KIND.PACKETS, "anna", packets=specs), rules=FILTER, seconds=3)
    records = outcome(run(lab), "raw").connections
    assert [record.detail for record in records] == ["server", "server", "server", "", "", "", "", "server"]
    assert [kind(record) for record in records[:7]] == [
        None, None, None, None, FailureKind.PROHIBITED, FailureKind.TIME_EXCEEDED, None,
    ]  # fmt: skip
    assert outcome(run(lab), "raw").received == 4
