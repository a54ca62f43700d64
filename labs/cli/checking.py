"""``gerbang lab check``."""

from __future__ import annotations

from argparse import Namespace

from compiler.cli.output import emit_lines, note
from labs.cli.named import count, named_lab

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Read the file, print its warnings and its measures; errors are raised."""
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
    return 0
