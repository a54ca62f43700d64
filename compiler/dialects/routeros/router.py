"""The firewall of a router whose tables were empty when the script began."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
from compiler.dialects.routeros.runner import Runner
from compiler.dialects.routeros.script import Path, Script, Statement
from compiler.dialects.routeros.tables import Item, Table
from compiler.errors import InputError
from compiler.fields import Family
from compiler.policy.access_list import Clause
from compiler.policy.ruleset import Chain, NamedSet, Ruleset

__all__ = ["IPV4_ONLY", "IPV6_ONLY", "NOT_IN_RAW", "Router", "plain_table"]

IPV4_ONLY = frozenset({"ttl", "fragment", "ipv4-options"})
IPV6_ONLY = frozenset({"hop-limit", "headers"})
NOT_IN_RAW = frozenset({"layer7-protocol", "reject-with", "hw-offload", "routing-mark", "routing-table"})


def plain_table(path: Path) -> Table:
    """An empty table of a menu, with the properties that its rows may have and those they must have."""
    if path in PROPERTIES:
        return Table(path, PROPERTIES[path], REQUIRED[path])
    rules = INERT | MATCHERS | UNMODELLED_MATCHERS | {"place-before", "copy-from"}
    rules -= IPV6_ONLY if path[0] == "ip" else IPV4_ONLY
    if path[2] == "raw":
        rules -= NOT_IN_RAW | {name for name in rules if name.startswith("connection-")}
    return Table(path, rules, ("chain",))


class Router(Runner):
    """Runs a script, and reads what its firewall tables hold at the end."""

    rule_menus: Mapping[Path, tuple[str, Family]] = RULE_MENUS
    """Menu -> the table's name in the tree, and its family."""
    feature_menus: Mapping[Path, str] = MappingProxyType(FEATURES)

    def __init__(
        self, script: Script, version: int | None, bound: bool = False, tables: dict[Path, Table] | None = None
    ) -> None:
        super().__init__(script, version, tables or {path: plain_table(path) for path in MENUS})
        self.bound = bound
        self.features: dict[str, Clause] = {}
        self.tracking = True
        """Whether connection tracking, and with it defragmentation, may run."""
        self.fills = Fills()

    def path_fault(self, path: Path) -> str:
        """Why a path is wrong, or ``""``."""
        return path_fault(path, self.tables.keys())

    def is_parent(self, path: Path) -> bool:
        """Whether the path only leads to menus."""
        return path in ((), ("ip", "firewall"), ("ipv6", "firewall"))

    def skip(self, statement: Statement) -> None:
        """Keep what a skipped statement does to packets."""
        path, arguments = statement.path, dict(statement.arguments)
        if path[1:3] == ("firewall", "connection") and path[3:] == ("tracking",) and "enabled" in arguments:
            self.tracking = arguments["enabled"] != "no"
        what = self.feature_menus.get(path)
        changes = statement.command in ("add", "set") and arguments.get("disabled") != "yes"
        if what is not None and changes and what not in self.features:
            self.features[what] = Clause(what, self.script.locate(statement))
        self.fills.note(self.script, statement)

    def ruleset(self) -> Ruleset:
        """What the tables hold at the end."""
        for path, (_, family) in self.rule_menus.items():
            for item in self.tables[path].items:
                if not item.disabled:
                    self.note_action(item, family)
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
            sets += self.sets(family, lists)
        for path in self.rule_menus:
            found, faults = self.chains(path, known, interfaces)
            chains += found
            self.faults += faults
        lines = tuple(self.script.text.split("\n"))
        features, header = tuple(self.features.values()), tuple(self.script.comments)
        return Ruleset(
            self.script.source, "routeros", tuple(chains), tuple(sets), features, header, self.skipped, lines
        )

    def note_action(self, item: Item, family: Family) -> None:
        """Look at a rule before any is read: it may fill a list."""
        action = item.properties.get("action", "")
        if action.startswith("add-"):
            self.fills.by_rules(item.properties.get("address-list", ""))
        elif action == "fasttrack-connection":
            clause = Clause("fasttrack-connection", item.span(self.script, "action"))
            self.features.setdefault("fasttrack-connection", clause)

    def chains(
        self, path: Path, lists: dict[Family, AddressLists], interfaces: InterfaceLists
    ) -> tuple[list[Chain], list[InputError]]:
        """The chains of one menu, and the faults found on the way."""
        table, family = self.rule_menus[path]
        reader = RuleReader(self.script, path[2], family, lists[family], interfaces, self.bound)
        return chains_of(table, self.tables[path].items, reader, self.tracking)

    def sets(self, family: Family, lists: AddressLists) -> list[NamedSet]:
        """The address lists that have rows."""
        table = "ip" if family is Family.IPV4 else "ipv6"
        return [
            NamedSet(table, name, family, lists.known_addresses(name), known.comment, known.item.span(self.script))
            for name, known in lists.lists.items()
            if known.item is not None
        ]
