"""RouterOS scripts and exports -> the tree of their firewall.

The script is run on empty tables, as a router would: rows are added, changed
and moved, and what stands in the tables at the end is read. Menus that do not
filter packets are skipped and counted; those that change packets or their way
become features, which proofs list.
"""

from __future__ import annotations

import re
from typing import Literal

from compiler.dialects.routeros.chains import chains_of
from compiler.dialects.routeros.facts import (
    ADDRESS_LISTS,
    INERT,
    MATCHERS,
    MENUS,
    PROPERTIES,
    REQUIRED,
    RULE_MENUS,
    UNMODELLED_MATCHERS,
)
from compiler.dialects.routeros.fills import Fills
from compiler.dialects.routeros.lists import AddressLists, InterfaceLists
from compiler.dialects.routeros.menus import FEATURES, path_fault
from compiler.dialects.routeros.rules import RuleReader
from compiler.dialects.routeros.script import COMMANDS, Opaque, Path, Script, Statement, parse
from compiler.dialects.routeros.tables import Table
from compiler.errors import InputError, InputErrors, Unmodelled
from compiler.fields import Family
from compiler.policy.access_list import Clause
from compiler.policy.ruleset import Chain, NamedSet, Ruleset

__all__ = ["read"]

_VERSION = re.compile(r"\bby RouterOS (\d+)\.")
_SLASHES = re.compile(r"/[a-z0-9-]+/[a-z]")
_HARMLESS = frozenset({":put", ":log", ":delay", ":beep"})
_IPV4_ONLY = frozenset({"ttl", "fragment", "ipv4-options"})
_IPV6_ONLY = frozenset({"hop-limit", "headers"})
_NOT_IN_RAW = frozenset({"layer7-protocol", "reject-with", "hw-offload", "routing-mark", "routing-table"})


def read(
    text: str, source: str, *, version: int | None = None, unmodelled: Literal["refuse", "bound"] = "refuse"
) -> Ruleset:
    """The firewall that a script or an export leaves on a router whose tables were empty.

    ``version`` is 6 or 7; without it the export's own head decides. Raises
    InputErrors with every place that cannot be read. With ``unmodelled="bound"``
    clauses outside the model stay in ``Rule.unmodelled``.
    """
    script = parse(text, source)
    router = _Router(script, version, unmodelled == "bound")
    for statement in script.statements:
        router.run(statement)
    ruleset = router.ruleset()
    faults = [*script.faults, *router.faults]
    if faults:
        raise InputErrors(tuple(sorted(faults, key=lambda fault: (fault.span.line, fault.span.column))))
    return ruleset


def _properties(path: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """The properties that rows of a menu may have, and those they must have."""
    if path in PROPERTIES:
        return PROPERTIES[path], REQUIRED[path]
    rules = INERT | MATCHERS | UNMODELLED_MATCHERS | {"place-before", "copy-from"}
    rules -= _IPV6_ONLY if path[0] == "ip" else _IPV4_ONLY
    if path[2] == "raw":
        rules -= _NOT_IN_RAW | {name for name in rules if name.startswith("connection-")}
    return rules, ("chain",)


class _Router:
    def __init__(self, script: Script, version: int | None, bound: bool) -> None:
        self.script = script
        self.bound = bound
        self.faults: list[InputError] = []
        self.tables = {path: Table(path, *_properties(path)) for path in MENUS}
        self.features: dict[str, Clause] = {}
        self.skipped = 0
        self.tracking = True
        """Whether connection tracking, and with it defragmentation, may run."""
        self.fills = Fills()
        self._paths: dict[Path, str] = {}
        if version is None:
            heads = (_VERSION.search(comment) for comment in script.comments)
            version = next((int(found[1]) for found in heads if found), None)
        self.version = version

    def run(self, statement: Statement) -> None:
        """Carry out one statement; its fault, if any, is kept."""
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

    def _old_path(self, statement: Statement) -> None:
        if _SLASHES.match(self.script.text, statement.start):
            raise self.script.fault_at("RouterOS 6 has blanks between the words of a path", statement)

    def _scripting(self, statement: Statement) -> None:
        plain = not any(isinstance(value, Opaque) for _, value in statement.arguments)
        if statement.command in _HARMLESS and plain:
            self.skipped += 1
            return
        word = statement.command.split(None, 1)[0][:20]
        raise self.script.fault_at(f"scripting ({word}) is not modelled", statement, kind=Unmodelled)

    def _elsewhere(self, statement: Statement, table: Table | None) -> None:
        path = statement.path
        if path not in self._paths:
            fault = path_fault(path)
            self._paths[path] = fault
            if fault:
                raise self.script.fault_at(fault, statement)
        if self._paths[path]:
            return
        if not statement.command and not statement.arguments:
            return  # a path for what follows
        if table is not None or path in ((), ("ip", "firewall"), ("ipv6", "firewall")):
            expected = ", ".join(sorted(COMMANDS))
            raise self.script.fault_at(f"no command stands here; expected one of {expected}", statement)
        self.skipped += 1
        self._note(statement)
        self.fills.note(self.script, statement)

    def _note(self, statement: Statement) -> None:
        """Keep what a skipped statement does to packets."""
        path, arguments = statement.path, dict(statement.arguments)
        if path[1:3] == ("firewall", "connection") and path[3:] == ("tracking",) and "enabled" in arguments:
            self.tracking = arguments["enabled"] != "no"
        what = FEATURES.get(path)
        if what is None or statement.command not in ("add", "set") or arguments.get("disabled") == "yes":
            return
        if what not in self.features:
            self.features[what] = Clause(what, self.script.locate(statement))

    def ruleset(self) -> Ruleset:
        """What the tables hold at the end."""
        for path in RULE_MENUS:
            for item in self.tables[path].items:
                action = item.properties.get("action", "")
                if action.startswith("add-") and not item.disabled:
                    self.fills.by_rules(item.properties.get("address-list", ""))
                elif action == "fasttrack-connection" and not item.disabled:
                    clause = Clause("fasttrack-connection", item.span(self.script, "action"))
                    self.features.setdefault("fasttrack-connection", clause)
        members = self.tables["interface", "list", "member"]
        interfaces = InterfaceLists(self.tables["interface", "list"], members, self.fills)
        sets: list[NamedSet] = []
        chains: list[Chain] = []
        known = {
            family: AddressLists(self.script, self.tables[path], family, self.fills)
            for path, family in ADDRESS_LISTS.items()
        }
        for family, lists in known.items():
            self.faults += lists.faults
            sets += self._sets(family, lists)
        for path, (table, family) in RULE_MENUS.items():
            reader = RuleReader(self.script, path[2], family, known[family], interfaces, self.bound)
            found, faults = chains_of(table, self.tables[path].items, reader, self.tracking)
            chains += found
            self.faults += faults
        lines = tuple(self.script.text.split("\n"))
        features, header = tuple(self.features.values()), tuple(self.script.comments)
        return Ruleset(
            self.script.source, "routeros", tuple(chains), tuple(sets), features, header, self.skipped, lines
        )

    def _sets(self, family: Family, lists: AddressLists) -> list[NamedSet]:
        table = "ip" if family is Family.IPV4 else "ipv6"
        return [
            NamedSet(table, name, family, lists.known_addresses(name), known.comment, known.item.span(self.script))
            for name, known in lists.lists.items()
            if known.item is not None
        ]
