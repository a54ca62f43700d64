"""What a ruleset, as it was read back, does to the marks of one packet.

Packets come as atoms: sets of headers that no rule tells apart, so that each
rule matches all of one or none. What is left is what a router remembers: the
connection's state and mark (given), counters (kept from packet to packet, one
for each rule), and hashes (given, so that a proof can go through all values).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from compiler.addresses import AddressSet
from compiler.errors import InputError
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.ruleset import Chain, ChainKind, Hook, Rule, Ruleset, Verdict
from compiler.policy.stateful import (
    AddressKind,
    AssignHelper,
    ClampSegment,
    Counter,
    Hash,
    LocalAddress,
    MarkIn,
    MarkNamed,
    Meaning,
    NumberIn,
    Register,
    SetMark,
    SkipFirewall,
    State,
    StateIn,
    Translate,
)
from compiler.symbolic.space import PacketSpace, space

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Beyond", "Memory", "NeedHash", "Passage", "Walked", "Walker"]

_DEEPEST = 20


class Beyond(InputError):
    """A rule asks or changes something that this proof knows nothing about."""


class NeedHash(Exception):
    """A hash whose value was not given."""

    def __init__(self, number: Hash) -> None:
        super().__init__(str(number))
        self.number = number


class Passage(NamedTuple):
    """A packet on its way: where it came in, where it leaves, its connection's state and marks."""

    ingress: str = ""
    egress: str = ""
    state: State = State.NEW
    connection: int | str = 0
    routing: int | str = 0


@dataclass(slots=True)
class Memory:
    """What lasts from packet to packet."""

    counters: dict[int, int] = field(default_factory=dict)
    """By the rule's number: packets counted, under its modulus."""
    hashes: Mapping[Hash, int] = field(default_factory=dict)


class Walked(NamedTuple):
    """What became of the packet: its marks, the end's verdict, the translation, the rules that counted or hashed."""

    connection: int | str
    routing: int | str
    verdict: Verdict
    translation: Translate | None
    skips: bool
    """Whether later packets of the connection would pass all rules by."""
    drew: tuple[int, ...]
    rule: Rule | None
    """The rule that changed a mark last."""


class _Walk:
    def __init__(self, passage: Passage) -> None:
        self.marks = {Register.CONNECTION: passage.connection, Register.ROUTING: passage.routing}
        self.translation: Translate | None = None
        self.skips = False
        self.drew: list[int] = []
        self.rule: Rule | None = None


class Walker:
    """Walks the chains of a ruleset. ``packet_is_routing``: Linux looks tables up by the packet's own mark."""

    def __init__(self, ruleset: Ruleset, own: frozenset[int], *, packet_is_routing: bool) -> None:
        self.space: PacketSpace = space(Family.IPV4)
        self._chains = {chain.key: chain for chain in ruleset.chains}
        self._linux = packet_is_routing
        self._local = self.space.encode(Match(destination=AddressSet.of(32, ranges=[(one, one) for one in own])))
        loopback = self.space.encode(Match(destination=AddressSet.of(32, ranges=[(127 << 24, (128 << 24) - 1)])))
        self._local = self._local | loopback
        self._numbers: dict[int, int] = {}
        self._sets: dict[Match, BDDFunction] = {}
        self._atom: BDDFunction | None = None
        self._hits: dict[Match, bool] = {}
        for chain in ruleset.chains:
            for rule in chain.rules:
                self._numbers[id(rule)] = len(self._numbers)
        self.rules = tuple(rule for chain in ruleset.chains for rule in chain.rules)

    def cuts(self, kinds: set[ChainKind]) -> Iterator[BDDFunction]:
        """The sets of headers that rules of these kinds tell apart, and of chains that any may call."""
        yield self._local
        for chain in self._chains.values():
            if chain.kind in kinds or chain.hook is None:
                for rule in chain.rules:
                    yield self._headers(rule.match)

    def walk(self, hook: Hook, kinds: set[ChainKind], atom: BDDFunction, passage: Passage, memory: Memory) -> Walked:
        """The packet through the base chains of a hook, of these kinds. Raises NeedHash and Beyond."""
        walk = _Walk(passage)
        bases = [chain for chain in self._chains.values() if chain.hook is hook and chain.kind in kinds]
        verdict = Verdict.ACCEPT
        for chain in sorted(bases, key=lambda one: one.priority):
            found = self._chain(chain, atom, passage, memory, walk, 0)
            verdict = chain.policy if found in (None, Verdict.RETURN) else found
            if verdict in (Verdict.DROP, Verdict.REJECT):
                break
        marks = walk.marks
        return Walked(
            marks[Register.CONNECTION],
            marks[Register.ROUTING],
            verdict,
            walk.translation,
            walk.skips,
            tuple(walk.drew),
            walk.rule,
        )

    def _chain(
        self, chain: Chain, atom: BDDFunction, passage: Passage, memory: Memory, walk: _Walk, depth: int
    ) -> Verdict | None:
        if depth > _DEEPEST:
            raise Beyond("chains that call each other for ever", chain.span)
        for rule in chain.rules:
            if rule.disabled or not self._matches(rule.match, atom, passage):
                continue
            if not all(self._holds(rule, part.meaning, atom, passage, memory, walk) for part in rule.unmodelled):
                continue
            if rule.verdict in (Verdict.JUMP, Verdict.GOTO):
                target = self._chains[chain.table, rule.target]
                found = self._chain(target, atom, passage, memory, walk, depth + 1)
                if found not in (None, Verdict.RETURN):
                    return found
                if rule.verdict is Verdict.GOTO:
                    return None
            elif rule.verdict is not Verdict.CONTINUE:
                return rule.verdict
        return None

    def _headers(self, match: Match) -> BDDFunction:
        plain = match._replace(ingress=None, egress=None, family=None, noninitial=None)
        found = self._sets.get(plain)
        if found is None:
            found = self._sets[plain] = self.space.encode(plain)
        return found

    def _matches(self, match: Match, atom: BDDFunction, passage: Passage) -> bool:
        if match.family is Family.IPV6 or match.noninitial:
            return False
        if match.ingress is not None and not match.ingress.contains(passage.ingress):
            return False
        if match.egress is not None and not match.egress.contains(passage.egress):
            return False
        if atom is not self._atom:  # one atom is walked many times, by all ways and in all states
            self._atom, self._hits = atom, {}
        found = self._hits.get(match)
        if found is None:
            found = self._hits[match] = bool((atom & self._headers(match)).satisfiable())
        return found

    def _holds(
        self, rule: Rule, meaning: Meaning | None, atom: BDDFunction, passage: Passage, memory: Memory, walk: _Walk
    ) -> bool:
        """Whether a condition holds; an effect is carried out."""
        if isinstance(meaning, StateIn):
            return passage.state in meaning.states
        if isinstance(meaning, MarkNamed):
            return (walk.marks[self._register(meaning.register, rule)] == meaning.name) != meaning.negated
        if isinstance(meaning, MarkIn):
            mark = walk.marks[self._register(meaning.register, rule)]
            return isinstance(mark, int) and meaning.values.contains(mark & meaning.mask)
        if isinstance(meaning, LocalAddress) and meaning.field == "destination":
            if meaning.kinds != {AddressKind.LOCAL}:
                raise Beyond("address types other than local", rule.span)
            return bool((atom & self._local).satisfiable()) != meaning.negated
        if isinstance(meaning, NumberIn):
            return self._number(rule, meaning, memory, walk)
        return self._effect(rule, meaning, walk)

    def _number(self, rule: Rule, asked: NumberIn, memory: Memory, walk: _Walk) -> bool:
        number, key = asked.number, self._numbers[id(rule)]
        walk.drew.append(key)
        if isinstance(number, Counter):
            count = memory.counters.get(key, 0)
            memory.counters[key] = (count + 1) % number.modulus
            return asked.values.contains(count + number.offset)
        if isinstance(number, Hash):
            if number not in memory.hashes:
                raise NeedHash(number)
            return asked.values.contains(memory.hashes[number] + number.offset)
        raise Beyond("chance", rule.span)

    def _effect(self, rule: Rule, meaning: Meaning | None, walk: _Walk) -> bool:
        if isinstance(meaning, SetMark):
            register = self._register(meaning.register, rule)
            old = walk.marks[register]
            if isinstance(meaning.value, str):
                walk.marks[register] = meaning.value
            elif isinstance(meaning.value, int) and isinstance(old, int):
                walk.marks[register] = (old & ~meaning.mask) ^ meaning.value
            else:
                raise Beyond("a mark that is computed", rule.span)
            walk.rule = rule
        elif isinstance(meaning, Translate):
            walk.translation = meaning
        elif isinstance(meaning, AssignHelper | ClampSegment):
            pass  # it watches the connection for others, or changes a size: neither marks nor the way of this packet
        elif isinstance(meaning, SkipFirewall):
            walk.skips = True
        else:
            raise Beyond(f"{type(meaning).__name__} is not known to this proof", rule.span)
        return True

    def _register(self, register: Register, rule: Rule) -> Register:
        if register is Register.PACKET:
            if not self._linux:
                raise Beyond("packet marks of RouterOS", rule.span)
            return Register.ROUTING
        return register
