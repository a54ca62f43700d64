"""One access list as one chain: permit returns, deny ends.

A permit must not accept: an accept would end the base chain, and the next
list, bound to the way out, would never be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.fields import Family
from compiler.lowering.options import Deny
from compiler.policy.access_list import AccessList, Entry, Remark, TimeRange
from compiler.policy.match import ANY, Match, layer4
from compiler.policy.ruleset import Chain, Rule, Verdict
from compiler.semantics.router import NEIGHBOUR_DISCOVERY, entry_matches

__all__ = ["asks_ttl", "fragment_chain", "is_fragment_sensitive", "list_chains"]

_COMMENT_BYTES = 100


def is_fragment_sensitive(access_list: AccessList) -> bool:
    """Whether non-initial fragments must be told apart: a layer-4 field or ``fragments`` occurs."""
    if access_list.family is Family.IPV6 and access_list.entries:
        return True  # the implicit permits of neighbour discovery look at layer 4
    return any(
        entry.fragments or entry.layer4_named or any(match.looks_at_layer4 for match in entry.matches)
        for entry in access_list.entries
    )


def asks_ttl(access_list: AccessList) -> bool:
    """Whether an entry looks at the TTL, which differs from hook to hook."""
    return any(match.ttl is not None for entry in access_list.entries for match in entry.matches)


def fragment_chain(name: str) -> str:
    """The name of the chain that decides the non-initial fragments of the chain ``name``."""
    return f"{name}-fragments"


def list_chains(
    access_list: AccessList, table: str, name: str, times: dict[str, TimeRange], deny: Deny, *, fragments: bool
) -> tuple[Chain, ...]:
    """The chain of a list and, with ``fragments``, the chain for its non-initial fragments.

    An empty list permits everything: its chain is empty. Entries with clauses
    that are not modelled are bounded from below.
    """
    families = frozenset({access_list.family})
    if not access_list.entries:
        return (Chain(table, name, (), families),)
    whole = _reachable(_rules(access_list, times, deny))
    if not fragments or not is_fragment_sensitive(access_list):
        return (Chain(table, name, whole, families),)
    later = _shortest(_reachable(_fragment_rules(access_list, times, deny)))
    if len(later) == 1:
        first = replace(later[0], match=Match(noninitial=True), comment="later fragments")
        return (Chain(table, name, (first, *whole), families),)
    inner = fragment_chain(name)
    first = Rule(Match(noninitial=True), Verdict.GOTO, inner, span=access_list.span)
    return Chain(table, inner, later, families), Chain(table, name, (first, *whole), families)


def _reachable(rules: Iterator[Rule]) -> tuple[Rule, ...]:
    """The rules up to the first that decides everything."""
    kept = []
    for rule in rules:
        kept.append(rule)
        if rule.match == ANY and rule.verdict is not Verdict.CONTINUE:
            break
    return tuple(kept)


def _shortest(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Without rules that only say what the last rule says of everything."""
    last = rules[-1]
    kept = list(rules[:-1])
    while kept and kept[-1].verdict is last.verdict and kept[-1].log is None:
        kept.pop()
    return (*kept, last)


def _rules(access_list: AccessList, times: dict[str, TimeRange], deny: Deny) -> Iterator[Rule]:
    remarks: list[str] = []
    dropped = Verdict.DROP if deny is Deny.DROP else Verdict.REJECT
    for line in access_list.lines:
        if isinstance(line, Remark):
            remarks.append(line.text)
            continue
        comment = ""
        if remarks:
            *before, comment = remarks
            yield from _comments(before)
            if len(comment.encode()) > _COMMENT_BYTES:
                yield from _comments([comment])
                comment = ""
            remarks = []
        if line.unmodelled and line.action.permits:
            continue
        verdict = Verdict.RETURN if line.action.permits else dropped
        log = _log_prefix(access_list, line) if line.log else None
        for match in entry_matches(line, times, noninitial=False):
            yield Rule(
                layer4(match),
                verdict,
                log=log,
                comment=comment,
                source_set=line.source_group,
                destination_set=line.destination_group,
                span=line.span,
            )
            comment = ""
    yield from _comments(remarks)
    if access_list.family is Family.IPV6:
        for match in NEIGHBOUR_DISCOVERY:
            yield Rule(layer4(match), Verdict.RETURN, comment="neighbour discovery", span=access_list.span)
    yield Rule(ANY, dropped, comment="implicit deny", span=access_list.span)


def _fragment_rules(access_list: AccessList, times: dict[str, TimeRange], deny: Deny) -> Iterator[Rule]:
    dropped = Verdict.DROP if deny is Deny.DROP else Verdict.REJECT
    decided: set[Match] = set()
    for entry in access_list.entries:
        if entry.unmodelled and entry.action.permits:
            continue
        verdict = Verdict.RETURN if entry.action.permits else dropped
        log = _log_prefix(access_list, entry) if entry.log else None
        for match in entry_matches(entry, times, noninitial=True):
            if match in decided:
                continue  # ten ports of one server are one rule for its fragments
            decided.add(match)
            yield Rule(
                match,
                verdict,
                log=log,
                source_set=entry.source_group,
                destination_set=entry.destination_group,
                span=entry.span,
            )
    if access_list.family is Family.IPV6:
        yield Rule(Match(protocol=NEIGHBOUR_DISCOVERY[0].protocol), Verdict.RETURN, comment="neighbour discovery")
    yield Rule(ANY, dropped, comment="implicit deny", span=access_list.span)


def _comments(texts: list[str]) -> Iterator[Rule]:
    """Remarks that no rule can carry: rules that only comment, long texts cut into several."""
    for text in texts:
        piece = ""
        for word in text.split(" "):
            if piece and len(f"{piece} {word}".encode()) > _COMMENT_BYTES:
                yield Rule(comment=piece)
                piece = word
            else:
                piece = f"{piece} {word}" if piece else word
        yield Rule(comment=piece)


def _log_prefix(access_list: AccessList, entry: Entry) -> str:
    return f"{access_list.name} {entry.action.value} "
