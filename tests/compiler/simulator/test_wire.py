"""Octets and datagrams: there and back, what is malformed, and scapy's opinion of both."""

import logging
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.simulator.checksum import crc32c
from compiler.simulator.frame import BROADCAST, ArpMessage, Datagram
from compiler.simulator.wire import WireError, decode, decode_frame, encode, frame_bytes, header_length
from tests.compiler.simulator.datagrams import V4_OPTIONS, datagrams, said

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
scapy = pytest.importorskip("scapy.all")

octet, word, double = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
CLIENT, SERVER = 0xC0000201, 0xC6336401


def udp(size=28, **fields):
    datagram = Datagram(Family.IPV4, CLIENT, SERVER, 17, size, 1024, 53)
    for name, value in fields.items():
        setattr(datagram, name, value)
    return datagram


# -- there and back ----------------------------------------------------------------


@given(datagrams())
def test_what_was_encoded_says_the_same_when_decoded(datagram):
    octets = encode(datagram)
    assert len(octets) == datagram.size
    again = decode(octets)
    assert said(again) == said(datagram)
    if datagram.quoted is None and datagram.data is not None:
        assert again.data == datagram.data
    assert encode(again) == octets


@given(datagrams(protocols=(1, 58), quotes="always"))
def test_a_quote_is_the_start_of_the_quoted_datagram(datagram):
    octets = encode(datagram)
    room = datagram.size - header_length(datagram) - 8
    assert octets[-room:] == encode(datagram.quoted)[:room]
    again = decode(octets).quoted
    quoted = datagram.quoted
    assert (again.size, again.source, again.destination) == (quoted.size, quoted.source, quoted.destination)
    if room >= header_length(quoted):
        assert (again.protocol, again.options, again.ttl) == (quoted.protocol, quoted.options, quoted.ttl)


@given(datagrams(protocols=(1, 58), quotes="always"))
def test_a_quote_that_was_cut_can_be_changed_and_sent_on(datagram):
    read = decode(encode(datagram))
    read.quoted.ttl ^= 1  # no longer what the octets say: they are made from the fields
    again = decode(encode(read))
    assert again.size == datagram.size
    names = ("source", "destination", "source_port", "destination_port", "sequence", "size", "ttl", "identification")
    assert [getattr(again.quoted, name) for name in names] == [getattr(read.quoted, name) for name in names]


def test_a_changed_quote_is_what_counts():
    error = Datagram(Family.IPV4, SERVER, CLIENT, 1, 56, icmp_type=3, icmp_code=13)
    error.quoted = Datagram(Family.IPV4, CLIENT, SERVER, 6, 1500, 40000, 21, 2)
    read = decode(encode(error))
    assert (read.quoted.size, read.quoted.source_port, read.quoted.destination_port) == (1500, 40000, 21)
    read.quoted.source, read.quoted.source_port = 0x0A000001, 1024
    translated = decode(encode(read)).quoted
    assert (translated.source, translated.source_port, translated.destination_port) == (0x0A000001, 1024, 21)


def test_data_that_nobody_reads_is_zeros():
    assert encode(udp(128))[28:] == bytes(100)
    assert encode(udp(128)) == encode(udp(128, data=bytes(100)))


def test_the_law_holds_for_the_quickest_way_too():
    # UDP over IPv4 without data has a function of its own: it must agree with the common one.
    for size in (28, 29, 1500, 65_535):
        for fields in ({}, {"identification": 0xFFFF, "dont_fragment": True, "ttl": 1, "traffic_class": 0xFC}):
            assert encode(udp(size, **fields)) == encode(udp(size, data=bytes(size - 28), **fields))


@given(datagrams(), st.integers(0, 400), octet)
def test_damaged_octets_are_refused_or_read_as_they_are(datagram, place, value):
    octets = bytearray(encode(datagram))
    octets[place % len(octets)] = value
    try:
        again = decode(bytes(octets))
    except WireError:
        return
    zero_checksum = again.protocol == 17 and again.family == 4 and not again.is_fragment
    if not zero_checksum:
        assert encode(again) == bytes(octets)


@given(datagrams(), st.integers(0, 400))
def test_octets_that_stop_early_are_refused_and_what_is_there_is_read_as_a_quote(datagram, length):
    octets = encode(datagram)[:length]
    if len(octets) < datagram.size:
        with pytest.raises(WireError):
            decode(octets)
    if length >= header_length(datagram):
        part = decode(octets, whole=False)
        assert (part.size, part.source, part.destination) == (datagram.size, datagram.source, datagram.destination)


@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused(octets):
    for settings in ({}, {"checksums": False}, {"whole": False}):
        for read in (decode, decode_frame):
            with suppress(WireError):
                read(octets, **settings)


# -- what does not fit ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (udp(27), "no room"),
        (udp(40, data=b"x"), "room for 12 octets"),
        (udp(28, options=b"\x01"), "multiple of 4"),
        (udp(28, traffic_class=256), "does not fit"),
        (udp(70_000), "does not fit"),
        (udp(28, source_port=65_536), "does not fit"),
        (udp(28, source=-1), "does not fit"),
        (udp(60, more_fragments=True), "40 expected, none given"),
        (udp(28, more_fragments=True, fragment=bytes(16)), "8 expected, 16 given"),
        (udp(28, fragment_offset=4, fragment=bytes(8)), "multiple of 8"),
    ],
)
def test_a_datagram_without_octets_says_why(datagram, why):
    with pytest.raises(WireError, match=why):
        encode(datagram)


GOOD = encode(udp(36, data=b"question"))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "no octets"),
        (b"\x70" + GOOD[1:], "IP version 7"),
        (GOOD[:19], "19 octets"),
        (b"\x44" + GOOD[1:], "header of 16 octets"),
        (GOOD + b"\0", "1 octets behind"),
        (GOOD[:-1], "35 octets of a packet of 36"),
        (GOOD[:8] + b"\0" + GOOD[9:], "IPv4 header checksum"),
        (GOOD[:-1] + b"?", "UDP checksum"),
    ],
)
def test_malformed_octets_say_why(octets, why):
    with pytest.raises(WireError, match=why):
        decode(octets)


def test_a_wrong_length_inside_is_told_from_a_wrong_checksum():
    packet = scapy.IP(src="192.0.2.1", dst="198.51.100.1") / scapy.UDP(len=100) / b"question"
    with pytest.raises(WireError, match="UDP length of 100"):
        decode(bytes(packet))
    packet = scapy.IP(src="192.0.2.1", dst="198.51.100.1") / scapy.TCP(dataofs=15)
    with pytest.raises(WireError, match="TCP header of 60 octets"):
        decode(bytes(packet))


# -- scapy -----------------------------------------------------------------------------


def recomputed(octets):
    """The packet with all lengths and checksums made anew by scapy."""
    packet = scapy.IP(octets) if octets[0] >> 4 == 4 else scapy.IPv6(octets)
    layer = packet
    while layer:
        for name in ("chksum", "cksum", "len", "plen", "ihl", "dataofs"):
            # SCTP's chunks keep their length: DATA chunks of random octets have any.
            if name in layer.fields and (name != "len" or layer.name in {"IP", "UDP"}):
                delattr(layer, name)
        layer = layer.payload
    return bytes(packet)


@given(datagrams(protocols=(1, 6, 17, 58), quotes=False))
def test_scapy_computes_the_same_checksums_and_lengths(datagram):
    if datagram.protocol == 58 and datagram.family == 4:
        return  # ICMPv6 over IPv4 is nothing that scapy knows
    if datagram.protocol == 58:
        datagram.icmp_type = 128  # scapy reads other types' contents, and leaves out what it cannot
    octets = encode(datagram)
    assert recomputed(octets)[: datagram.size] == octets


def test_scapy_computes_the_same_checksum_for_sctp():
    datagram = Datagram(Family.IPV4, CLIENT, SERVER, 132, 52, 5000, 5001)
    datagram.sequence = 0xDEADBEEF
    octets = encode(datagram)
    packet = scapy.IP(octets)[scapy.SCTP]
    assert (packet.sport, packet.dport, packet.tag) == (5000, 5001, 0xDEADBEEF)
    given_checksum = packet.chksum
    del packet.chksum
    assert scapy.SCTP(bytes(packet)).chksum == given_checksum
    assert crc32c(b"123456789") == 0xE3069283  # the check value that RFC 3720 and everybody else gives


@given(datagrams(protocols=(6, 17)))
def test_scapy_reads_the_same_fields(datagram):
    packet = scapy.IP(encode(datagram)) if datagram.family == 4 else scapy.IPv6(encode(datagram))
    layer = packet[scapy.TCP if datagram.protocol == 6 else scapy.UDP]
    assert (layer.sport, layer.dport) == (datagram.source_port, datagram.destination_port)
    if datagram.protocol == 6:
        assert (layer.seq, layer.ack, layer.window, int(layer.flags) & 0xFF) == (
            datagram.sequence,
            datagram.acknowledgement,
            datagram.window,
            datagram.tcp_flags,
        )
    if datagram.family == 4:
        assert (packet.id, packet.ttl, packet.tos) == (datagram.identification, datagram.ttl, datagram.traffic_class)
    else:
        assert (packet.fl, packet.hlim, packet.tc) == (datagram.flow_label, datagram.ttl, datagram.traffic_class)


@given(st.data())
def test_what_scapy_builds_comes_back_as_it_was(data):
    draw = data.draw
    source, destination = ("192.0.2.1", "198.51.100.7")
    if draw(st.booleans()):
        lower = scapy.IP(src=source, dst=destination, tos=draw(octet), ttl=draw(octet), id=draw(word))
        lower.options = draw(st.sampled_from([[], [scapy.IPOption_Router_Alert()], [scapy.IPOption_RR(length=7)]]))
    else:
        lower = scapy.IPv6(src="2001:db8::1", dst="2001:db8::2", tc=draw(octet), hlim=draw(octet))
        lower /= draw(
            st.sampled_from(
                [
                    scapy.NoPayload(),
                    scapy.IPv6ExtHdrHopByHop(),
                    scapy.IPv6ExtHdrDestOpt() / scapy.IPv6ExtHdrRouting(addresses=["2001:db8::9"]),
                    scapy.IPv6ExtHdrFragment(id=draw(double)),
                ]
            )
        )
    upper = draw(
        st.sampled_from(
            [
                scapy.TCP(
                    sport=draw(word),
                    dport=draw(word),
                    seq=draw(double),
                    ack=draw(double),
                    flags=draw(octet),
                    window=draw(word),
                    urgptr=draw(word),
                    options=[("MSS", 1460), ("Timestamp", (1, 2)), ("SAckOK", b"")],
                ),
                scapy.UDP(sport=draw(word), dport=draw(word)),
                scapy.UDP(dport=53) / scapy.DNS(qd=scapy.DNSQR(qname="example.test")),
                scapy.SCTP(sport=draw(word), tag=draw(double)) / scapy.SCTPChunkData(data=b"chunk"),
                scapy.GRE() if lower.version == 4 else scapy.ICMPv6EchoRequest(id=draw(word), seq=draw(word)),
                scapy.ICMP(id=draw(word), seq=draw(word)) if lower.version == 4 else scapy.ICMPv6ND_NS(tgt="fe80::1"),
            ]
        )
    )
    octets = bytes(lower / upper / draw(st.binary(max_size=40)))
    if scapy.SCTP in upper:
        octets = bytes(lower / upper)
    assert encode(decode(octets)) == octets


# -- frames ------------------------------------------------------------------------------


@given(datagrams())
def test_frames_come_back_with_their_link_addresses(datagram):
    datagram.link_source, datagram.link_destination = 0x020000000001, BROADCAST
    octets = frame_bytes(datagram)
    again = decode_frame(octets + bytes(max(60 - len(octets), 0)))  # padded, as on a real wire
    assert (again.link_source, again.link_destination) == (0x020000000001, BROADCAST)
    assert frame_bytes(again) == octets


@pytest.mark.parametrize("is_reply", [False, True])
def test_arp_is_what_scapy_says_it_is(is_reply):
    message = ArpMessage(is_reply=is_reply, sender=CLIENT, sender_link=0x020000000001, target=SERVER, target_link=7)
    message.link_source, message.link_destination = 0x020000000001, BROADCAST
    octets = frame_bytes(message)
    assert octets == bytes(
        scapy.Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff")
        / scapy.ARP(
            op=2 if is_reply else 1,
            hwsrc="02:00:00:00:00:01",
            psrc="192.0.2.1",
            hwdst="00:00:00:00:00:07",
            pdst="198.51.100.1",
        )
    )
    again = decode_frame(octets)
    assert isinstance(again, ArpMessage)
    assert frame_bytes(again) == octets


def test_tags_are_taken_off_and_other_frames_refused():
    inner = scapy.IP(src="192.0.2.1", dst="198.51.100.1") / scapy.UDP()
    tagged = scapy.Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / scapy.Dot1Q(vlan=5) / scapy.Dot1Q() / inner
    assert encode(decode_frame(bytes(tagged))) == bytes(inner)
    with pytest.raises(WireError, match="0x88cc"):
        decode_frame(bytes(14)[:12] + b"\x88\xcc" + bytes(20))


def test_options_of_tests_are_themselves_well_formed():
    assert all(not len(options) & 3 for options in V4_OPTIONS)
