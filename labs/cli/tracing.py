"""``gerbang lab trace``: one packet through a lab's network, in the simulator."""

from __future__ import annotations

from argparse import Namespace

from compiler.cli.output import emit_json, emit_lines, note
from labs.cli.named import named_lab

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """0 when the packet arrives somewhere, 1 when it is lost."""
    from compiler.testing.dynamic.following import follow
    from labs.testing.models import model_of

    found = named_lab(arguments)
    note(*(warning.render() for warning in found.warnings))
    answer = follow(model_of(found.lab), arguments.sender, arguments.packet, arguments.dead)
    if arguments.format == "json":
        emit_json(answer.as_json())
    else:
        emit_lines(_lines(answer.lines()))
    return 0 if answer.held else 1


def _lines(lines: list[str]) -> list[str]:
    """Without the verdict: that a packet is stopped is no failure of anything."""
    return [line.removeprefix("  ") for line in lines[1:]]
