"""The properties of a folder: found, asked, and their results in order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from compiler.errors import GerbangError, UsageError
from compiler.testing.properties.result import Result, Status
from compiler.testing.properties.written import FILE_NAME, Property, read_properties

__all__ = ["Found", "ask_all", "find"]

_TESTS = ("test_*.py", "*_test.py")
"""Where pytest looks by itself (pytest, "python_files")."""

_NOT_INSIDE = frozenset({"node_modules", "__pycache__", "build", "dist", "venv"})
"""Folders where nobody keeps properties; hidden ones are left out too (pytest, "norecursedirs")."""


class Found(NamedTuple):
    """What a folder has: files of properties, and whether pytest has something to do there."""

    written: tuple[Path, ...]
    has_tests: bool


def find(target: Path) -> Found:
    """What is to be run of a folder and all below, or of one file. UsageError where there is nothing."""
    if target.is_file():
        is_test = target.suffix == ".py"
        return Found(() if is_test else (target,), is_test)
    if not target.is_dir():
        raise UsageError(f"there is no folder {str(target)!r}")
    written, has_tests = [], False
    for folder, inside, files in os.walk(target):
        inside[:] = sorted(name for name in inside if not name.startswith(".") and name not in _NOT_INSIDE)
        if FILE_NAME in files:
            written.append(Path(folder, FILE_NAME))
        has_tests = has_tests or any(fnmatchcase(name, pattern) for name in files for pattern in _TESTS)
    if not written and not has_tests:
        raise UsageError(f"{target} has no {FILE_NAME} and no tests ({', '.join(_TESTS)}): nothing was asked")
    return Found(tuple(written), has_tests)


def ask_all(files: Sequence[Path], progress: Callable[[int, int], None] | None = None) -> Iterator[Result]:
    """Each property of the files. All files are read before the first is asked; raises what reading them raises."""
    properties = [one for file in files for one in read_properties(file)]
    for number, one in enumerate(properties):
        if progress is not None:
            progress(number, len(properties))
        yield _asked(one)


def _asked(one: Property) -> Result:
    began = time.perf_counter()
    try:
        answer = one.ask()
    except GerbangError as error:
        seconds = time.perf_counter() - began
        return Result(one.span, one.word, Status.BROKEN, None, one.because, error.render(), seconds)
    status = Status.HELD if answer.held else Status.FAILED
    return Result(one.span, answer.question, status, answer, one.because, "", time.perf_counter() - began)
