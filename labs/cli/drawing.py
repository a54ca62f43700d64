"""``gerbang lab graph``."""

from __future__ import annotations

from argparse import Namespace

from compiler.cli.output import emit, write_whole
from labs.cli.named import named_lab
from labs.graph import draw_svg, draw_text

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Draw the lab to a file or to standard output."""
    lab = named_lab(arguments).lab
    text = draw_svg(lab) if arguments.format == "svg" else draw_text(lab)
    if arguments.output:
        write_whole(arguments.output, text)
    else:
        emit(text)
    return 0
