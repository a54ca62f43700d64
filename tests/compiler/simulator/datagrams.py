"""Datagrams of every kind: strategies that tests of octets, fragments and captures share."""

from hypothesis import strategies as st

from compiler.fields import Family
from compiler.simulator.frame import Datagram

LAYER4 = {1: 8, 6: 20, 17: 8, 33: 12, 47: 0, 50: 0, 58: 8, 132: 12, 136: 8}
"""Protocols and the octets of their fixed headers; for DCCP the part after the ports counts as data."""

V4_OPTIONS = (b"", b"\x94\x04\x00\x00", b"\x44\x08\x05\x00" + bytes(4), b"\x01\x01\x01\x00", b"\x82\x0b" + bytes(10))
V6_OPTIONS = (
    b"",
    b"\x00\x00\x01\x04" + bytes(4),
    b"\x3c\x01\x01\x0c" + bytes(12),
    b"\x00\x00\x05\x02\x00\x00\x01\x00" + b"\x2b\x02\x04\x00" + bytes(20) + b"\x3c\x00\x01\x04" + bytes(4),
    b"\x2c" + bytes(7),
    b"\x00\x00\x01\x04" + bytes(4) + b"\x2c" + bytes(7) + b"\x3c\x00\x01\x04" + bytes(4),
)
TCP_OPTIONS = (b"", b"\x02\x04\x05\xb4", b"\x01\x01\x08\x0a" + bytes(range(8)), b"\x02\x04\x05\xb4\x04\x02\x01\x01")


@st.composite
def datagrams(draw, protocols=tuple(LAYER4), quotes=True, most=300, atomic=True):
    """Whole datagrams; ICMP errors among them quote other ones if ``quotes`` (``"always"``: there are no other kinds).

    Atomic fragments are among them if ``atomic``.
    """
    family = draw(st.sampled_from(Family))
    protocol = draw(st.sampled_from(protocols))
    options = draw(st.sampled_from(V4_OPTIONS if family == 4 else V6_OPTIONS if atomic else V6_OPTIONS[:4]))
    numbers = iter(draw(st.binary(min_size=64, max_size=64)))  # one draw for all header fields: many are slow

    def field(octets):
        return int.from_bytes(bytes(next(numbers) for _ in range(octets)))

    data = draw(st.one_of(st.none(), st.binary(max_size=most)))
    tcp_options = draw(st.sampled_from(TCP_OPTIONS)) if protocol == 6 else b""
    length = draw(st.integers(0, most)) if data is None else len(data)
    if protocol == 33 and data is not None:
        # A generic header of 16 octets, its checksum over everything or a part.
        data = b"\x04" + bytes((field(1) & 1,)) + b"\0\0\x05" + bytes(7) + data
        length = len(data)
    width = family.width // 8
    header = width * 2 + (12 if family == 4 else 8) + len(options)
    datagram = Datagram(family, field(width), field(width), protocol, header, data=data, ttl=field(1))
    datagram.options = options
    datagram.traffic_class = field(1)
    if family == 4:
        datagram.identification = field(2)
        datagram.dont_fragment = bool(field(1) & 1)
    else:
        datagram.flow_label = field(3) & 0xFFFFF
        if b"\x2c" + bytes(7) in options:
            datagram.identification = field(4)
    datagram.size += (4 if protocol == 33 and data is not None else LAYER4[protocol]) + len(tcp_options) + length
    if protocol in {6, 17, 33, 132, 136}:
        datagram.source_port, datagram.destination_port = field(2), field(2)
    if protocol == 6:
        datagram.sequence, datagram.acknowledgement = field(4), field(4)
        datagram.tcp_flags, datagram.window, datagram.rest = field(1), field(2), field(2)
        datagram.identifier = field(1) & 15
        datagram.tcp_options = tcp_options
    elif protocol == 132:
        datagram.sequence = field(4)
    elif protocol == 136:
        datagram.rest = (0, 8, 8 + length)[field(1) % 3]
    elif protocol in {1, 58}:
        errors = (3, 4, 5, 11, 12) if protocol == 1 else (1, 2, 3, 4)
        datagram.icmp_code, datagram.identifier, datagram.rest = field(1), field(2), field(2)
        datagram.icmp_type = field(1)
        if quotes == "always" or (quotes and draw(st.booleans())):
            quoted = draw(datagrams(quotes=False, most=most))
            datagram.icmp_type = errors[datagram.icmp_type % len(errors)]
            datagram.data, datagram.quoted = None, quoted
            datagram.size += min(quoted.size, draw(st.sampled_from((48, 68, 576)))) - length
        elif datagram.icmp_type in errors:
            datagram.icmp_type = 128
    return datagram


FIELDS = tuple(sorted(set(Datagram.__slots__) - {"data", "number", "quoted"}))


def said(datagram):
    """All that a datagram says, to compare two; zeros that were never made count as zeros."""
    return {name: getattr(datagram, name) for name in FIELDS}
