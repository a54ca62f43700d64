"""From an argument of the command to the tree of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from compiler.cli.output import note
from compiler.cli.source_text import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.policy.access_list import Device
    from compiler.policy.ruleset import Ruleset

__all__ = ["interface_map", "read_tree", "read_two"]


def read_tree(
    argument: str,
    *,
    dialect: str | None = None,
    unmodelled: Literal["refuse", "bound"] = "refuse",
    verbose: bool = False,
) -> Device | Ruleset:
    """The tree of a file or of standard input (``-``).

    Raises UsageError for files that cannot be read and InputErrors for texts
    that cannot.
    """
    from compiler.dialects import detect, read
    from compiler.errors import UsageError

    source = read_source(argument)
    if source.note:
        note(source.note)
    if not source.text.strip():
        raise UsageError(f"{source.name} is empty")
    spoken = dialect or detect(source.text)
    tree = read(source.text, source.name, dialect=spoken, unmodelled=unmodelled)
    if verbose:
        how = "given" if dialect else "seen from the text"
        note(f"{source.name}: read as {spoken} ({how}); {tree.skipped_lines} lines have nothing to do with packets")
    return tree


def read_two(
    left: str, right: str, *, left_dialect: str | None = None, right_dialect: str | None = None, verbose: bool = False
) -> tuple[Device | Ruleset, Device | Ruleset]:
    """Two trees; at most one of them from standard input."""
    from compiler.errors import UsageError

    if left == right == "-":
        raise UsageError("only one of the two can be standard input")
    return (
        read_tree(left, dialect=left_dialect, verbose=verbose),
        read_tree(right, dialect=right_dialect, verbose=verbose),
    )


def interface_map(pairs: Iterable[tuple[str, str]], left: Device | Ruleset, right: Device | Ruleset) -> dict[str, str]:
    """``--interface A=B`` as the two configurations spell the names."""
    from compiler.cli.arguments import mapping
    from compiler.dialects.interface_names import spelled
    from compiler.policy.ruleset import Ruleset

    return spelled(mapping(pairs), left, right.dialect if isinstance(right, Ruleset) else "ios")
