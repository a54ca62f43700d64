"""``gerbang lab check``."""

from __future__ import annotations

from argparse import Namespace

from compiler.cli.output import emit_lines, note
from compiler.errors import GerbangError
from labs.cli.named import count, named_lab
from labs.lab_file import LabFile

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Read the file and each variant, print its warnings and its measures; errors are raised."""
    found = named_lab(arguments)
    note(*(warning.render() for warning in found.warnings))
    lab = found.lab
    measures = (
        count(len(lab.nodes), "node"),
        count(len(lab.links), "link"),
        count(len(lab.traffic), "activity", "activities"),
        count(len(lab.faults), "fault"),
        count(len(lab.assertions), "assertion"),
        *([count(len(found.variants), "variant")] if found.variants else ()),
    )
    warnings = f", {count(len(found.warnings), 'warning')}" if found.warnings else ""
    emit_lines([f"{lab.name} can be read: {', '.join(measures)}{warnings}"])
    if not arguments.variant:
        _check_variants(arguments, found)
    return 0


def _check_variants(arguments: Namespace, plain: LabFile) -> None:
    """Each variant is a lab of its own: what only it has may be wrong. Raises what is wrong with the first."""
    known = {warning.render() for warning in plain.warnings}
    for name in plain.variants:
        try:
            found = named_lab(arguments, name)
        except GerbangError:
            note(f"variant {name}:")
            raise
        more = [text for warning in found.warnings if (text := warning.render()) not in known]
        note(*([f"variant {name}:", *more] if more else ()))
