"""Policies of each dialect: text over tiny alphabets, its tree, and the policy that words are asked of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from hypothesis import strategies as st

from compiler.dialects import read
from compiler.fields import Family
from compiler.policy.access_list import Device
from compiler.policy.ruleset import Ruleset
from compiler.semantics.lower import machine
from compiler.testing.policies import Policy
from compiler.testing.strategies import chains, cisco
from compiler.testing.strategies.rules import PlainRule, plain_rules

__all__ = ["Dialect", "DrawnPolicy", "drawn", "policies", "policy_texts", "policy_trees"]

Dialect = Literal["ios", "nftables", "routeros"]

_SOURCE = "drawn"
"""What messages call the file that there is none of."""


@dataclass(frozen=True, slots=True, repr=False)
class DrawnPolicy(Policy):
    """A policy that shows its text where Hypothesis tells what failed."""

    def __repr__(self) -> str:
        return "\n".join(("a policy of", *self.tree.lines))


@lru_cache
def policy_texts(dialect: Dialect = "ios", *, family: Family = Family.IPV4, most: int = 4) -> st.SearchStrategy[str]:
    """Configurations of up to ``most`` rules; the simplest has one, which permits everything.

    For Cisco a list bound inward to an interface; for nftables and RouterOS a
    base chain at the forward hook, which may call another. They hold what each
    dialect can say of a packet: RouterOS has no odd wildcards in its rules.
    """
    if dialect == "ios":
        rules = _several(plain_rules(family), 1, most)
        return st.builds(cisco.configuration, rules, st.just(family))
    if dialect == "nftables":
        said = plain_rules(family, fragments=family is Family.IPV4)
        return _chained(chains.ruleset, said, family, most)
    said = plain_rules(family, contiguous=True, established=False, fragments=family is Family.IPV4)
    return _chained(chains.routeros, said, family, most)


@lru_cache
def policy_trees(
    dialect: Dialect = "ios", *, family: Family = Family.IPV4, most: int = 4
) -> st.SearchStrategy[Device | Ruleset]:
    """The same, as the dialect's reader reads them: each rule knows its line."""
    return policy_texts(dialect, family=family, most=most).map(lambda text: read(text, _SOURCE, dialect=dialect))


@lru_cache
def policies(dialect: Dialect = "ios", *, family: Family = Family.IPV4, most: int = 4) -> st.SearchStrategy[Policy]:
    """The same, to ask about: ``policy.permits(packet)``, ``policy.reachable(…)``."""
    return policy_trees(dialect, family=family, most=most).map(drawn)


def drawn(tree: Device | Ruleset) -> Policy:
    """The policy of a tree."""
    return DrawnPolicy(tree, machine(tree), tree.source)


def _several(rules: st.SearchStrategy[PlainRule], least: int, most: int) -> st.SearchStrategy[list[PlainRule]]:
    return st.lists(rules, min_size=least, max_size=most)


def _chained(
    write: chains.Writer, rules: st.SearchStrategy[PlainRule], family: Family, most: int
) -> st.SearchStrategy[str]:
    def written(own: list[PlainRule], inner: list[PlainRule], drops: bool) -> str:
        return write(own, inner, drops=drops, family=family)

    inner = _several(rules, 0, most // 2)
    return st.builds(written, _several(rules, 1, most), inner, st.sampled_from((True, False)))
