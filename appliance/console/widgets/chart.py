"""Lines, steps and bars drawn into cells: braille for lines, eighths of a block for bars. Pure.

A cell of braille (Unicode 2800 to 28FF) has 2 by 4 dots, numbered 1 2 3 7 down
the left and 4 5 6 8 down the right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Canvas", "Point", "Series", "downsampled", "nice_ticks"]

Point = tuple[float, float]
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order of x. Those that are not finite leave a gap."""

    title: str
    points: tuple[Point, ...]
    kind: Literal["line", "steps", "bar"] = "line"


def downsampled(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """At most about twice ``most`` of the points: the least and the greatest of each of ``most`` stretches of x, in
    their order. A peak of one point stays a peak."""
    finite = [point for point in points if math.isfinite(point[0]) and math.isfinite(point[1])]
    if len(finite) <= 2 * most:
        return tuple(finite)
    low, high = min(x for x, _ in finite), max(x for x, _ in finite)
    # Halves, because a difference of the greatest floats is infinite.
    width = (high / 2 - low / 2) or 1.0
    buckets: dict[int, list[tuple[int, Point]]] = {}
    for place, point in enumerate(finite):
        bucket = min(int((point[0] / 2 - low / 2) / width * most), most - 1)
        buckets.setdefault(bucket, []).append((place, point))
    kept: list[Point] = []
    for bucket in sorted(buckets):
        inside = buckets[bucket]
        extremes = {min(inside, key=lambda one: one[1][1]), max(inside, key=lambda one: one[1][1])}
        kept.extend(point for _, point in sorted(extremes))
    return tuple(kept)


def nice_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """At most ``most`` round numbers from ``low`` to ``high``: steps of 1, 2 or 5 times a power of ten (Heckbert,
    "Nice numbers for graph labels", Graphics Gems, 1990)."""
    span = high - low
    if not (math.isfinite(low) and math.isfinite(high)) or span <= 0 or not math.isfinite(span) or most < 1:
        return (low,) if math.isfinite(low) else ()
    step = 10.0 ** math.floor(math.log10(span / most)) if span / most > 0 else 0.0
    if step == 0.0:
        return (low,)
    step = next((step * factor for factor in (1, 2, 5, 10, 20) if span / (step * factor) < most), step * 50)
    first = math.ceil(low / step)
    last = math.floor(high / step)
    return tuple(round(number * step, 12) if abs(step) > 1e-9 else number * step for number in range(first, last + 1))


class Canvas:
    """Cells with dots; the last series that touches a cell colours it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 0), max(height, 0)
        self._dots = [[0] * self.width for _ in range(self.height)]
        self._full: list[list[str]] = [[""] * self.width for _ in range(self.height)]
        self._series = [[-1] * self.width for _ in range(self.height)]

    def draw(self, number: int, series: Series, bounds: tuple[float, float, float, float]) -> None:
        """A series, in bounds of x and y: least x, greatest x, least y, greatest y."""
        if not self.width or not self.height:
            return
        places = [self._place(point, bounds) for point in downsampled(series.points, self.width)]
        if series.kind == "bar":
            base = self._place((bounds[0], min(max(0.0, bounds[2]), bounds[3])), bounds)[1]
            # Half of the width is left between them.
            wide = max(1, min(self.width // (2 * max(len(places), 1)), 8))
            for x, y in places:
                for column in range(x // 2 - wide // 2, x // 2 - wide // 2 + wide):
                    self._bar(number, column, y, base)
            return
        for one, (x, y) in enumerate(places):
            if one == 0:
                self._dot(number, x, y)
                if len(places) == 1:
                    # One dot of eight in a cell is hardly seen.
                    for aside in (x - 1, x + 1):
                        self._dot(number, aside, y)
                    for above in (y - 1, y + 1):
                        self._dot(number, x, above)
            elif series.kind == "line":
                self._line(number, places[one - 1], (x, y))
            else:
                before = places[one - 1]
                self._line(number, before, (x, before[1]))
                self._line(number, (x, before[1]), (x, y))

    def line(self, y: int) -> Iterator[tuple[str, int]]:
        """The cells of a line from the top: a character and its series, -1 for none."""
        for x in range(self.width):
            dots = self._dots[y][x]
            yield (chr(0x2800 + dots) if dots else self._full[y][x] or " "), self._series[y][x]

    def _place(self, point: Point, bounds: tuple[float, float, float, float]) -> tuple[int, int]:
        left, right, low, high = bounds
        x = _part(point[0], left, right) * (2 * self.width - 1)
        y = (1 - _part(point[1], low, high)) * (4 * self.height - 1)
        return round(x), round(y)

    def _dot(self, number: int, x: int, y: int) -> None:
        if 0 <= x < 2 * self.width and 0 <= y < 4 * self.height:
            self._dots[y // 4][x // 2] |= DOTS[y % 4][x % 2]
            self._series[y // 4][x // 2] = number

    def _line(self, number: int, start: tuple[int, int], end: tuple[int, int]) -> None:
        # Bresenham's algorithm is exact; at these sizes the plain one is as good and shorter.
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = start[0] + (end[0] - start[0]) * step / steps
            y = start[1] + (end[1] - start[1]) * step / steps
            self._dot(number, round(x), round(y))

    def _bar(self, number: int, column: int, top: int, base: int) -> None:
        top, base = min(top, base), max(top, base) + 1
        for y in range(top // 4, min(-(-base // 4), self.height)):
            filled = min(base - 4 * y, 4) - max(top - 4 * y, 0)
            if filled > 0 and 0 <= column < self.width:
                self._full[y][column] = BLOCKS[8] if filled == 4 or top < 4 * y else BLOCKS[2 * filled]
                self._series[y][column] = number


def _part(value: float, low: float, high: float) -> float:
    """Where between, 0 to 1; in halves, because a difference of the greatest floats is infinite."""
    span = high / 2 - low / 2
    return min(max((value / 2 - low / 2) / span, 0.0), 1.0) if span > 0 else 0.5
