"""Wildcards of a tiny alphabet: they meet, cover and miss each other, as those of real lists do."""

from __future__ import annotations

from functools import lru_cache

from hypothesis import strategies as st

from compiler.addresses import Wildcard, parse_address
from compiler.fields import Family

__all__ = ["alphabet_of", "wildcards"]

_FOUR = (
    ("0.0.0.0", "255.255.255.255"),
    ("10.0.0.2", "0.0.0.0"),
    ("10.0.0.0", "0.0.0.255"),
    ("10.0.0.2", "0.0.0.1"),
    ("10.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "0.0.0.254"),
    ("172.16.6.0", "0.0.0.252"),
    ("172.16.6.0", "0.0.8.255"),
    ("128.0.0.0", "127.255.255.255"),
)
"""Everything, a host, its network, its pair, a class A; the even addresses, each fourth one, two networks; a half."""

_SIX = (("::", 0), ("2001:db8::2", 128), ("2001:db8::", 64), ("2001:db8::2", 127), ("2001:db8::", 32), ("8000::", 1))


def wildcards(family: Family = Family.IPV4, *, contiguous: bool = False) -> st.SearchStrategy[Wildcard]:
    """Wildcards, those that say least first. ``contiguous`` leaves out the ones that are no prefix.

    IPv6 has prefixes only, as Cisco's lists and all others have.
    """
    return st.sampled_from(alphabet_of(family, contiguous))


@lru_cache
def alphabet_of(family: Family, contiguous: bool) -> tuple[Wildcard, ...]:
    """The wildcards themselves, everything first."""
    if family is Family.IPV6:
        return tuple(Wildcard.prefix(parse_address(value)[0], length, 128) for value, length in _SIX)
    every = (Wildcard.of(parse_address(value)[0], parse_address(mask)[0]) for value, mask in _FOUR)
    return tuple(one for one in every if one.is_contiguous or not contiguous)
