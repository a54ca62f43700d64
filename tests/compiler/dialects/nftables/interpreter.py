"""A small interpreter of rules read for the simulator: numbers in turn, packet marks, changed fields.

It is written from the contract of ``compiler.policy.stateful`` (the match first,
then the clauses in order) and knows nothing of the reader.
"""

from __future__ import annotations

from compiler.policy.packet import Packet, matches
from compiler.policy.ruleset import Chain, Rule, Ruleset, Verdict
from compiler.policy.stateful import (
    ChangeField,
    Counter,
    MarkIn,
    Meaning,
    Numbered,
    NumberIn,
    Register,
    SetMark,
)


class Interpreter:
    """The rules as the simulator's contract has them: the match first, then the clauses in order."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.chains = {chain.name: chain for chain in ruleset.chains}
        self.counters: dict[tuple[str, int, int], int] = {}

    def passes(self, packet: Packet) -> bool:
        self.packet, self.mark = packet, 0
        return self.chain(self.chains["f"]) is not False

    def chain(self, chain: Chain) -> bool | None:
        for place, rule in enumerate(chain.rules):
            if not matches(rule.match, self.packet) or not self.clauses(chain, place, rule):
                continue
            if rule.verdict in (Verdict.ACCEPT, Verdict.DROP):
                return rule.verdict is Verdict.ACCEPT
            if rule.verdict is Verdict.RETURN:
                return None
            if rule.verdict in (Verdict.JUMP, Verdict.GOTO):
                found = self.chain(self.chains[rule.target])
                if found is not None or rule.verdict is Verdict.GOTO:
                    return found
        return None

    def clauses(self, chain: Chain, place: int, rule: Rule) -> bool:
        return all(
            self.holds(clause.meaning, (chain.name, place, number)) for number, clause in enumerate(rule.unmodelled)
        )

    def holds(self, meaning: Meaning | None, where: tuple[str, int, int]) -> bool:
        if isinstance(meaning, NumberIn):
            return meaning.values.contains(self.drawn(meaning.number, where))
        if isinstance(meaning, MarkIn):
            assert meaning.register is Register.PACKET
            return meaning.values.contains(self.mark & meaning.mask)
        if isinstance(meaning, ChangeField):
            octet = self.packet.traffic_class & ~meaning.mask | meaning.value
            self.packet = self.packet._replace(traffic_class=octet)
            return True
        assert isinstance(meaning, SetMark)
        value = meaning.value
        if isinstance(value, Numbered):
            number = self.drawn(value.number, where)
            if value.table:
                found = [to for numbers, to in value.table if numbers.contains(number)]
                if not found:
                    return False
                number = found[0]
            value = number
        assert isinstance(value, int)
        self.mark = (self.mark & ~meaning.mask) ^ value
        return True

    def drawn(self, number: object, where: tuple[str, int, int]) -> int:
        assert isinstance(number, Counter)
        now = self.counters.get(where, 0)
        self.counters[where] = now + 1
        return now % number.modulus + number.offset
