"""The protocols' own rules: what servers answer to good and bad words, and the codecs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR

from compiler.fields import Family
from compiler.simulator.applications.datagram import Stamp, flow_name, pack, unpack
from compiler.simulator.applications.dns_message import AAAA, CNAME, A, Message, Record, decode, encode
from compiler.simulator.applications.dns_server import answer, parse_zone
from compiler.simulator.applications.ftp_replies import (
    format_eprt,
    format_epsv,
    format_port,
    parse_eprt,
    parse_epsv,
    parse_port,
)
from compiler.simulator.applications.lines import LONGEST_LINE, LineBuffer
from compiler.simulator.applications.server_log import Meter
from compiler.simulator.applications.servers import serve
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Endpoint, Failure, Stream
from tests.compiler.simulator.applications.memory import Network

SERVER, CLIENT = 0xC0000209, 0x0A000002
V4 = Family.IPV4


class Talker:
    """Says lines one after the other, and keeps what is said back."""

    def __init__(self, words: list[bytes]) -> None:
        self.words = words
        self.heard = b""
        self.zeros = 0
        self.end = ""

    def connected(self, stream: Stream) -> None:
        for word in self.words:
            stream.send(word)

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        self.heard += data or b""
        self.zeros += octets if data is None else 0

    def drained(self, stream: Stream) -> None:
        pass

    def finished(self, stream: Stream) -> None:
        self.end = "finished"
        stream.close()

    def closed(self, stream: Stream) -> None:
        self.end = "closed"

    def failed(self, stream: Stream, failure: Failure) -> None:
        self.end = failure.kind.value


def talk(service: str, *words: bytes, settings: tuple[tuple[str, str], ...] = ()) -> Talker:
    network = Network()
    serve(network.host((V4, SERVER)), service, 99, settings)
    talker = Talker(list(words))
    network.host((V4, CLIENT)).connect(Endpoint(V4, SERVER, 99), talker)
    network.engine.run(10 * SECOND)
    return talker


def test_echo_and_source() -> None:
    assert talk("echo", b"a token\n", b"more").heard == b"a token\nmore"
    assert talk("source", b"1000 name\n").zeros == 1000
    assert talk("source", b"1000\r\n").end == "closed"
    assert talk("source", b"many\n").end == "reset"
    assert talk("discard", b"anything").heard == b""


@pytest.mark.parametrize(
    ("words", "status", "end"),
    [
        (b"GET /bytes/5 HTTP/1.1\r\nHost: x\r\n\r\n", [b"200 OK"], ""),
        (b"GET /bytes/5 HTTP/1.1\r\nConnection: close\r\n\r\n", [b"200 OK"], "closed"),
        (b"GET /bytes/5 HTTP/1.0\r\n\r\n", [b"200 OK"], "closed"),
        (b"HEAD /bytes/5 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", [b"200 OK", b"200 OK"], ""),
        (b"GET /x HTTP/1.1\r\n\r\n", [b"404 Not Found"], ""),
        (b"POST / HTTP/1.1\r\n\r\n", [b"501 Not Implemented"], "closed"),
        (b"nonsense\r\n\r\n", [b"400 Bad Request"], "closed"),
        (b"x" * (LONGEST_LINE + 1), [], "reset"),
    ],
)
def test_http(words: bytes, status: list[bytes], end: str) -> None:
    talker = talk("http", words)
    heads = [line[9:] for line in talker.heard.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert heads == status
    assert talker.end == end
    assert talker.zeros == (5 if b"GET /bytes/5" in words else 0)


def replies(*commands: str) -> list[int]:
    heard = talk("ftp", "".join(f"{command}\r\n" for command in commands).encode()).heard.decode()
    return [int(line[:3]) for line in heard.splitlines()]


def test_ftp_answers_as_rfc_959_says() -> None:
    login = ("USER anonymous", "PASS me")
    assert replies("PWD", "PASS x", *login, "PWD", "SYST", "NOOP") == [220, 530, 503, 331, 230, 257, 215, 200]
    assert replies(*login, "TYPE I", "TYPE A N", "TYPE E", "CWD /", "CWD away") == [
        220,
        331,
        230,
        200,
        200,
        504,
        250,
        550,
    ]
    assert replies(*login, "SIZE 77", "SIZE none", "RETR none", "RETR 5", "STOR") == [
        220,
        331,
        230,
        213,
        550,
        550,
        425,
        501,
    ]
    assert replies(*login, "PORT 1,2,3", "PORT 1,2,3,4,5,256", "EPRT |2|::1|99|", "EPRT nonsense") == [
        220, 331, 230, 501, 501, 522, 501,
    ]  # fmt: skip
    assert replies(*login, "PASV", "EPSV", "EPSV ALL", "PORT 10,0,0,2,4,1", "MKD x") == [
        220, 331, 230, 227, 229, 200, 503, 502,
    ]  # fmt: skip
    assert replies(*login, "PORT 10,0,0,2,4,1", "LIST") == [220, 331, 230, 200, 150, 425]
    assert replies("QUIT", "PWD")[:2] == [220, 221]


def test_ftp_stores_and_tells_the_size() -> None:
    """A passive data connection, written to."""
    network = Network()
    log = serve(network.host((V4, SERVER)), "ftp", 21)
    client = network.host((V4, CLIENT))
    data = Talker([b"x" * 2500])
    control = Talker([b"USER a\r\nPASS t#0\r\nPASV\r\n"])
    stream = client.connect(Endpoint(V4, SERVER, 21), control)
    network.engine.run(SECOND)
    there = parse_port(control.heard.decode().splitlines()[-1])
    assert there is not None
    data_stream = client.connect(there, data)
    stream.send(b"STOR new\r\n")
    network.engine.run(2 * SECOND)
    data_stream.close()
    network.engine.run(3 * SECOND)
    stream.send(b"SIZE new\r\n")
    network.engine.run(4 * SECOND)
    assert [line[:3] for line in control.heard.decode().splitlines()[-3:]] == ["150", "226", "213"]
    assert control.heard.endswith(b"213 2500\r\n")
    assert log.entries[0].token == "t#0"
    assert log.entries[0].octets == 2500


addresses = st.integers(0, 2**32 - 1)
addresses6 = st.integers(0, 2**128 - 1)
ports = st.integers(0, 65535)


@given(addresses, addresses6, ports)
def test_ftp_endpoints_come_back(address: int, address6: int, port: int) -> None:
    four, six = Endpoint(Family.IPV4, address, port), Endpoint(Family.IPV6, address6, port)
    assert parse_port(f"227 Entering Passive Mode ({format_port(four)}).") == four
    assert parse_eprt(format_eprt(four)) == four
    assert parse_eprt(format_eprt(six)) == six
    assert parse_epsv(f"229 x {format_epsv(port)}") == port


@given(st.text(max_size=40))
def test_ftp_endpoints_of_any_text(text: str) -> None:
    parsers: tuple[Callable[[str], object], ...] = (parse_port, parse_eprt, parse_epsv)
    for parse in parsers:
        parse(text)


labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
names = st.lists(labels, min_size=1, max_size=5).map(lambda parts: ".".join(("x", *parts)))
records = st.one_of(
    st.builds(Record, names, st.just(A), st.binary(min_size=4, max_size=4), st.integers(0, 2**31 - 1)),
    st.builds(Record, names, st.just(AAAA), st.binary(min_size=16, max_size=16), st.integers(0, 2**31 - 1)),
    st.builds(Record, names, st.just(CNAME), names, st.integers(0, 2**31 - 1)),
)
messages = st.builds(
    Message, ports, names, st.sampled_from([A, AAAA, CNAME]), st.booleans(), st.integers(0, 5),
    st.lists(records, max_size=4).map(tuple), st.booleans(),
)  # fmt: skip


@given(messages)
def test_dns_messages_come_back(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=80))
def test_octets_that_are_no_dns_message(octets: bytes) -> None:
    try:
        decode(octets)
    except ValueError:
        return


@given(names, ports)
def test_another_library_reads_and_writes_the_same_dns(name: str, identifier: int) -> None:
    query = DNS(encode(Message(identifier, name, A)))
    assert (query.id, query.qr, query.rd, query.qd[0].qname, query.qd[0].qtype) == (
        identifier, 0, 1, f"{name}.".encode(), 1,
    )  # fmt: skip
    assert decode(bytes(DNS(id=identifier, rd=1, qd=DNSQR(qname=name, qtype="AAAA")))) == Message(
        identifier, name, AAAA
    )
    zone = parse_zone((("zone", f"{name}=192.0.2.1"), ("zone", f"a.{name}={name}")))
    reply = DNS(encode(answer(zone, Message(identifier, f"a.{name}", A))))
    assert (reply.qr, reply.aa, reply.rcode, reply.ancount) == (1, 1, 0, 2)
    assert reply.an[1].rdata == "192.0.2.1"


def test_dns_pointers_and_their_circles() -> None:
    head = bytes.fromhex("0001 8180 0001 0001 0000 0000".replace(" ", ""))
    question = b"\1a\0" + bytes((0, 1, 0, 1))
    record = b"\xc0\x0c" + bytes((0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1))
    assert decode(head + question + record).answers == (Record("a", A, bytes((192, 0, 2, 1)), 9),)
    with pytest.raises(ValueError, match="points forward"):
        decode(head + b"\xc0\x0c" + bytes((0, 1, 0, 1)))


@pytest.mark.parametrize("line", ["name", "=192.0.2.1", "a=", "a=192.0.2.300", "a=2001:db8::g"])
def test_zone_lines_that_are_none(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # several texts
        parse_zone((("zone", line),))


def test_an_alias_of_itself_ends() -> None:
    zone = parse_zone((("zone", "a=b"), ("zone", "b=a")))
    assert answer(zone, Message(1, "a", A)).code == 0


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**63), st.integers(0, 200))
def test_stamps_come_back(flow: int, number: int, moment: int, octets: int) -> None:
    stamp = Stamp(flow, number, moment)
    payload = pack(stamp, octets)
    assert len(payload) == max(octets, 16)
    assert unpack(payload) == stamp
    assert unpack(payload[:15]) is None
    assert flow_name("a") != flow_name("b")


@given(st.lists(st.binary(max_size=5), max_size=30))
def test_lines_do_not_depend_on_how_they_are_cut(parts: list[bytes]) -> None:
    whole, cut = LineBuffer(), LineBuffer()
    whole.add(b"".join(parts), 0)
    for part in parts:
        cut.add(part, 0)
    for buffer in (whole, cut):
        lines = []
        while (line := buffer.take()) is not None:
            lines.append(line)
        assert len(lines) == b"".join(parts).count(b"\n")
    assert whole.rest() == cut.rest()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 100)), max_size=40))
def test_a_meter_loses_nothing_and_samples_seldom(steps: list[tuple[int, int]]) -> None:
    meter, now = Meter(100), 0
    for wait, octets in steps:
        now += wait
        meter.count(now, octets)
    samples = meter.samples
    assert (samples[-1][1] if samples else 0) == sum(octets for _, octets in steps)
    assert all(meter.total_at(moment) == total for moment, total in dict(samples).items())
    assert meter.total_at(now + 1) == sum(octets for _, octets in steps)
    totals = [meter.total_at(moment) for moment in range(0, now + 1, 7)]
    assert totals == sorted(totals)
    periods = [moment // 100 for moment, _ in samples[:-1]]
    assert len(periods) == len(set(periods))


def test_a_port_is_taken_once() -> None:
    host = Network().host((V4, SERVER))
    log = serve(host, "echo", 7)
    with pytest.raises(ValueError, match="taken"):
        serve(host, "discard", 7)
    log.stop()
    serve(host, "discard", 7)
    with pytest.raises(ValueError, match="unknown service 'gopher'"):
        serve(host, "gopher", 70)


def test_ftp_keeps_to_its_passive_ports() -> None:
    host = Network().host((V4, SERVER))
    for wrong in ("50000", "2-1", "0-5", "1-70000", "a-b"):
        with pytest.raises(ValueError, match="expected a range"):
            serve(host, "ftp", 21, (("passive-ports", wrong),))
    settings = (("passive-ports", "50000-50001"),)
    heard = talk("ftp", b"USER a\r\nPASS b\r\nPASV\r\nPASV\r\nEPSV\r\n", settings=settings).heard.decode()
    first, second, third = heard.splitlines()[-3:]
    found = [parse_port(first), parse_port(second)]
    assert {one.port for one in found if one} <= {50000, 50001}
    assert parse_epsv(third) in (50000, 50001)
