"""Random packets of a set, each with the same chance: exact, and some microseconds each.

A set is a decision diagram. Each node knows, exactly, how many assignments lie
below its two branches; a draw walks from the root and takes a branch with that
probability. All draws go down together, field bit by field bit. Sixty-four
random bits decide a branch, and where they leave it open (once in 2**64) more
are drawn, so nothing is rounded.

A packet has one assignment only: fields that its protocol does not carry are
zero, the moment is the first of the week, and the TTL after the router follows
from the one before, unless the set asks otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, TCP
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.packet import Packet
from compiler.semantics.machine import Context
from compiler.symbolic.space import PacketSpace

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from oxidd.bdd import BDDFunction

    Bits = npt.NDArray[np.uint8]

__all__ = ["Drawing", "carried"]

_MOMENT = ("week_minute", "date_minute")
_AFTER = "ttl_out"
_BATCH = 4096
_WHOLE = 1 << 64


class _Node(NamedTuple):
    variable: int
    high: int
    low: int


class Drawing:
    """Draws of one set, which is not empty. ``count`` is how many packets it has."""

    def __init__(self, region: BDDFunction, space: PacketSpace, *, noninitial: bool = False) -> None:
        self.space = space
        region = region & space.possible
        region = carried(region & _moments(region, space), space, noninitial=noninitial)
        if not region.satisfiable():
            raise ValueError("an empty set has no packet to draw")
        self._nodes: list[_Node] = []
        self._counts: list[int] = []
        self._numbers: dict[BDDFunction, int] = {}
        self._root = self._number(region)
        self.count = self._below(self._root, -1)
        self._is_prepared = False

    def packets(self, context: Context, source: random.Random, number: int) -> Iterator[Packet]:
        """That many draws, with repeats. The same random source gives the same packets."""
        if not self._is_prepared:
            self._prepare()
        while number > 0:
            batch = min(number, _BATCH)
            yield from self._packets(self._draw(source, batch), context)
            number -= batch

    # -- counting ----------------------------------------------------------------------------------

    def _number(self, node: BDDFunction) -> int:
        """The node's place in the lists: -1 for false, -2 for true; children come first."""
        known = self._numbers.get(node)
        if known is not None:
            return known
        children = node.cofactors()
        if children is None:
            return -2 if node.satisfiable() else -1
        variable = node.node_var()
        assert variable is not None
        made = _Node(variable, self._number(children[0]), self._number(children[1]))
        number = self._numbers[node] = len(self._nodes)
        self._nodes.append(made)
        self._counts.append(self._below(made.high, variable) + self._below(made.low, variable))
        return number

    def _below(self, number: int, variable: int) -> int:
        """Assignments of the variables after ``variable`` that lead to true from a node."""
        if number == -1:
            return 0
        if number == -2:
            return 1 << (self.space.size - 1 - variable)
        return self._counts[number] << (self._nodes[number].variable - variable - 1)

    # -- drawing -----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """What draws need and counting does not."""
        import numpy as np

        self._is_prepared = True
        self._variables = np.array([node.variable for node in self._nodes] + [self.space.size] * 2, np.int32)
        self._high = np.array([node.high for node in self._nodes] + [-1, -2], np.int64)
        self._low = np.array([node.low for node in self._nodes] + [-1, -2], np.int64)
        self._chances = [
            Fraction(self._below(node.high, node.variable), self._counts[number])
            for number, node in enumerate(self._nodes)
        ]
        whole = [int(chance * _WHOLE) for chance in self._chances]
        # A certain branch has 2**64, which 64 bits cannot hold: it is taken whatever was drawn.
        self._certain = np.array([one == _WHOLE for one in whole] + [False] * 2)
        self._thresholds = np.array([min(one, _WHOLE - 1) for one in whole] + [0, 0], np.uint64)

    def _draw(self, source: random.Random, number: int) -> Bits:
        """A matrix of bits: a row for each draw, a column for each variable."""
        import numpy as np

        generator = np.random.Generator(np.random.PCG64(source.getrandbits(128)))
        bits = generator.integers(0, 2, (number, self.space.size), np.uint8)
        # -1 and -2 count from the end of the lists, where the two ends stand: -1 is true there.
        place = np.full(number, self._root, np.int64)
        for variable in sorted({node.variable for node in self._nodes}):
            here = np.flatnonzero(self._variables[place] == variable)
            if not here.size:
                continue
            nodes = place[here]
            drawn = generator.integers(0, _WHOLE, here.size, np.uint64, endpoint=False)
            limit = self._thresholds[nodes]
            taken = (drawn < limit) | self._certain[nodes]
            for index in np.flatnonzero((drawn == limit) & ~self._certain[nodes]):
                taken[index] = self._decide(int(nodes[index]), source)
            bits[here, variable] = taken
            place[here] = np.where(taken, self._high[nodes], self._low[nodes])
        return bits

    def _decide(self, number: int, source: random.Random) -> bool:
        """Sixty-four bits fell on the border: the rest of the fraction decides."""
        rest = self._chances[number] * _WHOLE
        return source.randrange(rest.denominator) < rest.numerator % rest.denominator

    def _packets(self, bits: Bits, context: Context) -> Iterator[Packet]:
        columns = {
            name: _values(bits[:, first : first + width])
            for name, (first, width) in self.space.layout.items()
            if name != _AFTER
        }
        names = tuple(columns)
        for values in zip(*columns.values(), strict=True):
            yield Packet(
                context.family,
                noninitial=context.noninitial,
                ingress=context.ingress,
                egress=context.egress,
                path=context.path,
                **dict(zip(names, values, strict=True)),
            )


def carried(region: BDDFunction, space: PacketSpace, *, noninitial: bool = False) -> BDDFunction:
    """The packets of a set whose fields that are not there are zero: one assignment for each packet.

    In a later fragment no such field is there; but a device that reads the data
    in its place (nftables) is asked about, and then all data are.
    """
    for names, carriers in (
        (("source_port", "destination_port"), PORT_PROTOCOLS),
        (("tcp_flags",), IntegerSet.values(TCP)),
        (("icmp_type", "icmp_code"), ICMP_PROTOCOLS),
    ):
        for name in names:
            if not noninitial:
                region = region & (space.encode(Match(protocol=carriers)) | _zero(space, name))
            elif not _depends(region, space, name):
                region = region & _zero(space, name)
    return region


def _moments(region: BDDFunction, space: PacketSpace) -> BDDFunction:
    """What ties the fields that are no header: free ones stand still."""
    found = space.full
    for name in _MOMENT:
        if not _depends(region, space, name):
            found = found & _zero(space, name)
    if _depends(region, space, _AFTER):
        return found & space.one_hop()
    return found & _zero(space, _AFTER)


def _depends(region: BDDFunction, space: PacketSpace, name: str) -> bool:
    """Whether the set asks for the field: it is not the same whatever the field has."""
    first, width = space.layout[name]
    cube = space.full
    for variable in range(first, first + width):
        cube = cube & space.variable(variable)
    zero = _zero(space, name)
    return bool(region != ((region & zero).exists(cube) & space.possible))


def _zero(space: PacketSpace, name: str) -> BDDFunction:
    return space.field(name, IntegerSet.values(0))


def _values(bits: Bits) -> list[int]:
    import numpy as np

    width = bits.shape[1]
    if width <= 63:
        powers = (np.uint64(1) << np.arange(width - 1, -1, -1, dtype=np.uint64)).astype(np.uint64)
        found: list[int] = (bits.astype(np.uint64) @ powers).tolist()
        return found
    octets = np.packbits(bits, axis=1)
    return [int.from_bytes(row.tobytes(), "big") for row in octets]
