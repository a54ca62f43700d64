"""The keys of one mapping of the schema: each is asked for by name and type, and what nobody asked for is an error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from compiler.placed import quantities
from compiler.placed.complaints import Complaints, near
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedSequence, PlacedValue, kind_of
from compiler.source import Span

__all__ = ["CONFINED", "Fields", "as_items", "parse", "truth"]

T = TypeVar("T")

CONFINED = "GERBANG_CONFINED"
"""The variable of the environment with a folder: files in it name no files outside of it. It is set for processes that
read the files of somebody who is not the user they run as."""

_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _may_read(path: Path, folder: Path) -> bool:
    """Whether a file of this folder may name that path."""
    if not (confined := os.environ.get(CONFINED, "")):
        return True
    try:
        bounds = Path(confined).resolve()
        return not folder.resolve().is_relative_to(bounds) or path.resolve().is_relative_to(bounds)
    except (OSError, ValueError, RuntimeError):  # a zero byte, a loop of links
        return False


def truth(text: str) -> bool:
    """``true``/``false``, ``yes``/``no`` or ``on``/``off``."""
    if text not in _TRUTHS:
        raise ValueError(f"{text!r}: expected true or false")
    return _TRUTHS[text]


def parse(value: PlacedValue, reader: Callable[[str], T], complaints: Complaints) -> T | None:
    """What ``reader`` makes of a scalar; None after a complaint."""
    if not isinstance(value, PlacedScalar) or not value.text:
        complaints.error(f"expected one value, not {kind_of(value)}", value.span)
        return None
    try:
        return reader(value.text)
    except ValueError as error:
        complaints.error(str(error), value.span)
        return None


def as_items(value: PlacedValue | None) -> tuple[PlacedValue, ...]:
    """A list's items; a single value is a list of one, nothing a list of none."""
    if value is None or (isinstance(value, PlacedScalar) and not value.text):
        return ()
    return value.items if isinstance(value, PlacedSequence) else (value,)


class Fields:
    """A mapping being read. Ask for every key that it may have, then call :meth:`done`."""

    def __init__(self, value: PlacedValue, what: str, complaints: Complaints) -> None:
        self.what = what
        self.span = value.span
        self.complaints = complaints
        self._asked: set[str] = set()
        self._entries: dict[str, tuple[PlacedScalar, PlacedValue]] = {}
        if isinstance(value, PlacedMapping):
            self._entries = {key.text: (key, entry) for key, entry in value.entries}
        elif not (isinstance(value, PlacedScalar) and not value.text):
            complaints.error(f"{what}: expected a mapping, not {kind_of(value)}", value.span)

    def take(self, key: str) -> PlacedValue | None:
        """The value of a key as it stands, or None."""
        self._asked.add(key)
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def take_any(self) -> list[tuple[PlacedScalar, PlacedValue]]:
        """All keys, for mappings whose keys are the user's own names."""
        self._asked.update(self._entries)
        return list(self._entries.values())

    def place(self, key: str) -> Span:
        """Where the key stands, or the mapping."""
        entry = self._entries.get(key)
        return entry[0].span if entry else self.span

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str, reader: Callable[[str], T], default: T) -> T:
        """A value made by ``reader``; the default where the key is missing or wrong."""
        value = self.take(key)
        if value is None:
            return default
        made = parse(value, reader, self.complaints)
        return default if made is None else made

    def optional(self, key: str, reader: Callable[[str], T]) -> T | None:
        """A value made by ``reader``, or None."""
        value = self.take(key)
        return None if value is None else parse(value, reader, self.complaints)

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        return self.get(key, str, default)

    def required(self, key: str, why: str = "") -> str:
        """A text that must be there; empty after a complaint."""
        if key not in self._entries:
            self._asked.add(key)
            self.complaints.error(f"{self.what} has no {key!r}{f': {why}' if why else ''}", self.span)
            return ""
        return self.text(key)

    def integer(self, key: str, default: int, low: int = 0, high: int = 2**31 - 1) -> int:
        """A whole number within bounds."""
        return self.get(key, lambda text: _integer(text, low, high), default)

    def duration(self, key: str, default: int = 0) -> int:
        """Nanoseconds."""
        return self.get(key, quantities.duration, default)

    def truth(self, key: str, default: bool) -> bool:
        """A truth value."""
        return self.get(key, truth, default)

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """One of some words."""
        words = tuple(allowed)
        return self.get(key, lambda text: _one_of(text, words), default)

    def file(self, key: str, folder: Path) -> Path | None:
        """A file that exists, relative to a folder."""
        value = self.take(key)
        if value is None:
            return None
        name = parse(value, str, self.complaints)
        if name is None:
            return None
        path = folder / name
        if not _may_read(path, folder):
            self.complaints.error(f"{name!r} is not below {str(folder)!r}", value.span)
            return None
        if path.exists() and not path.is_file():
            self.complaints.error(f"{name!r} in {folder} is no regular file", value.span)
            return None
        if not path.is_file():
            self.complaints.error(f"there is no file {name!r} in {folder}{_near_file(path)}", value.span)
            return None
        return path

    def exclude(self, *keys: str) -> None:
        """Complain when more than one of these is there."""
        found = [key for key in keys if key in self._entries]
        if len(found) > 1:
            self.complaints.error(
                f"{self.what}: {found[0]!r} and {found[1]!r} exclude each other", self.place(found[1])
            )

    def done(self) -> None:
        """Complain about every key that nobody asked for."""
        for name, (key, _) in self._entries.items():
            if name not in self._asked:
                self.complaints.error(f"{self.what}: unknown key {name!r}{near(name, self._asked)}", key.span)


def _integer(text: str, low: int, high: int) -> int:
    try:
        value = int(text, 16) if text.lower().startswith("0x") else int(text) if text.isascii() else None
    except ValueError:
        value = None
    if value is None or "_" in text:
        raise ValueError(f"{text!r}: expected a whole number")
    if not low <= value <= high:
        raise ValueError(f"{value} is out of bounds: expected {low} to {high}")
    return value


def _one_of(text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        raise ValueError(f"{text!r} is not known here{near(text, words)}")
    return text


def _near_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (there is no folder {path.parent.name!r})"
    from difflib import get_close_matches

    found = get_close_matches(path.name, [one.name for one in path.parent.iterdir()], 1)
    return f"; did you mean {found[0]!r}?" if found else ""
