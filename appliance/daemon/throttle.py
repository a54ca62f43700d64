"""Slowing down who guesses passwords, without locking anybody out for ever.

Three counts of wrong passwords: of one name from one peer, of one peer, and of
one name from anywhere. The first two grow to the longest delay. The last two,
which others can drive up, do not count for a peer that has logged in to this
name before; nor does the third on the local socket, and its delay stays short.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from appliance.daemon.errors import TooMany

__all__ = ["Throttle", "peer_key"]

REMEMBERED = 20_000
PEER_FACTOR = 4
NAME_FACTOR = 10
NAME_LONGEST = 30.0


def peer_key(peer: str) -> str:
    """What counts as one peer: a local user, an IPv4 address, or the /64 of an IPv6 address.

    A socket that listens on ``::`` names IPv4 peers ``::ffff:192.0.2.1`` (RFC 4291, 2.5.5.2): all of them lie in one
    /64, and are not one peer.
    """
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return peer


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    until: float = 0.0
    last: float = 0.0


class Throttle:
    """Counts in memory, bounded; what is longest ago is forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, ...], _Count] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, name: str, peer: str, attempts: int, longest: float) -> bool:
        """Count an attempt before its password is looked at, so that many at once are not one.

        Raises TooMany while there is a delay. Answers whether this attempt, if
        it is wrong, begins a delay. Longest is in seconds.
        """
        now = self._clock()
        keys = self._keys(name, peer_key(peer), attempts, longest)
        waits = [self._counts[key].until - now for key, _, _ in keys if key in self._counts]
        if waits and max(waits) > 0:
            raise TooMany(retry_after=max(1, round(max(waits) + 0.5)))
        begins = False
        for key, free, most in keys:
            count = self._count(key)
            if now - count.last > most * 4:
                count.wrong = 0
            count.wrong, count.last = count.wrong + 1, now
            if count.wrong >= free:
                count.until = now + min(most, 2.0 ** min(count.wrong - free, 20))
                begins = True
        return begins

    def succeeded(self, name: str, peer: str) -> None:
        """The password was right: forget what was counted for it."""
        place = peer_key(peer)
        (own, *counted) = [key for key, _free, _most in self._keys(name, place, 1, 1.0)]
        self._counts.pop(own, None)
        for key in counted:
            if (count := self._counts.get(key)) is not None:
                # The others' wrong guesses still count; this attempt was none.
                count.wrong, count.until = max(count.wrong - 1, 0), 0.0
        self._known[name, place] = None
        self._known.move_to_end((name, place))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def knows(self, name: str, peer: str) -> bool:
        """Whether this peer has logged in to this name before, or sits at the machine."""
        place = peer_key(peer)
        return place.startswith("uid:") or (name, place) in self._known

    def _keys(self, name: str, place: str, attempts: int, longest: float) -> list[tuple[tuple[str, ...], int, float]]:
        keys: list[tuple[tuple[str, ...], int, float]] = [((name, place), attempts, longest)]
        if (name, place) in self._known:
            # Whoever guesses other names behind the same address does not shut out who is at home there.
            return keys
        local = place.startswith("uid:")
        # A door that many people share is one local peer: it is slowed, not shut.
        keys.append(((place,), attempts * PEER_FACTOR, min(longest, 5.0) if local else longest))
        if not local:
            keys.append((("", name), attempts * NAME_FACTOR, min(longest, NAME_LONGEST)))
        return keys

    def _count(self, key: tuple[str, ...]) -> _Count:
        count = self._counts.setdefault(key, _Count())
        self._counts.move_to_end(key)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return count
