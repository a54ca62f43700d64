"""The receiving half of a TCP connection: order, window, and when to acknowledge."""

from __future__ import annotations

from collections.abc import Callable

from compiler.simulator.engine import Engine, Timer
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.reassembly import Reassembly

__all__ = ["Arrived", "Receiver", "exactly"]

Arrived = list[tuple[bytes | None, int]]
"""Octets (None: zeros that were never made) and their number, in order."""


class Receiver:
    """Places count from the other side's SYN, which is 0, and never wrap.

    The application reads at once, so the window does not shrink; it grows by
    twice what arrives, which is at least what a sender in slow start can use,
    up to a limit (Linux grows it by what was read in a round trip).

    Acknowledgements follow Linux: at once for the first segments and whenever
    order is disturbed, then for every second full segment, or after 40 ms.
    """

    __slots__ = (
        "_limit",
        "_parameters",
        "_segment",
        "_timer",
        "_unacknowledged",
        "duplicate",
        "finish",
        "heard_at",
        "interactive",
        "next",
        "quick",
        "reassembly",
        "waits",
        "window",
    )

    def __init__(self, engine: Engine, parameters: TcpParameters, acknowledge: Callable[[], None]) -> None:
        self._parameters = parameters
        self._limit = parameters.receive_window_limit
        self._timer = Timer(engine, acknowledge)
        self._segment = 536
        """The largest segment seen, which counts as a full one (rcv_mss)."""
        self._unacknowledged = 0
        self.next = 1
        """The place that is expected."""
        self.window = parameters.receive_window
        self.reassembly = Reassembly()
        self.waits = False
        """Whether anything waits for what comes before it."""
        self.finish: int | None = None
        """Where the other side's FIN stands, once it is known."""
        self.duplicate: tuple[int, int] | None = None
        """What arrived twice, to be reported once (RFC 2883)."""
        self.quick = parameters.quick_acknowledgements
        self.interactive = False
        """Answers follow data, so acknowledgements wait for them (pingpong mode)."""
        self.heard_at = 0

    def in_order(self, octets: int, now: int) -> bool:
        """So many octets came as expected; whether they shall be acknowledged at once."""
        self.next += octets
        self.heard_at = now
        if self.window < self._limit:
            self.window = min(self.window + 2 * octets, self._limit)
        self._segment = max(self._segment, octets)
        self._unacknowledged += octets
        if self.quick and not self.interactive:
            self.quick -= 1
            return True
        if self._unacknowledged > self._segment:
            return True
        if self._timer.due is None:
            self._timer.start(self._parameters.delayed_acknowledgement)
        return False

    def take(self, place: int, octets: int, data: bytes | None, now: int) -> tuple[Arrived, bool]:
        """Keep data from wherever they are; what is complete now, and whether to acknowledge at once."""
        expected = self.next
        stop = place + octets
        limit = self.finish if self.finish is not None else expected + self.window
        start, end = max(place, expected), min(stop, limit)
        if stop <= expected or self.reassembly.has(place, stop):
            self.repeated(place, stop)
            return [], True
        if start >= end:
            return [], True
        if data is not None:
            data = (exactly(data, octets) or b"")[start - place : end - place]
        if start == expected and not self.waits:
            at_once = self.in_order(end - start, now)
            return [(data, end - start)], at_once
        return self._out_of_order(start, end, data, now), True

    def heard_finish(self, place: int | None) -> tuple[bool, bool]:
        """Heed a FIN, now or one from before.

        Whether the stream is complete with it for the first time; and whether
        it has come before its time, or again.
        """
        if self.finish is None:
            self.finish = place
        elif self.next > self.finish:
            return False, place is not None
        if self.next == self.finish:
            self.next += 1
            return True, False
        return False, place is not None

    @property
    def has_all(self) -> bool:
        """Whether the other side's FIN has come, and all before it."""
        return self.finish is not None and self.next > self.finish

    def _out_of_order(self, start: int, end: int, data: bytes | None, now: int) -> Arrived:
        """Keep what came before its time, or fills a gap; what is complete now."""
        if start > self.next:
            self._disturbed()
        self.reassembly.add(start, end, data)
        taken = self.reassembly.take(self.next)
        self.waits = bool(self.reassembly)
        complete = sum(octets for _, octets in taken)
        if complete:
            self.in_order(complete, now)
        return taken

    def repeated(self, start: int, end: int) -> None:
        """This came again: report it once (RFC 2883)."""
        self.duplicate = (start, end)
        self._disturbed()

    def _disturbed(self) -> None:
        """Order is lost: acknowledge at once for a while."""
        self.quick = self._parameters.quick_acknowledgements
        self.interactive = False

    def sent_data(self, now: int) -> None:
        """Data went the other way; soon after data came, that is a conversation."""
        if now - self.heard_at < self._parameters.delayed_acknowledgement:
            self.interactive = True

    def acknowledged(self) -> None:
        """A segment with an acknowledgement has been sent."""
        self.duplicate = None
        if self._unacknowledged:
            self._unacknowledged = 0
            self._timer.stop()

    def unscaled(self) -> None:
        """The other side does not scale windows: sixteen bits must do."""
        self._limit = 65_535
        self.window = min(self.window, self._limit)

    def blocks(self, most: int) -> list[tuple[int, int]]:
        """Ranges for a selective acknowledgement: a duplicate first, then what waits, the latest first."""
        if self.duplicate is not None:
            return [self.duplicate, *self.reassembly.blocks(most - 1)]
        return self.reassembly.blocks(most)

    def stop(self) -> None:
        """No acknowledgement any more."""
        self._timer.stop()


def exactly(data: bytes | None, octets: int) -> bytes | None:
    """Payload of the length that its datagram tells."""
    if data is None or len(data) == octets:
        return data
    return data[:octets].ljust(octets, b"\0")
