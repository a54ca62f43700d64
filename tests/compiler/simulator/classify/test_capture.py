"""Captures that scapy writes come back as the columns of what was sent, whatever stands around the packets."""

import gzip
import re
import struct

import pytest

from compiler.errors import InputError
from compiler.fields import Family
from compiler.policy.packet import Packet
from compiler.simulator.capture_reader import read_capture as read_datagrams
from compiler.simulator.classify.decoding import read_capture

scapy = pytest.importorskip("scapy.all")
IP, IPv6, TCP, UDP, ICMP, Ether, Raw = (
    getattr(scapy, name) for name in ("IP", "IPv6", "TCP", "UDP", "ICMP", "Ether", "Raw")
)

FOUR, SIX = Family.IPV4, Family.IPV6
A, B = 0x0A000001, 0x0A000002
A6, B6 = (0x20010DB8 << 96) + 1, (0x20010DB8 << 96) + 2
V4 = {"src": "10.0.0.1", "dst": "10.0.0.2"}
V6 = {"src": "2001:db8::1", "dst": "2001:db8::2"}
MINUTE = 29_000_000
TIMES = {"week_minute": (MINUTE + 3 * 1440) % 10080, "date_minute": MINUTE}

CASES = [
    (
        IP(**V4, tos=0xB8, ttl=7) / TCP(sport=1025, dport=21, flags="SA"),
        Packet(FOUR, A, B, 6, 1025, 21, 0x12, 0, 0, 0xB8, 7),
    ),
    (IP(**V4) / UDP(sport=53, dport=5353) / Raw(b"x"), Packet(FOUR, A, B, 17, 53, 5353)),
    (IP(**V4) / ICMP(type=3, code=13), Packet(FOUR, A, B, 1, icmp_type=3, icmp_code=13)),
    (IP(**V4, proto=47) / Raw(b"\0\0"), Packet(FOUR, A, B, 47)),
    (IP(**V4, options=[scapy.IPOption_RR()]) / UDP(sport=1, dport=2), Packet(FOUR, A, B, 17, 1, 2)),
    (IP(**V4, flags="MF") / UDP(sport=1, dport=2) / Raw(b"12345678"), Packet(FOUR, A, B, 17, 1, 2)),
    (IP(**V4, frag=3, proto=17) / Raw(b"\0\7\0\x09zz"), Packet(FOUR, A, B, 17, 7, 9, noninitial=True)),
    (IP(**V4, frag=3, proto=6) / Raw(b"z"), Packet(FOUR, A, B, 6, noninitial=True)),
    (IPv6(**V6, tc=0xB8, hlim=9) / TCP(sport=1, dport=2, flags="R"), Packet(SIX, A6, B6, 6, 1, 2, 4, 0, 0, 0xB8, 9)),
    (IPv6(**V6) / scapy.ICMPv6EchoRequest(), Packet(SIX, A6, B6, 58, icmp_type=128)),
    (
        IPv6(**V6)
        / scapy.IPv6ExtHdrHopByHop(options=[scapy.PadN(optdata=b"0" * 12)])
        / scapy.IPv6ExtHdrRouting()
        / UDP(sport=3, dport=4),
        Packet(SIX, A6, B6, 17, 3, 4),
    ),
    (IPv6(**V6) / scapy.IPv6ExtHdrFragment(m=1) / UDP(sport=3, dport=4), Packet(SIX, A6, B6, 17, 3, 4)),
    (
        IPv6(**V6) / scapy.IPv6ExtHdrFragment(offset=9, nh=6) / Raw(b"\0\1\0\2"),
        Packet(SIX, A6, B6, 6, 1, 2, noninitial=True),
    ),
    (IPv6(**V6, nh=51) / Raw(b"\x11\x04" + b"\0" * 22 + b"\0\5\0\6\0\x08\0\0"), Packet(SIX, A6, B6, 17, 5, 6)),
]
LINKS = {
    "ethernet": (1, bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=0))[:12], True),
    "vlan": (1, b"\2" * 12 + b"\x88\xa8\0\5\x81\0\0\7", True),
    "raw": (101, b"", False),
    "cooked": (113, b"\0\0\0\1\0\6" + b"\2" * 6 + b"\0\0", True),
    "loopback": (0, b"\2\0\0\0", False),
}


def written(packet, link):
    """The frame on that link, and the number of its type."""
    number, head, typed = LINKS[link]
    body = bytes(packet)
    kind = (b"\x08\0" if body[0] >> 4 == 4 else b"\x86\xdd") if typed else b""
    return head + kind + body, number


def pcap(frames, number, order="<", magic=0xA1B2C3D4):
    """A pcap file by hand, so that the reader and scapy's writer are no one's echo."""
    records = [struct.pack(f"{order}IIII", MINUTE * 60 + 59, 7, len(one), len(one)) + one for one in frames]
    return struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, number) + b"".join(records)


def decided(capture):
    """All packets with the numbers of their frames, in order."""
    pairs = [(frame, part.packets.packet(at)) for part in capture.parts for at, frame in enumerate(part.frame.tolist())]
    return [packet for _, packet in sorted(pairs, key=lambda pair: pair[0])]


@pytest.fixture(params=["numba", "plain"])
def walk(request, monkeypatch):
    """Both ways to walk the records."""
    if request.param == "plain":
        monkeypatch.setenv("GERBANG_NUMBA", "0")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("link", LINKS)
def test_every_packet_comes_back(tmp_path, walk, link, order):
    frames = [written(packet, link) for packet, _ in CASES]
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap([frame for frame, _ in frames], frames[0][1], order, 0xA1B23C4D))
    capture = read_capture(str(path))
    assert capture[1:] == (len(CASES), 0, 0, 0)
    assert decided(capture) == [expected._replace(**TIMES) for _, expected in CASES]


@pytest.mark.parametrize("name", ["c.pcap", "c.pcapng"])
def test_files_of_scapy(tmp_path, name):
    path = str(tmp_path / name)
    packets = [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet for packet, _ in CASES]
    for packet in packets:
        packet.time = MINUTE * 60 + 3
    (scapy.wrpcapng if name.endswith("ng") else scapy.wrpcap)(path, packets)
    assert decided(read_capture(path)) == [expected._replace(**TIMES) for _, expected in CASES]


def test_what_is_no_packet_is_counted_apart(tmp_path):
    whole = bytes(Ether() / CASES[0][0])
    six = bytes(Ether(type=0x86DD) / CASES[8][0])
    frames = [
        bytes(Ether(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:01") / scapy.ARP()),
        b"\0" * 13,
        whole,
        whole[:30],
        whole[:46],
        six[:50],
        six[:14] + b"\x60" + six[15:20] + b"\0" + six[21:54] + b"\0",
        whole[:14] + b"\x44" + whole[15:],
        whole[:14] + b"\x65" + whole[15:],
        whole[:16] + b"\0\x13" + whole[18:],
    ]
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap(frames, 1))
    capture = read_capture(str(path))
    assert (capture.frames, capture.not_ip, capture.cut_short, capture.malformed) == (10, 2, 4, 3)
    assert [part.frame.tolist() for part in capture.parts] == [[2]]


def section(order="<"):
    """A section header, and one interface whose clock ticks in milliseconds."""
    options = struct.pack(f"{order}HHBxxxHH", 9, 1, 3, 0, 0)
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order) + block(
        1, struct.pack(f"{order}HHI", 101, 0, 0) + options, order
    )


def block(kind, body, order="<"):
    """A block of pcapng."""
    body += b"\0" * (-len(body) % 4)
    return struct.pack(f"{order}II", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)


def enhanced(frame, order="<", number=0):
    """An enhanced packet block."""
    when = (MINUTE * 60 + 59) * 1000
    return block(
        6, struct.pack(f"{order}IIIII", number, when >> 32, when & 0xFFFFFFFF, len(frame), len(frame)) + frame, order
    )


def test_blocks_of_pcapng(tmp_path):
    packet, expected = CASES[1]
    frame = bytes(packet)
    simple = block(3, struct.pack("<I", len(frame)) + frame)
    path = tmp_path / "c.pcapng"
    path.write_bytes(section() + enhanced(frame) + block(5, b"\0" * 12) + simple + section(">") + enhanced(frame, ">"))
    capture = read_capture(str(path))
    untimed = expected._replace(week_minute=3 * 1440)
    assert decided(capture) == [expected._replace(**TIMES), untimed, expected._replace(**TIMES)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "octet 0: the file is empty"),
        (b"hello", "octet 0: no capture: a pcap or pcapng file expected"),
        (pcap([], 1)[:20], "octet 0: the file ends within the file header: 24 octets expected, 20 there"),
        (pcap([b"1234", b"5678"], 1)[:-1], "octet 44: the file ends within record 2: 4 octets expected, 3 there"),
        (
            pcap([b"1234"], 1) + b"12",
            "octet 44: the file ends within the header of record 2: 16 octets expected, 2 there",
        ),
        (
            pcap([], 127) + struct.pack("<IIII", 0, 0, 1 << 31, 4),
            "octet 24: record 1 of 2147483648 octets: the file is",
        ),
        (pcap([b"1234"], 127), "link type 127 is not known"),
        (section()[:-2], "octet 28: the file ends within a block: 32 octets expected, 30 there"),
        (section() + struct.pack("<III", 6, 7, 0), "octet 60: a block of 7 octets: the file is damaged"),
        (section() + enhanced(b"1234")[:-1] + b"x", "octet 60: the two lengths of a block differ"),
        (section() + block(1, b"\1\0"), "octet 60: a block of type 1 that is too short: 16 octets"),
        (section() + block(6, b"1234"), "octet 60: a block of type 6 that is too short: 16 octets"),
        (
            section() + section() + enhanced(b"1234", number=1),
            "octet 120: packet 1 of interface 1, which is not described",
        ),
        (
            section() + enhanced(bytes(CASES[0][0])) + block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + b"1234"),
            "octet 132: packet 2 of 9 octets in a block with room for 4",
        ),
        (block(0x0A0D0D0A, b"abcd" * 4), "octet 0: a pcapng section header without its byte-order magic"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_broken(tmp_path, walk, content, said):
    path = tmp_path / "c.pcap"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"{path}: {said}")) as columns:
        read_capture(str(path))
    with pytest.raises(InputError) as datagrams:
        list(read_datagrams(path))
    assert datagrams.value.render() == columns.value.render()


def test_an_empty_capture_and_a_missing_one(tmp_path):
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap([], 1))
    assert read_capture(str(path)) == ((), 0, 0, 0, 0)
    with pytest.raises(InputError, match="No such file") as columns:
        read_capture(str(tmp_path / "none"))
    with pytest.raises(InputError) as datagrams:
        list(read_datagrams(tmp_path / "none"))
    assert datagrams.value.render() == columns.value.render()


@pytest.mark.parametrize("at_once", [1, 7, 64, 1000])
def test_files_larger_than_the_window(tmp_path, walk, monkeypatch, at_once):
    monkeypatch.setattr("compiler.simulator.capture_window._AT_ONCE", at_once)
    frames = [bytes(packet) for packet, _ in CASES]
    blocks = [enhanced(frame) for frame in frames]
    expected = [expected._replace(**TIMES) for _, expected in CASES]
    files = {
        "c.pcap": pcap(frames, 101),
        "c.pcapng": section() + b"".join(blocks),
        "sections": b"".join(
            section(order) + enhanced(one, order) for one, order in zip(frames, "<>" * 7, strict=True)
        ),
        "c.pcap.gz": gzip.compress(pcap(frames, 101)),
    }
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        capture = read_capture(str(path))
        assert (capture.frames, decided(capture)) == (len(CASES), expected), name
        assert sorted(number for part in capture.parts for number in part.frame.tolist()) == list(range(len(CASES)))


def test_both_readers_agree_what_is_on_which_link_layer(tmp_path):
    packet = bytes(CASES[1][0])
    for link_type in range(300):
        for tag in (b"", b"\x81\0\0\5", b"\x88\xa8\0\5\x81\0\0\7", b"\x91\0\0\1\x81\0\0\7"):
            path = tmp_path / "c.pcap"
            heads = {1: b"\2" * 12, 113: b"\2" * 14, 0: b"\2" * 4, 108: b"\2" * 4}
            if link_type == 276:
                frame = (tag + b"\x08\0")[:2] + b"\2" * 18 + (tag + b"\x08\0")[2:] + packet
            else:
                frame = heads.get(link_type, b"") + (tag + b"\x08\0" if link_type in {1, 113} else b"") + packet
            path.write_bytes(pcap([frame], link_type))
            try:
                found = [(one.source_port, one.destination_port) for one in decided(read_capture(str(path)))]
            except InputError as error:
                with pytest.raises(InputError, match=str(error)):
                    list(read_datagrams(path))
                continue
            assert found == [(one.source_port, one.destination_port) for _, one in read_datagrams(path)] == [(53, 5353)]
