"""What a user may choose of a compile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

__all__ = ["ADDRESS_LIMIT", "Deny", "Fragments", "Options", "Placement"]

ADDRESS_LIMIT = 16_384
"""Entries of one address list before a target that needs them refuses."""


class Deny(Enum):
    """How the target answers what it denies; the verdict is proved apart from it."""

    DROP = "drop"
    REJECT = "reject"


class Placement(Enum):
    """EARLY: before NAT, connection tracking and defragmentation. FILTER: the filter hooks."""

    EARLY = "early"
    FILTER = "filter"


class Fragments(Enum):
    """EXACT: non-initial fragments are decided as IOS does.

    REASSEMBLED: the user promises that the target never sees them, because
    something reassembles packets first; the theorem is then about whole packets.
    UNTRACKED: the user promises that nothing on the target reassembles packets
    (no connection tracking, no NAT), so that the filter hooks see fragments too.
    """

    EXACT = "exact"
    REASSEMBLED = "reassembled"
    UNTRACKED = "untracked"


@dataclass(frozen=True, slots=True)
class Options:
    """The choices; the defaults are the exact ones."""

    interfaces: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Source interface name -> target interface name."""
    deny: Deny = Deny.DROP
    placement: Placement = Placement.EARLY
    fragments: Fragments = Fragments.EXACT
    bound: bool = False
    """Whether a narrower target is accepted where the exact one cannot be said."""
    address_limit: int = ADDRESS_LIMIT
    routeros: int = 7
    lists: tuple[str, ...] = ()
    """Only these lists; all when empty."""
    counted: bool = False
    """nftables: each rule counts, and its comment begins with the place of its line: ``router.cfg:12``."""
