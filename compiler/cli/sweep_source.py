"""Where the items of ``gerbang sweep SOURCE`` come from: our own sources, and those that others register.

Another distribution names an object of type :class:`Source` in the entry point
group ``gerbang.sweeps``: ``gerbang sweep`` then has it as one more word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from compiler.testing.sweeps.judging import Check

__all__ = ["GROUP", "Plan", "Source"]

GROUP = "gerbang.sweeps"


class Plan(NamedTuple):
    """What is to be swept. Items that know their number (``len``) let progress be shown."""

    items: Iterable[object]
    check: Check


class Source(NamedTuple):
    """A kind of sweep; cheap to import."""

    summary: str
    configure: Callable[[ArgumentParser], None]
    """Adds its own arguments; those of every sweep are there already."""
    plan: Callable[[Namespace], Plan]
    """From the arguments to the work. Raises GerbangError for what the user can mend."""
    examples: tuple[str, ...] = ()
    """Command lines without the leading ``gerbang``."""
