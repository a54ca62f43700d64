"""``gerbang lab list``."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from compiler.cli.output import emit_json, emit_lines, note
from compiler.errors import GerbangError, UsageError
from labs.lab_file import LAB_FILE, describe, find_labs

__all__ = ["run"]

_OWN = Path(__file__).parent.parent


def run(arguments: Namespace) -> int:
    """Name, folder and description of each lab; files that cannot be read are told of, and make it 2."""
    folder = Path(arguments.folder or ".")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {arguments.folder!r}")
    found = find_labs(folder)
    if not found and arguments.folder is None:
        found = find_labs(_OWN)
    labs, wrong = [], 0
    for place in found:
        try:
            name, about = describe(place / LAB_FILE)
        except GerbangError as error:
            note(error.render())
            wrong = 2
            continue
        shown = os.path.relpath(place) if not place.is_relative_to(_OWN) else str(place)
        labs.append(
            {"name": name, "folder": os.path.relpath(place) if _is_below(place) else shown, "description": about}
        )
    if arguments.format == "json":
        emit_json({"labs": labs})
    elif labs:
        width = max(len(lab["folder"]) for lab in labs)
        emit_lines(f"{lab['folder']:{width}}  {_first_sentence(lab['description'])}".rstrip() for lab in labs)
    else:
        note(f"no {LAB_FILE} below {folder}")
    return wrong


def _is_below(place: Path) -> bool:
    return place.resolve().is_relative_to(Path.cwd())


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")
