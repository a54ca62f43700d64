"""The rules of all tables, once the commands are done: chains that filter, and what other chains do."""

from __future__ import annotations

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.fragments import join_fragment_rules
from compiler.dialects.nftables.reassembly import always_whole, unclear_chains
from compiler.dialects.nftables.rules import ReadRule, RuleReader
from compiler.dialects.nftables.state import ChainState, State, TableState
from compiler.dialects.nftables.tokens import Cursor
from compiler.errors import InputError, SyntaxFault, Unmodelled
from compiler.fields import Family
from compiler.policy.access_list import Clause
from compiler.policy.ruleset import Chain, Rule, Verdict

__all__ = ["Body"]


class Body:
    """Reads the rules of all tables, once the commands are done."""

    def __init__(self, cursor: Cursor, state: State, errors: list[InputError], *, keep: bool) -> None:
        self.cursor = cursor
        self.state = state
        self.errors = errors
        self.keep = keep
        self.features: list[Clause] = []
        self.tracked: set[Family] = set()

    def chains(self) -> tuple[Chain, ...]:
        """The filter chains; what other chains do is noted as features."""
        self.cursor.settle()
        found: list[tuple[TableState, ChainState, tuple[Rule, ...]]] = []
        for table in self.state.tables.values():
            if table.is_foreign:
                self._refuse_foreign(table)
                continue
            if table.tracks:
                self.tracked |= facts.FAMILIES[table.family]
            apart = self._not_filtering(table)
            waiting = list(table.chains.values())
            for chain in waiting:  # grows by the chains without a name that rules jump to
                feature = chain.name in apart or chain.kind == "apart"
                rules, anonymous = self._rules(table, chain, feature=feature)
                waiting += anonymous
                self._check_targets(table, rules, {one.name for one in waiting})
                if not feature and not table.dormant:
                    found.append((table, chain, rules))
        chains = tuple(self._chain(*one) for one in found)
        for one, why in unclear_chains(chains, self.tracked):
            message = f"whether chain {one.name} meets fragments or whole packets: {why}"
            self.errors.append(Unmodelled(message, one.span, self.cursor.line_of(one.span)))
        return chains

    def check_discarded(self) -> None:
        """Rules that a later command removed must be well formed too."""
        for table, start in self.state.discarded:
            if not table.is_foreign:
                self._read(self._reader(table, translate=True), start)

    def _refuse_foreign(self, table: TableState) -> None:
        for chain in table.chains.values():
            if chain.rules or chain.policy is Verdict.DROP:
                message = f"the table {table.family} {table.name}: only ip, ip6 and inet are modelled"
                span = table.span
                self.errors.append(Unmodelled(message, span, self.cursor.line_of(span)))
                return

    def _check_targets(self, table: TableState, rules: tuple[Rule, ...], names: set[str]) -> None:
        for rule in rules:
            if rule.target and rule.target not in names:
                message = f"table {table.family} {table.name} has no chain {rule.target!r}"
                self.errors.append(SyntaxFault(message, rule.span, self.cursor.line_of(rule.span)))

    # -- chains of other types -------------------------------------------------------

    def _not_filtering(self, table: TableState) -> frozenset[str]:
        """Chains of type nat or route, and those that only they call."""
        apart = {chain.name for chain in table.chains.values() if chain.kind in ("nat", "route")}
        if not apart:
            return frozenset()
        filtering = self._called(table, {chain.name for chain in table.chains.values() if chain.kind == "filter"})
        return frozenset(apart | (self._called(table, apart) - filtering))

    def _called(self, table: TableState, names: set[str]) -> set[str]:
        words = self.cursor.words
        waiting, found = list(names), set(names)
        while waiting:
            chain = table.chains.get(waiting.pop())
            for start in chain.rules if chain else ():
                index = self.cursor.moved(start)
                while words[index] not in ("\n", ";", ""):
                    if words[index] in ("jump", "goto") and words[index + 1] not in found:
                        found.add(words[index + 1])
                        waiting.append(words[index + 1])
                    index += 1
        return found

    # -- rules ------------------------------------------------------------------------

    def _reader(self, table: TableState, *, translate: bool) -> RuleReader:
        families = facts.FAMILIES[table.family]
        family = next(iter(families)) if len(families) == 1 else None
        keep = self.keep or translate
        return RuleReader(self.cursor, family, table.sets, keep=keep, translate=translate)

    def _read(self, reader: RuleReader, start: int) -> ReadRule | None:
        try:
            return reader.read(start)
        except InputError as error:
            self.errors.append(error)
            return None

    def _rules(
        self, table: TableState, chain: ChainState, *, feature: bool
    ) -> tuple[tuple[Rule, ...], list[ChainState]]:
        """The rules of a chain, and the chains without a name that they jump to."""
        reader = self._reader(table, translate=feature)
        read = []
        special = False
        for start in chain.rules:
            one = self._read(reader, start)
            if one is None:
                continue
            self.tracked |= one.tracks
            special = special or bool(one.fragment_header)
            read.append(one)
        anonymous = [
            ChainState(name, "apart" if feature else "", rules=starts, span=chain.span)
            for name, starts in reader.anonymous
        ]
        if feature:
            self._note(table, chain, read)
            return (), anonymous
        if special:
            return join_fragment_rules(self.cursor, read, self.errors), anonymous
        return tuple(rule for one in read for rule in one.rules), anonymous

    def _note(self, table: TableState, chain: ChainState, read: list[ReadRule]) -> None:
        """The rules of a nat or route chain: proofs list them as assumptions."""
        if chain.policy is Verdict.DROP:
            self._refuse(f"a {chain.kind} chain with policy drop", chain)
        for one in read:
            if any(rule.verdict in (Verdict.DROP, Verdict.REJECT) for rule in one.rules):
                self._refuse("a rule that drops outside of filter chains", chain, one)
            span = one.span
            text = self.cursor.line_of(span)[span.column - 1 : span.end - 1]
            self.features.append(Clause(f"{table.family} {table.name} {chain.name}: {text}", span))

    def _refuse(self, message: str, chain: ChainState, rule: ReadRule | None = None) -> None:
        span = rule.span if rule else chain.span
        self.errors.append(Unmodelled(message, span, self.cursor.line_of(span)))

    def _chain(self, table: TableState, chain: ChainState, rules: tuple[Rule, ...]) -> Chain:
        families = facts.FAMILIES[table.family]
        return Chain(
            f"{table.family} {table.name}",
            chain.name,
            rules,
            families,
            chain.hook,
            chain.priority,
            chain.policy,
            always_whole(chain.hook, chain.priority, families, self.tracked),
            chain.comment,
            chain.span,
        )
