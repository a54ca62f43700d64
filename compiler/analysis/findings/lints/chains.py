"""Chains that nothing leads to, jumps that lead nowhere, rules and base chains that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis.findings.finding import Finding, Related
from compiler.analysis.findings.lints.catalogue import finding
from compiler.analysis.findings.lints.quoting import place
from compiler.policy.access_list import Clause
from compiler.policy.ruleset import Chain, Ruleset, Verdict

__all__ = ["chain_findings"]

_SHOWN = 8
_STOPS = (Verdict.DROP, Verdict.REJECT)


def chain_findings(ruleset: Ruleset) -> Iterator[Finding]:
    """What is wrong with chains as a whole."""
    chains = {chain.key: chain for chain in ruleset.chains}
    for chain in ruleset.chains:
        yield from _rule_findings(ruleset, chain, chains)
    if ruleset.dialect == "nftables":
        yield from _payload_findings(ruleset)
    base = [chain for chain in ruleset.chains if chain.hook]
    reached = {key for chain in base for key in _reached(chain, chains)}
    for chain in ruleset.chains:
        if base and chain.key not in reached:
            yield finding(
                "unreachable-chain",
                f"no rule that is active leads to chain {chain.name} of table {chain.table}: its rules do nothing",
                chain.span,
            )
    for chain in base:
        stops = chain.policy in _STOPS or any(
            rule.verdict in _STOPS and not rule.disabled
            for key in _reached(chain, chains)
            for rule in chains[key].rules
        )
        if not stops:
            yield finding(
                "lets-everything-pass",
                f"base chain {chain.name} has the policy accept, and no rule on its way drops: everything passes",
                chain.span,
            )


def _payload_findings(ruleset: Ruleset) -> Iterator[Finding]:
    from compiler.dialects.nftables.exposure import exposed_chains

    for chain in exposed_chains(ruleset.chains):
        yield finding(
            "payload-read-as-ports",
            f"fragments other than the first reach rules of chain {chain.name} that look at layer 4; kernels up to "
            "Linux 6.18 take their data for ports, flags or types: decide them first "
            "(ip frag-off & 0x1fff != 0 …, frag frag-off != 0 …)",
            chain.span,
        )


def _reached(chain: Chain, chains: dict[tuple[str, str], Chain]) -> set[tuple[str, str]]:
    """The chains that a packet in ``chain`` can come to, itself among them."""
    seen = {chain.key}
    waiting = [chain]
    while waiting:
        for rule in waiting.pop().rules:
            key = (chain.table, rule.target)
            if rule.target and not rule.disabled and key in chains and key not in seen:
                seen.add(key)
                waiting.append(chains[key])
    return seen


def _rule_findings(ruleset: Ruleset, chain: Chain, chains: dict[tuple[str, str], Chain]) -> Iterator[Finding]:
    said: set[Clause] = set()
    for rule in chain.rules:
        if rule.target and (chain.table, rule.target) not in chains:
            yield finding(
                "missing-chain",
                f"the {rule.verdict.value} leads to chain {rule.target} of table {chain.table}, which does not exist",
                rule.span,
            )
        for clause in () if rule.disabled else rule.unmodelled:
            if clause in said:  # one line may stand for several rules
                continue
            said.add(clause)
            yield finding(
                "unmodelled",
                f"'{clause.text}' is outside the model: the rule is taken as a bound, and covers no other",
                clause.span,
            )
    disabled = [rule for rule in chain.rules if rule.disabled]
    if disabled:
        yield finding(
            "disabled-rule",
            f"{len(disabled)} of {len(chain.rules)} rules of chain {chain.name} are disabled and do nothing",
            disabled[0].span,
            [Related(rule.span, place(ruleset.lines, rule.span)) for rule in disabled[1:_SHOWN]],
        )
