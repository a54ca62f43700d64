"""What is asked in a sweep: the question for a person, and a fingerprint that changes when the question does."""

from __future__ import annotations

from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from sys import modules

from compiler.errors import UsageError
from compiler.testing.sweeps.items import fingerprint, identity_of
from compiler.testing.sweeps.judging import Check

__all__ = ["fingerprint_of", "question_of"]


def question_of(check: Check) -> str:
    """The check's own ``question``, or the name of the function with its bound arguments."""
    own = getattr(check, "question", None)
    if isinstance(own, str):
        return own
    if isinstance(check, partial):
        bound = [_named(one) for one in check.args]
        bound += [f"{name}={_named(one)}" for name, one in sorted(check.keywords.items())]
        return f"{question_of(check.func)}({', '.join(bound)})"
    kind = check if hasattr(check, "__qualname__") else type(check)
    return f"{kind.__module__}:{kind.__qualname__}"


def fingerprint_of(check: Check) -> str:
    """Of the question, of what the check says of itself (``fingerprint``), of its module's text, of our version."""
    inner = check
    while isinstance(inner, partial):
        inner = inner.func
    own = getattr(inner, "fingerprint", "")
    kind = inner if hasattr(inner, "__qualname__") else type(inner)
    return fingerprint(_version(), question_of(check), own if isinstance(own, str) else "", _text_of(kind.__module__))


def _text_of(name: str) -> bytes:
    """The module's text: a check that is written otherwise may find other things. Empty where there is none."""
    file = getattr(modules.get(name), "__file__", None)
    if not file or name.startswith("compiler."):
        return b""  # our own checks say all in their fingerprint
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _named(value: object) -> str:
    try:
        return identity_of(value)
    except UsageError:
        return type(value).__name__


def _version() -> str:
    try:
        return version("gerbang")
    except PackageNotFoundError:
        return ""
