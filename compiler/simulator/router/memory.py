"""What a router remembers between packets, and what its rules ask it."""

from __future__ import annotations

from random import Random

from compiler.addresses import AddressSet
from compiler.policy.stateful import Counter, Hash, Limit, Number
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connections
from compiler.simulator.router.jhash import hash_number
from compiler.simulator.router.matching import Moment
from compiler.simulator.router.routes import Routes

__all__ = ["AddressMemory", "Bucket", "Memory", "drawn_at_boot", "numbers"]

_WEEK = 7 * 24 * 60
_MONDAY = 4 * 24 * 60
"""Minutes from Thursday, 1970-01-01, to the first Monday."""
_MINUTE = 60_000_000_000


class AddressMemory:
    """A set of addresses that rules fill; entries may die after a while.

    ``fixed`` are the members that the configuration itself puts in, for good.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.fixed: AddressSet | None = None
        self._until: dict[int, int | None] = {}

    def __contains__(self, address: int) -> bool:
        if self.fixed is not None and self.fixed.contains(address):
            return True
        if address not in self._until:
            return False
        until = self._until[address]
        if until is not None and until <= self._engine.now:
            del self._until[address]
            return False
        return True

    def add(self, address: int, timeout: int, *, refresh: bool) -> None:
        """Put it in for ``timeout`` nanoseconds, or for good."""
        if refresh or address not in self:
            self._until[address] = self._engine.now + timeout if timeout else None

    def remove(self, address: int) -> None:
        """Take it out, if it is there."""
        self._until.pop(address, None)


class Memory:
    """Connections, sets, clocks and dice of one router."""

    def __init__(
        self, engine: Engine, routes: Routes, *, no_mark: int | str, seed: str, clock: int, reassembling: bool = True
    ) -> None:
        self.engine = engine
        self.routes = routes
        self.no_mark = no_mark
        self.connections = Connections(engine, no_mark)
        self.random = Random(f"{seed}/dice")
        self.boot_seed = drawn_at_boot(seed)
        """What hashes use where their rule names no seed: drawn when the device starts."""
        self.sets: dict[tuple[str, str], AddressMemory] = {}
        self._clock = clock
        self.reassembling = reassembling

    def take_over(self, other: Memory) -> None:
        """Remember what the other one does: connections, what rules have put into sets, seeds.

        For a router whose configuration changes while it runs; call it before the new rules are read.
        """
        self.connections = other.connections
        self.random, self.boot_seed = other.random, other.boot_seed
        self.sets = other.sets
        for one in self.sets.values():
            one.fixed = None

    def moment(self) -> Moment:
        """The device's clock: minute of the week from Monday, minute since 1970."""
        minute = self._clock + self.engine.now // _MINUTE
        return (minute - _MONDAY) % _WEEK, minute

    def address_set(self, table: str, name: str) -> AddressMemory:
        """The set of that name, empty at first."""
        return self.sets.setdefault((table, name), AddressMemory(self.engine))


class Bucket:
    """A token bucket as nft keeps it (net/netfilter/nft_limit.c): tokens are nanoseconds."""

    def __init__(self, limit: Limit, engine: Engine) -> None:
        self._limit = limit
        self._engine = engine
        if limit.octets:
            self._full = limit.period * limit.burst // limit.amount
        else:
            self._full = limit.period // limit.amount * limit.burst
        self._tokens = self._full
        self._last = engine.now

    def holds(self, datagram: Datagram) -> bool:
        """Whether the rule's condition holds for this packet, which takes its tokens if there are enough."""
        limit, now = self._limit, self._engine.now
        cost = limit.period * (datagram.size if limit.octets else 1) // limit.amount
        self._tokens = min(self._tokens + now - self._last, self._full)
        self._last = now
        if self._tokens >= cost:
            self._tokens -= cost
            return not limit.over
        return limit.over


class _Turns:
    """A counter of its own for each rule."""

    def __init__(self, number: Counter) -> None:
        self._number = number
        self._next = 0

    def draw(self, _datagram: Datagram) -> int:
        drawn = self._next
        self._next = (drawn + 1) % self._number.modulus
        return drawn + self._number.offset


class _Dice:
    def __init__(self, modulus: int, offset: int, random: Random) -> None:
        self._modulus, self._offset, self._random = modulus, offset, random

    def draw(self, _datagram: Datagram) -> int:
        return self._random.randrange(self._modulus) + self._offset


class _Hashed:
    def __init__(self, number: Hash, seed: int) -> None:
        self._number, self._seed = number, seed

    def draw(self, datagram: Datagram) -> int:
        return hash_number(self._number, datagram, self._seed)


def numbers(number: Number, memory: Memory) -> _Turns | _Dice | _Hashed:
    """Where a rule gets its numbers from: each call makes a source of its own."""
    if isinstance(number, Counter):
        return _Turns(number)
    if isinstance(number, Hash):
        return _Hashed(number, memory.boot_seed)
    return _Dice(number.modulus, number.offset, memory.random)


def drawn_at_boot(seed: str) -> int:
    """The seed of hashes, 32 bits, of a device whose own seed is that text (``1/router``)."""
    return Random(f"{seed}/boot").getrandbits(32)
