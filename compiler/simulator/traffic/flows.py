"""Flows: transfers that begin independently of each other, most small and few very large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from random import Random

from compiler.simulator.engine import SECOND
from compiler.simulator.traffic.arrivals import Arrival, check_rate, poisson
from compiler.simulator.traffic.distributions import pareto

__all__ = ["flows", "packets"]


def flows(
    random: Random, rate: float, mean: float, *, shape: float = 1.2, largest: int | None = None
) -> Iterator[Arrival]:
    """``rate`` flows a second by Poisson, of Pareto sizes in octets, at least one octet each.

    The default shape is what web transfers were found to have (Crovella and
    Bestavros 1997).
    """
    for moment, octets in poisson(random, rate, pareto(mean, shape, largest=largest)):
        yield moment, max(octets, 1)


def packets(flows: Iterable[Arrival], rate: int, octets: int) -> Iterator[Arrival]:
    """The flows' packets of at most ``octets``, each flow at the ``rate`` of its access line (bit/s), in order of time.

    Keeps only the flows that are under way.
    """
    check_rate(rate, octets)
    begun: list[tuple[int, int, int, int]] = []
    """Next packet's moment, number of the flow (to break ties), its start, octets sent."""
    left: dict[int, int] = {}
    for number, (start, size) in enumerate(flows):
        while begun and begun[0][0] <= start:
            yield _next_packet(begun, left, rate, octets)
        left[number] = size
        heappush(begun, (start, number, start, 0))
    while begun:
        yield _next_packet(begun, left, rate, octets)


def _next_packet(begun: list[tuple[int, int, int, int]], left: dict[int, int], rate: int, octets: int) -> Arrival:
    moment, number, start, sent = heappop(begun)
    size = min(octets, left[number])
    left[number] -= size
    sent += size
    if left[number]:
        heappush(begun, (start + sent * 8 * SECOND // rate, number, start, sent))
    else:
        del left[number]
    return moment, size
