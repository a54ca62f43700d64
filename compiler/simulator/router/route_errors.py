"""How often Linux says that it has no way for a packet: five at once to each sender, then one a second.

That is ``ip_error`` of net/ipv4/route.c with ``route/error_burst`` and
``route/error_cost`` as they are; in IPv6 there is no such limit.
"""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.engine import SECOND

__all__ = ["RouteErrors"]

_COST = SECOND
_BURST = 5 * SECOND


class RouteErrors:
    """A bucket for each sender; tokens are nanoseconds."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[int, int]] = {}

    def allows(self, family: Family, sender: int, now: int) -> bool:
        """Whether that sender is told now; if so, it counts."""
        if family is not Family.IPV4:
            return True
        tokens, last = self._buckets.get(sender, (_BURST, now))
        tokens = min(tokens + now - last, _BURST)
        is_allowed = tokens >= _COST
        self._buckets[sender] = tokens - _COST if is_allowed else tokens, now
        return is_allowed
