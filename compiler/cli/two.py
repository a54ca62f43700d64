"""What ``prove`` and ``diff`` share: two configurations, and how their names belong together."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TypeVar

from compiler.cli.arguments import (
    add_dialect,
    add_file,
    add_format,
    add_fragments,
    add_interfaces,
    add_pairs,
    add_verbose,
)
from compiler.cli.progress import Progress
from compiler.cli.tree import interface_map, read_two

__all__ = ["add_two", "add_two_options", "compared"]

Found = TypeVar("Found")


def add_two(parser: ArgumentParser, names: tuple[str, str], texts: tuple[str, str], *formats: str) -> None:
    """The arguments of a verb that compares; ``names`` are those of the two files."""
    for name, text in zip(names, texts, strict=True):
        add_file(parser, name, text)
    add_two_options(parser, names, *formats)


def add_two_options(parser: ArgumentParser, names: tuple[str, str], *formats: str) -> None:
    """The same without the files."""
    add_pairs(parser)
    add_fragments(parser)
    add_interfaces(parser, *names)
    for flag, name in zip(("--from", "--to"), names, strict=True):
        add_dialect(parser, flag, name.upper())
    add_format(parser, *formats)
    add_verbose(parser)


def compared(arguments: Namespace, names: tuple[str, str], compare: Callable[..., Found]) -> Found:
    """What ``compare`` (``prove`` or ``differences``) finds between the two."""
    from compiler.semantics.lower import machine

    left, right = read_two(
        *(getattr(arguments, name) for name in names),
        left_dialect=arguments.from_dialect,
        right_dialect=arguments.to_dialect,
        verbose=arguments.verbose,
    )
    with Progress("comparing") as progress:
        return compare(
            machine(left),
            machine(right),
            interfaces=interface_map(arguments.interfaces, left, right),
            pairs=tuple(arguments.lists),
            whole_packets_only=arguments.fragments == "reassembled",
            progress=progress,
        )
