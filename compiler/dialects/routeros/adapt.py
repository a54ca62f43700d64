"""A neutral ruleset -> one in which every rule is one RouterOS rule.

What a rule of RouterOS cannot hold is split into several rules, moved to an
address list, or refused with the reason. RouterOS 6 and 7 say these rules in
the same words; only paths, which the writer puts in the form that both read,
and menus outside this tree differ.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from compiler.dialects.routeros.facts import ANSWERS, BASE_CHAINS, RULE_MENUS
from compiler.dialects.routeros.naming import AddressListBook
from compiler.dialects.routeros.pieces import Arrival, Place, rest_pieces
from compiler.errors import CannotSay, Refusal, UsageError
from compiler.fields import Family
from compiler.lowering.bounding import Unsayable, bounded
from compiler.lowering.options import Fragments, Options
from compiler.policy.access_list import Clause
from compiler.policy.match import ANY, Match
from compiler.policy.ruleset import Chain, Rule, Ruleset, Verdict

__all__ = ["adapt"]

_TABLES = {table: (path[2], family) for path, (table, family) in RULE_MENUS.items()}
_JUMPS = (Verdict.JUMP, Verdict.GOTO)
DENIED = "icmp-admin-prohibited"
"""What IOS answers: ICMP 3/13, ICMPv6 1/1."""


def adapt(ruleset: Ruleset, options: Options) -> tuple[Ruleset, tuple[Refusal, ...]]:
    """The ruleset in RouterOS's own rules, and what could not be said.

    With ``options.bound`` the result is narrower where something could not be
    said; without, it lacks those rules and must not be used when there are
    refusals. Raises CannotSay for jumps that cannot be said: they have no bound.
    """
    book = AddressListBook(options.address_limit)
    refusals: list[Refusal] = []
    chains = []
    uncalled = _uncalled(ruleset, options)
    for chain in ruleset.chains:
        if chain.key in uncalled:
            continue
        if chain.table not in _TABLES:
            raise UsageError(f"RouterOS has no table {chain.table!r}: expected one of {', '.join(_TABLES)}")
        kind, _ = _TABLES[chain.table]
        if chain.hook is not None and chain.name not in dict(BASE_CHAINS[kind]):
            raise UsageError(f"{chain.table} of RouterOS has no base chain {chain.name!r}")
        speaker = _Speaker(chain, options, book, refusals)
        rules = tuple([said for rule in chain.rules for said in speaker.said(rule)])
        if chain.hook is not None and chain.policy is not Verdict.ACCEPT:
            # Built-in chains accept what falls through or returns: the policy is said there.
            rules = tuple(
                replace(rule, verdict=Verdict.DROP) if rule.verdict is Verdict.RETURN else rule for rule in rules
            )
            rules += (Rule(ANY, Verdict.DROP, comment=f"policy {chain.policy.value}"),)
        if chain.hook is None and not rules:
            # RouterOS has no chain without rules; coming back at once means the same.
            rules = (Rule(ANY, Verdict.RETURN, comment="empty list"),)
        chains.append(
            Chain(
                chain.table,
                chain.name,
                rules,
                frozenset({speaker.place.family}),
                chain.hook,
                chain.priority,
                Verdict.ACCEPT,
                kind == "filter" and options.fragments is not Fragments.UNTRACKED,
                chain.comment,
                chain.span,
            )
        )
    adapted = Ruleset(
        ruleset.source,
        "routeros",
        tuple(chains),
        tuple(book.sets),
        ruleset.features,
        ruleset.header,
        ruleset.skipped_lines,
        ruleset.lines,
    )
    return adapted, tuple(refusals)


def _arrival(kind: str, family: Family, fragments: Fragments) -> Arrival:
    # Raw sees fragments whatever is promised, and tells them apart for IPv4.
    if fragments is Fragments.REASSEMBLED and (kind == "filter" or family is Family.IPV6):
        return Arrival.NEVER
    if kind == "filter" and fragments is Fragments.EXACT:
        return Arrival.WHOLE
    return Arrival.SINGLY


def _uncalled(ruleset: Ruleset, options: Options) -> set[tuple[str, str]]:
    """Inner chains that nothing calls any more, because no packet of the table matches their jumps.

    So the chain of the later fragments goes where the user promises that there are none.
    """
    calls: dict[tuple[str, str], set[tuple[str, str]]] = {}
    inner: set[tuple[str, str]] = set()
    for chain in ruleset.chains:
        if chain.table not in _TABLES:
            continue  # it is refused where it is said
        kind, family = _TABLES[chain.table]
        place = Place(family, _arrival(kind, family, options.fragments))
        jumps = [rule for rule in chain.rules if rule.target]
        if chain.hook is None:
            inner.update((chain.table, rule.target) for rule in jumps)
        calls[chain.key] = {(chain.table, rule.target) for rule in jumps if _may_match(rule.match, place)}
    gone: set[tuple[str, str]] = set()
    while True:
        called = {target for caller, targets in calls.items() if caller not in gone for target in targets}
        more = {
            chain.key
            for chain in ruleset.chains
            if chain.hook is None and chain.key in inner and chain.key not in called
        }
        if more == gone:
            return gone
        gone = more


def _may_match(match: Match, place: Place) -> bool:
    if _is_foreign(match, place.family):
        return False
    try:
        return bool(rest_pieces(tuple(match)[3:], place))
    except Unsayable:
        return True  # the refusal is for the jump itself


def _is_foreign(match: Match, family: Family) -> bool:
    """Whether no packet of the family has such addresses."""
    if match.family not in (None, family):
        return True
    return any(
        addresses is not None and (addresses.width != family.width or addresses.is_empty)
        for addresses in (match.source, match.destination)
    )


class _Speaker:
    """Says the rules of one chain."""

    def __init__(self, chain: Chain, options: Options, book: AddressListBook, refusals: list[Refusal]) -> None:
        kind, family = _TABLES[chain.table]
        self.place = Place(family, _arrival(kind, family, options.fragments))
        self.is_raw = kind == "raw"
        self.chain = chain
        self.bound = options.bound
        self.book = book
        self.refusals = refusals

    def said(self, rule: Rule) -> tuple[Rule, ...]:
        """The rules of RouterOS for one rule; reasons against it go to the refusals."""
        try:
            return tuple(self._say(rule))
        except Unsayable as unsayable:
            if rule.verdict in _JUMPS and self.bound:
                refusal = Refusal(f"the jump to {rule.target}", unsayable.why, rule.span)
                raise CannotSay("RouterOS", (refusal,)) from None
        what = rule.comment or f"a rule of {self.chain.name}"
        if self.bound and rule.verdict in (Verdict.DROP, Verdict.REJECT):
            rule = self._sayable_deny(rule, what)
        return tuple(bounded(rule, self._say, self.refusals, bound=self.bound, what=what))

    def _sayable_deny(self, rule: Rule, what: str) -> Rule:
        """A deny without what no field of it explains: unmodelled clauses, an answer that raw cannot give."""
        verdict, answer = rule.verdict, rule.answer
        for clause in rule.unmodelled:
            self.refusals.append(Refusal(what, f"{clause.text} is not modelled", clause.span))
        if verdict is Verdict.REJECT and self.is_raw:
            self.refusals.append(Refusal(what, _NO_REJECT, rule.span))
            verdict, answer = Verdict.DROP, ""
        sets = (rule.source_set, rule.destination_set)
        return _like(rule, rule.match, _Wording(verdict, "", rule.log, answer, sets))

    def _say(self, rule: Rule) -> list[Rule]:
        if rule.unmodelled:
            raise Unsayable((), f"{rule.unmodelled[0].text} is not modelled")
        verdict = rule.verdict
        if verdict is Verdict.REJECT and self.is_raw:
            raise Unsayable((), _NO_REJECT)
        match = rule.match
        source, destination = match.source, match.destination
        family = self.place.family
        if _is_foreign(match, family):
            return []
        rest = tuple(match)[3:]
        pieces = rest_pieces(rest, self.place)
        source_list = self.book.name(source, rule.source_set, "source") if source else ""
        destination_list = self.book.name(destination, rule.destination_set, "destination") if destination else ""
        answer = rule.answer
        if verdict is Verdict.REJECT and answer not in ANSWERS[family]:
            answer = DENIED
        plain = verdict is not Verdict.GOTO and answer == rule.answer and match.family is None
        if plain and pieces == (rest,) and (source_list, destination_list) == (rule.source_set, rule.destination_set):
            return [rule]
        named = (source_list, destination_list)
        first = Verdict.JUMP if verdict is Verdict.GOTO else verdict
        words = [_Wording(first, rule.target, rule.log, answer, named)]
        if verdict is Verdict.GOTO:  # RouterOS has no goto: come back, and return at once
            words.append(_Wording(Verdict.RETURN, "", None, "", named))
        cuts = [Match(None, source, destination, *piece) for piece in pieces]  # type: ignore[arg-type]  # a Match's tail
        return [_like(rule, cut, wording) for cut in cuts for wording in words]


class _Wording(NamedTuple):
    """What of a rule's words changes on the way."""

    verdict: Verdict
    target: str
    log: str | None
    answer: str
    sets: tuple[str, str]


_NO_REJECT = "raw chains have no reject: use --deny drop or --place filter"


def _like(rule: Rule, match: Match, wording: _Wording, clauses: tuple[Clause, ...] = ()) -> Rule:
    return Rule(
        match,
        wording.verdict,
        wording.target,
        wording.log,
        wording.answer,
        rule.comment,
        rule.disabled,
        *wording.sets,
        clauses,
        rule.span,
    )
