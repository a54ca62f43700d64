"""By what routers choose among lines: in turn, by a hash of some fields, or by chance. So even can a share be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import lcm
from typing import NamedTuple

from compiler.policy.packet import Packet
from compiler.policy.ruleset import Ruleset
from compiler.policy.stateful import Counter, Hash, Number, Numbered, NumberIn, RandomNumber, SetMark, Translate
from compiler.testing.networks.model import RouterEnd

__all__ = ["Choosing", "choosing_of"]

_NETWORK_FIELDS = ("source", "destination")
_TRANSPORT_FIELDS = (*_NETWORK_FIELDS, "protocol", "source_port", "destination_port")


class Choosing(NamedTuple):
    """How some routers choose. ``turns`` is after how many connections a rule's count begins anew."""

    fields: tuple[str, ...]
    """What is hashed; empty where nothing is."""
    by_chance: bool
    turns: int

    @property
    def is_exact(self) -> bool:
        """Whether nothing but counting decides, or nothing at all."""
        return not self.fields and not self.by_chance

    def key(self, packet: Packet) -> tuple[int, ...]:
        """What the hash sees of a connection's first packet: connections with one key go one way."""
        return tuple(getattr(packet, name) for name in self.fields)

    def __str__(self) -> str:
        if self.by_chance:
            return "by chance"
        if self.fields:
            return f"by a hash of {', '.join(name.replace('_', ' ') for name in self.fields)}"
        return f"in turn, {self.turns} to a round" if self.turns > 1 else "by no choice"


def choosing_of(routers: Iterable[RouterEnd]) -> Choosing:
    """How these routers choose, all together."""
    fields: dict[str, None] = {}
    by_chance, turns = False, 1
    for router in routers:
        for number in _numbers(router):
            if isinstance(number, Hash):
                fields |= dict.fromkeys(number.fields)
            elif isinstance(number, RandomNumber):
                by_chance = True
            elif isinstance(number, Counter):
                turns = lcm(turns, number.modulus)
        if any(len(route.next_hops) > 1 for route in router.network.routes):
            l4 = router.network.multipath_policy == "l4"
            fields |= dict.fromkeys(_TRANSPORT_FIELDS if l4 else _NETWORK_FIELDS)
    return Choosing(tuple(fields), by_chance, turns)


def _numbers(router: RouterEnd) -> Iterator[Number]:
    if not isinstance(router.policy, Ruleset):
        return
    for chain in router.policy.chains:
        for rule in chain.rules:
            for clause in () if rule.disabled else rule.unmodelled:
                meaning = clause.meaning
                if isinstance(meaning, NumberIn):
                    yield meaning.number
                elif isinstance(meaning, SetMark) and isinstance(meaning.value, Numbered):
                    yield meaning.value.number
                elif isinstance(meaning, Translate) and meaning.number is not None:
                    yield meaning.number
