"""Durations of the console: ``1w2d3h4m5s``, ``500ms``, ``1d02:00:00``, ``00:10:00``, plain seconds.

Source: MikroTik documentation, "Scripting" (data types, time).
"""

from __future__ import annotations

import re

__all__ = ["duration", "format_duration"]

_SECOND = 1_000_000_000
_UNITS = (("w", 604_800 * _SECOND), ("d", 86_400 * _SECOND), ("h", 3600 * _SECOND), ("m", 60 * _SECOND), ("s", _SECOND))
_SMALL = (("ms", 1_000_000), ("us", 1000), ("ns", 1))
_NUMBER = r"\d{1,9}"
_WORDS = re.compile(
    r"(?=.)"
    + "".join(rf"(?:({_NUMBER}){unit})?" for unit, _ in _UNITS[:3])
    + rf"(?:({_NUMBER})m(?!s))?(?:({_NUMBER})s)?"
    + "".join(rf"(?:({_NUMBER}){unit})?" for unit, _ in _SMALL),
    re.ASCII,
)
_CLOCK = re.compile(rf"(?:({_NUMBER})w)?(?:({_NUMBER})d)?(\d{{1,2}}):(\d\d)(?::(\d\d)(?:\.(\d{{1,9}}))?)?", re.ASCII)
_SECONDS = re.compile(rf"({_NUMBER})(?:\.(\d{{1,9}}))?", re.ASCII)


def duration(text: str) -> int | None:
    """Nanoseconds, or None when the text is no duration."""
    found = _SECONDS.fullmatch(text)
    if found is not None:
        return int(found[1]) * _SECOND + _fraction(found[2])
    found = _CLOCK.fullmatch(text)
    if found is not None:
        if int(found[4]) > 59 or int(found[5] or 0) > 59:
            return None
        sizes = [size for _, size in _UNITS]
        return sum(int(part or 0) * size for part, size in zip(found.groups()[:5], sizes, strict=True)) + _fraction(
            found[6]
        )
    found = _WORDS.fullmatch(text)
    if found is None:
        return None
    sizes = [size for _, size in (*_UNITS, *_SMALL)]
    return sum(int(part or 0) * size for part, size in zip(found.groups(), sizes, strict=True))


def _fraction(digits: str | None) -> int:
    return int((digits or "0").ljust(9, "0"))


def format_duration(nanoseconds: int) -> str:
    """The console's own form; ``0s`` for nothing."""
    parts = []
    for unit, size in (*_UNITS, *_SMALL):
        count, nanoseconds = divmod(nanoseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
