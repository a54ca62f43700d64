"""``limit rate``: from its words to the numbers of the kernel's token bucket (net/netfilter/nft_limit.c).

A packet costs ``period // amount`` nanoseconds of tokens, and the bucket holds
``burst`` packets, full at first. With octets, it holds ``amount + burst`` of
them, and a packet costs ``period * length // amount``. The bucket's depth is
what ``Limit.burst`` says here, in packets or octets.
"""

from __future__ import annotations

import re

from compiler.dialects.nftables.tokens import Cursor
from compiler.dialects.nftables.unmodelled import clause_end
from compiler.policy.stateful import Limit

__all__ = ["read_limit"]

_RATE = re.compile(
    r"rate( (?P<over>over|until))? (?P<amount>[0-9]+)( (?P<octets>[km]?bytes))? ?/ ?"
    r"(?P<unit>second|minute|hour|day|week)( burst (?P<burst>[0-9]+) (?P<what>packets|[km]?bytes))?",
    re.ASCII,
)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_OCTETS = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20}
_PACKETS = 5
"""The burst of packets where the text names none."""


def read_limit(cursor: Cursor) -> Limit:
    """The limit at the cursor, which ends behind it."""
    words, first = cursor.words, cursor.position
    end = clause_end(cursor, first)
    if words[first + 1] == "name" or words[first + 1][:1] == '"':
        raise cursor.unmodelled("a limit by name: several rules share its tokens", first, end - 1)
    found = _RATE.fullmatch(" ".join(words[first + 1 : end]))
    if found is None:
        raise cursor.expected("a rate such as 'rate over 10/second burst 5 packets'", first + 1)
    octets, what = found["octets"], found["what"]
    if what and (what == "packets") != (octets is None):
        raise cursor.fault("a rate and a burst of which one counts packets, the other octets", first)
    amount = int(found["amount"]) * _OCTETS.get(octets or "", 1)
    burst = int(found["burst"] or (0 if octets else _PACKETS)) * _OCTETS.get(what or "", 1)
    if not amount or (not burst and not octets) or amount >> 64 or burst >> 32:
        raise cursor.fault("a rate or burst that nft or the kernel refuses", first)
    cursor.position = end
    period = _SECONDS[found["unit"]] * 1_000_000_000
    if not octets and not period // amount:
        raise cursor.unmodelled("a rate above one packet each nanosecond", first, end - 1)
    return Limit(amount, period, burst + amount if octets else burst, found["over"] == "over", octets is not None)
