"""Sets of TCP flag bytes as cubes: some flags set, some clear, the rest free.

RouterOS ANDs the flags of one rule, so one rule is one cube.
"""

from __future__ import annotations

from functools import cache, lru_cache

from compiler.integers import IntegerSet

__all__ = ["Cube", "cube_values", "flag_cubes"]

Cube = tuple[int, int]
"""``(required, forbidden)``: bits that are set, bits that are clear."""


@lru_cache(maxsize=1024)
def cube_values(cube: Cube) -> IntegerSet:
    """The bytes of a cube."""
    required, forbidden = cube
    return IntegerSet.of((byte, byte) for byte in range(256) if byte & required == required and not byte & forbidden)


@lru_cache(maxsize=1024)
def flag_cubes(values: IntegerSet) -> tuple[Cube, ...]:
    """Cubes whose union is the set: few of them, and none that the others cover."""
    members = frozenset(values.members())
    if not members:
        return ()
    common, seen = 255, 0
    for byte in members:
        common &= byte
        seen |= byte
    if 1 << (seen & ~common).bit_count() == len(members):
        return ((common, 255 & ~seen),)
    wanted = sum(1 << byte for byte in members)
    candidates = [cube for cube in _single_bits() if not _bitmap(cube) & ~wanted]
    covered = 0
    for cube in candidates:
        covered |= _bitmap(cube)
    if covered != wanted:
        candidates = _prime_cubes(wanted)
    return _cover(wanted, candidates)


@cache
def _single_bits() -> tuple[Cube, ...]:
    bits = [1 << number for number in range(8)]
    return (*((bit, 0) for bit in bits), *((0, bit) for bit in bits))


@lru_cache(maxsize=8192)
def _bitmap(cube: Cube) -> int:
    """The bytes of a cube as bits of one integer."""
    required, forbidden = cube
    return sum(1 << byte for byte in range(256) if byte & required == required and not byte & forbidden)


def _prime_cubes(wanted: int) -> list[Cube]:
    """Cubes inside ``wanted`` that no larger one there holds (the primes of Quine and McCluskey)."""
    level = {(byte, 255 & ~byte) for byte in range(256) if wanted >> byte & 1}
    primes: list[Cube] = []
    while level:
        larger: set[Cube] = set()
        merged: set[Cube] = set()
        for required, forbidden in level:
            for number in range(8):
                bit = 1 << number
                other = (required & ~bit, forbidden | bit)
                if required & bit and other in level:
                    merged |= {(required, forbidden), other}
                    larger.add((required & ~bit, forbidden))
        primes += sorted(level - merged)
        level = larger
    return primes


def _cover(wanted: int, candidates: list[Cube]) -> tuple[Cube, ...]:
    """Greedy: always the cube that covers most of what is left; then drop what became idle."""
    chosen: list[Cube] = []
    left = wanted
    while left:
        best = max(candidates, key=lambda cube: (_bitmap(cube) & left).bit_count())
        chosen.append(best)
        left &= ~_bitmap(best)
    for cube in list(chosen):
        rest = 0
        for other in chosen:
            if other != cube:
                rest |= _bitmap(other)
        if not wanted & ~rest:
            chosen.remove(cube)
    return tuple(sorted(chosen, reverse=True))
