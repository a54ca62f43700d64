"""Sequence numbers of a connection whose text a helper has made longer or shorter (nf_conntrack_seqadj.c)."""

from __future__ import annotations

from typing import NamedTuple

from compiler.simulator.frame import Datagram
from compiler.simulator.router.tcp_window import is_before

__all__ = ["Shift", "adjust"]

_WORD = 0xFFFFFFFF
_SACK = 5


class Shift(NamedTuple):
    """By how much the numbers of one direction are off: up to and behind the octet at ``position``."""

    position: int
    before: int
    after: int

    @staticmethod
    def behind(sequence: int, grown: int, known: Shift | None) -> Shift:
        """The segment at ``sequence`` has grown; a retransmission of what had grown already changes nothing."""
        if known is None:
            return Shift(sequence, 0, grown)
        if known.before == known.after or is_before(known.position, sequence):
            return Shift(sequence, known.after, known.after + grown)
        return known

    def at(self, sequence: int) -> int:
        """By how much the number of that octet is off."""
        return self.after if is_before(self.position, sequence & _WORD) else self.before

    def undone(self, acknowledgement: int) -> int:
        """The number as the sender of the text knows it."""
        shift = self.at(acknowledgement - self.before)
        return acknowledgement - shift & _WORD


def adjust(datagram: Datagram, own: Shift | None, other: Shift | None) -> None:
    """Make sequence, acknowledgement and SACK fit the text as the other side knows it (nf_ct_seq_adjust)."""
    if own is not None:
        datagram.sequence = datagram.sequence + own.at(datagram.sequence) & _WORD
    if other is not None:
        datagram.acknowledgement = other.undone(datagram.acknowledgement)
        if datagram.tcp_options:
            datagram.tcp_options = _adjusted(datagram.tcp_options, other)


def _adjusted(options: bytes, other: Shift) -> bytes:
    """TCP options with the edges of SACK blocks (RFC 2018) moved."""
    made = bytearray(options)
    position = 0
    while position < len(made) and made[position]:
        if made[position] == 1:
            position += 1
            continue
        length = made[position + 1] if position + 1 < len(made) else 0
        if length < 2 or position + length > len(made):
            break
        if made[position] == _SACK and length >= 10 and not (length - 2) % 8:
            for start in range(position + 2, position + length, 4):
                edge = int.from_bytes(made[start : start + 4], "big")
                made[start : start + 4] = other.undone(edge).to_bytes(4, "big")
        position += length
    return bytes(made)
