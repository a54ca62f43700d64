"""Configurations read once in a process, however many items and properties ask about them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from compiler.testing.policies import Policy, policy_of_tree

__all__ = ["PLAINLY", "ReadAs", "policy_of"]


class ReadAs(NamedTuple):
    """How configurations are read: see :func:`compiler.dialects.read`."""

    dialect: str | None = None
    unmodelled: Literal["refuse", "bound"] = "refuse"


PLAINLY = ReadAs()
"""The dialect is seen from the text, and what is not modelled is an error."""


@lru_cache(maxsize=32)
def policy_of(text: str, name: str, how: ReadAs) -> Policy:
    """The policy that a text says. Raises InputErrors."""
    from compiler.dialects import read

    tree = read(text, name, dialect=how.dialect, unmodelled=how.unmodelled)
    return policy_of_tree(tree, name, bound=how.unmodelled == "bound")
