"""Chains, run: rules in order, jumps and returns, with each rule's memory of its own.

Which rules of a chain match a packet's header is worked out once for each
header and remembered; conditions on state are asked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from compiler.errors import InputErrors, Unmodelled, UsageError
from compiler.policy.match import ANY, Match
from compiler.policy.ruleset import Chain, Rule, Ruleset, Verdict
from compiler.policy.stateful import (
    AddToSet,
    AssignHelper,
    ChangeField,
    ClampSegment,
    SetMark,
    SkipFirewall,
    Translate,
    Untrack,
)
from compiler.simulator.frame import Datagram
from compiler.simulator.router.conditions import Test, condition
from compiler.simulator.router.effects import effect
from compiler.simulator.router.matching import Moment, Predicate, predicate
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.transit import Transit
from compiler.source import Span

__all__ = ["Chains", "Decision", "Notice"]

_MOST_REMEMBERED = 1 << 16
_EFFECTS = (SetMark, Untrack, SkipFirewall, ChangeField, ClampSegment, AddToSet, AssignHelper)
_NEVER: Moment = (0, 0)

Notice = Callable[[Transit, str, Rule, str | None], None]
"""For traces: the packet, the chain's name, a rule that it meets, and why that does not match: ``""`` when it does,
None when the header is the reason."""


class Decision(NamedTuple):
    """What a chain said, and the rule that said it; no rule where the policy did."""

    verdict: Verdict
    rule: Rule | None


class _Compiled:
    """A rule with its tests ready."""

    __slots__ = ("clauses", "is_last", "matches", "packets", "rule", "target", "texts", "translate", "verdict")

    def __init__(self, rule: Rule, matches: Predicate, clauses: tuple[Test, ...], translate: Translate | None) -> None:
        self.rule = rule
        self.matches = matches
        self.clauses = clauses
        self.texts = tuple(clause.text for clause in rule.unmodelled if not isinstance(clause.meaning, Translate))
        """The words of each clause."""
        self.translate = translate
        self.verdict = rule.verdict
        self.target: _CompiledChain | None = None
        self.packets = 0
        ends = rule.verdict not in (Verdict.CONTINUE, Verdict.JUMP)
        self.is_last = ends and not clauses
        """Whether no rule behind it is ever asked about a packet that it matches."""


class _CompiledChain:
    """A chain with what it remembers of headers."""

    __slots__ = ("chain", "everything", "key", "known", "reads_moment", "rewrites", "rules")

    def __init__(self, chain: Chain, rules: tuple[_Compiled, ...]) -> None:
        self.chain = chain
        self.rules = rules
        self.known: dict[object, tuple[_Compiled, ...]] = {}
        matches = [rule.rule.match for rule in rules]
        self.reads_moment = any(one.week_minute is not None or one.date_minute is not None for one in matches)
        self.rewrites = any(
            isinstance(clause.meaning, ChangeField) for rule in rules for clause in rule.rule.unmodelled
        )
        self.key = _key(matches)
        self.everything = rules if all(match == ANY for match in matches) else None
        """All rules, where none looks at the header."""


_KEY_FIELDS = (
    "family",
    "source",
    "destination",
    "protocol",
    "source_port",
    "destination_port",
    "tcp_flags",
    "icmp_type",
    "icmp_code",
    "traffic_class",
    "ttl",
)


def _key(matches: list[Match]) -> Callable[[Datagram], object] | None:
    """What of a header the chain can tell apart; None where it looks at none."""
    used = [name for name in _KEY_FIELDS if any(getattr(match, name) is not None for match in matches)]
    if ("source" in used or "destination" in used) and "family" not in used:
        used.append("family")
    return attrgetter(*used) if used else None


class Chains:
    """All chains of a ruleset, ready to run."""

    def __init__(self, ruleset: Ruleset, memory: Memory, mtu: Callable[[str], int]) -> None:
        self._memory = memory
        self._reads_payload = ruleset.dialect == "nftables"
        self._mtu = mtu
        self.notice: Notice | None = None
        self.translate: Callable[[Transit, Translate], bool] = _cannot_translate
        errors: list[Unmodelled] = []
        self._chains = {chain.key: self._compile(chain, errors) for chain in ruleset.chains}
        if errors:
            raise InputErrors(tuple(errors))
        for (table, _), compiled in self._chains.items():
            for rule in compiled.rules:
                if rule.rule.target:
                    rule.target = self._chains.get((table, rule.rule.target))
                    if rule.target is None:
                        raise UsageError(
                            f"{rule.rule.span}: a jump to chain {rule.rule.target!r}, which does not exist"
                        )
        self._spread_rewriting()

    def _spread_rewriting(self) -> None:
        """A chain that calls one which changes the header changes it, too."""
        changed = True
        while changed:
            changed = False
            for chain in self._chains.values():
                calls = any(rule.target is not None and rule.target.rewrites for rule in chain.rules)
                if calls and not chain.rewrites:
                    chain.rewrites = changed = True

    def _compile(self, chain: Chain, errors: list[Unmodelled]) -> _CompiledChain:
        rules = []
        for rule in chain.rules:
            if rule.disabled:
                continue
            clauses: list[Test] = []
            translate = None
            for clause in rule.unmodelled:
                meaning = clause.meaning
                if meaning is None:
                    errors.append(Unmodelled(f"{clause.text!r} is not simulated", clause.span))
                elif isinstance(meaning, Translate):
                    translate = meaning
                elif isinstance(meaning, _EFFECTS):
                    clauses.append(effect(meaning, self._memory, self._mtu))
                else:
                    clauses.append(condition(meaning, self._memory))  # type: ignore[arg-type]  # IOS's are not in chains
            matches = predicate(rule.match, reads_payload=self._reads_payload)
            rules.append(_Compiled(rule, matches, tuple(clauses), translate))
        return _CompiledChain(chain, tuple(rules))

    def compiled(self, chain: Chain) -> _CompiledChain:
        """The chain, ready for :meth:`decide`."""
        return self._chains[chain.key]

    def run(self, chain: Chain, transit: Transit) -> Decision:
        """What a base chain says of the packet."""
        rule = self.decide(self._chains[chain.key], transit)
        if rule is None:
            return Decision(chain.policy, None)
        return Decision(rule.verdict, rule.rule)

    def counts(self) -> list[tuple[Span, int]]:
        """The place of each rule, and how many packets it has matched so far."""
        return [(rule.rule.span, rule.packets) for chain in self._chains.values() for rule in chain.rules]

    def decide(  # noqa: PLR0912  # the innermost loop: calls would cost more than branches
        self, chain: _CompiledChain, transit: Transit
    ) -> _Compiled | None:
        """The rule that decides, or None when the packet comes back or falls through."""
        notice = self.notice
        if chain.rewrites or notice is not None:
            candidates: Iterable[_Compiled] = self._one_by_one(chain, transit)
        else:
            candidates = self._candidates(chain, transit)
        for rule in candidates:
            for clause in rule.clauses:
                if not clause(transit):
                    break
            else:
                rule.packets += 1
                if notice is not None:
                    notice(transit, chain.chain.name, rule.rule, "")
                verdict = rule.verdict
                if rule.translate is not None and not self.translate(transit, rule.translate):
                    return _DROPPING
                if verdict is Verdict.CONTINUE:
                    continue
                if verdict is Verdict.RETURN:
                    return None
                if rule.target is None:
                    return rule
                decided = self.decide(rule.target, transit)
                if decided is not None or verdict is Verdict.GOTO:
                    return decided
                continue
            if notice is not None:
                notice(transit, chain.chain.name, rule.rule, rule.texts[rule.clauses.index(clause)])
        return None

    def _candidates(self, chain: _CompiledChain, transit: Transit) -> tuple[_Compiled, ...]:
        """The rules whose header conditions hold, up to the first that certainly ends the chain."""
        if chain.everything is not None:
            return chain.everything
        datagram = transit.datagram
        if datagram.fragment_offset:
            return self._matching(chain, self._header(datagram), transit)
        header = chain.key(datagram) if chain.key is not None else None
        moment = self._memory.moment() if chain.reads_moment else None
        key = (header, transit.ingress, transit.egress, moment)
        known = chain.known.get(key)
        if known is None:
            if len(chain.known) >= _MOST_REMEMBERED:
                chain.known.clear()
            known = chain.known[key] = self._matching(chain, datagram, transit)
        return known

    def _one_by_one(self, chain: _CompiledChain, transit: Transit) -> Iterator[_Compiled]:
        """The same, asked as each rule's turn comes: an earlier one may have changed the header."""
        now = self._memory.moment()
        for rule in chain.rules:
            if rule.matches(self._header(transit.datagram), transit.ingress, transit.egress, now):
                yield rule
            elif self.notice is not None:
                self.notice(transit, chain.chain.name, rule.rule, None)

    def _header(self, datagram: Datagram) -> Datagram:
        """What rules take for the header: nft reads a later fragment's first octets as if they were one."""
        return with_payload_fields(datagram) if self._reads_payload and datagram.fragment_offset else datagram

    def _matching(self, chain: _CompiledChain, datagram: Datagram, transit: Transit) -> tuple[_Compiled, ...]:
        now = self._memory.moment() if chain.reads_moment else _NEVER
        ingress, egress = transit.ingress, transit.egress
        found = []
        for rule in chain.rules:
            if rule.matches(datagram, ingress, egress, now):
                found.append(rule)
                if rule.is_last:
                    break
        return tuple(found)


_DROPPING = _Compiled(
    Rule(verdict=Verdict.DROP, comment="no free tuple for the translation"), predicate(Match()), (), None
)


def _cannot_translate(_transit: Transit, _translate: Translate) -> bool:
    return True


def with_payload_fields(datagram: Datagram) -> Datagram:
    """A later fragment with its first octets in the layer-4 fields, as the kernel's payload expressions see it."""
    seen = datagram.copy()
    octets = (datagram.fragment or b"").ljust(16, b"\0")
    seen.source_port = int.from_bytes(octets[:2], "big")
    seen.destination_port = int.from_bytes(octets[2:4], "big")
    seen.tcp_flags = octets[13]
    seen.icmp_type, seen.icmp_code = octets[0], octets[1]
    return seen
