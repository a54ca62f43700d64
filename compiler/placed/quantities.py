"""Times, rates, sizes and shares as network engineers write them: ``3 Mbit/s``, ``20 ms``, ``64 KiB``, ``0.1 %``.

Every function raises ValueError with what was expected. Results are whole
nanoseconds, bits a second and octets, computed without binary fractions.
"""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = [
    "duration",
    "format_duration",
    "format_octets",
    "format_rate",
    "octets",
    "packets",
    "rate",
    "share",
]

_NUMBER = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(\S.*)?\Z")

_TIMES = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_RATES = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_SIZES = {
    "octet": 1,
    "octets": 1,
    "byte": 1,
    "bytes": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_PACKETS = {"packet": 1, "packets": 1, "frame": 1, "frames": 1}


_TOO_MUCH = 2**63
"""Nanoseconds of 292 years, and more bits and octets than any network carries."""


def duration(text: str) -> int:
    """Nanoseconds: ``5 s``, ``100 ms``, ``2 min``; ``0`` needs no unit."""
    return _whole(text, _TIMES, "a time such as '5 s', '20 ms' or '100 us'")


def rate(text: str) -> int:
    """Bits a second: ``3 Mbit/s``, ``512 kbit/s``."""
    bits = _whole(text, _RATES, "a rate such as '3 Mbit/s' or '512 kbit/s'")
    if not bits:
        raise ValueError(f"{text!r}: a rate is above zero")
    return bits


def octets(text: str) -> int:
    """Octets: ``5 MB`` (decimal), ``64 KiB`` (binary), ``1000``."""
    return _whole(text, _SIZES, "a size such as '5 MB', '64 KiB' or '1000'", bare=True)


def packets(text: str) -> int:
    """A number of packets: ``50 packets``."""
    return _whole(text, _PACKETS, "a length such as '50 packets' or '64 KiB'")


def share(text: str) -> float:
    """A fraction of 0 to 1: ``0.1 %``, ``0.25``, ``0``."""
    match = _NUMBER.match(text)
    if match is None or match[2] not in (None, "%"):
        raise ValueError(f"{text!r}: expected a share such as '0.1 %'")
    value = Decimal(match[1]) / (100 if match[2] else 1)
    if value > 1:
        raise ValueError(f"{text!r}: a share is at most 100 %" + ("" if match[2] else f" (meant {match[1]} %?)"))
    return float(value)


def _whole(text: str, units: dict[str, int], expected: str, *, bare: bool = False) -> int:
    match = _NUMBER.match(text)
    if match is None:
        raise ValueError(f"{text!r}: expected {expected}")
    number, unit = Decimal(match[1]), match[2]
    if unit is None:
        if number and not bare:
            raise ValueError(f"{text!r} has no unit: expected {expected}")
        factor = 1
    elif unit in units:
        factor = units[unit]
    else:
        raise ValueError(f"{text!r}: unknown unit {unit!r}{_hint(unit, units)}; expected {expected}")
    value = number * factor
    if value >= _TOO_MUCH:
        raise ValueError(f"{_shortened(text)} is more than can be counted; expected {expected}")
    if value != value.to_integral_value():
        raise ValueError(f"{text!r} is not a whole number of the smallest unit; expected {expected}")
    return int(value)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _hint(unit: str, units: dict[str, int]) -> str:
    folded = unit.lower().replace("ps", "/s").replace("bits", "bit")
    folded = {"kb/s": "kbit/s", "mb/s": "mbit/s", "gb/s": "gbit/s", "sec": "s", "kb": "kb"}.get(folded, folded)
    found = next((known for known in units if known.lower() == folded), None)
    return f" (did you mean {found!r}?)" if found else ""


def format_duration(nanoseconds: int | float) -> str:
    """The shortest usual text of a time: ``1.5 s``, ``20 ms``."""
    for unit, factor in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if abs(nanoseconds) >= factor:
            return f"{_short(nanoseconds / factor)} {unit}"
    return f"{_short(nanoseconds)} ns" if nanoseconds else "0 s"


def format_rate(bits: int | float) -> str:
    """The usual text of a rate: ``3 Mbit/s``."""
    for unit, factor in (("Gbit/s", 10**9), ("Mbit/s", 10**6), ("kbit/s", 10**3)):
        if abs(bits) >= factor:
            return f"{_short(bits / factor)} {unit}"
    return f"{_short(bits)} bit/s"


def format_octets(count: int | float) -> str:
    """The usual text of a size: ``5 MB``; ``64 B`` below a thousand."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if abs(count) >= factor:
            return f"{_short(count / factor)} {unit}"
    return f"{_short(count)} B"


def _short(value: float) -> str:
    """Four figures, without trailing zeros and without an exponent."""
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e" in text else text
