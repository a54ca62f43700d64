"""All configurations of a fleet: the items, and the check that puts properties to each."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.errors import UsageError
from compiler.placed.source_text import decode
from compiler.testing.answer import Answer
from compiler.testing.sweeps.items import fingerprint
from compiler.testing.sweeps.properties import Property, ask_policy, policy_property
from compiler.testing.sweeps.reading import PLAINLY, ReadAs, policy_of

__all__ = ["Configuration", "ConfigurationCheck", "Fleet", "configuration_files", "properties_of"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One file with its octets: what is checked is what was read, wherever that happens."""

    path: str
    content: bytes

    @property
    def identity(self) -> str:
        """The path, as it was named."""
        return self.path

    @property
    def digest(self) -> str:
        """Of the content."""
        return fingerprint(self.content)

    @property
    def weight(self) -> int:
        """All are alike."""
        return 0


class Fleet:
    """The configurations of files, folders and patterns, read one after the other as they are needed."""

    def __init__(self, named: Iterable[str]) -> None:
        self.paths = configuration_files(named)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Configuration | Unread]:
        for path in self.paths:
            try:
                yield Configuration(path, Path(path).read_bytes())
            except OSError as error:
                yield Unread(path, error.strerror or str(error))


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be opened: one broken result, and not the end."""

    path: str
    why: str

    @property
    def identity(self) -> str:
        """The path, as it was named."""
        return self.path


@dataclass(frozen=True, slots=True)
class ConfigurationCheck:
    """Asks each configuration for all properties. Raises UsageError when there are none."""

    properties: tuple[Property, ...]
    how: ReadAs = PLAINLY

    def __post_init__(self) -> None:
        if not self.properties:
            raise UsageError("no property is asked for")

    @property
    def question(self) -> str:
        """The properties."""
        return "; ".join(one.text for one in self.properties)

    @property
    def fingerprint(self) -> str:
        """Of the properties, of the files that they name, and of how configurations are read."""
        how = (self.how.dialect or "", self.how.unmodelled)
        return fingerprint(*how, *(one.fingerprint for one in self.properties))

    def __call__(self, item: Configuration | Unread) -> list[Answer]:
        """The answers. Raises InputErrors for a configuration that cannot be read."""
        if isinstance(item, Unread):
            raise UsageError(f"cannot read {item.path!r}: {item.why}")
        text = decode(item.content, item.path).text
        if not text.strip():
            raise UsageError(f"{item.path} is empty")
        policy = policy_of(text, item.path, self.how)
        return [ask_policy(policy, one, self.how) for one in self.properties]


def configuration_files(named: Iterable[str]) -> tuple[str, ...]:
    """The files: each as it is, all below a folder (hidden ones left out), or all that a pattern with ``*`` meets.

    In the order of their names, each once. UsageError for what is not there.
    """
    found: dict[str, None] = {}
    for name in named:
        if os.path.isdir(name):
            paths = list(_below(name))
        elif os.path.exists(name):
            paths = [name]
        else:
            paths = sorted(path for path in glob.glob(name, recursive=True) if os.path.isfile(path))
        if not paths:
            raise UsageError(f"there is no configuration at {name!r}")
        found |= dict.fromkeys(paths)
    return tuple(found)


def properties_of(texts: Sequence[str], files: Sequence[str] = ()) -> tuple[Property, ...]:
    """The properties of texts, and of files with one on each line (``#`` begins a comment)."""
    return tuple(policy_property(text) for text in (*texts, *_lines(files)))


def _lines(files: Sequence[str]) -> Iterator[str]:
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {file!r}: {error}") from error
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()


def _below(folder: str) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(here, name)
            if not name.startswith(".") and os.path.isfile(path):
                yield path
