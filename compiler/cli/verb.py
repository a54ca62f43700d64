"""What a verb is: the object that an entry point of ``gerbang.verbs`` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

__all__ = ["Verb"]


class Verb(NamedTuple):
    """One word of the command, with its arguments and what it does.

    ``run`` returns the exit code, and raises GerbangError for what the user
    can mend. The module that holds a verb must be cheap to import, because
    ``gerbang --help`` imports all of them for their summaries.
    """

    summary: str
    """One line for ``gerbang --help``."""
    configure: Callable[[ArgumentParser], None]
    """Adds the verb's arguments to its parser."""
    run: Callable[[Namespace], int]
    examples: tuple[str, ...] = ()
    """Command lines without the leading ``gerbang``, for the verb's own help."""
