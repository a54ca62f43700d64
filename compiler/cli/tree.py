"""From an argument of the command to the tree of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from compiler.cli.output import note
from compiler.placed.source_text import SourceText, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.errors import InputErrors
    from compiler.policy.access_list import Device
    from compiler.policy.ruleset import Ruleset

__all__ = ["interface_map", "read_tree", "read_two"]

BOUND_ADVICE = (
    "nothing else is wrong: --unmodelled=bound keeps lines with such clauses as bounds, never wider than the source"
)


def read_tree(
    argument: str,
    *,
    dialect: str | None = None,
    unmodelled: Literal["refuse", "bound"] = "refuse",
    verbose: bool = False,
) -> Device | Ruleset:
    """The tree of a file or of standard input (``-``).

    Raises UsageError for files that cannot be read and InputErrors for texts
    that cannot; with a note where ``unmodelled="bound"`` would read them.
    """
    from compiler.errors import InputErrors

    source, spoken = _source(argument, dialect)
    try:
        return _tree(source, spoken, unmodelled, given=dialect is not None, verbose=verbose)
    except InputErrors as errors:
        if unmodelled == "refuse" and _boundable(errors, source, spoken):
            errors.add_note(BOUND_ADVICE)
        raise


def _source(argument: str, dialect: str | None) -> tuple[SourceText, str]:
    """The text of the argument, and the dialect it is read as."""
    from compiler.dialects import detect
    from compiler.errors import UsageError

    source = read_source(argument)
    if source.note:
        note(source.note)
    if not source.text.strip():
        raise UsageError(f"{source.name} is empty")
    return source, dialect or detect(source.text)


def _tree(
    source: SourceText, spoken: str, unmodelled: Literal["refuse", "bound"], *, given: bool, verbose: bool
) -> Device | Ruleset:
    from compiler.dialects import read

    tree = read(source.text, source.name, dialect=spoken, unmodelled=unmodelled)
    if verbose:
        how = "given" if given else "seen from the text"
        note(f"{source.name}: read as {spoken} ({how}); {tree.skipped_lines} lines have nothing to do with packets")
    return tree


def _boundable(errors: InputErrors, source: SourceText, spoken: str) -> bool:
    """Whether the text can be read once its clauses outside the model are kept as bounds."""
    from compiler.dialects import read
    from compiler.errors import GerbangError, Unmodelled

    if not all(isinstance(error, Unmodelled) for error in errors.errors):
        return False
    try:
        read(source.text, source.name, dialect=spoken, unmodelled="bound")
    except GerbangError:
        return False
    return True


def read_two(
    left: str, right: str, *, left_dialect: str | None = None, right_dialect: str | None = None, verbose: bool = False
) -> tuple[Device | Ruleset, Device | Ruleset]:
    """Two trees; at most one of them from standard input."""
    from compiler.errors import UsageError

    if left == right == "-":
        raise UsageError("only one of the two can be standard input")
    trees = []
    for argument, dialect in ((left, left_dialect), (right, right_dialect)):
        # A bound is no ground for a comparison, so none is advised.
        source, spoken = _source(argument, dialect)
        trees.append(_tree(source, spoken, "refuse", given=dialect is not None, verbose=verbose))
    return trees[0], trees[1]


def interface_map(pairs: Iterable[tuple[str, str]], left: Device | Ruleset, right: Device | Ruleset) -> dict[str, str]:
    """``--interface A=B`` as the two configurations spell the names."""
    from compiler.cli.arguments import mapping
    from compiler.dialects.interface_names import spelled
    from compiler.policy.ruleset import Ruleset

    return spelled(mapping(pairs), left, right.dialect if isinstance(right, Ruleset) else "ios")
