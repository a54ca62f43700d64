"""The firewall of a router for the simulator: mangle and NAT too, with the meanings of stateful rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from compiler.addresses import AddressSet
from compiler.dialects.routeros.chains import chains_of
from compiler.dialects.routeros.facts import INERT, MATCHERS, PROPERTIES, UNMODELLED_MATCHERS
from compiler.dialects.routeros.lists import AddressLists, InterfaceLists
from compiler.dialects.routeros.menus import FEATURES
from compiler.dialects.routeros.network_tables import routing_tables
from compiler.dialects.routeros.router import IPV4_ONLY, IPV6_ONLY, NOT_IN_RAW, Router, plain_table
from compiler.dialects.routeros.script import Path, Script, Statement
from compiler.dialects.routeros.stateful_facts import (
    ACTION_PROPERTIES,
    SIMULATED_MENUS,
    base_chains,
    chain_kind,
)
from compiler.dialects.routeros.stateful_rules import StatefulRuleReader, Surroundings
from compiler.dialects.routeros.tables import Item, Table
from compiler.dialects.routeros.versions import evident_version
from compiler.errors import InputError
from compiler.fields import Family
from compiler.policy.ruleset import Chain, Hook, NamedSet, Ruleset

__all__ = ["SimulatedRouter"]

_TABLES = ("routing", "table")
_ENCRYPTS = frozenset({"policy", "peer", "identity"})
_ONLY_FILTERS = frozenset({"reject-with", "hw-offload"})
_IPV4_ACTIONS = frozenset({"new-ttl"})
_IPV6_ACTIONS = frozenset({"new-hop-limit", "to-address"})


def _rule_table(path: Path) -> Table:
    kind = path[2]
    rules = INERT | MATCHERS | UNMODELLED_MATCHERS | ACTION_PROPERTIES[kind] | {"place-before", "copy-from"}
    rules -= IPV6_ONLY | _IPV6_ACTIONS if path[0] == "ip" else IPV4_ONLY | _IPV4_ACTIONS
    if kind == "raw":
        rules -= NOT_IN_RAW | {name for name in rules if name.startswith("connection-")}
    elif kind != "filter":
        rules -= _ONLY_FILTERS
    return Table(path, rules, ("chain",))


class SimulatedRouter(Router):
    """Runs a script, and reads all of its firewall with meanings."""

    rule_menus = SIMULATED_MENUS
    feature_menus = MappingProxyType({path: what for path, what in FEATURES.items() if path not in SIMULATED_MENUS})

    def __init__(self, script: Script, version: int | None) -> None:
        tables: dict[Path, Table] = {path: _rule_table(path) for path in SIMULATED_MENUS}
        tables |= {path: plain_table(path) for path in PROPERTIES}
        tables[_TABLES] = routing_tables()
        super().__init__(script, version, tables=tables)
        self.version = self.version or evident_version(script)
        self._filled: dict[Family, set[str]] = {family: set() for family in Family}
        self._encrypted = False

    def skip(self, statement: Statement) -> None:
        """Keep what a skipped statement does to packets."""
        super().skip(statement)
        path = statement.path
        configured = path[:2] == ("ip", "ipsec") and path[2:] and path[2] in _ENCRYPTS
        if configured and statement.command in ("add", "set"):
            self._encrypted = True
        if dict(statement.arguments).get("use-ipsec") in ("yes", "required"):
            self._encrypted = True

    def note_action(self, item: Item, family: Family) -> None:
        """Look at a rule before any is read: it may fill a list."""
        properties = item.properties
        if properties.get("action", "").startswith("add-") and properties.get("address-list"):
            self._filled[family].add(properties["address-list"])

    def chains(
        self, path: Path, lists: dict[Family, AddressLists], interfaces: InterfaceLists
    ) -> tuple[list[Chain], list[InputError]]:
        """The chains of one menu, and the faults found on the way."""
        table, family = self.rule_menus[path]
        items = self.tables[path].items
        bases = base_chains(path[2], self.version or 7)
        around = Surroundings(
            _hooks(items, bases), frozenset(self._filled[family]), self._routing_tables(), self._encrypted
        )
        reader = StatefulRuleReader(self.script, path[2], family, lists[family], interfaces, around)
        return chains_of(table, items, reader, self.tracking, bases, partial(chain_kind, path[2]))

    def sets(self, family: Family, lists: AddressLists) -> list[NamedSet]:
        """The address lists that have rows, and those that rules fill."""
        found = super().sets(family, lists)
        table, empty = ("ip" if family is Family.IPV4 else "ipv6"), AddressSet.of(family.width)
        known = {named.name for named in found}
        return found + [NamedSet(table, name, family, empty) for name in sorted(self._filled[family] - known)]

    def ruleset(self) -> Ruleset:
        """What the tables hold at the end."""
        return replace(super().ruleset(), for_simulation=True)

    def _routing_tables(self) -> dict[str, int] | None:
        """The tables that packets can be sent to, with the offsets of their rows; None before RouterOS 7."""
        if self.version is None or self.version < 7:
            return None
        rows = [item for item in self.tables[_TABLES].items if not item.disabled]
        return {
            item.properties["name"]: item.statement.start
            for item in rows
            if item.properties.get("fib") in ("yes", "true")
        }


def _hooks(items: list[Item], bases: Mapping[str, tuple[Hook, int]]) -> dict[str, frozenset[Hook]]:
    """The hooks whose packets may come to each chain."""
    jumps: dict[str, set[str]] = {}
    for item in items:
        if item.properties.get("action") == "jump" and not item.disabled:
            jumps.setdefault(item.properties["chain"], set()).add(item.properties.get("jump-target", ""))
    found: dict[str, frozenset[Hook]] = {}
    for base, (hook, _) in bases.items():
        waiting, seen = [base], {base}
        while waiting:
            name = waiting.pop()
            found[name] = found.get(name, frozenset()) | {hook}
            more = jumps.get(name, set()) - seen
            seen |= more
            waiting += more
    return found
