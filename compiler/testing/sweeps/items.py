"""What a sweep goes over: values that can be pickled, each with an identity that is the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from hashlib import sha256
from pathlib import PurePath
from typing import Protocol, runtime_checkable

from compiler.errors import UsageError

__all__ = ["Item", "NamedItem", "content_of", "digest_of", "fingerprint", "identity_of", "weight_of"]


@runtime_checkable
class Item(Protocol):
    """What an item may say of itself. Plain values (texts, numbers, paths, sequences of them) need not."""

    @property
    def identity(self) -> str:
        """Its name in results and journals: the same in every run, another for every other item."""

    @property
    def digest(self) -> str:
        """Changes with its content, so that an old result of a changed item is not believed; or empty."""

    @property
    def weight(self) -> int:
        """How much is changed in it: of several that fail for one reason, the lightest is shown."""


@dataclass(frozen=True, slots=True)
class NamedItem:
    """Any value that can be pickled, with a name."""

    identity: str
    value: object
    digest: str = ""
    weight: int = 0


def identity_of(item: object) -> str:
    """The item's own identity, or that of a plain value. Raises UsageError for what has none."""
    own = getattr(item, "identity", None)
    if isinstance(own, str):
        return own
    if isinstance(item, str | PurePath):
        return str(item)
    return content_of(item)


def digest_of(item: object) -> str:
    """What tells a changed item from what it was; empty for plain values, whose identity says all."""
    own = getattr(item, "digest", "")
    return own if isinstance(own, str) else ""


def weight_of(item: object) -> int:
    """How much is changed in the item."""
    own = getattr(item, "weight", 0)
    return own if isinstance(own, int) else 0


def fingerprint(*parts: str | bytes) -> str:
    """One name for several contents, in their order."""
    found = sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        found.update(b"%d:" % len(content))
        found.update(content)
    return found.hexdigest()[:32]


def content_of(value: object) -> str:
    """A text of a plain or frozen value that is the same in every process: sets are sorted, nothing has an address.

    Raises UsageError for any other value.
    """
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if isinstance(value, PurePath):
        return repr(str(value))
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}{content_of([getattr(value, field.name) for field in fields(value)])}"
    if isinstance(value, tuple | list):
        return f"({', '.join(content_of(one) for one in value)})"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(content_of(one) for one in value)) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{content_of(key)}: {content_of(one)}" for key, one in value.items())) + "}"
    raise UsageError(
        f"an item of a sweep is a {type(value).__name__}, which has no identity: "
        "give it the attribute identity, or wrap it as NamedItem(name, value)"
    )
