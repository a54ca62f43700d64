"""The rows that a shadow report is about."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from compiler.policy.match import Match

__all__ = ["Row"]


class Row(NamedTuple):
    """One match of an item (an entry, a rule) in a view.

    ``label`` is what it does with a packet. A row that does not ``decide``
    covers nothing: it may decide (a jump, a clause outside the model), or, when
    it is ``silent``, never does (a rule that only counts or logs). A row that is
    ``kept`` does more than decide, and is never redundant.
    """

    match: Match
    label: Hashable
    item: int
    decides: bool = True
    silent: bool = False
    kept: bool = False
