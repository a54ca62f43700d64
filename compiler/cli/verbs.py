"""Which verbs there are: our own by a table, those of other distributions by their entry points.

The entry points are read straight from the metadata on ``sys.path``: with
fifty distributions that takes about 1 ms, where ``importlib.metadata`` takes
60 ms, most of it to import itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from compiler.cli.verb import Verb

__all__ = ["BUILT_IN", "GROUP", "Registered", "all_verbs", "find", "load", "registered"]

GROUP = "gerbang.verbs"

BUILT_IN = (
    "compile",
    "prove",
    "check",
    "diff",
    "verify",
    "sweep",
    "explain",
    "search",
    "trace",
    "classify",
    "balance",
    "completion",
)
"""The compiler's own verbs, in the order of ``--help``; each lives in the module of its name."""


class Registered(NamedTuple):
    """A verb by name, not yet imported. ``target`` is ``module:attribute``."""

    name: str
    target: str
    distribution: str


def find(name: str) -> Registered | None:
    """The verb of that name, or None. Our own come first: nobody can replace them."""
    if name in BUILT_IN:
        return _built_in(name)
    return next((verb for verb in _entry_points() if verb.name == name), None)


def all_verbs() -> tuple[Registered, ...]:
    """Every verb: our own in their order, then the others by name."""
    found = {name: _built_in(name) for name in BUILT_IN}
    for verb in sorted(_entry_points()):
        found.setdefault(verb.name, verb)
    return tuple(found.values())


def load(registered: Registered) -> Verb:
    """Import the verb. Raises UsageError when another distribution's verb cannot be imported."""
    module, _, attribute = registered.target.partition(":")
    try:
        verb: Verb = getattr(import_module(module), attribute)
    except Exception as error:  # whatever a stranger's module raises must not break ours
        if registered.name in BUILT_IN:
            raise
        from compiler.errors import UsageError

        raise UsageError(
            f"the verb {registered.name!r} of {registered.distribution} cannot be loaded: {error}"
        ) from error
    return verb


def _built_in(name: str) -> Registered:
    return Registered(name, f"compiler.cli.{name}:verb", "gerbang")


def registered(group: str) -> tuple[Registered, ...]:
    """What distributions register in a group of entry points, the first of each name."""
    found: dict[str, Registered] = {}
    for one in _entry_points(group):
        found.setdefault(one.name, one)
    return tuple(found.values())


def _entry_points(group: str = GROUP) -> Iterator[Registered]:
    """Entry points of the group in each ``*.dist-info`` on the path, the first of a name before the later."""
    for folder in sys.path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:
                    text = file.read()
            except (OSError, UnicodeDecodeError):
                continue
            yield from _section(text, name.partition("-")[0], group)


def _section(text: str, distribution: str, group: str) -> Iterator[Registered]:
    """The lines ``name = module:attribute`` of a group (PyPA, "Entry points specification")."""
    inside = False
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped == f"[{group}]"
        elif inside and "=" in stripped and not stripped.startswith(("#", ";")):
            name, _, target = stripped.partition("=")
            yield Registered(name.strip(), target.strip(), distribution)
