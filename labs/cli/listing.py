"""``gerbang lab list``."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from compiler.cli.output import emit_json, emit_lines, note
from compiler.errors import GerbangError, UsageError
from labs.lab_file import LAB_FILE, Description, describe, find_further_labs, find_labs

__all__ = ["run"]

_OWN = Path(__file__).parent.parent


class _Listed(NamedTuple):
    name: str
    folder: str
    told: Description

    def as_json(self) -> dict[str, object]:
        variants = [{"name": name, "about": about} for name, about in self.told.variants.items()]
        found: dict[str, object] = {
            "name": self.name,
            "folder": self.folder,
            "description": self.told.description,
        }
        return found | {"variants": variants}

    def lines(self, width: int) -> Iterator[str]:
        """The folder with what it shows; below it a line for each variant that says what it is, and the other names."""
        yield f"{self.folder:{width}}  {_first_sentence(self.told.description)}".rstrip()
        told = {name: about for name, about in self.told.variants.items() if about}
        for name, about in told.items():
            yield f"  --variant {name:{max(map(len, told))}}  {_first_sentence(about)}"
        others = [name for name in self.told.variants if name not in told]
        if others:
            yield f"  variants {', '.join(others)}"


def run(arguments: Namespace) -> int:
    """Name, folder and description of each lab; files that cannot be read are told of, and make it 2."""
    folder = Path(arguments.folder or ".")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {arguments.folder!r}")
    found = _found(folder)
    if not found and arguments.folder is None:
        found = _found(_OWN)
    labs, wrong = [], 0
    for place in found:
        try:
            told = describe(place if place.is_file() else place / LAB_FILE)
        except GerbangError as error:
            note(error.render())
            wrong = 2
            continue
        shown = os.path.relpath(place) if not place.is_relative_to(_OWN) else str(place)
        labs.append(_Listed(told.name, os.path.relpath(place) if _is_below(place) else shown, told))
    if arguments.format == "json":
        emit_json({"labs": [lab.as_json() for lab in labs]})
    elif labs:
        emit_lines(line for lab in labs for line in lab.lines(max(len(lab.folder) for lab in labs)))
    else:
        note(f"no {LAB_FILE} below {folder}")
    return wrong


def _found(folder: Path) -> tuple[Path, ...]:
    """By what ``gerbang lab run`` takes: a folder, or a file beside the folder's own."""
    return tuple(sorted((*find_labs(folder), *find_further_labs(folder))))


def _is_below(place: Path) -> bool:
    return place.resolve().is_relative_to(Path.cwd())


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")
