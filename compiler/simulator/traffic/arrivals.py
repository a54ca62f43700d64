"""Arrival processes: endless iterators of moments and sizes.

A moment is in nanoseconds since the traffic began, never less than the one
before; a size in octets. Rates are bits a second, of those octets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log
from random import Random
from typing import TypeVar

from compiler.simulator.engine import SECOND
from compiler.simulator.traffic.distributions import Distribution

__all__ = ["Arrival", "check_rate", "constant", "ending", "on_off", "poisson", "replay"]

Arrival = tuple[int, int]
Item = TypeVar("Item")

_BITS = 8 * SECOND


def constant(rate: int, octets: int) -> Iterator[Arrival]:
    """Packets of one size at an exact rate: the n-th one begins when n packets' bits are due, without drift."""
    check_rate(rate, octets)
    sent = 0
    while True:
        yield sent * _BITS // rate, octets
        sent += octets


def poisson(random: Random, rate: float, sizes: Distribution) -> Iterator[Arrival]:
    """``rate`` packets a second on the average, independent of each other."""
    if not rate > 0:
        raise ValueError(f"{rate} packets a second: more than 0 expected")
    mean = SECOND / rate
    moment = 0.0
    while True:
        moment -= mean * log(1 - random.random())
        yield int(moment), sizes(random)


def on_off(random: Random, rate: int, octets: int, on: Distribution, off: Distribution) -> Iterator[Arrival]:
    """Bursts at ``rate`` that last as long as ``on`` says, then silence as ``off`` says (nanoseconds).

    What a burst leaves of a packet's time is carried over to the next one, so
    the mean rate is ``rate`` times the share of time that is on. Many sources
    with Pareto periods together are self-similar (Willinger et al. 1997).
    """
    check_rate(rate, octets)
    begin = 0  # of the current burst
    spent = 0  # time in earlier bursts
    sent = 0
    while True:
        length = max(on(random), 1)  # bursts of no length at all would never come to a packet
        while (due := sent * _BITS // rate) < spent + length:
            yield begin + due - spent, octets
            sent += octets
        spent += length
        begin += length + off(random)


def replay(packets: Iterable[tuple[int, Item]], *, speed: float = 1.0) -> Iterator[tuple[int, Item]]:
    """A capture again, from its first packet on, ``speed`` times as fast.

    Records that stand behind a later one in the file (captures of several
    interfaces have such) come at that one's moment.
    """
    if not speed > 0:
        raise ValueError(f"a speed of {speed}: more than 0 expected")
    first: int | None = None
    moment = 0
    for time, packet in packets:
        if first is None:
            first = time
        since = time - first
        moment = max(moment, since if speed == 1 else round(since / speed))
        yield moment, packet


def ending(
    arrivals: Iterable[tuple[int, Item]],
    *,
    duration: int | None = None,
    count: int | None = None,
) -> Iterator[tuple[int, Item]]:
    """Those before ``duration`` has gone by, and at most ``count``."""
    if count is not None and count <= 0:
        return
    for number, (moment, item) in enumerate(arrivals, 1):
        if duration is not None and moment >= duration:
            return
        yield moment, item
        if number == count:
            return


def check_rate(rate: int, octets: int) -> None:
    """ValueError unless both are more than 0."""
    if rate <= 0 or octets <= 0:
        raise ValueError(f"{octets} octets at {rate} bit/s: more than 0 expected for both")
