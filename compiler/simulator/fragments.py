"""Fragmentation and reassembly of IPv4 (RFC 791) and IPv6 (RFC 8200, 4.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from compiler.fields import Family
from compiler.simulator.dissection import WireError, dissect_payload
from compiler.simulator.engine import SECOND, Engine, Timer
from compiler.simulator.extension_headers import FRAGMENT, cut, headers, split, to_wire
from compiler.simulator.frame import Datagram
from compiler.simulator.wire import header_length, payload

__all__ = ["Reassembler", "fragment"]

_IPV4 = Family.IPV4

TIMEOUT_IPV4 = 30 * SECOND
"""Linux: net.ipv4.ipfrag_time."""
TIMEOUT_IPV6 = 60 * SECOND
"""RFC 8200, 4.5; Linux: net.ipv6.ip6frag_time."""
MEMORY = 4 << 20
"""Octets that may wait in all (Linux: ipfrag_high_thresh)."""
LARGEST = 65_535


def fragment(datagram: Datagram, mtu: int) -> list[Datagram]:
    """The datagram in pieces of at most ``mtu`` octets, headers included; itself alone when it fits.

    The pieces keep the datagram's number and, as IPv6 senders must choose it
    beforehand, its ``identification``. IPv4 fragments may be cut again.
    ValueError for an IPv4 datagram that must not be cut, an IPv6 fragment
    (only sources cut), or an MTU without room for eight octets. Raises
    WireError when the datagram itself cannot be encoded.
    """
    if datagram.size <= mtu:
        return [datagram]
    return _cut_ipv4(datagram, mtu) if datagram.family is _IPV4 else _cut_ipv6(datagram, mtu)


def _cut_ipv4(datagram: Datagram, mtu: int) -> list[Datagram]:
    if datagram.dont_fragment:
        raise ValueError(f"{datagram!r} must not be fragmented")
    octets = payload(datagram)
    copied = _copied_options(datagram.options)
    pieces = []
    start = 0
    while start < len(octets):
        options = copied if datagram.fragment_offset + start else datagram.options
        room = mtu - 20 - len(options)
        if len(octets) - start > room:
            room &= ~7
        if room < 8:
            raise ValueError(f"an MTU of {mtu} has no room for a fragment of {datagram!r}")
        piece = datagram.copy()
        piece.options = options
        _set_part(piece, datagram, octets, start, room)
        piece.size = 20 + len(options) + len(piece.fragment or b"")
        start += room
        pieces.append(piece)
    return pieces


def _cut_ipv6(datagram: Datagram, mtu: int) -> list[Datagram]:
    if datagram.is_fragment:
        raise ValueError(f"{datagram!r} is an IPv6 fragment: only its source could cut it smaller")
    repeated, divided = split(datagram.options)
    following, extensions = to_wire(divided, datagram.protocol)
    octets = extensions + payload(datagram)
    room = mtu - 40 - len(repeated) - 8 & ~7
    if room < 8:
        raise ValueError(f"an MTU of {mtu} has no room for a fragment of {datagram!r}")
    pieces = []
    for start in range(0, len(octets), room):
        piece = datagram.copy()
        piece.options = repeated
        _set_part(piece, datagram, octets, start, room)
        if start:
            piece.protocol = following
        elif divided:  # the first one shows its layer 4 behind these headers
            parts, piece.protocol, used = cut(piece.fragment or b"", following)
            piece.options += bytes((FRAGMENT,)) + bytes(7) + b"".join(parts)
            piece.fragment = (piece.fragment or b"")[used:]
        piece.size = header_length(piece) + len(piece.fragment or b"")
        pieces.append(piece)
    return pieces


def _set_part(piece: Datagram, whole: Datagram, octets: bytes, start: int, room: int) -> None:
    piece.fragment = octets[start : start + room]
    piece.fragment_offset = whole.fragment_offset + start
    piece.more_fragments = whole.more_fragments or start + room < len(octets)
    piece.data = piece.quoted = None
    if start:  # what layer 4 says is in the first part only
        piece.source_port = piece.destination_port = piece.tcp_flags = piece.icmp_type = piece.icmp_code = 0
        piece.sequence = piece.acknowledgement = piece.window = piece.identifier = piece.rest = 0
        piece.tcp_options = b""


def _copied_options(options: bytes) -> bytes:
    """The IPv4 options that go into every fragment: those with the copied flag (RFC 791, 3.1)."""
    kept = b""
    position = 0
    while position < len(options) and options[position] != 0:
        kind = options[position]
        length = 1 if kind == 1 else (options[position + 1 : position + 2] or b"\0")[0]
        if length < (1 if kind == 1 else 2):  # malformed: nothing after it can be read
            break
        if kind & 0x80:
            kept += options[position : position + length]
        position += length
    return kept + bytes(-len(kept) % 4)


class _Key(NamedTuple):
    family: Family
    source: int
    destination: int
    protocol: int
    identification: int


class _Pile:
    """The fragments of one datagram that have come so far."""

    __slots__ = ("congestion", "end", "first", "largest", "octets", "parts", "timer")

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.first: Datagram | None = None
        self.octets = 0
        self.end: int | None = None
        """Where the datagram ends, once its last fragment has come."""
        self.largest = 0
        self.congestion: set[int] = set()
        """The ECN fields of the fragments (RFC 3168)."""
        self.timer: Timer | None = None


class Reassembler:
    """Puts fragments together, as Linux does today (``inet_frag_queue_insert``).

    A fragment inside what has come already is a duplicate and is ignored,
    whatever it says. Any other overlap, and any contradiction about the end,
    throws away all that has come (RFC 5722, which Linux keeps for IPv4 too).
    ``timed_out`` gets the first fragment of a datagram that stayed incomplete,
    or None when that one had not come (then no ICMP error is due: RFC 792,
    RFC 8200 4.5). Times are nanoseconds; ``memory`` is in octets of payload.
    """

    __slots__ = ("_engine", "_lifetimes", "_piles", "_waiting", "drops", "largest", "memory", "timed_out", "timeouts")

    def __init__(
        self,
        engine: Engine,
        timeout: int | None = None,
        *,
        memory: int = MEMORY,
        timed_out: Callable[[Datagram | None], object] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._lifetimes = (timeout or TIMEOUT_IPV4, timeout or TIMEOUT_IPV6)
        self._piles: dict[_Key, _Pile] = {}
        self._waiting = 0
        self.memory = memory
        self.timed_out = timed_out
        self.largest = 0
        """Size of the largest fragment of the datagram last given back: Linux cuts no larger when it passes it on."""
        self.drops: dict[str, int] = {}
        """Fragments and datagrams thrown away, by reason; duplicates among them."""
        self.timeouts = 0

    @property
    def waiting(self) -> int:
        """Octets of payload that wait."""
        return self._waiting

    def add(self, datagram: Datagram) -> Datagram | None:
        """The whole datagram when this one completes it (or is whole itself), else None.

        The one given is the reassembler's from then on.
        """
        if not datagram.is_fragment:
            return datagram
        octets = _octets(datagram)
        protocol = datagram.protocol if datagram.family is _IPV4 else 0
        key = _Key(datagram.family, datagram.source, datagram.destination, protocol, datagram.identification)
        if self._waiting > self.memory:
            self._drop("no memory")
            return None
        pile = self._piles.get(key)
        if pile is None:
            pile = self._piles[key] = _Pile()
            pile.timer = Timer(self._engine, lambda: self._expire(key))
            pile.timer.start(self._lifetimes[datagram.family is not _IPV4])
        fault = _place(pile, datagram, octets)
        if fault == "duplicate":
            self._drop(fault)
            return None
        if fault:
            self._forget(key, pile)
            self._drop(fault)
            return None
        self._waiting += len(octets)
        if pile.end is None or pile.octets < pile.end or pile.first is None:
            return None
        self._forget(key, pile)
        self.largest = pile.largest
        try:
            return _join(pile, pile.first)
        except WireError:
            self._drop("malformed")
            return None

    def _forget(self, key: _Key, pile: _Pile) -> None:
        del self._piles[key]
        self._waiting -= pile.octets
        if pile.timer:
            pile.timer.stop()

    def _expire(self, key: _Key) -> None:
        pile = self._piles[key]
        self._forget(key, pile)
        self.timeouts += 1
        self.timed_out(pile.first)

    def _drop(self, reason: str) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1


def _octets(datagram: Datagram) -> bytes:
    """What is divided: for an IPv6 fragment with headers behind its Fragment header, those too."""
    octets = datagram.fragment or b""
    behind = _behind(datagram)
    return to_wire(behind, datagram.protocol)[1] + octets if behind else octets


def _behind(datagram: Datagram) -> bytes:
    """The extension headers after the Fragment header."""
    if datagram.family is _IPV4 or not datagram.options:
        return b""
    parts = list(headers(datagram.options))
    place = next((index for index, part in enumerate(parts) if part[0] == FRAGMENT), None)
    return b"" if place is None else b"".join(parts[place + 1 :])


def _place(pile: _Pile, datagram: Datagram, octets: bytes) -> str | None:
    """Put the fragment into its place, or say what is wrong with it."""
    start = datagram.fragment_offset
    end = start + len(octets)
    if not octets or (datagram.more_fragments and len(octets) & 7) or end > LARGEST:
        return "malformed"
    if datagram.more_fragments:
        if pile.end is not None and end > pile.end:
            return "contradictory end"
    elif any(place + len(part) > end for place, part in pile.parts.items()) or pile.end not in {None, end}:
        return "contradictory end"
    for low, high in _runs(pile):
        if low <= start and end <= high:
            return "duplicate"
        if start < high and low < end:
            return "overlap"
    if not datagram.more_fragments:
        pile.end = end
    pile.parts[start] = octets
    pile.octets += len(octets)
    pile.largest = max(pile.largest, datagram.size)
    pile.congestion.add(datagram.traffic_class & 3)
    if start == 0:
        pile.first = datagram
    return None


def _runs(pile: _Pile) -> list[tuple[int, int]]:
    """The stretches without a gap that have come, ascending."""
    runs: list[tuple[int, int]] = []
    for start in sorted(pile.parts):
        end = start + len(pile.parts[start])
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _join(pile: _Pile, first: Datagram) -> Datagram:
    octets = b"".join(pile.parts[start] for start in sorted(pile.parts))
    behind = _behind(first)
    whole = first.copy()
    whole.fragment = None
    whole.fragment_offset = 0
    whole.more_fragments = False
    if first.family is not _IPV4:
        kept = first.options
        if behind:
            kept = b"".join(part for part in headers(kept) if part[0] != FRAGMENT)
            octets = octets[len(behind) :]
        whole.options = kept
        whole.size = 40 + len(kept) + len(octets)
    else:
        whole.size = 20 + len(first.options) + len(octets)
    if whole.size - (40 if first.family is not _IPV4 else 0) > LARGEST:
        raise WireError("the parts make more than a datagram can hold")
    if 3 in pile.congestion:  # congestion was met: the whole says so, unless some part could not have (RFC 3168, 5.3)
        if 0 in pile.congestion:
            raise WireError("a fragment says congestion was met and another that it cannot say so")
        whole.traffic_class |= 3
    dissect_payload(whole, octets)
    return whole
