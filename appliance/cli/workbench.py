"""``gerbang workbench``: configurations in an editor that compiles, proves, traces and runs labs."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="configurations to open")
    parser.add_argument("--folder", default=".", help="where files and labs are looked for (default: here)")
    parser.add_argument("--limited", action="store_true", help="open and write nothing outside of the folder")
    parser.add_argument("--language", choices=("en", "id"), default="", help="(default: that of the environment)")


def _run(arguments: Namespace) -> int:
    from appliance.workbench.app import run_workbench

    return run_workbench(
        arguments.files,
        folder=arguments.folder,
        language=arguments.language or _language(),
        is_limited=arguments.limited,
    )


def _language() -> str:
    """Of the first of these that is set, as gettext reads them (POSIX.1-2017, 8.2)."""
    named = next(filter(None, (os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "id" if named.split(":")[0].split("_")[0].split(".")[0] == "id" else "en"


verb = Verb(
    summary="edit configurations: checked as you type, compiled, proved, traced, compared, run in labs",
    configure=_configure,
    run=_run,
    examples=("workbench", "workbench edge.cfg core.rsc", "workbench --folder labs"),
)
