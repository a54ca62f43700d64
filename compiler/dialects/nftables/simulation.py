"""The chains of all tables, read for the simulator: of every type, with every clause's meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.bodies import Body
from compiler.dialects.nftables.fragments import join_fragment_rules
from compiler.dialects.nftables.reassembly import unclear_chains
from compiler.dialects.nftables.rules import RuleReader
from compiler.dialects.nftables.simulated_rules import SimulatedRuleReader
from compiler.dialects.nftables.state import ChainState, TableState
from compiler.errors import SyntaxFault, Unmodelled
from compiler.policy.ruleset import Chain, ChainKind, Hook, Rule, Verdict
from compiler.policy.stateful import ClampSegment, Translate, Translation

__all__ = ["SimulatedBody"]

_CONNTRACK = -200
"""NF_IP_PRI_CONNTRACK: what translates must come after (nft_chain_parse_hook)."""
_INTO = frozenset({Hook.PREROUTING, Hook.OUTPUT})
_TRANSLATED_AT = {
    Translation.SOURCE: frozenset({Hook.POSTROUTING, Hook.INPUT}),
    Translation.NETMAP_SOURCE: frozenset({Hook.POSTROUTING, Hook.INPUT}),
    Translation.DESTINATION: _INTO,
    Translation.NETMAP_DESTINATION: _INTO,
    Translation.REDIRECT: _INTO,
    Translation.MASQUERADE: frozenset({Hook.POSTROUTING}),
}
"""nft_nat_validate, nft_masq_validate, nft_redir_validate."""
_ROUTED = frozenset({Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING})
"""Where the route's MTU is known (nft_rt_validate)."""


class SimulatedBody(Body):
    """Reads the rules of all tables for the simulator."""

    def chains(self) -> tuple[Chain, ...]:
        """Every chain of IP; chains that rules got of their own stand behind the others of their table."""
        self.cursor.settle()
        self.names = count()
        read: list[tuple[TableState, ChainState, tuple[Rule, ...]]] = []
        for table in self.state.tables.values():
            if table.is_foreign:
                self._refuse_foreign(table)
                continue
            if table.tracks:
                self.tracked |= facts.FAMILIES[table.family]
            made: list[ChainState] = []
            waiting = list(table.chains.values())
            for chain in waiting:
                rules, anonymous, more = self._rules_of(table, chain)
                waiting += anonymous
                made += [state for state, _ in more]
                names = {one.name for one in (*waiting, *made)}
                for some in (rules, *(inside for _, inside in more)):
                    self._check_targets(table, some, names)
                if not table.dormant:
                    read += [(table, chain, rules), *((table, *one) for one in more)]
        chains = tuple(sorted((self._chain(*one) for one in read), key=lambda chain: chain.name.startswith("__rule")))
        for one, why in unclear_chains(chains, self.tracked):
            self._complain(Unmodelled, f"whether chain {one.name} meets fragments or whole packets: {why}", one)
        self._check(chains)
        return chains

    def _reader(self, table: TableState, *, translate: bool) -> RuleReader:
        return self._simulated_reader(table)

    def _simulated_reader(self, table: TableState) -> SimulatedRuleReader:
        families = facts.FAMILIES[table.family]
        family = next(iter(families)) if len(families) == 1 else None
        return SimulatedRuleReader(self.cursor, family, table, self.names)

    def _rules_of(
        self, table: TableState, chain: ChainState
    ) -> tuple[tuple[Rule, ...], list[ChainState], list[tuple[ChainState, tuple[Rule, ...]]]]:
        """The rules, the chains without a name that they jump to, and those that they got of their own."""
        reader = self._simulated_reader(table)
        read = []
        for start in chain.rules:
            one = self._read(reader, start)
            if one is not None:
                self.tracked |= one.tracks
                read.append(one)
        anonymous = [ChainState(name, "", rules=starts, span=chain.span) for name, starts in reader.anonymous]
        more = [(ChainState(name, span=rules[0].span if rules else chain.span), rules) for name, rules in reader.chains]
        if any(one.fragment_header for one in read):
            return join_fragment_rules(self.cursor, read, self.errors), anonymous, more
        return tuple(rule for one in read for rule in one.rules), anonymous, more

    def _chain(self, table: TableState, chain: ChainState, rules: tuple[Rule, ...]) -> Chain:
        return replace(super()._chain(table, chain, rules), kind=ChainKind(chain.kind or "filter"))

    # -- what the kernel would refuse ---------------------------------------------------

    def _check(self, chains: tuple[Chain, ...]) -> None:
        by_key = {chain.key: chain for chain in chains}
        told: set[tuple[str, object]] = set()
        for chain in chains:
            if _calls_itself(chain, by_key):
                self._complain(SyntaxFault, f"chain {chain.name} comes back to itself: the kernel refuses it", chain)
        for base in chains:
            if base.hook is None:
                continue
            message = _wrong_base(base)
            if message:
                self._complain(SyntaxFault, message, base)
            for rule in _reached(base, by_key):
                message = _wrong_rule(rule, base)
                if message and (message, rule.span) not in told:
                    told.add((message, rule.span))
                    self._complain(SyntaxFault, message, rule)

    def _complain(self, kind: type[SyntaxFault | Unmodelled], message: str, where: Chain | Rule) -> None:
        self.errors.append(kind(message, where.span, self.cursor.line_of(where.span)))


def _wrong_base(base: Chain) -> str:
    if base.kind is ChainKind.NAT and base.hook is Hook.FORWARD:
        return "a chain of type nat at the hook forward: the kernel refuses it"
    if base.kind is ChainKind.NAT and base.priority <= _CONNTRACK:
        return f"a chain of type nat with a priority not above {_CONNTRACK}: the kernel refuses it"
    if base.kind is ChainKind.ROUTE and base.hook is not Hook.OUTPUT:
        return "a chain of type route at another hook than output: the kernel refuses it"
    return ""


def _calls_itself(start: Chain, chains: dict[tuple[str, str], Chain]) -> bool:
    """Whether a chain of the text comes to itself by jumps; those that the reader made are told with it."""
    return not start.name.startswith("__rule") and any(
        rule.target == start.name and rule.verdict in (Verdict.JUMP, Verdict.GOTO) for rule in _reached(start, chains)
    )


def _reached(base: Chain, chains: dict[tuple[str, str], Chain]) -> Iterator[Rule]:
    """The rules of the chain and of all that it calls."""
    waiting, seen = [base], {base.key}
    while waiting:
        chain = waiting.pop()
        for rule in chain.rules:
            yield rule
            target = chains.get((chain.table, rule.target)) if rule.verdict in (Verdict.JUMP, Verdict.GOTO) else None
            if target is not None and target.key not in seen:
                seen.add(target.key)
                waiting.append(target)


def _wrong_rule(rule: Rule, base: Chain) -> str:
    for clause in rule.unmodelled:
        meaning = clause.meaning
        if isinstance(meaning, Translate):
            if base.kind is not ChainKind.NAT:
                return f"a translation that chain {base.name}, which is not of type nat, comes to"
            if base.hook not in _TRANSLATED_AT[meaning.kind]:
                return f"{meaning.kind.value} at the hook {base.hook.value if base.hook else ''}: the kernel refuses it"
        if isinstance(meaning, ClampSegment) and meaning.size is None and base.hook not in _ROUTED:
            return "the MTU of a route before there is one: the kernel refuses it"
    return ""
