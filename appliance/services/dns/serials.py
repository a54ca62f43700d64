"""The serials of zones (RFC 1982): each change of what is served gets a greater one.

The serial is given where the zone is served, when it is read in, and not where
it is described. Only there it is known what was served before: what stands in
the store may be committed days later or never, other services' records come and
go without a change here, and a commit that is undone brings back an older
content, which must have a *newer* serial, or secondaries keep what was undone.

So the server keeps, for each zone, the SHA-256 of what it has served last, and
its serial. The same content keeps its serial. Other content gets the next, or
the Unix time if that is greater, so that a machine which has lost its memory
and is restored from a backup is ahead of what it had said; or the least that
the zone's description wants, if that is greater still, for zones that come from
another server with serials like 2026112301. (With such a least serial and a
lost memory it must be set higher by hand.) A zone that is gone stays in the
memory: it may come back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from appliance.services.dns.zone_text import serial_in, with_serial

__all__ = ["Remembered", "greater", "next_serial", "read_memory", "served_text", "written_memory"]

_SPACE = 2**32
_HALF = 2**31


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was served last of one zone."""

    digest: str
    serial: int


def greater(one: int, other: int) -> bool:
    """Whether a serial is greater than another (RFC 1982 section 3.2)."""
    return 0 < (one - other) % _SPACE < _HALF


def next_serial(before: int | None, least: int, now: int) -> int:
    """Greater than the one before, as great as the clock where it is behind that, and not below the least.

    Never 0, which some software takes for none.
    """
    candidates = [now % _SPACE or 1, least]
    if before is None:
        return max(candidates)
    following = (before + 1) % _SPACE or 1
    # Each is measured from the one before: two steps of nearly half the circle would lead back behind it.
    ahead = [one for one in candidates if greater(one, before)]
    return max([following, *ahead], key=lambda one: (one - before) % _SPACE)


def served_text(text: str, before: Remembered | None, now: float | None = None) -> tuple[str, Remembered]:
    """A zone as it is served, with its serial, and what to remember of it. ``now`` is Unix time."""
    digest = sha256(text.encode()).hexdigest()
    if before is not None and before.digest == digest:
        return with_serial(text, before.serial), before
    clock = int(time.time() if now is None else now)
    serial = next_serial(before.serial if before else None, serial_in(text), clock)
    return with_serial(text, serial), Remembered(digest, serial)


def read_memory(text: str) -> dict[str, Remembered]:
    """What ``written_memory`` wrote. Raises ValueError for anything else."""
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError("no memory of serials")
    return {str(zone): Remembered(str(one["digest"]), int(one["serial"])) for zone, one in told.items()}


def written_memory(memory: Mapping[str, Remembered]) -> str:
    """As JSON."""
    told = {zone: {"digest": one.digest, "serial": one.serial} for zone, one in sorted(memory.items())}
    return json.dumps(told, indent=1) + "\n"
