"""The states of a connection as nft numbers them."""

from __future__ import annotations

from compiler.dialects.nftables.datatypes import DataType
from compiler.integers import IntegerSet
from compiler.policy.stateful import State, StateIn

__all__ = ["STATES", "state_in"]

_BITS = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
"""NF_CT_STATE_BIT and its like (nf_conntrack_common.h); a packet has one of them."""

STATES = DataType("ct_state", 8, _BITS, f"one of {', '.join(_BITS)}")
"""The type of ``ct state``."""


def state_in(bits: IntegerSet) -> StateIn:
    """The states whose bits lie in the set."""
    return StateIn(frozenset(State(name) for name, bit in _BITS.items() if bits.contains(bit)))
