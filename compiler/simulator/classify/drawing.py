"""Random packets for a list: most from inside its rules, the others from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from compiler.analysis.shadowing.packed import PackedMatches
from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.policy.match import Match
from compiler.semantics.machine import Stage, Step
from compiler.simulator.classify.columns import Column, PacketColumns, make_columns
from compiler.simulator.classify.flattening import Half, narrowed

__all__ = ["Drawing"]

_PROTOCOLS = (TCP, TCP, TCP, UDP, UDP, ICMP, 47)
_FLAGS = (0x02, 0x10, 0x12, 0x18, 0x11, 0x04)
_RANGES = {
    "source_port": 1 << 16,
    "destination_port": 1 << 16,
    "icmp_type": 256,
    "icmp_code": 256,
    "traffic_class": 256,
}


class Drawing:
    """Whole packets (no later fragments): a ``share`` of them inside rules of the stages, each rule as likely."""

    def __init__(self, stages: Iterable[Stage], half: Half, seed: int = 1, share: float = 0.8) -> None:
        self._family = half.family
        found = (narrowed(match, half) for stage in stages for match in _matches(stage.steps))
        self._matches: Sequence[Match] = list(dict.fromkeys(match for match in found if match is not None))
        self._packed = PackedMatches(self._matches, half.family) if self._matches else None
        self._generator = np.random.default_rng(seed)
        self._share = share

    def draw(self, count: int) -> PacketColumns:
        """The next ``count`` packets; the same ones for the same seed and the same calls."""
        generator = self._generator
        fields = self._anything(count)
        inside = np.flatnonzero(generator.random(count) < self._share)
        if self._packed is not None and len(inside):
            chosen = generator.integers(0, len(self._matches), len(inside))
            for name, halves in zip(self._packed.names, self._packed.draw(chosen, generator), strict=True):
                # A match that leaves the field free draws any value of it, which is as good as the one before.
                asked = np.array([getattr(match, name) is not None for match in self._matches])[chosen]
                for column, half in zip(fields[name], halves, strict=True):
                    column[inside[asked]] = half[asked]
        sides = [fields.pop(name) for name in ("source", "destination")]
        if self._family is Family.IPV4:
            sides = [[column.astype(np.uint32) for column in side] for side in sides]
        source, destination = (tuple(side) if len(side) == 2 else side[0] for side in sides)
        return make_columns(self._family, source, destination, {name: columns[0] for name, columns in fields.items()})

    def _anything(self, count: int) -> dict[str, list[Column]]:
        generator = self._generator
        top = (1 << 32) - 1 if self._family is Family.IPV4 else (1 << 64) - 1
        halves = 1 if self._family is Family.IPV4 else 2
        fields: dict[str, list[Column]] = {
            name: [generator.integers(0, top, count, np.uint64, endpoint=True) for _ in range(halves)]
            for name in ("source", "destination")
        }
        protocols = [ICMPV6 if one == ICMP and self._family is Family.IPV6 else one for one in _PROTOCOLS]
        fields["protocol"] = [generator.choice(np.array(protocols, dtype=np.uint8), count)]
        fields["tcp_flags"] = [generator.choice(np.array(_FLAGS, dtype=np.uint8), count)]
        for name, size in _RANGES.items():
            fields[name] = [generator.integers(0, size, count, np.uint16 if size > 256 else np.uint8)]
        fields["ttl"] = [np.full(count, 64, dtype=np.uint8)]
        fields["week_minute"] = [generator.integers(0, 7 * 24 * 60, count, np.uint16)]
        fields["date_minute"] = [generator.integers(0, 1 << 32, count, np.uint32)]
        return fields


def _matches(steps: tuple[Step, ...]) -> Iterator[Match]:
    for step in steps:
        yield step.match
        yield from _matches(step.body)
