"""Which chains meet packets whose fragments the kernel has put together.

Conntrack brings defragmentation with it, for the families that it tracks
(``nf_ct_netns_get``): in prerouting and output at priority -400. What comes
after meets whole packets, what comes before meets fragments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.fields import Family
from compiler.policy.ruleset import Chain, Hook

__all__ = ["always_whole", "unclear_chains"]

_DEFRAGMENTATION = -400
"""NF_IP_PRI_CONNTRACK_DEFRAG and NF_IP6_PRI_CONNTRACK_DEFRAG."""
_DEFRAGMENTING = (Hook.PREROUTING, Hook.OUTPUT)


def always_whole(hook: Hook | None, priority: int, families: frozenset[Family], tracked: set[Family]) -> bool:
    """Whether a chain meets only whole packets: it comes late enough, and all its families are tracked."""
    late = hook is not None and (hook not in _DEFRAGMENTING or priority > _DEFRAGMENTATION)
    return late and families <= tracked


def unclear_chains(chains: Iterable[Chain], tracked: set[Family]) -> Iterator[tuple[Chain, str]]:
    """Base chains that ask about fragments or layer 4 where one answer for all packets does not exist, and why."""
    by_key = {chain.key: chain for chain in chains}
    for chain in by_key.values():
        why = _unclear(chain, tracked)
        if why and _asks(chain, by_key):
            yield chain, why


def _unclear(chain: Chain, tracked: set[Family]) -> str:
    here = chain.families & tracked
    if chain.hook is None or not here:
        return ""
    if chain.hook in _DEFRAGMENTING and chain.priority <= _DEFRAGMENTATION:
        same = chain.priority == _DEFRAGMENTATION
        return "it has the priority at which the kernel puts fragments together" if same else ""
    if here == chain.families:
        return ""
    (family,) = here
    return f"only IPv{family.value} connections are tracked, so only IPv{family.value} fragments are put together"


def _asks(start: Chain, chains: Mapping[tuple[str, str], Chain]) -> bool:
    """Whether the chain, or one that it calls, tells fragments from other packets."""
    waiting, seen = [start], {start.key}
    while waiting:
        for rule in waiting.pop().rules:
            if rule.match.looks_at_layer4 or rule.match.noninitial is not None:
                return True
            target = chains.get((start.table, rule.target))
            if target is not None and target.key not in seen:
                seen.add(target.key)
                waiting.append(target)
    return False
