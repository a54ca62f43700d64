"""What links carry: frames with a datagram or an ARP message in them.

Frames are the simulator's only mutable values: a router that forwards one
changes its TTL and link addresses in place, as a kernel does. Whoever keeps a
frame beyond the call takes a copy.
"""

from __future__ import annotations

from itertools import count
from typing import ClassVar, Self

from compiler.fields import Family
from compiler.policy.packet import Packet, Path

__all__ = ["BROADCAST", "ETHERNET", "GROUP", "ArpMessage", "Datagram", "Frame"]

ETHERNET = 14
"""Octets of an Ethernet header (IEEE 802.3), which queues and rates count too."""

BROADCAST = 0xFFFFFFFFFFFF
GROUP = 1 << 40
"""The bit of an Ethernet address that says that it is a group's (IEEE 802, 8.2)."""

_number = count(1).__next__


class Frame:
    """An Ethernet frame. ``size`` is the length of what it carries, in octets."""

    __slots__ = ("link_destination", "link_source", "size")
    _fields: ClassVar[tuple[str, ...]] = __slots__

    def __init_subclass__(cls) -> None:
        cls._fields += tuple(cls.__slots__)

    def __init__(self, size: int) -> None:
        self.size = size
        self.link_source = 0
        self.link_destination = 0

    def copy(self) -> Self:
        """Another frame with the same contents."""
        made = object.__new__(type(self))
        for name in self._fields:
            setattr(made, name, getattr(self, name))
        return made


class ArpMessage(Frame):
    """A request or reply of RFC 826, for IPv4 over Ethernet."""

    __slots__ = ("is_reply", "sender", "sender_link", "target", "target_link")

    def __init__(self, *, is_reply: bool, sender: int, sender_link: int, target: int, target_link: int = 0) -> None:
        super().__init__(28)
        self.is_reply = is_reply
        self.sender = sender
        self.sender_link = sender_link
        self.target = target
        self.target_link = target_link


class Datagram(Frame):
    """An IPv4 or IPv6 datagram with its layer-4 header, or a fragment of one.

    ``size`` is the total length in octets, headers included. ``data`` is the
    layer-4 payload; None stands for octets that nobody reads (zeros), as many
    as ``size`` leaves room for. ``identifier`` and ``rest`` are the two halves
    of the second word of an ICMP header (echo: identifier and sequence number;
    packet-too-big: MTU). An ICMP error has the datagram that it is about in
    ``quoted``. A fragment (``fragment_offset`` in octets, ``more_fragments``)
    has the octets after its IP header in ``fragment``; layer-4 fields are set
    in the first one only. ``options`` are raw IPv4 options, or raw IPv6
    extension headers before the layer-4 header, each with its own number in its
    first octet (on the wire: the next one's; see ``extension_headers``). ``number`` tells datagrams
    apart for traces, and stays the same from node to node.
    """

    __slots__ = (
        "acknowledgement",
        "data",
        "destination",
        "destination_port",
        "dont_fragment",
        "family",
        "flow_label",
        "fragment",
        "fragment_offset",
        "icmp_code",
        "icmp_type",
        "identification",
        "identifier",
        "more_fragments",
        "number",
        "options",
        "protocol",
        "quoted",
        "rest",
        "sequence",
        "source",
        "source_port",
        "tcp_flags",
        "tcp_options",
        "traffic_class",
        "ttl",
        "window",
    )

    def __init__(  # noqa: PLR0913, PLR0917  # a header has that many fields
        self,
        family: Family,
        source: int,
        destination: int,
        protocol: int,
        size: int,
        source_port: int = 0,
        destination_port: int = 0,
        tcp_flags: int = 0,
        icmp_type: int = 0,
        icmp_code: int = 0,
        data: bytes | None = None,
        ttl: int = 64,
    ) -> None:
        self.size = size
        self.link_source = 0
        self.link_destination = 0
        self.family = family
        self.source = source
        self.destination = destination
        self.protocol = protocol
        self.source_port = source_port
        self.destination_port = destination_port
        self.tcp_flags = tcp_flags
        self.icmp_type = icmp_type
        self.icmp_code = icmp_code
        self.data = data
        self.ttl = ttl
        self.traffic_class = 0
        self.flow_label = 0
        self.identification = 0
        self.dont_fragment = False
        self.more_fragments = False
        self.fragment_offset = 0
        self.fragment: bytes | None = None
        self.options = b""
        self.sequence = 0
        self.acknowledgement = 0
        self.window = 0
        self.tcp_options = b""
        self.identifier = 0
        self.rest = 0
        self.quoted: Datagram | None = None
        self.number = _number()

    @property
    def is_fragment(self) -> bool:
        """Whether it is a part of a datagram only."""
        return self.more_fragments or self.fragment_offset > 0

    def packet(self, ingress: str = "", egress: str = "", path: Path = Path.FORWARD) -> Packet:
        """The value that policies decide about."""
        return Packet(
            self.family,
            self.source,
            self.destination,
            self.protocol,
            self.source_port,
            self.destination_port,
            self.tcp_flags,
            self.icmp_type,
            self.icmp_code,
            self.traffic_class,
            self.ttl,
            noninitial=self.fragment_offset > 0,
            ingress=ingress,
            egress=egress,
            path=path,
        )

    def __repr__(self) -> str:
        ports = f":{self.source_port}>{self.destination_port}" if self.source_port or self.destination_port else ""
        return f"<Datagram {self.number} {self.source:x}>{self.destination:x} protocol {self.protocol}{ports}>"
