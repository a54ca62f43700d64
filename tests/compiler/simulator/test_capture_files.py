"""Capture files: written here and read by scapy, written by scapy and read here, and what is damaged."""

import gzip
import logging
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import InputError
from compiler.simulator.capture_reader import read_capture, records
from compiler.simulator.capture_writer import INBOUND, OUTBOUND, PcapngWriter, PcapWriter
from compiler.simulator.wire import encode

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
scapy = pytest.importorskip("scapy.all")

IP = scapy.IP(src="192.0.2.1", dst="198.51.100.1", id=7) / scapy.UDP(sport=1, dport=2) / b"question"
IP6 = scapy.IPv6(src="2001:db8::1", dst="2001:db8::2") / scapy.TCP(sport=5, dport=21)
ETHERNET = scapy.Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
NOON = 1_700_000_000_123_456_789


def write_pcapng(path, packets):
    with PcapngWriter(path) as writer:
        numbers = {}
        for interface, time, octets in packets:
            if interface not in numbers:
                numbers[interface] = writer.add_interface(interface)
            writer.write(numbers[interface], time, octets, OUTBOUND)


# -- written here --------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 2**63), st.binary(max_size=70)), max_size=8))
def test_pcapng_comes_back(tmp_path_factory, packets):
    path = tmp_path_factory.mktemp("capture") / "one.pcapng"
    with PcapngWriter(path) as writer:
        first, second = writer.add_interface("lan"), writer.add_interface("wan/ü")
        for number, (time, octets) in enumerate(packets):
            writer.write((first, second)[number % 2], time, octets, INBOUND)
    again = list(records(path))
    assert [(record.time, record.octets) for record in again] == packets
    assert [record.interface for record in again] == ["lan", "wan/ü"] * (len(packets) // 2) + ["lan"] * (
        len(packets) % 2
    )
    assert all(record.link_type == 1 and record.length == len(record.octets) for record in again)


@given(st.lists(st.tuples(st.integers(0, 2**32 * 10**9 - 1), st.binary(max_size=70)), max_size=8))
def test_pcap_comes_back(tmp_path_factory, packets):
    path = tmp_path_factory.mktemp("capture") / "one.pcap"
    with PcapWriter(path) as writer:
        for time, octets in packets:
            writer.write(time, octets)
    assert [(record.time, record.octets) for record in records(path)] == packets


def test_scapy_reads_our_pcapng(tmp_path):
    path = tmp_path / "two.pcapng"
    write_pcapng(path, [("lan", NOON, bytes(ETHERNET / IP)), ("wan", NOON + 1, bytes(ETHERNET / IP6))])
    one, two = scapy.rdpcap(str(path))
    assert (bytes(one), bytes(two)) == (bytes(ETHERNET / IP), bytes(ETHERNET / IP6))
    assert (one.sniffed_on, two.sniffed_on) == ("lan", "wan")
    assert (one.direction, float(one.time)) == (OUTBOUND, pytest.approx(NOON / 1e9))
    with scapy.RawPcapNgReader(str(path)) as reader:
        meta = [metadata for _, metadata in reader]
    assert [metadata.tshigh << 32 | metadata.tslow for metadata in meta] == [NOON, NOON + 1]
    assert meta[0].tsresol == 10**9


def test_scapy_reads_our_pcap(tmp_path):
    path = tmp_path / "one.pcap"
    with PcapWriter(path) as writer:
        writer.write(NOON, bytes(ETHERNET / IP))
    with scapy.RawPcapReader(str(path)) as reader:
        ((octets, metadata),) = list(reader)
    assert (octets, metadata.sec * 10**9 + metadata.usec) == (bytes(ETHERNET / IP), NOON)


# -- written by scapy ------------------------------------------------------------------------


LINK_LAYERS = [
    (1, ETHERNET / IP),
    (1, ETHERNET / scapy.Dot1Q(vlan=5) / IP),
    (1, ETHERNET / scapy.Dot1AD(vlan=5) / scapy.Dot1Q(vlan=6) / IP),
    (1, ETHERNET / IP / scapy.Padding(bytes(20))),
    (101, IP),
    (228, IP),
    (12, IP),
    (113, scapy.CookedLinux(proto=0x0800) / IP),
    (276, scapy.CookedLinuxV2(proto=0x0800) / IP),
    (0, scapy.Loopback(type=2) / IP),
]


@pytest.mark.parametrize(("link_type", "packet"), LINK_LAYERS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_every_link_layer_of_pcap_is_read(tmp_path, link_type, packet, order, nano):
    path = tmp_path / "one.pcap"
    # scapy takes a link type of 0 for none given, so the header is made here.
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    octets = bytes(packet)
    header = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link_type)
    rest = 123_456_789 if nano else 123_456
    path.write_bytes(header + struct.pack(order + "IIII", 1_700_000_000, rest, len(octets), len(octets)) + octets)
    with scapy.RawPcapReader(str(path)) as reader:  # scapy agrees that this is a capture
        assert next(iter(reader))[0] == octets
    ((time, datagram),) = read_capture(path)
    assert encode(datagram) == bytes(IP)
    assert time == (NOON if nano else NOON // 1000 * 1000)


def test_scapys_own_files_are_read(tmp_path):
    packets = [ETHERNET / IP, ETHERNET / IP6]
    for number, packet in enumerate(packets):
        packet.time = 1_700_000_000.25 + number
    for name, write in (("a.pcap", scapy.wrpcap), ("a.pcapng", scapy.wrpcapng)):
        write(str(tmp_path / name), packets)
        read = list(read_capture(tmp_path / name))
        assert [encode(datagram) for _, datagram in read] == [bytes(IP), bytes(IP6)]
        assert [time for time, _ in read] == [1_700_000_000_250_000_000, 1_700_000_001_250_000_000]


def test_a_compressed_capture_is_read(tmp_path):
    write_pcapng(tmp_path / "plain.pcapng", [("lan", NOON, bytes(ETHERNET / IP))])
    path = tmp_path / "one.pcapng.gz"
    path.write_bytes(gzip.compress((tmp_path / "plain.pcapng").read_bytes()))
    assert [encode(datagram) for _, datagram in read_capture(path)] == [bytes(IP)]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="cannot be read"):
        list(read_capture(path))


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_pcapng_allows_is_understood(tmp_path, order):
    path = tmp_path / "one.pcapng"
    octets = bytes(IP)

    def interface(options=b"", snap=0):
        return block(order, 1, struct.pack(order + "HHI", 101, 0, snap) + options)

    binary_units = struct.pack(order + "HH", 9, 1) + b"\x8a\0\0\0"  # 2**-10 seconds
    offset = struct.pack(order + "HHq", 14, 8, 1000)
    enhanced = struct.pack(order + "IIIII", 1, 0, 512, len(octets), len(octets)) + octets
    old = struct.pack(order + "HHIIII", 0, 0, 0, 2_000_000, len(octets), len(octets)) + octets
    simple = struct.pack(order + "I", len(octets)) + octets
    statistics = block(order, 5, bytes(12))
    path.write_bytes(
        section(order)
        + interface()
        + interface(binary_units + offset)
        + statistics
        + block(order, 6, enhanced)
        + block(order, 2, old)
        + block(order, 3, simple)
        + section("<")  # another section, with interfaces of its own and in its own order
        + block("<", 1, struct.pack("<HHI", 101, 0, 0))
        + block("<", 6, struct.pack("<IIIII", 0, 0, 3, len(octets), len(octets)) + octets)
    )
    read = list(read_capture(path))
    assert [time for time, _ in read] == [1000 * 10**9 + 500_000_000, 2_000_000_000, 0, 3000]
    assert {encode(datagram) for _, datagram in read} == {octets}


# -- what is passed over, and what is damaged -----------------------------------------------------


def test_what_is_no_datagram_is_counted(tmp_path):
    path = tmp_path / "mixed.pcap"
    lldp = ETHERNET.copy()
    lldp.type = 0x88CC
    wrong = bytearray(bytes(ETHERNET / IP))
    wrong[24] ^= 1  # the header checksum
    offloaded = scapy.IP(src="192.0.2.1", dst="198.51.100.1") / scapy.TCP(chksum=0x1234)
    with PcapWriter(path) as writer:
        for packet in (ETHERNET / scapy.ARP(), lldp / bytes(40), bytes(wrong), ETHERNET / offloaded, ETHERNET / IP):
            writer.write(0, bytes(packet))
    reader = read_capture(path)
    assert [datagram.protocol for _, datagram in reader] == [6, 17]
    assert reader.skipped == {
        "ARP": 1,
        "EtherType 0x88cc: neither IP nor ARP": 1,
        "wrong IPv4 header checksum": 1,
    }


def test_the_first_octets_of_a_packet_say_enough(tmp_path):
    path = tmp_path / "snapped.pcap"
    packet = scapy.IP(src="192.0.2.1", dst="198.51.100.1") / scapy.TCP(sport=5, dport=21, seq=9) / bytes(1000)
    octets = bytes(packet)
    header = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 64, 101)
    path.write_bytes(header + struct.pack("<IIII", 1, 0, 64, len(octets)) + octets[:64])
    ((_, datagram),) = read_capture(path)
    assert (datagram.size, datagram.destination_port, datagram.sequence, datagram.data) == (1040, 21, 9, None)
    assert encode(datagram) == octets


def read_until_fault(path):
    read = []
    try:
        read.extend(read_capture(path))
    except InputError as error:
        return read, error
    return read, None


def test_a_cut_file_gives_what_is_whole_and_then_says_so(tmp_path):
    plain = tmp_path / "plain"
    for name in ("pcap", "pcapng"):
        if name == "pcap":
            with PcapWriter(plain) as writer:
                for number in range(2):
                    writer.write(number, bytes(ETHERNET / IP))
        else:
            write_pcapng(plain, [("lan", number, bytes(ETHERNET / IP)) for number in range(2)])
        whole = plain.read_bytes()
        counts = set()
        faults = 0
        for length in range(len(whole)):
            path = tmp_path / f"cut.{name}"
            path.write_bytes(whole[:length])
            read, fault = read_until_fault(path)
            faults += fault is not None
            assert fault is None or str(path) in fault.render()
            counts.add(len(read))
        assert counts == {0, 1}
        # Only a cut between records, or blocks, cannot be seen.
        assert faults == len(whole) - {"pcap": 2, "pcapng": 3}[name]


@given(st.data())
def test_damage_is_an_input_error_and_nothing_else(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("capture") / "one"
    write_pcapng(path, [("lan", 1, bytes(ETHERNET / IP)), ("wan", 2, bytes(ETHERNET / IP6))])
    octets = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(octets))
    _, fault = read_until_fault(path)  # anything but an InputError fails here
    assert fault is None or str(path) in str(fault)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "the file is empty"),
        (b"access-list 1 permit any\n", "no capture: a pcap or pcapng file expected"),
        (b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00nope", "without its byte-order magic"),
        (struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 127) + bytes(8) + b"\1\0\0\0" * 2 + b"x", "link type 127"),
        (struct.pack("<IHHIIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1, 0, 0, 1 << 31, 9), "file is damaged"),
        (section("<") + block("<", 6, bytes(20)), "interface 0, which is not described"),
        (section("<") + block("<", 1, b"\1\0"), "too short"),
    ],
)
def test_what_is_no_capture_says_why(tmp_path, octets, why):
    path = tmp_path / "strange"
    path.write_bytes(octets)
    with pytest.raises(InputError, match=why):
        list(read_capture(path))


def test_a_file_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        list(read_capture(tmp_path / "absent.pcap"))
