"""The segments of one connection: places in its streams to sequence numbers and back, options, windows."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from compiler.fields import TCP, Family
from compiler.simulator.engine import MILLISECOND, Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import ACK, FIN, IP_HEADER, SYN, TCP_HEADER
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.tcp_options import (
    SynOptions,
    read_blocks_and_timestamps,
    write_blocks,
    write_syn,
    write_timestamps,
)
from compiler.simulator.hosts.tcp_receiver import Receiver
from compiler.simulator.hosts.tcp_sender import Sender
from compiler.simulator.sockets import Endpoint

__all__ = ["Incoming", "Segments", "near"]

_BITS = 0xFFFFFFFF
_HALF = 1 << 31
_TIMESTAMPS = 12
_SMALLEST_SEGMENT = 48
"""Least room for data and options (tcp_min_snd_mss), however narrow the path: such segments are cut."""
_SMALLEST_OFFER = {Family.IPV4: 256, Family.IPV6: 1220}
"""Least MSS that is offered (net.ipv4.route.min_adv_mss, net.ipv6.route.min_adv_mss)."""


class Incoming(NamedTuple):
    """A segment in terms of places. ``stop`` counts SYN and FIN; ``value`` is None without a timestamp."""

    place: int
    octets: int
    stop: int
    acknowledged: int
    blocks: list[tuple[int, int]]
    value: int | None
    echo: int


class Segments:
    """Writes and reads segments, by what both sides have agreed on."""

    __slots__ = (
        "_clock",
        "_echoed",
        "_engine",
        "_identification",
        "_local",
        "_receiver",
        "_remote",
        "_sender",
        "_stamp",
        "_stamped",
        "_window_limit",
        "acknowledged",
        "headers",
        "irs",
        "is_scaled",
        "is_timed",
        "iss",
        "keeps_whole",
        "limit",
        "recent",
        "scale_in",
        "scale_out",
    )

    def __init__(
        self, engine: Engine, parameters: TcpParameters, random: Random, local: Endpoint, remote: Endpoint
    ) -> None:
        self._engine = engine
        self._local = local
        self._remote = remote
        self._sender: Sender
        self._receiver: Receiver
        self._window_limit = parameters.receive_window_limit
        self.iss = random.getrandbits(32)
        """The own initial sequence number."""
        self.irs = 0
        """The other side's."""
        self._clock = random.getrandbits(32)
        """What timestamps, which are milliseconds, begin at."""
        self._identification = random.getrandbits(16)
        # The last timestamps that were written: segments often leave in company.
        self._stamp = b""
        self._stamped = self._echoed = -1
        self.headers = IP_HEADER[local.family] + TCP_HEADER
        self.limit = 536 if local.family == 4 else 1220
        """The other side's MSS (RFC 9293, 3.7.1 where it gives none)."""
        self.keeps_whole = True
        """Whether segments must not be cut on their way."""
        self.is_timed = parameters.timestamps
        self.is_scaled = parameters.window_scaling
        self.scale_in = 0
        self.scale_out = 0
        self.recent = 0
        """The timestamp to echo."""
        self.acknowledged = 0
        """The place that was acknowledged last."""

    def join(self, sender: Sender, receiver: Receiver) -> None:
        """The two halves whose numbers go into the segments."""
        self._sender, self._receiver = sender, receiver

    def agree(self, parameters: TcpParameters, offered: SynOptions) -> None:
        """The other side has offered this."""
        if offered.segment:
            self.limit = offered.segment
        self._sender.is_selective = parameters.selective and offered.selective
        self.is_timed = parameters.timestamps and offered.timestamp is not None
        if offered.timestamp is not None:
            self.recent = offered.timestamp
        self.is_scaled = parameters.window_scaling and offered.scale is not None
        if self.is_scaled:
            self.scale_out = offered.scale or 0
            self.scale_in = _scale(self._window_limit)
        else:
            self._receiver.unscaled()

    def fitting(self, mtu: int) -> int:
        """Most octets of data in a segment, by the other side and the path."""
        size = max(min(self.limit, mtu - self.headers), _SMALLEST_SEGMENT)
        return size - (_TIMESTAMPS if self.is_timed else 0)

    @property
    def now(self) -> int:
        """The clock of timestamps, in milliseconds."""
        return self._engine.now // MILLISECOND + self._clock & _BITS

    def since(self, echo: int) -> int:
        """Nanoseconds since the time of an echoed timestamp; at least one tick."""
        return max(1, self.now - echo & _BITS) * MILLISECOND

    # -- writing -----------------------------------------------------------------

    def offer(self, flags: int, mtu: int, selective: bool) -> Datagram:
        """The SYN, or the SYN-ACK."""
        offered = SynOptions(
            max(mtu - self.headers, _SMALLEST_OFFER[self._local.family]),
            _scale(self._window_limit) if self.is_scaled else None,
            selective,
            self.now if self.is_timed else None,
        )
        options = write_syn(offered, self.recent)
        made = self._made(flags, 0, None, options)
        made.sequence = self.iss
        if flags & ACK:
            made.acknowledgement = self.irs + 1 & _BITS
            self.acknowledged = 1
        # The window of a SYN is never scaled (RFC 7323, 2.2).
        made.window = min(self._receiver.window, 65_535)
        return made

    def write(self, place: int, octets: int, flags: int, data: bytes | None) -> Datagram:
        """A segment of the open connection."""
        receiver = self._receiver
        options = b""
        if self.is_timed:
            value = self._engine.now // MILLISECOND + self._clock & _BITS
            if value == self._stamped and self.recent == self._echoed:
                options = self._stamp
            else:
                self._stamped, self._echoed = value, self.recent
                options = self._stamp = write_timestamps(value, self.recent)
        if receiver.waits or receiver.duplicate is not None:
            options += self._selective(octets)
        made = self._made(flags, octets, data, options)
        made.sequence = self.iss + place & _BITS
        expected = self.acknowledged = receiver.next
        made.acknowledgement = self.irs + expected & _BITS
        made.window = receiver.window >> self.scale_in
        return made

    def _made(self, flags: int, octets: int, data: bytes | None, options: bytes) -> Datagram:
        family, address, port = self._local
        _, remote_address, remote_port = self._remote
        size = self.headers + len(options) + octets
        made = Datagram(family, address, remote_address, TCP, size, port, remote_port, flags, 0, 0, data)
        made.tcp_options = options
        made.dont_fragment = self.keeps_whole
        self._identification = made.identification = self._identification + 1 & 0xFFFF
        return made

    def _selective(self, octets: int) -> bytes:
        # Forty octets of options have room for four blocks, a segment with data for what its data leave.
        most = min(3 if self.is_timed else 4, (self._sender.segment - octets - 4) // 8)
        if not self._sender.is_selective or most < 1:
            return b""
        irs = self.irs
        return write_blocks([(irs + left & _BITS, irs + right & _BITS) for left, right in self._receiver.blocks(most)])

    # -- reading -----------------------------------------------------------------

    def read(self, segment: Datagram) -> Incoming:
        """What a segment says."""
        flags, options, una = segment.tcp_flags, segment.tcp_options, self._sender.una
        place = near(self._receiver.next, segment.sequence - self.irs - self._receiver.next)
        octets = max(0, segment.size - self.headers - len(options) - len(segment.options))
        stop = place + octets + bool(flags & SYN) + (flags & FIN)
        blocks, value, echo = read_blocks_and_timestamps(options)
        if blocks:
            first = self.iss + una
            blocks = [(near(una, left - first), near(una, right - first)) for left, right in blocks]
        acknowledged = near(una, segment.acknowledgement - self.iss - una)
        return Incoming(place, octets, stop, acknowledged, blocks, value, echo)


def near(place: int, difference: int) -> int:
    """The place that lies ``difference`` (of 32 bits) from another."""
    difference &= _BITS
    return place + (difference if difference < _HALF else difference - 0x100000000)


def _scale(window: int) -> int:
    """The shift that lets a window be told in sixteen bits (RFC 7323, 2.2)."""
    return min(14, max(0, window.bit_length() - 16))
