"""What is wrong with a text while it is being typed: the readers' errors first, then the lints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance.workbench.kinds import DIALECTS, Kind, kind_of
from appliance.workbench.remarks import Level, Remark, remarks_of
from compiler.errors import GerbangError, InputErrors, Unmodelled

if TYPE_CHECKING:
    from compiler.policy.access_list import Device
    from compiler.policy.ruleset import Ruleset

__all__ = ["Checked", "check_text"]

MOST = 1_000
"""Remarks that are kept of each level: nobody reads more, and each costs on its way to the screen."""
_BALANCES = ("nth=", "per-connection-classifier", "routing-mark", "routing-table")
"""Words of RouterOS scripts that share uplinks."""


class Checked(NamedTuple):
    """All that is said about one text."""

    kind: Kind
    remarks: tuple[Remark, ...]
    """In the order of their lines, at most 1000 of each level."""
    counts: tuple[tuple[Level, int], ...]
    lists: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    """Interfaces that lists stand on."""
    is_whole: bool = True
    """False while lints are still being looked for."""
    seconds: float = 0.0

    def count(self, level: Level) -> int:
        """How many remarks of a level there are, shown or not."""
        return dict(self.counts).get(level, 0)


def check_text(text: str, name: str, path: str | None, tell: Callable[[Checked], Any]) -> Checked:
    """Read the text as what it is, and look for mistakes. Never raises for what stands in it.

    ``tell`` hears what the reader says as soon as it is known. ``path`` names
    the saved file when ``text`` is just what it holds: labs and properties name
    other files and are checked from there; otherwise only their YAML is.
    """
    began = time.perf_counter()
    kind = kind_of(text, name)
    if not text.strip():
        return _checked(kind, [], began)
    if kind not in DIALECTS:
        return _checked(kind, list(_of_yaml(text, name, kind, path)), began)
    tree, remarks = _read(text, name, kind)
    lists, interfaces = _names(tree)
    if tree is not None:
        tell(_checked(kind, remarks, began, lists, interfaces, is_whole=False))
        # The reader has said already what it does not know: a lint at the same place says it once more.
        said = {(one.line, one.column) for one in remarks}
        remarks += [one for one in _lints(tree, name) if (one.line, one.column) not in said]
    if kind is Kind.ROUTEROS and any(word in text for word in _BALANCES):
        remarks += _of_balancing(text, name)
    return _checked(kind, remarks, began, lists, interfaces)


def _checked(
    kind: Kind,
    remarks: list[Remark],
    began: float,
    lists: tuple[str, ...] = (),
    interfaces: tuple[str, ...] = (),
    *,
    is_whole: bool = True,
) -> Checked:
    remarks = sorted(set(remarks), key=lambda one: (one.line, one.column, one.message))
    kept: list[Remark] = []
    counts = []
    for level in Level:
        of_level = [one for one in remarks if one.level is level]
        counts.append((level, len(of_level)))
        kept += of_level[:MOST]
    kept.sort(key=lambda one: (one.line, one.column, one.message))
    seconds = time.perf_counter() - began
    return Checked(kind, tuple(kept), tuple(counts), lists, interfaces, is_whole, seconds)


def _read(text: str, name: str, kind: Kind) -> tuple[Device | Ruleset | None, list[Remark]]:
    """The tree, or None; clauses outside the model are errors that leave a tree to look at."""
    from compiler.dialects import read

    try:
        return read(text, name, dialect=kind.value), []
    except InputErrors as errors:
        remarks = list(remarks_of(errors, name))
        if not all(isinstance(error, Unmodelled) for error in errors.errors):
            return None, remarks
        try:
            return read(text, name, dialect=kind.value, unmodelled="bound"), remarks
        except GerbangError:
            return None, remarks
    except GerbangError as error:
        return None, list(remarks_of(error, name))


def _lints(tree: Device | Ruleset, name: str) -> list[Remark]:
    from compiler.analysis.findings.check import check

    return [Remark.at(Level(one.severity.value), one.message, one.span, name, one.rule) for one in check(tree)]


def _names(tree: Device | Ruleset | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if tree is None:
        return (), ()
    from compiler.semantics.lower import machine

    try:
        device = machine(tree, bound="lower")
    except GerbangError:
        return (), ()
    lists = dict.fromkeys(one.name for one in device.lists())
    return tuple(lists), tuple(sorted(name for name in device.interfaces() if name))


def _of_balancing(text: str, name: str) -> list[Remark]:
    from compiler.balancing.lints.check import check_script

    try:
        lints = check_script(text, name).lints
    except GerbangError as error:
        return list(remarks_of(error, name))
    return [
        Remark.at(Level(one.severity.value), f"{one.message} ({one.why})", one.span, name, one.name) for one in lints
    ]


def _of_yaml(text: str, name: str, kind: Kind, path: str | None) -> Iterator[Remark]:
    try:
        if kind is Kind.JSON:
            yield from _of_json(text)
        elif kind is Kind.BALANCE:
            from compiler.balancing.reading import read_balance

            read_balance(text, name)
        elif kind is Kind.LAB and path is not None:
            from labs.lab_file import read_lab_file

            for warning in read_lab_file(Path(path)).warnings:
                yield from remarks_of(warning, path)
        elif kind is Kind.PROPERTIES and path is not None:
            from compiler.testing.properties.written import read_properties

            read_properties(path)
        else:
            from compiler.placed.places import compose

            compose(text, name)
    except GerbangError as error:
        yield from remarks_of(error, name if path is None or kind is Kind.BALANCE else path)


def _of_json(text: str) -> Iterator[Remark]:
    import json

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        yield Remark(Level.ERROR, error.msg, error.lineno, error.colno)
    except RecursionError:
        yield Remark(Level.ERROR, "nested too deeply")
