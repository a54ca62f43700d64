"""Segments under way: which have arrived, and which must be thought lost.

Losses are found by time (RACK, RFC 8985, as in ``tcp_recovery.c``): what was
sent before something that has arrived is lost, after a tolerance for
reordering. Selective acknowledgements are those of RFC 2018.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from operator import attrgetter

__all__ = ["Scoreboard", "Segment"]

_start = attrgetter("start")


class Segment:
    """One segment: places ``start`` to before ``end`` (a FIN has a place), and when it was sent last."""

    __slots__ = ("end", "is_lost", "is_resent", "is_sacked", "order", "sent_at", "start", "times")

    def __init__(self, start: int, end: int, sent_at: int, order: int) -> None:
        self.order = order
        """Which sending it was of all: times may be equal."""
        self.start = start
        self.end = end
        self.sent_at = sent_at
        self.times = 0
        """How often it was sent again."""
        self.is_sacked = False
        self.is_lost = False
        self.is_resent = False
        """Lost, and sent again since."""


class Scoreboard:
    """The segments that are not acknowledged, in order, with counts of those that are marked."""

    __slots__ = (
        "_again",
        "_judged",
        "_known",
        "_pending",
        "_rack_order",
        "_rack_taken",
        "_una",
        "highest",
        "is_reordered",
        "latest",
        "lost",
        "order",
        "resent",
        "sacked",
        "sample",
        "segments",
    )

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.order = 0
        """The number of the last sending."""
        self.sacked = 0
        self.lost = 0
        """Marked as lost, those sent again included."""
        self.resent = 0
        self.highest = 0
        """The place behind the highest segment that was selectively acknowledged."""
        self.is_reordered = False
        """Whether segments have been seen to overtake each other."""
        self.sample = 0
        """Of the last acknowledgement: how long the first new segment took that was sent once only; 0 if none."""
        self.latest = 0
        """The same of the last one."""
        self._una = 0
        self._rack_order = 0
        self._rack_taken = 0
        self._judged = 0
        self._known: dict[int, int] = {}
        self._again: deque[tuple[int, Segment]] = deque()
        self._pending: list[tuple[int, int, Segment]] = []

    @property
    def in_flight(self) -> int:
        """How many segments are in the network, as far as one can tell (RFC 6675's pipe, in segments)."""
        return len(self.segments) - self.sacked - self.lost + self.resent

    # -- what arrives ------------------------------------------------------------

    def acknowledge(self, place: int, now: int, least: int) -> int:
        """All before ``place`` has arrived; how many segments that says for the first time."""
        segments = self.segments
        count = delivered = sample = 0
        last: Segment | None = None
        for segment in segments:
            if segment.end > place:
                break
            count += 1
            if segment.is_sacked:
                self.sacked -= 1
                continue
            delivered += 1
            if segment.times or segment.is_lost:
                self._found(segment)
                self._arrived(segment, now, least)
            else:
                last = segment
                if not sample:
                    sample = now - segment.sent_at
                if segment.end < self.highest:
                    self.is_reordered = True
        del segments[:count]
        if segments and segments[0].start < place:
            segments[0].start = place
        self._una = place
        self.sample = sample
        if last is None:
            self.latest = 0
        else:
            self.latest = now - last.sent_at
            self._arrived(last, now, least)
        if not segments:
            self._known.clear()
        return delivered

    def sack(self, blocks: Sequence[tuple[int, int]], now: int, least: int) -> int:
        """These ranges have arrived; how many segments that says for the first time."""
        segments = self.segments
        highest = self.highest
        delivered = 0
        for left, right in blocks:
            begin = max(left, self._known.get(left, left), self._una)
            index = bisect_left(segments, begin, key=_start)
            while index < len(segments) and segments[index].end <= right:
                segment = segments[index]
                index += 1
                begin = segment.end
                if segment.is_sacked:
                    continue
                delivered += 1
                segment.is_sacked = True
                self.sacked += 1
                self._found(segment)
                if not segment.times and segment.start < highest:
                    self.is_reordered = True
                self._arrived(segment, now, least)
                self.highest = max(self.highest, segment.end)
            self._known[left] = begin
        if len(self._known) > 256:
            self._known.clear()
        return delivered

    def _found(self, segment: Segment) -> None:
        """It is not lost after all, or no more."""
        self.lost -= segment.is_lost
        self.resent -= segment.is_resent
        segment.is_lost = segment.is_resent = False

    def _arrived(self, segment: Segment, now: int, least: int) -> None:
        taken = now - segment.sent_at
        if segment.times and taken < least:
            return  # the answer to an earlier sending
        if segment.order > self._rack_order:
            self._rack_order, self._rack_taken = segment.order, taken

    # -- what is lost ------------------------------------------------------------

    def judge(self, now: int, tolerance: int) -> int:
        """Mark what is lost; nanoseconds until something else may be, 0 when there is nothing to wait for."""
        waiting = 0
        segments = self.segments
        index = bisect_left(segments, self._judged, key=_start)
        while index < len(segments):
            segment = segments[index]
            if not (segment.is_sacked or segment.is_lost or segment.times):
                if segment.order >= self._rack_order:
                    break
                waiting = segment.sent_at + self._rack_taken + tolerance - now
                if waiting > 0:
                    break
                waiting = 0
                self.lose(segment)
            index += 1
            self._judged = segment.end
        again = self._again
        while again:
            order, segment = again[0]
            if segment.end > self._una and not segment.is_sacked and segment.order == order:
                if order >= self._rack_order:
                    break
                left = segment.sent_at + self._rack_taken + tolerance - now
                if left > 0:
                    return min(waiting, left) if waiting else left
                self.lose(segment)
            again.popleft()
        return waiting

    def lose(self, segment: Segment) -> None:
        """Mark a segment, or what was sent in its place, as lost."""
        if segment.is_resent:
            segment.is_resent = False
            self.resent -= 1
        elif segment.is_lost:
            return
        if not segment.is_lost:
            segment.is_lost = True
            self.lost += 1
        heappush(self._pending, (segment.start, segment.end, segment))

    def lose_all(self) -> None:
        """A timeout: nothing that has not been acknowledged is in the network any more."""
        segments = self.segments
        if segments and segments[0].is_sacked:
            # The receiver has thrown away what it had acknowledged (RFC 2018, 8).
            for segment in segments:
                segment.is_sacked = False
            self.sacked = 0
            self._known.clear()
        for segment in segments:
            if not segment.is_sacked:
                self.lose(segment)
        self._again.clear()

    def lose_larger(self, octets: int, end: int) -> bool:
        """Segments with more data than the path takes are lost; whether there are any. Data end before ``end``."""
        large = [one for one in self.segments if min(one.end, end) - one.start > octets and not one.is_sacked]
        for segment in large:
            self.lose(segment)
        return bool(large)

    def next_lost(self) -> Segment | None:
        """The first segment that is lost and has not been sent again; it stays where it is until it is sent."""
        pending = self._pending
        while pending:
            segment = pending[0][2]
            if segment.is_lost and not segment.is_resent and segment.end > self._una:
                return segment
            heappop(pending)
        return None

    # -- what is sent ------------------------------------------------------------

    def sent_again(self, segment: Segment, now: int) -> None:
        """The segment was sent once more."""
        self.order = segment.order = self.order + 1
        segment.sent_at = now
        segment.times += 1
        if segment.is_lost and not segment.is_resent:
            segment.is_resent = True
            self.resent += 1
        self._again.append((segment.order, segment))

    def split(self, segment: Segment, place: int) -> None:
        """Cut a segment in two: the path takes smaller ones now."""
        rest = Segment(place, segment.end, segment.sent_at, segment.order)
        rest.times = segment.times
        segment.end = place
        self.segments.insert(bisect_left(self.segments, segment.start, key=_start) + 1, rest)
        if segment.is_lost:
            self.lose(rest)
        if segment.is_resent:
            rest.is_resent = True
            self.resent += 1
