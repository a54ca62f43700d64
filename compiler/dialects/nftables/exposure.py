"""Where non-initial fragments reach rules that look at layer 4.

nft is meant to find no transport header in such fragments, and so does our
model. But Linux has a fast path for loads of 1, 2 and 4 bytes
(``nft_payload_fast_eval``) that forgets to ask: up to and including 6.18 (tried
with packets; the fix was posted to netfilter-devel later) ``tcp dport 80``
takes a fragment whose DATA happens to hold those bytes. So a ruleset is certain
about fragments only where they are sorted out before the first such rule, as
``ip frag-off & 0x1fff != 0 goto …`` does, or where they never come.
"""

from __future__ import annotations

from collections.abc import Iterable

from compiler.policy.match import Match
from compiler.policy.ruleset import Chain, Rule, Verdict

__all__ = ["exposed_chains"]

_LEAVES = frozenset({Verdict.ACCEPT, Verdict.DROP, Verdict.REJECT, Verdict.RETURN, Verdict.GOTO})


def exposed_chains(chains: Iterable[Chain]) -> tuple[Chain, ...]:
    """The chains with a layer-4 rule that such a fragment may reach; chains that nothing calls count as called."""
    by_key = {chain.key: chain for chain in chains}
    called = {(chain.table, rule.target) for chain in by_key.values() for rule in chain.rules if rule.target}
    waiting = [
        chain
        for chain in by_key.values()
        if (chain.hook is not None and not chain.sees_reassembled) or (chain.hook is None and chain.key not in called)
    ]
    reached = {chain.key for chain in waiting}
    exposed = set()
    while waiting:
        chain = waiting.pop()
        for rule in chain.rules:
            if _reads_layer4(rule.match):
                exposed.add(chain.key)
            target = by_key.get((chain.table, rule.target))
            if target is not None and target.key not in reached and rule.match.noninitial is not False:
                reached.add(target.key)
                waiting.append(target)
            if _sorts_out(rule):
                break
    return tuple(chain for chain in by_key.values() if chain.key in exposed)


def _reads_layer4(match: Match) -> bool:
    return match.looks_at_layer4 or (match.noninitial is False and match.protocol is not None)


def _sorts_out(rule: Rule) -> bool:
    """Whether every non-initial fragment leaves the chain at this rule."""
    return (
        rule.verdict in _LEAVES and not rule.unmodelled and rule.match._replace(noninitial=None, family=None) == Match()
    )
