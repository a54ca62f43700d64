"""Captures of a run: written aside, and put where they were asked for once they are complete."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from compiler.errors import UsageError
from labs.observation import Observation

__all__ = ["aside", "keep"]


@contextmanager
def aside(folder: Path, *, is_asked: bool) -> Iterator[Path]:
    """A folder for captures in the making; what is still in it at the end is removed, also after Ctrl-C.

    It lies in ``folder`` when captures will stay there (``is_asked``), so that
    they need not be copied, else among the machine's temporary files.
    Raises UsageError where it cannot be made.
    """
    try:
        made = TemporaryDirectory(prefix=".captures-", dir=folder if is_asked else None)
    except OSError as error:
        raise UsageError(f"--captures: {str(folder)!r}: {error.strerror}") from error
    with made as name:
        yield Path(name)


def keep(observation: Observation, links: Collection[str], folder: Path) -> Observation:
    """Move the captures of these links into ``folder``; the observation knows of them alone. UsageError where not."""
    kept = []
    for link, path in observation.captures:
        if link in links:
            target = folder / Path(path).name
            try:
                os.replace(path, target)
            except OSError as error:
                raise UsageError(f"{target}: {error.strerror}") from error
            kept.append((link, str(target)))
    return replace(observation, captures=tuple(kept))
