"""What a script does to new connections: shares, repeated packets, local traffic, by walking its rules.

The rows are read back by the strict readers and walked as in the proof of our
own scripts: for each set of headers that no rule tells apart, over a whole
cycle of the counters and over all values of the hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet
from compiler.balancing.lints.first_walk import FirstWalker
from compiler.balancing.lints.plain import plain_text
from compiler.balancing.lints.roles import Roles
from compiler.balancing.lints.rows import MANGLE, Reading, Row
from compiler.balancing.walking import Beyond, Memory, NeedHash, Passage, Walked, Walker
from compiler.dialects import read, read_network
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.network import Network, Prefix
from compiler.policy.ruleset import ChainKind, Hook, Rule, Ruleset
from compiler.policy.stateful import Hash, State, Translate

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["MULTICAST", "PRIVATE", "Behaviour", "Dealt"]

MULTICAST = Prefix(Family.IPV4, 0xE0000000, 3)
"""Multicast, what is reserved, and 255.255.255.255."""

PRIVATE = tuple(
    Prefix(Family.IPV4, value, length)
    for value, length in ((10 << 24, 8), (0xAC100000, 12), (0xC0A80000, 16), (0x64400000, 10))
)
"""RFC 1918, and the shared addresses of RFC 6598."""

_MARKING = {ChainKind.FILTER, ChainKind.ROUTE}
_MOST_TURNS = 5_000
_MOST_ATOMS = 256
_MOST_DRAWS = 4_096
Marks = tuple[str, str]
"""Connection mark and routing mark at the end of prerouting."""


@dataclass(slots=True)
class Dealt:
    """How new connections of one set of headers fare that come in by one interface."""

    ingress: str
    shares: dict[Marks, Fraction] = field(default_factory=dict)
    turns: list[str] = field(default_factory=list)
    """The connection marks of one cycle in order, where no hash decides."""
    remarked: Fraction = Fraction(0)
    """Of repeated first packets, how many change the connection's mark."""
    recounted: bool = False
    """Whether repeated first packets count again."""
    rows: list[Row] = field(default_factory=list)
    """The rows that counted or hashed."""
    atom: BDDFunction | None = None
    """The set of headers."""

    def marks(self) -> dict[str, Fraction]:
        """The part of each connection mark (of each routing mark where connections have none)."""
        found: dict[str, Fraction] = {}
        for (connection, routing), part in self.shares.items():
            found[connection or routing] = found.get(connection or routing, Fraction(0)) + part
        return found


class Behaviour:
    """The script at work. ``refused`` are rows that the readers cannot take, with their reasons."""

    def __init__(self, reading: Reading, roles: Roles) -> None:
        self.reading = reading
        self.roles = roles
        self.refused: list[tuple[Row, str]] = []
        self.why = ""
        """Why nothing can be said of marks, or ``""``."""
        self.network: Network | None = None
        self.text = ""
        """The rows as the readers take them: what can be played where the script itself cannot."""
        self._lines: dict[int, Row] = {}
        ruleset = self._read()
        self._walker: Walker | None = None
        self._translator: Walker | None = None
        self._cuts: list[BDDFunction] = []
        if ruleset is not None and self.network is not None:
            chains = tuple(chain for chain in ruleset.chains if chain.table == "ip mangle")
            own = frozenset(
                one.address for port in self.network.interfaces for one in port.addresses if one.family is Family.IPV4
            )
            self._walker = FirstWalker(replace(ruleset, chains=chains), own, packet_is_routing=False)
            self._cuts = list(dict.fromkeys(self._walker.cuts(_MARKING)))
            chains = tuple(chain for chain in ruleset.chains if chain.table == "ip nat")
            self._translator = FirstWalker(replace(ruleset, chains=chains), own, packet_is_routing=False)
        if any(row.path == MANGLE for row, _ in self.refused):
            self.why = "a marking rule cannot be read"
        self.known = self._walker is not None and not self.why

    def _read(self) -> Ruleset | None:
        text, self._lines = plain_text(self.reading, self.roles)
        lines = text.split("\n")
        for _ in range(8):
            bad: dict[int, str] = {}
            ruleset = None
            whole = "\n".join(lines)
            try:
                found = read(whole, "", dialect="routeros", unmodelled="simulate")
                ruleset = found if isinstance(found, Ruleset) else None
            except InputErrors as errors:
                bad |= {error.span.line: error.message for error in errors.errors}
            try:
                self.network = read_network(whole, "", dialect="routeros")
            except InputErrors as errors:
                bad |= {error.span.line: error.message for error in errors.errors}
            if not bad:
                self.text = whole
                return ruleset
            for number, message in bad.items():
                lines[number - 1] = ""
                if number in self._lines:
                    self.refused.append((self._lines[number], message))
        self.why = "the script cannot be read"
        return None

    # -- regions ------------------------------------------------------------------------------

    def to(self, destinations: Iterable[Prefix]) -> BDDFunction:
        """The packets to some networks."""
        assert self._walker is not None
        ranges = [(one.value, one.value | ((1 << (32 - one.length)) - 1)) for one in destinations]
        return self._walker.space.encode(Match(destination=AddressSet.of(32, ranges=ranges)))

    def from_networks(self, sources: Iterable[Prefix]) -> BDDFunction:
        """The packets from some networks; from anywhere where none is named."""
        assert self._walker is not None
        ranges = [(one.value, one.value | ((1 << (32 - one.length)) - 1)) for one in sources]
        anywhere = [(0, 0xFFFFFFFF)]
        return self._walker.space.encode(Match(source=AddressSet.of(32, ranges=ranges or anywhere)))

    def from_internet(self) -> BDDFunction:
        """The packets from public addresses: answers, as they come in by an uplink."""
        return ~self.from_networks([*self.local_networks(), *PRIVATE])

    def region_of(self, row: Row) -> BDDFunction:
        """The headers that a row asks for, whatever else it asks."""
        assert self._walker is not None
        space = self._walker.space
        region = space.encode(Match(destination=AddressSet.of(32, ranges=[])))
        for rule in self._walker.rules:
            if self.row_of(rule) is row:
                plain = rule.match._replace(ingress=None, egress=None, family=None, noninitial=None)
                region = region | space.encode(plain)
        return region

    def local_networks(self) -> list[Prefix]:
        """The networks of all interfaces, and what is never routed."""
        nets = [
            Prefix(Family.IPV4, one.address >> (32 - one.length) << (32 - one.length), one.length)
            for port in (self.network.interfaces if self.network else ())
            for one in port.addresses
            if one.family is Family.IPV4
        ]
        return [*dict.fromkeys(nets), MULTICAST, Prefix(Family.IPV4, 127 << 24, 8), Prefix(Family.IPV4, 0, 8)]

    def outside(self) -> BDDFunction:
        """The packets that are for the Internet."""
        return ~self.to(self.local_networks())

    def atoms(self, region: BDDFunction) -> list[BDDFunction]:
        """The region in sets of headers that no rule tells apart; of very many only the first."""
        found = [region] if region.satisfiable() else []
        for cut in self._cuts:
            found = atoms_by(found, cut)[:_MOST_ATOMS]
        return found

    # -- walking ------------------------------------------------------------------------------

    def walk(self, atom: BDDFunction, passage: Passage, hook: Hook = Hook.PREROUTING) -> list[Walked]:
        """All that may become of one packet, over all hashes, with fresh counters. Empty where it is not known."""
        found: list[Walked] = []
        for hashes, _ in self._hashes(lambda memory: found.append(self._step(hook, atom, passage, memory))):
            del hashes
        return found

    def translations(self, hook: Hook, region: BDDFunction, passage: Passage) -> Iterator[tuple[Row, Translate]]:
        """How new connections are translated, and by which rows; what cannot be known is left out."""
        found = [region] if self._translator is not None else []
        for cut in dict.fromkeys(self._translator.cuts({ChainKind.NAT}) if self._translator is not None else ()):
            found = atoms_by(found, cut)[:_MOST_ATOMS]
        for atom in found:
            try:
                assert self._translator is not None
                walked = self._translator.walk(hook, {ChainKind.NAT}, atom, passage, Memory())
            except (Beyond, NeedHash):
                continue
            row = self.row_of(walked.rule)
            if walked.translation is not None and row is not None:
                yield row, walked.translation

    def dealt(self, region: BDDFunction) -> Iterator[Dealt]:
        """How new connections from inside are dealt out, for each interface and each set of headers."""
        for atom in self.atoms(region):
            for name in self.roles.inside_names:
                deal = Dealt(name, atom=atom)
                try:
                    self._deal(atom, deal)
                except Beyond as error:
                    self.why = self.why or error.message
                    return
                yield deal

    def _deal(self, atom: BDDFunction, deal: Dealt) -> None:
        drew: dict[int, None] = {}

        def cycle(memory: Memory) -> None:
            shares: dict[Marks, int] = {}
            turns: list[str] = []
            remarked, recounted = 0, False
            for _ in range(_MOST_TURNS):
                start = Passage(deal.ingress, state=State.NEW, connection="", routing="")
                walked = self._step(Hook.PREROUTING, atom, start, memory)
                drew.update(dict.fromkeys(walked.drew))
                marks = str(walked.connection), str(walked.routing)
                shares[marks] = shares.get(marks, 0) + 1
                turns.append(marks[0])
                again = Memory(dict(memory.counters), memory.hashes)
                repeated = self._step(Hook.PREROUTING, atom, start._replace(connection=walked.connection), again)
                remarked += repeated.connection != walked.connection
                recounted = recounted or again.counters != memory.counters
                if not any(memory.counters.values()):
                    break
            total = len(turns)
            memo[id(memory)] = {marks: Fraction(count, total) for marks, count in shares.items()}
            last.append((turns, Fraction(remarked, total), recounted))

        memo: dict[int, dict[Marks, Fraction]] = {}
        last: list[tuple[list[str], Fraction, bool]] = []
        for hashes, weight in self._hashes(cycle):
            for marks, part in memo[hashes].items():
                deal.shares[marks] = deal.shares.get(marks, Fraction(0)) + part * weight
            turns, remarked, recounted = last[-1]
            deal.remarked += remarked * weight
            deal.recounted = deal.recounted or recounted
            deal.turns = turns if weight == 1 else []
        deal.rows = [row for number in drew if (row := self.row(number)) is not None]

    def _hashes(self, act: Callable[[Memory], object]) -> Iterator[tuple[int, Fraction]]:
        """Do ``act`` for all values of the hashes that it asks for; the memory's identity and its weight."""
        todo: list[tuple[dict[Hash, int], Fraction]] = [({}, Fraction(1))]
        steps = 0
        while todo and steps < _MOST_DRAWS:
            hashes, weight = todo.pop()
            steps += 1
            memory = Memory(hashes=hashes)
            try:
                act(memory)
            except NeedHash as need:
                part = weight / need.number.modulus
                if need.number.modulus <= 256:
                    todo += [({**hashes, need.number: value}, part) for value in range(need.number.modulus)]
                continue
            yield id(memory), weight

    def _step(self, hook: Hook, atom: BDDFunction, passage: Passage, memory: Memory) -> Walked:
        assert self._walker is not None
        return self._walker.walk(hook, _MARKING, atom, passage, memory)

    def row(self, number: int) -> Row | None:
        """The row of a rule that counted or hashed."""
        assert self._walker is not None
        return self.row_of(self._walker.rules[number])

    def row_of(self, rule: Rule | None) -> Row | None:
        """The row that a rule comes from."""
        return self._lines.get(rule.span.line) if rule is not None else None

    def counts(self, row: Row) -> bool:
        """Whether a row counts packets."""
        return bool(row["nth"])


def atoms_by(found: list[BDDFunction], cut: BDDFunction) -> list[BDDFunction]:
    """Each set in its parts inside and outside of ``cut``."""
    parts = [part for atom in found for part in (atom & cut, atom & ~cut)]
    return [part for part in parts if part.satisfiable()]
