"""``gerbang lab published``: what a paper says of a lab's network beside what the lab gives."""

from __future__ import annotations

import gc
import shlex
from argparse import Namespace
from pathlib import Path

from compiler.cli.output import emit_json, emit_lines, note, write_whole
from compiler.cli.progress import Progress
from compiler.errors import UsageError

__all__ = ["run"]

_WORLDS = {"simulated": ("simulator",), "kernel": ("kernel",), "both": ("simulator", "kernel")}


def run(arguments: Namespace) -> int:
    """0 when every row that was run came out as it must, 1 when one differs."""
    from labs.published.paper import read_paper
    from labs.published.running import measure_paper
    from labs.published.tables import as_json, markdown_lines, text_lines

    if arguments.report is not None and not Path(arguments.report).absolute().parent.is_dir():
        raise UsageError(f"--report: there is no folder {str(Path(arguments.report).parent)!r}")  # before long runs
    paper = read_paper(arguments.lab)
    gc.enable()  # the command turns it off for compiles
    with Progress(f"what was published of {paper.folder.name}") as progress:
        done = measure_paper(paper, _WORLDS[arguments.world], with_methods=not arguments.rows, progress=progress)
    if arguments.format == "json":
        emit_json(as_json(done))
    else:
        emit_lines(markdown_lines(done) if arguments.format == "markdown" else text_lines(done))
    if arguments.report:
        from labs.published.page import page

        write_whole(arguments.report, page(paper.folder.name, _command(arguments), done))
        note(f"report: {arguments.report}")
    return 0 if done.is_right else 1


def _command(arguments: Namespace) -> str:
    words = ["gerbang", "lab", "published", arguments.lab, "--world", arguments.world]
    return shlex.join([*words, *(["--rows"] if arguments.rows else [])])
