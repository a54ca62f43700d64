"""Where the bars of the calendar lie: pure, from the daemon's answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

__all__ = ["Bar", "RoomLine", "room_lines", "weekend_of"]

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Bar:
    """Nights of one booking in one room, counted from the first day that is shown."""

    start: int
    nights: int
    booking: str
    guest: str
    status: str
    balance: int
    """Rupiah that are still to be paid."""


@dataclass(frozen=True, slots=True)
class RoomLine:
    """A room with its bars in order; they do not overlap."""

    room: str
    name: str
    closed: bool
    bars: tuple[Bar, ...]

    def at(self, day: int) -> Bar | None:
        """The bar over a day."""
        return next((bar for bar in self.bars if bar.start <= day < bar.start + bar.nights), None)

    def parts(self, days: int) -> Iterator[tuple[int, int, Bar | None]]:
        """Start, length and bar of each stretch from day 0 on: bars, and what is free between them."""
        at = 0
        for bar in self.bars:
            if bar.start >= days:
                break
            if bar.start > at:
                yield at, bar.start - at, None
            yield bar.start, min(bar.nights, days - bar.start), bar
            at = bar.start + bar.nights
        if at < days:
            yield at, days - at, None


def room_lines(answer: Mapping[str, Any]) -> tuple[RoomLine, ...]:
    """The lines of what ``hotel.calendar`` answered (as JSON values)."""
    first = date.fromisoformat(answer["first"])
    return tuple(
        RoomLine(room["room"], room["name"], room["closed"], tuple(_bars(first, room["nights"])))
        for room in answer["rooms"]
    )


def weekend_of(answer: Mapping[str, Any]) -> frozenset[int]:
    """The days of the week whose nights cost the weekend's rate; Monday is 0."""
    return frozenset(number for number, name in enumerate(WEEK) if name in answer["weekend_nights"])


def _bars(first: date, nights: list[Mapping[str, Any]]) -> Iterator[Bar]:
    """Nights in order, those of one booking that follow each other as one bar."""
    open_bar: Bar | None = None
    for night in nights:
        day = (date.fromisoformat(night["night"]) - first).days
        if open_bar and open_bar.booking == night["booking"] and open_bar.start + open_bar.nights == day:
            open_bar = replace(open_bar, nights=open_bar.nights + 1)
            continue
        if open_bar:
            yield open_bar
        open_bar = Bar(day, 1, night["booking"], night["guest"], night["status"], night["balance"])
    if open_bar:
        yield open_bar
