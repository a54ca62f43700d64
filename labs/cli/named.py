"""From the arguments of a command to a lab."""

from __future__ import annotations

from argparse import Namespace

from labs.lab_file import LabFile, read_lab_file

__all__ = ["count", "named_lab"]


def named_lab(arguments: Namespace, variant: str | None = None) -> LabFile:
    """The lab that the arguments name, with their parameters. Raises what :func:`read_lab_file` raises."""
    return read_lab_file(arguments.lab, dict(arguments.settings), arguments.variant if variant is None else variant)


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 node``, ``70 nodes``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
