"""Messages of ARP (RFC 826) and of neighbour discovery (RFC 4861), and the link addresses that they are sent to."""

from __future__ import annotations

from compiler.fields import ICMPV6, Family
from compiler.simulator.frame import BROADCAST, ArpMessage, Datagram

__all__ = [
    "ADVERTISEMENT",
    "OVERRIDE",
    "SOLICITATION",
    "SOLICITED",
    "SOURCE_LINK_OPTION",
    "TARGET_LINK_OPTION",
    "advertisement",
    "arp_message",
    "group_link_address",
    "link_option",
    "solicitation",
    "solicited_node",
]

SOLICITATION, ADVERTISEMENT = 135, 136
"""ICMPv6 types."""
SOLICITED, OVERRIDE, _ROUTER = 0x4000, 0x2000, 0x8000
"""Flags of advertisements, as in the first half of the word behind the checksum."""
_ALL_NODES = 0xFF02 << 112 | 1
SOURCE_LINK_OPTION, TARGET_LINK_OPTION = b"\x01\x01", b"\x02\x01"
"""Type and length, in units of 8 octets, of the options with an Ethernet address."""


def group_link_address(family: Family, address: int) -> int | None:
    """The Ethernet address of a broadcast or multicast address (RFC 1112, 6.4; RFC 2464, 7), None for other ones."""
    if family is Family.IPV4:
        if address >> 28 == 0xE:
            return 0x01005E000000 | address & 0x7FFFFF
        return BROADCAST if address == 0xFFFFFFFF else None
    return _multicast_link_address(address) if address >> 120 == 0xFF else None


def _multicast_link_address(address: int) -> int:
    return 0x333300000000 | address & 0xFFFFFFFF


def solicited_node(address: int) -> int:
    """The multicast address at which the owner of an IPv6 address is asked for (RFC 4291, 2.7.1)."""
    return 0xFF02 << 112 | 0x1FF000000 | address & 0xFFFFFF


def arp_message(
    own_link: int, sender: int, target: int, to: int, *, is_reply: bool, target_link: int = 0
) -> ArpMessage:
    """A request for ``target`` or a reply to it, for the link address ``to``."""
    message = ArpMessage(is_reply=is_reply, sender=sender, sender_link=own_link, target=target, target_link=target_link)
    message.link_destination = to
    return message


def solicitation(own_link: int, source: int, target: int, link: int) -> Datagram:
    """A question for ``target``: at its link address when that is known, else (0) at its solicited-node group."""
    option = b"" if not source else SOURCE_LINK_OPTION + own_link.to_bytes(6)
    destination = target if link else solicited_node(target)
    to = link or _multicast_link_address(destination)
    return _message(SOLICITATION, source, destination, to, 0, target.to_bytes(16) + option)


def advertisement(own_link: int, target: int, *, router: bool, asker: tuple[int, int] | None = None) -> Datagram:
    """Says where the own address ``target`` is: to all nodes, or to the address and link address that asked for it."""
    flags = OVERRIDE | (_ROUTER if router else 0) | (SOLICITED if asker else 0)
    destination, link = asker or (_ALL_NODES, _multicast_link_address(_ALL_NODES))
    data = target.to_bytes(16) + TARGET_LINK_OPTION + own_link.to_bytes(6)
    return _message(ADVERTISEMENT, target, destination, link, flags, data)


def _message(kind: int, source: int, destination: int, link: int, flags: int, data: bytes) -> Datagram:
    size = 48 + len(data)
    datagram = Datagram(Family.IPV6, source, destination, ICMPV6, size, icmp_type=kind, data=data, ttl=255)
    datagram.identifier = flags
    datagram.link_destination = link
    return datagram


def link_option(options: bytes, wanted: bytes) -> int | None:
    """The link address in discovery options (RFC 4861, 4.6.1), or None; None too when they are malformed."""
    while len(options) >= 8 and options[1]:
        if options[:2] == wanted:
            return int.from_bytes(options[2:8])
        options = options[options[1] * 8 :]
    return None
