"""A firewall of chains for another firewall of chains: chain by chain, rule by rule.

=========================  ==========================  ======================
hook                       nftables                    RouterOS
=========================  ==========================  ======================
prerouting                 priority -450               raw prerouting
input, forward, output     priority 0                  filter, of that name
output, priority <= -300   priority -450               raw output
postrouting                the priority it has         no place
=========================  ==========================  ======================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from compiler.dialects.nftables.exposure import exposed_chains
from compiler.errors import Refusal, UsageError
from compiler.fields import Family
from compiler.lowering.device import Lowered
from compiler.lowering.options import Fragments, Options
from compiler.lowering.placement import table
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from compiler.semantics.firewall import sees_whole_packets

__all__ = ["inner_names", "translate"]

_STOPS = (Verdict.DROP, Verdict.REJECT)
_EARLY = -300
"""Priorities up to this one are before connection tracking on both sides (raw)."""


class _Home(NamedTuple):
    """Where a chain goes: a table of the target, and what the target calls a base chain there."""

    table: str
    name: str
    priority: int
    sees_reassembled: bool


def translate(ruleset: Ruleset, target: str, options: Options) -> Lowered:
    """The ruleset in the places of ``target`` (``nftables`` or ``routeros``); rules as they are."""
    if options.lists:
        raise UsageError("--list chooses among access lists; a firewall is translated whole")
    refusals: list[Refusal] = []
    chains: list[Chain] = []
    groups = _groups(ruleset, target)
    for chain in ruleset.chains:
        refusals += _unbounded(ruleset, chain)
    for family in Family:
        taken: dict[tuple[str, str], Chain] = {}
        for chain in ruleset.chains:
            if family not in chain.families:
                continue
            for group in sorted(groups[chain.key]):
                home = _home(chain, family, group, target, options)
                if chain.hook is not None:
                    refusals += _misplaced(chain, home, family, target, options)
                key = (home.table, home.name)
                if key in taken:
                    what = f"chains {taken[key].name} and {chain.name} of {ruleset.source}"
                    refusals.append(Refusal(what, f"both would be {home.name} of {home.table}", chain.span))
                    continue
                taken[key] = chain
                chains.append(_chain(chain, family, home, target, options))
    if options.fragments is not Fragments.REASSEMBLED and ruleset.dialect != target:
        refusals += _payload(ruleset.chains if target == "routeros" else tuple(chains))
    kept = tuple(chain for chain in chains if chain.rules or chain.policy is Verdict.DROP or chain.hook is None)
    return Lowered(Ruleset(ruleset.source, target, kept, features=ruleset.features), tuple(dict.fromkeys(refusals)), ())


def _groups(ruleset: Ruleset, target: str) -> dict[tuple[str, str], set[str]]:
    """For RouterOS: the tables that each chain is needed in, by who calls it. nftables has one table."""
    groups: dict[tuple[str, str], set[str]] = {chain.key: set() for chain in ruleset.chains}
    if target != "routeros":
        return {key: {""} for key in groups}

    def mark(chain: Chain, group: str) -> None:
        if group in groups[chain.key]:
            return
        groups[chain.key].add(group)
        for rule in chain.rules:
            called = ruleset.chain(chain.table, rule.target) if rule.target else None
            if called is not None:
                mark(called, group)

    for chain in ruleset.chains:
        if chain.hook is not None:
            mark(chain, "raw" if _is_early(chain) else "filter")
    for chain in ruleset.chains:
        if not groups[chain.key]:
            mark(chain, "raw")
    return groups


def _is_early(chain: Chain) -> bool:
    return chain.hook is Hook.PREROUTING or (chain.hook is Hook.OUTPUT and chain.priority <= _EARLY)


def _home(chain: Chain, family: Family, group: str, target: str, options: Options) -> _Home:
    home = table(target, family, group)
    if chain.hook is None:
        return _Home(home, _inner_name(chain, chain.name, target), 0, False)
    early = _is_early(chain)
    if target == "nftables":
        return _Home(home, f"{'early-' if early else ''}{chain.hook.value}", -450 if early else 0, False)
    # The script for an untracked RouterOS switches connection tracking off.
    whole = not early and options.fragments is not Fragments.UNTRACKED
    return _Home(home, chain.hook.value, _EARLY if early else 0, whole)


def inner_names(ruleset: Ruleset, target: str) -> dict[tuple[str, Family], str]:
    """What the target calls each chain that no hook calls by itself."""
    return {
        (chain.name, family): _inner_name(chain, chain.name, target)
        for chain in ruleset.chains
        if chain.hook is None
        for family in chain.families
    }


def _inner_name(chain: Chain, name: str, target: str) -> str:
    """What the target calls a chain of the same table: RouterOS has one name in raw and in filter, nftables once."""
    inner = chain.table.rpartition(" ")[2]
    return f"{inner}-{name}" if target == "nftables" and inner in ("raw", "filter") else name


def _payload(chains: tuple[Chain, ...]) -> Iterator[Refusal]:
    """nft takes the payload of later fragments for ports, RouterOS never: no rule says both."""
    for chain in exposed_chains(chains):
        yield Refusal(
            f"chain {chain.name} of {chain.table}",
            "later fragments reach rules that look at layer 4, where nft reads their payload and RouterOS does not; "
            "decide them first, or --fragments reassembled claims whole packets only",
            chain.span,
        )


def _misplaced(chain: Chain, home: _Home, family: Family, target: str, options: Options) -> Iterator[Refusal]:
    what = f"chain {chain.name} of {chain.table}"
    if target == "routeros" and chain.hook is Hook.POSTROUTING:
        yield Refusal(what, "RouterOS filters nothing after routing", chain.span)
    if chain.hook is Hook.PREROUTING and chain.priority > _EARLY:
        why = f"at priority {chain.priority} it sees packets after connection tracking; its place here is before"
        yield Refusal(what, why, chain.span)
    if options.fragments is Fragments.REASSEMBLED or _is_early(chain) or not _asks_layer4(chain):
        return
    there = replace(chain, sees_reassembled=home.sees_reassembled)
    if sees_whole_packets(chain, family) is not sees_whole_packets(there, family):
        yield Refusal(
            what,
            "one side reassembles fragments before it and the other does not; "
            "--fragments reassembled claims whole packets only",
            chain.span,
        )


def _asks_layer4(chain: Chain) -> bool:
    return any(rule.target or rule.match.looks_at_layer4 or rule.match.noninitial is not None for rule in chain.rules)


def _chain(chain: Chain, family: Family, home: _Home, target: str, options: Options) -> Chain:
    rules = tuple(
        replace(
            rule,
            match=_match(rule.match, options),
            target=_inner_name(chain, rule.target, target) if rule.target else "",
            answer="",
            unmodelled=(),
        )
        for rule in chain.rules
        if _can_match(rule, family) and not (rule.unmodelled and rule.verdict not in _STOPS)
    )
    return replace(
        chain,
        table=home.table,
        name=home.name,
        rules=rules,
        families=frozenset({family}),
        priority=home.priority,
        sees_reassembled=home.sees_reassembled,
    )


def _unbounded(ruleset: Ruleset, chain: Chain) -> Iterator[Refusal]:
    """Rules with unknown clauses that cannot simply be left out, or taken as if the clauses held.

    Without an unknown accept less passes; an unknown drop that drops all it
    names lets less pass too. A return or a jump may lead to more or to less.
    """
    for rule in chain.rules:
        if rule.unmodelled and not rule.disabled and rule.verdict in (Verdict.RETURN, Verdict.JUMP, Verdict.GOTO):
            what = f"a {rule.verdict.value} of {ruleset.source} with {rule.unmodelled[0].text!r}"
            yield Refusal(what, "it has no bound: what comes after it may stop more or less", rule.span)


def _can_match(rule: Rule, family: Family) -> bool:
    if rule.disabled or rule.match.family not in (None, family):
        return False
    addresses = (rule.match.source, rule.match.destination)
    return all(one is None or one.width == family.width for one in addresses)


def _match(match: Match, options: Options) -> Match:
    return match._replace(family=None, ingress=_renamed(match.ingress, options), egress=_renamed(match.egress, options))


def _renamed(interfaces: InterfaceSet | None, options: Options) -> InterfaceSet | None:
    if interfaces is None:
        return None
    return InterfaceSet(frozenset(options.interfaces.get(name, name) for name in interfaces.names), interfaces.negated)
