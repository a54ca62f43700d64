"""A script at work: statements are carried out on tables, one after the other, and faults are kept.

What every reading of a script has in common, whether it is after the firewall
or after the network.
"""

from __future__ import annotations

import re

from compiler.dialects.routeros.script import COMMANDS, Path, Script, Statement, Value
from compiler.dialects.routeros.tables import Table
from compiler.errors import InputError, InputErrors, Unmodelled

__all__ = ["Runner", "header_version"]

_VERSION = re.compile(r"\bby RouterOS (\d+)\.")
_SLASHES = re.compile(r"/[a-z0-9-]+/[a-z]")
_RUNS: tuple[Path, ...] = (("import",), ("system", "script", "run"))
"""Paths that run commands that do not stand in the text."""
_HARMLESS = frozenset({":put", ":log", ":delay", ":beep"})


def header_version(script: Script) -> int | None:
    """The version that an export's own head tells, or None."""
    heads = (_VERSION.search(comment) for comment in script.comments)
    return next((int(found[1]) for found in heads if found), None)


class Runner:
    """Runs statements on ``tables``; what belongs to other menus is checked, counted and skipped."""

    def __init__(self, script: Script, version: int | None, tables: dict[Path, Table]) -> None:
        self.script = script
        self.version = header_version(script) if version is None else version
        self.tables = tables
        self.faults: list[InputError] = []
        self.skipped = 0
        self._paths: dict[Path, str] = {}

    def run(self, statement: Statement) -> None:
        """Carry out one statement; its faults, if any, are kept."""
        try:
            table = self.tables.get(statement.path)
            if table is not None and statement.command in COMMANDS:
                if self.version == 6:
                    self._old_path(statement)
                table.run(self.script, statement)
            elif statement.command and statement.command not in COMMANDS:
                self._scripting(statement)
            else:
                self._elsewhere(statement, table)
        except InputError as fault:
            self.faults.append(fault)
        except InputErrors as several:
            self.faults += several.errors

    def raise_faults(self) -> None:
        """Raises InputErrors with the faults of the grammar and of the statements, in the order of their places."""
        faults = [*self.script.faults, *self.faults]
        if faults:
            raise InputErrors(tuple(sorted(faults, key=lambda fault: (fault.span.line, fault.span.column))))

    def path_fault(self, path: Path) -> str:
        """Why a path is wrong, or ``""``."""
        raise NotImplementedError

    def skip(self, statement: Statement) -> None:
        """Look at a statement of a menu that is not read."""

    def is_parent(self, path: Path) -> bool:
        """Whether the path only leads to menus, so that commands there make no sense."""
        return path == ()

    def _old_path(self, statement: Statement) -> None:
        if _SLASHES.match(self.script.text, statement.start):
            raise self.script.fault_at("RouterOS 6 has blanks between the words of a path", statement)

    def _scripting(self, statement: Statement) -> None:
        if statement.command in _HARMLESS and all(_only_looks(value) for _, value in statement.arguments):
            self.skipped += 1
            return
        word = statement.command.split(None, 1)[0][:20]
        raise self.script.fault_at(f"scripting ({word}) is not modelled", statement, kind=Unmodelled)

    def _elsewhere(self, statement: Statement, table: Table | None) -> None:
        path = statement.path
        if path not in self._paths:
            fault = self.path_fault(path)
            self._paths[path] = fault
            if fault:
                raise self.script.fault_at(fault, statement)
        if self._paths[path]:
            return
        if any(path[: len(runs)] == runs for runs in _RUNS):
            why = f"/{' '.join(path[:3])} runs what does not stand in this text: not modelled"
            raise self.script.fault_at(why, statement, kind=Unmodelled)
        if not statement.command and not statement.arguments:
            return  # a path for what follows
        if not statement.command and any(_is_block(value) for name, value in statement.arguments if not name):
            why = (
                f"a block of commands behind the path /{' '.join(path)} is not modelled: write a path in front of each"
            )
            raise self.script.fault_at(why, statement, kind=Unmodelled)
        if table is not None or self.is_parent(path):
            expected = ", ".join(sorted(COMMANDS))
            raise self.script.fault_at(f"no command stands here; expected one of {expected}", statement)
        self.skipped += 1
        self.skip(statement)


def _only_looks(value: Value) -> bool:
    """Whether a value is a text, maybe with variables in it, and no expression, which may run commands."""
    return isinstance(value, str) or (value.text[0] in '$"' and "$[" not in value.text and "$(" not in value.text)


def _is_block(value: Value) -> bool:
    return not isinstance(value, str) and value.text.startswith("{")
