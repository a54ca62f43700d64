"""Shadowed and redundant lines, of access lists and of chains, in the words of the report."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from compiler.analysis.findings.finding import Finding, Related
from compiler.analysis.findings.lints.catalogue import finding
from compiler.analysis.findings.lints.interfaces_as_numbers import NoFreeField, numbered
from compiler.analysis.findings.lints.quoting import place
from compiler.analysis.shadowing.rows import Row
from compiler.analysis.shadowing.shadow import Fate, View, shadow
from compiler.fields import Family
from compiler.policy.access_list import AccessList, Device, Entry
from compiler.policy.match import Match, without_layer4
from compiler.policy.ruleset import Chain, Rule, Ruleset, Verdict
from compiler.semantics.router import NEIGHBOUR_DISCOVERY, entry_matches

__all__ = ["chain_fates", "list_fates", "shadow_findings"]

_SHOWN = 8


def shadow_findings(tree: Device | Ruleset) -> Iterator[Finding]:
    """For each list or chain: the lines that never decide, and those that could go."""
    if isinstance(tree, Device):
        for access_list in tree.lists:
            yield from _told(access_list.entries, list_fates(tree, access_list), tree.lines, _entry_name)
        return
    for chain in tree.chains:
        try:
            fates = chain_fates(chain, reads_payload=tree.dialect == "nftables")
        except NoFreeField:
            yield finding(
                "not-analysed",
                f"chain {chain.name}: interfaces together with times, TTL and traffic class are too much for the "
                "shadow analysis",
                chain.span,
            )
            continue
        # A disabled rule is no rule; the report counts only those that act.
        yield from _told([rule for rule in chain.rules if not rule.disabled], fates, tree.lines, _rule_name)


def list_fates(device: Device, access_list: AccessList) -> tuple[Fate, ...]:
    """The fate of each entry of a list, over whole packets and non-initial fragments."""
    times = {time_range.name: time_range for time_range in device.time_ranges}
    views = []
    for noninitial in (False, True):
        rows = [
            Row(match, entry.action.permits, item, not entry.unmodelled, kept=bool(entry.log))
            for item, entry in enumerate(access_list.entries)
            for match in entry_matches(entry, times, noninitial=noninitial)
        ]
        if access_list.family is Family.IPV6:
            implicit = len(access_list.entries)
            rows += [
                Row(without_layer4(match) if noninitial else match, True, implicit) for match in NEIGHBOUR_DISCOVERY
            ]
        views.append(View(access_list.family, tuple(rows), False))
    # The implicit entries are an item of their own that is never told about.
    return shadow(views, len(access_list.entries) + 1)[: len(access_list.entries)]


def chain_fates(chain: Chain, *, reads_payload: bool = False) -> tuple[Fate, ...]:
    """The fate of each rule of a chain that is not disabled, over all families, interfaces and fragments.

    With ``reads_payload`` (nftables) some kernels take the data of a later
    fragment for a transport header, and others do not: what is said holds for
    both. A jump may come back, so it covers nothing; NoFreeField when the
    interfaces cannot be compared together with the rest.
    """
    rules = [rule for rule in chain.rules if not rule.disabled]
    matches = numbered([rule.match for rule in rules])
    default = chain.policy if chain.hook else Verdict.RETURN
    views = []
    for family in sorted(chain.families):
        of_family = [
            (_row(rule, match, item, default if chain.hook else None), match)
            for item, (rule, match) in enumerate(zip(rules, matches, strict=True))
            if match.family in (None, family)
        ]
        met = [_rows_of(of_family, noninitial=False)]
        if not chain.sees_reassembled:
            met.append(_rows_of(of_family, noninitial=True))
            if reads_payload:
                met.append(_rows_of(of_family, noninitial=True, payload=True))
        # Views alike say the same; the analysis of each costs time.
        different = [rows for position, rows in enumerate(met) if rows not in met[:position]]
        views += [View(family, rows, default) for rows in different]
    return shadow(views, len(rules))


def _rows_of(rows: Iterable[tuple[Row, Match]], *, noninitial: bool, payload: bool = False) -> tuple[Row, ...]:
    """The rows that such packets meet; with ``payload`` later fragments meet those that look at layer 4."""
    return tuple(
        row for row, match in rows if match.noninitial in (None, noninitial) or (payload and match.looks_at_layer4)
    )


def _row(rule: Rule, match: Match, item: int, policy: Verdict | None) -> Row:
    label: Hashable = rule.verdict
    if rule.verdict is Verdict.RETURN and policy is not None:
        label = policy
    elif rule.verdict is Verdict.GOTO:
        label = (rule.verdict, rule.target)
    elif rule.verdict is Verdict.REJECT:
        label = (rule.verdict, rule.answer)
    silent = rule.verdict is Verdict.CONTINUE
    decides = not silent and rule.verdict is not Verdict.JUMP and not rule.unmodelled
    return Row(match._replace(family=None, noninitial=None), label, item, decides, silent, rule.log is not None)


def _entry_name(entry: Entry | Rule) -> str:
    return f"entry {entry.sequence}" if isinstance(entry, Entry) and entry.sequence else "this entry"


def _rule_name(_: Entry | Rule) -> str:
    return "this rule"


def _told(
    items: Sequence[Entry | Rule],
    fates: Sequence[Fate],
    lines: Sequence[str],
    name: Callable[[Entry | Rule], str],
) -> Iterator[Finding]:
    for item, fate in zip(items, fates, strict=True):
        if fate.empty:
            yield finding("matches-nothing", f"{name(item)} matches no packet at all; remove it", item.span)
        elif not fate.alive:
            yield _dead(item, fate, items, lines, name(item))
        elif fate.redundant:
            yield finding(
                "redundant",
                f"{name(item)} changes nothing: what comes after it decides its packets the same way; it can go, "
                "together with all other lines reported as redundant or shadowed",
                item.span,
            )


def _dead(item: Entry | Rule, fate: Fate, items: Sequence[Entry | Rule], lines: Sequence[str], name: str) -> Finding:
    covering = [items[position] for position in fate.covering]
    advice = (
        "what it says never happens, since they decide otherwise: move it up, or remove it"
        if fate.opposed
        else "remove it"
    )
    if len(covering) == 1:
        message = f"{name} never decides: {place(lines, covering[0].span)} takes all its packets; "
        return finding("shadowed-by-one", message + advice.replace("they decide", "that line decides"), item.span)
    related = [Related(one.span, place(lines, one.span)) for one in covering[:_SHOWN]]
    more = len(covering) - len(related)
    numbers = ", ".join(str(one.span.line) for one in covering[:_SHOWN]) + (f" and {more} more" if more else "")
    message = f"{name} never decides: the {len(covering)} lines {numbers} together take all its packets; {advice}"
    return finding("shadowed-by-union", message, item.span, related)
