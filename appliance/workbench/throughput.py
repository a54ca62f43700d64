"""From what links have carried to rates over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from appliance.workbench.running import Sample

__all__ = ["Curve", "curves_of"]

MOST = 4
"""Links that are drawn: the busiest."""
_SECOND = 1_000_000_000


class Curve(NamedTuple):
    """The throughput of one link, both ways together."""

    name: str
    points: tuple[tuple[float, float], ...]
    """Seconds of lab time, and Mbit/s since the point before."""


def curves_of(samples: Sequence[Sample]) -> tuple[Curve, ...]:
    """A curve for each of the busiest links, in the order of what they carried in all."""
    if len(samples) < 2:
        return ()
    carried = dict(samples[-1].octets)
    busiest = sorted(carried, key=lambda name: -carried[name])[:MOST]
    octets = [dict(sample.octets) for sample in samples]
    found = []
    for name in busiest:
        if carried[name]:
            points = [
                (after.moment / _SECOND, (octets[number + 1][name] - octets[number][name]) * 8e3 / span)
                for number, (before, after) in enumerate(pairwise(samples))
                if (span := after.moment - before.moment) > 0
            ]
            found.append(Curve(name, tuple(points)))
    return tuple(found)
