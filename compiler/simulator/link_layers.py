"""Link layers around IP in capture files: where the network layer begins, and what says its protocol.

The link types are those of tcpdump's list (https://www.tcpdump.org/linktypes.html).
"""

from __future__ import annotations

from typing import NamedTuple

from compiler.errors import InputError

__all__ = ["ETHERNET_LAYER", "VLAN_TAGS", "LinkLayer", "link_layer", "strip_link_layer"]

VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
"""EtherTypes of a tag of 4 octets, the last two of which are the EtherType behind it: IEEE 802.1Q, 802.1ad, and the
older double tag."""


class LinkLayer(NamedTuple):
    """A header of ``size`` octets; the EtherType is ``type_at`` octets from its start, None where only IP says it."""

    size: int
    type_at: int | None = None


ETHERNET_LAYER = LinkLayer(14, 12)
_RAW = LinkLayer(0)
_LOOPBACK = LinkLayer(4)
"""BSD loopback: four octets say the family, in numbers that differ from system to system."""
_LINK_LAYERS = {
    0: _LOOPBACK,
    1: ETHERNET_LAYER,
    12: _RAW,
    14: _RAW,
    101: _RAW,
    108: _LOOPBACK,
    113: LinkLayer(16, 14),  # Linux cooked capture
    228: _RAW,
    229: _RAW,
    276: LinkLayer(20, 0),  # Linux cooked capture v2
}


def link_layer(link_type: int, path: str) -> LinkLayer:
    """The link layer of that number in the file. InputError when it is not known."""
    layer = _LINK_LAYERS.get(link_type)
    if layer is None:
        raise InputError(f"{path}: link type {link_type} is not known")
    return layer


def strip_link_layer(octets: bytes, layer: LinkLayer) -> tuple[int | None, bytes]:
    """The EtherType behind VLAN tags, None where only IP says it, and the network layer."""
    start = layer.size
    if layer.type_at is None:
        return None, octets[start:]
    kind = int.from_bytes(octets[layer.type_at : layer.type_at + 2])
    while kind in VLAN_TAGS and len(octets) >= start + 4:
        kind = int.from_bytes(octets[start + 2 : start + 4])
        start += 4
    return kind, octets[start:]
