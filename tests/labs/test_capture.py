"""Captures of simulated links: what is in them, in which order, and what Wireshark's own reader says of them."""

import shutil
import subprocess

import pytest

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.simulator.capture_reader import records
from compiler.simulator.engine import MICROSECOND, MILLISECOND, SECOND, Engine
from compiler.simulator.fragments import fragment
from compiler.simulator.frame import BROADCAST, ArpMessage, Datagram
from compiler.simulator.link import Link, Wire
from compiler.simulator.neighbours import Neighbours
from compiler.simulator.node import Port, link_address
from compiler.simulator.wire import encode, frame_bytes, header_length
from labs.capture import Capture, read_capture

CLIENT, SERVER, ROUTER = 0xC0000201, 0xC6336407, 0xC00002FE
CLIENT6, SERVER6 = 0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 7


class Station:
    def __init__(self, name):
        self.name = name
        self.port = Port(self, "eth0", link_address(name, "eth0"))
        self.got = []
        self.hear = self.got.append

    def receive(self, port, frame):
        self.hear(frame)

    def carrier_changed(self, port, is_up):
        pass


class Lab:
    """Two stations with a link, and a link beside it."""

    def __init__(self, wire=Wire(delay=MILLISECOND)):  # noqa: B008
        self.engine = Engine()
        self.left, self.right = Station("left"), Station("right")
        self.link = Link(self.engine, "left-right", (self.left.port, self.right.port), (wire, wire), "seed")
        self.others = Station("one"), Station("two")
        ends = self.others[0].port, self.others[1].port
        self.beside = Link(self.engine, "beside/it", ends, (wire, wire), "seed")


def datagram(protocol=17, size=128, family=Family.IPV4, **fields):
    source, destination = (CLIENT, SERVER) if family == 4 else (CLIENT6, SERVER6)
    made = Datagram(family, source, destination, protocol, size, 40000, 9)
    made.link_destination = BROADCAST
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def with_data(protocol, data, family=Family.IPV4, **fields):
    made = datagram(protocol, 0, family, data=data, **fields)
    made.size = header_length(made) + {6: 20, 17: 8}[protocol] + len(made.tcp_options) + len(data)
    return made


# -- order, names, times -----------------------------------------------------------------------


def test_every_link_is_an_interface_and_frames_stand_in_order_of_time(tmp_path):
    # 128 + 14 octets take 142 microseconds at 8 Mbit/s.
    lab = Lab(Wire(rate=8_000_000, delay=MILLISECOND))
    path = tmp_path / "lab.pcapng"
    with Capture(lab.engine, path, [lab.link, lab.beside], epoch=10**18) as capture:
        for _ in range(4):
            lab.left.port.send(datagram())
        lab.engine.at(150 * MICROSECOND, lambda _: lab.right.port.send(datagram(size=129)))
        lab.engine.at(10 * MICROSECOND, lambda _: lab.others[0].port.send(datagram(size=130)))
        lab.engine.run()
    seen = [(record.time - 10**18, record.interface, record.length - 14) for record in records(path)]
    assert seen == [
        (0, "left-right", 128),
        (10 * MICROSECOND, "beside/it", 130),
        (142 * MICROSECOND, "left-right", 128),
        (150 * MICROSECOND, "left-right", 129),
        (284 * MICROSECOND, "left-right", 128),
        (426 * MICROSECOND, "left-right", 128),
    ]
    assert capture.frames == 6


def test_what_was_sent_is_what_is_written_whatever_becomes_of_the_frame(tmp_path):
    lab = Lab()
    path = tmp_path / "lab.pcapng"
    sent = datagram(ttl=64)
    with Capture(lab.engine, path, [lab.link]):
        lab.right.hear = lambda frame: setattr(frame, "ttl", 1)
        lab.left.port.send(sent)
        expected = frame_bytes(sent)
        lab.engine.run()
    assert [record.octets for record in records(path)] == [expected]
    ((_, read),) = read_capture(path)
    assert (read.ttl, sent.ttl) == (64, 1)
    assert (read.link_source, read.link_destination) == (lab.left.port.link_address, BROADCAST)


@pytest.mark.parametrize(("form", "apart"), [("pcap", False), ("pcap", True), ("pcapng", True)])
def test_one_file_for_each_link_if_asked(tmp_path, form, apart):
    lab = Lab()
    folder = tmp_path / "captures"
    twin = Link(lab.engine, "beside:it", (Station("x").port, Station("y").port), (Wire(), Wire()), "seed")
    with Capture(lab.engine, folder, [lab.link, lab.beside, twin], form=form, apart=apart):
        lab.left.port.send(datagram())
        lab.right.port.send(datagram())
        lab.others[0].port.send(datagram())
        lab.engine.run()
    # "beside/it" and "beside:it" have the same name once it is safe for a file.
    assert {path.name: len(list(read_capture(path))) for path in folder.iterdir()} == {
        f"left-right.{form}": 2,
        f"beside_it.{form}": 1,
        f"beside_it-2.{form}": 0,
    }
    names = {record.interface for path in folder.iterdir() for record in records(path)}
    assert names == ({"left-right", "beside/it"} if form == "pcapng" else {""})


@pytest.mark.parametrize(("ways", "sizes"), [("forward", [128]), ("backward", [129]), ("both", [128, 129])])
def test_one_direction_alone(tmp_path, ways, sizes):
    lab = Lab()
    with Capture(lab.engine, tmp_path / "lab.pcapng") as capture:
        capture.add(lab.link, ways)
        lab.left.port.send(datagram())
        lab.right.port.send(datagram(size=129))
        lab.engine.run()
    assert [read.size for _, read in read_capture(tmp_path / "lab.pcapng")] == sizes


def test_lost_frames_are_there_and_refused_ones_are_not(tmp_path):
    lab = Lab(Wire(rate=8_000_000, queue=2, loss=1.0))
    with Capture(lab.engine, tmp_path / "lab.pcapng", [lab.link]):
        for _ in range(5):
            lab.left.port.send(datagram())
        lab.engine.run(SECOND)
    assert len(list(read_capture(tmp_path / "lab.pcapng"))) == 3
    assert (lab.link.forward.drops_queue, lab.link.forward.drops_loss, lab.right.got) == (2, 3, [])


def test_what_waits_when_the_link_is_cut_was_never_sent(tmp_path):
    lab = Lab(Wire(rate=8_000_000, delay=SECOND))
    dropped = []
    lab.link.forward.on_drop = lambda frame, reason: dropped.append(reason)
    with Capture(lab.engine, tmp_path / "lab.pcapng", [lab.link, lab.beside]):
        for _ in range(6):
            lab.left.port.send(datagram())
            lab.others[0].port.send(datagram(size=129))
        lab.engine.at(300 * MICROSECOND, lambda _: lab.link.set_up(False))
        lab.engine.at(400 * MICROSECOND, lambda _: lab.link.set_up(True))
        lab.engine.at(500 * MICROSECOND, lambda _: lab.left.port.send(datagram(size=130)))
        lab.engine.run()
    # Those that began at 0, 142 and 284 us were on the wire when it was cut; three waited.
    assert [read.size for _, read in read_capture(tmp_path / "lab.pcapng") if read.size != 129] == [128, 128, 128, 130]
    assert len(list(read_capture(tmp_path / "lab.pcapng"))) == 10
    assert (dropped, len(lab.right.got)) == (["link down"] * 6, 1)  # whoever listened before still hears


def test_a_failure_leaves_a_complete_file_of_what_was_sent(tmp_path):
    lab = Lab(Wire(rate=8_000_000))

    def fail(_):
        raise RuntimeError("the lab breaks")

    capture = Capture(lab.engine, tmp_path / "lab.pcapng", [lab.link])
    for _ in range(4):
        lab.left.port.send(datagram())
    lab.engine.at(200 * MICROSECOND, fail)
    with pytest.raises(RuntimeError, match="the lab breaks"), capture:
        lab.engine.run()
    assert len(list(read_capture(tmp_path / "lab.pcapng"))) == 2  # two more waited still
    capture.close()
    lab.left.port.send(datagram())  # the tap is still there, and does nothing
    lab.engine.run()


def test_a_capture_that_cannot_be_written_is_an_error_of_use(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        Capture(Engine(), tmp_path / "absent" / "lab.pcapng")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="exists"):
        Capture(Engine(), tmp_path / "file", form="pcap")


def test_memory_holds_only_what_waits(tmp_path):
    lab = Lab(Wire(rate=8_000_000, queue=5))
    capture = Capture(lab.engine, tmp_path / "lab.pcapng", [lab.link])
    with capture:
        for number in range(500):
            lab.engine.at(number * 142 * MICROSECOND, lambda _: lab.left.port.send(datagram()))
            lab.engine.at(number * 142 * MICROSECOND, lambda _: lab.right.port.send(datagram()))
        most = 0
        while lab.engine.heap:
            lab.engine.run(lab.engine.heap[0][0])
            most = max(most, len(capture._pending))
    assert most <= 12
    assert capture.frames == 1000


# -- Wireshark's reader -----------------------------------------------------------------------------


TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (Debian: apt install tshark)")

BAD = " || ".join(
    ["_ws.malformed"]
    + [f"{name}.checksum.status == 0" for name in ("ip", "tcp", "udp", "icmp", "icmpv6", "sctp", "dccp")]
)


def tshark(path, *words):
    checks = [word for name in ("ip", "tcp", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
    command = [TSHARK, "-n", "-r", str(path), *checks, "-o", "sctp.checksum:TRUE", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def dns_question():
    name = b"".join(bytes((len(label),)) + label for label in (b"www", b"example", b"test")) + b"\0"
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + b"\x00\x01\x00\x01"


def error(family, about, kind, code, rest=0):
    size = min(header_length(datagram(family=family)) + 8 + about.size, 576 if family == 4 else 1280)
    made = datagram(1 if family == 4 else 58, size, family, icmp_type=kind, icmp_code=code, quoted=about, rest=rest)
    made.source, made.destination = made.destination, made.source
    return made


def every_kind():
    """A datagram or more of each kind that a lab sends, and ARP."""
    syn = datagram(6, 60, tcp_flags=0x02, destination_port=21, window=64240, sequence=7)
    syn.tcp_options = b"\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x00\x07\x00\x00\x00\x00\x01\x03\x03\x07"
    segment = {"tcp_flags": 0x18, "window": 502, "sequence": 8, "acknowledgement": 9}
    yield syn
    yield with_data(6, b"USER anonymous\r\n", destination_port=21, **segment)
    yield with_data(6, b"227 Entering Passive Mode (192,0,2,1,4,1)\r\n", source_port=21, **segment)
    yield with_data(6, b"GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n", destination_port=80, **segment)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    yield with_data(6, answer, Family.IPV6, source_port=80, destination_port=40001, **segment)
    yield datagram(6, 1500, destination_port=20, **segment)  # zeros that nobody reads
    yield datagram(6, 40, tcp_flags=0x04)
    yield with_data(17, dns_question(), destination_port=53)
    yield with_data(17, dns_question(), Family.IPV6, destination_port=53)
    for family in Family:
        base = 20 if family == 4 else 40
        for protocol, least in ((17, 8), (136, 8), (33, 16), (132, 12), (47, 8), (50, 24)):
            for length in (0, 100):
                if protocol != 132 or length:
                    yield datagram(protocol, base + least + length, family)
        echo = datagram(1 if family == 4 else 58, base + 64, family, identifier=5, rest=1)
        echo.icmp_type = 8 if family == 4 else 128
        yield echo
        long = datagram(17, 4000, family, identification=77)
        yield from fragment(long, 1480)
        abouts = (syn, long, echo) if family == 4 else (datagram(6, 60, family, tcp_flags=2), long, echo)
        for about in abouts:
            if family == 4:
                for code in (0, 1, 3, 9, 10, 13):
                    yield error(family, about, 3, code)
                yield error(family, about, 3, 4, rest=1400)
                yield error(family, about, 11, 0)
            else:
                for kind, code, rest in ((1, 0, 0), (1, 1, 0), (1, 4, 0), (2, 0, 1280), (3, 0, 0)):
                    yield error(family, about, kind, code, rest)
        first = fragment(long, 1480)[0]
        yield error(family, first, 11 if family == 4 else 3, 1)  # reassembly took too long
    tagged = datagram(17, 152, Family.IPV6, options=b"\x00\x00\x01\x04" + bytes(4) + b"\x3c\x01\x01\x0c" + bytes(12))
    yield tagged
    yield datagram(17, 132, options=b"\x94\x04\x00\x00")
    yield ArpMessage(is_reply=False, sender=CLIENT, sender_link=1 << 41, target=ROUTER)
    yield ArpMessage(is_reply=True, sender=ROUTER, sender_link=1 << 41 | 1, target=CLIENT, target_link=1 << 41)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A capture of every kind, with neighbour discovery as it happens."""
    path = tmp_path_factory.mktemp("capture") / "every.pcapng"
    lab = Lab()
    sent = list(every_kind())
    own = ((Family.IPV4, ROUTER), (Family.IPV6, SERVER6))
    there = Neighbours(lab.engine, lab.right.port, lambda: own)
    here = Neighbours(lab.engine, lab.left.port, lambda: ((Family.IPV4, CLIENT), (Family.IPV6, CLIENT6)))
    lab.left.hear, lab.right.hear = here.receive, there.receive
    with Capture(lab.engine, path, [lab.link, lab.beside]):
        here.send(datagram(family=Family.IPV6), SERVER6)
        here.send(datagram(), ROUTER)
        there.announce()
        for number, frame in enumerate(sent):
            lab.engine.at(SECOND + number * MILLISECOND, lab.left.port.send, frame)
        lab.engine.run()
    return path


@needs_tshark
def test_tshark_finds_nothing_malformed_and_no_wrong_checksum(full):
    assert tshark(full, "-Y", BAD) == []


@needs_tshark
def test_tshark_sees_what_was_sent(full):
    found = {}
    for line in tshark(full, "-T", "fields", "-e", "_ws.col.Protocol"):
        found[line] = found.get(line, 0) + 1
    expected = {"TCP", "UDP", "FTP", "HTTP", "DNS", "ICMP", "ICMPv6", "ARP", "SCTP", "UDP-Lite", "DCCP", "GRE", "ESP"}
    expected |= {"IPv4", "IPv6"}  # fragments that are not the last
    assert expected <= set(found)
    names = set(tshark(full, "-T", "fields", "-e", "frame.interface_name"))
    assert names == {"left-right"}
    assert len(tshark(full, "-Y", "ip.reassembled.length == 3980 || ipv6.reassembled.length == 3960")) == 2
    assert tshark(full, "-Y", "frame.number == 1", "-T", "fields", "-e", "icmpv6.type") == ["135"]
    # Every checksum was looked at and found good.
    status = set(tshark(full, "-Y", "tcp && !icmp && !icmpv6", "-T", "fields", "-e", "tcp.checksum.status"))
    assert status == {"1"}


@needs_tshark
def test_tshark_would_find_a_wrong_checksum_and_a_malformed_packet(full, tmp_path):
    octets = full.read_bytes()
    place = octets.index(b"USER anonymous")
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(octets[:place] + b"user" + octets[place + 4 :])
    assert len(tshark(path, "-Y", BAD)) == 1
    place = octets.index(dns_question())
    path.write_bytes(octets[: place + 12] + b"\x3f" + octets[place + 13 :])
    assert len(tshark(path, "-Y", "_ws.malformed")) == 1


@needs_tshark
def test_tshark_reads_the_files_of_single_links(tmp_path):
    lab = Lab()
    with Capture(lab.engine, tmp_path, [lab.link], form="pcap", epoch=1_700_000_000 * SECOND):
        lab.engine.at(7, lambda _: lab.left.port.send(datagram()))
        lab.engine.run()
    path = tmp_path / "left-right.pcap"
    assert tshark(path, "-T", "fields", "-e", "frame.time_epoch", "-e", "ip.src") == ["1700000000.000000007\t192.0.2.1"]


def test_everything_that_was_captured_is_read_again(full):
    read = [datagram for _, datagram in read_capture(full)]
    sent = [frame for frame in every_kind() if isinstance(frame, Datagram)]
    # Before them came discovery (three messages), two datagrams and announcements of the IPv6 address.
    assert [encode(one) for one in read[-len(sent) :]] == [encode(one) for one in sent]
