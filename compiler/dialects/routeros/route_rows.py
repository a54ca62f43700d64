"""Rows of ``/ip route``, ``/ipv6 route``, ``/routing rule`` and ``/ip route rule``.

Sources: MikroTik documentation, "IP Routing" (gateways, ECMP, scopes), "Policy
Routing", "Moving from ROSv6 to v7 with examples"; the manual of version 6,
"IP/Route". A gateway that stands several times weighs as much more.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from compiler.dialects.routeros.row_values import RowReader
from compiler.dialects.routeros.script import Script
from compiler.dialects.routeros.tables import Item
from compiler.errors import Unmodelled
from compiler.fields import Family
from compiler.policy.network import CheckGateway, NextHop, Prefix, Route, RouteKind, RoutingRule, RuleAction
from compiler.policy.stateful import MarkNamed, Register

__all__ = ["RouteReader"]

_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+|\d+\.\d+\..*|.*:.*")
_SIX_ONLY = {"routing-mark": "routing-table", "type": "blackhole"}
_SEVEN_ONLY = {"routing-table": "routing-mark", "blackhole": "type=blackhole"}
_ACTIONS = {
    "lookup": RuleAction.LOOKUP,
    "lookup-only-in-table": RuleAction.LOOKUP_ONLY,
    "drop": RuleAction.BLACKHOLE,
    "unreachable": RuleAction.UNREACHABLE,
}
_UNSET = 0xFFFFFFFF
"""``min-prefix`` that suppresses nothing."""


class RouteReader(RowReader):
    """Reads the routes and rules of one script. ``tables`` are the tables that RouterOS 7 declares."""

    def __init__(self, script: Script, version: int, tables: Collection[str]) -> None:
        super().__init__(script)
        self.version = version
        self.tables = tables

    def route(self, item: Item, family: Family) -> Route | None:
        """A route, or None where it cannot be read."""
        self._versions(item)
        if item.properties.get("vrf-interface"):
            self.fault(item, "a VRF is not modelled", "vrf-interface", Unmodelled)
        prefix = self._destination(item, family)
        kind = self._kind(item)
        hops = self._gateways(item, family) if kind is RouteKind.UNICAST else ()
        if prefix is None or hops is None:
            return None
        if kind is RouteKind.UNICAST and not hops:
            self.fault(item, "a route without gateway")
            return None
        source = item.properties.get("pref-src", "")
        preferred = self.address(item, source, family, "pref-src") if source not in ("", "0.0.0.0", "::") else None
        return Route(
            prefix,
            hops,
            self._table(item, "routing-mark" if self.version == 6 else "routing-table"),
            self.number(item, "distance", 1, 0, 255),
            kind,
            self._check(item),
            self.number(item, "scope", 30, 0, 255),
            self.number(item, "target-scope", 10, 0, 255),
            preferred,
            not self.yes(item, "disabled"),
            item.properties.get("comment", ""),
            item.span(self.script),
        )

    def rules(self, item: Item, priority: int) -> list[RoutingRule]:
        """A rule: one for each family that it may match."""
        properties = item.properties
        texts = {name: properties.get(name, "") for name in ("src-address", "dst-address")}
        families = [Family.IPV4] if self.version == 6 else list(Family)
        if any(texts.values()):
            families = [Family.IPV6 if any(":" in text for text in texts.values()) else Family.IPV4]
        ends: dict[str, Prefix | None] = {}
        for name, text in texts.items():
            end = self.prefix(item, name, text, families[0]) if text else None
            if text and end is None:
                return []
            ends[name] = end
        action = _ACTIONS[self.word(item, "action", "lookup", _ACTIONS)]
        mark = properties.get("routing-mark", "")
        shortest = self.number(item, "min-prefix", _UNSET, 0, _UNSET)
        table, enabled = self._table(item, "table"), not self.yes(item, "disabled")
        return [
            RoutingRule(
                family,
                priority,
                table,
                action,
                ends["src-address"],
                ends["dst-address"],
                properties.get("interface", ""),
                MarkNamed(Register.ROUTING, "" if mark == "no-mark" else mark) if mark else None,
                shortest if shortest <= 128 else None,
                enabled,
                properties.get("comment", ""),
                item.span(self.script),
            )
            for family in families
        ]

    def _versions(self, item: Item) -> None:
        for name, other in (_SEVEN_ONLY if self.version == 6 else _SIX_ONLY).items():
            if item.properties.get(name):
                self.fault(item, f"{name} is not of RouterOS {self.version}: expected {other}", name)

    def _destination(self, item: Item, family: Family) -> Prefix | None:
        text = item.properties.get("dst-address", "")
        if not text:
            return Prefix(family, 0, 0)
        if "@" in text:
            self.fault(item, f"dst-address={text}: a VRF is not modelled", "dst-address", Unmodelled)
            return None
        return self.prefix(item, "dst-address", text, family)

    def _kind(self, item: Item) -> RouteKind:
        if self.version == 6:
            return RouteKind(self.word(item, "type", "unicast", [kind.value for kind in RouteKind]))
        return RouteKind.BLACKHOLE if self.yes(item, "blackhole") else RouteKind.UNICAST

    def _check(self, item: Item) -> CheckGateway:
        text = item.properties.get("check-gateway", "")
        if text.startswith("bfd"):
            self.fault(item, f"check-gateway={text} is not modelled", "check-gateway", Unmodelled)
            return CheckGateway.NONE
        return CheckGateway(self.word(item, "check-gateway", "none", [check.value for check in CheckGateway]))

    def _table(self, item: Item, name: str) -> str:
        table = item.properties.get(name) or "main"
        if self.version != 6 and table not in self.tables and item.properties.get(name):
            hint = self.near(table, self.tables) or f": /routing table add name={table} fib is missing"
            self.fault(item, f"{name}={table} names no routing table{hint}", name)
        return table

    def _gateways(self, item: Item, family: Family) -> tuple[NextHop, ...] | None:
        weights: dict[tuple[int | None, str], int] = {}
        for part in filter(None, item.properties.get("gateway", "").split(",")):
            hop = self._gateway(item, part, family)
            if hop is None:
                return None
            weights[hop] = weights.get(hop, 0) + 1
        return tuple(NextHop(address, interface, weight) for (address, interface), weight in weights.items())

    def _gateway(self, item: Item, text: str, family: Family) -> tuple[int | None, str] | None:
        """``1.2.3.4``, ``ether1``, ``1.2.3.4%ether1``, each with ``@main``."""
        text, at, table = text.partition("@")
        if at and table != "main":
            self.fault(item, f"gateway={text}@{table}: only @main is modelled", "gateway", Unmodelled)
            return None
        base, percent, interface = text.partition("%")
        if not _LIKE_AN_ADDRESS.fullmatch(base):
            if percent:
                self.fault(item, f"gateway={text}: expected an address before %", "gateway")
                return None
            return None, base
        address = self.address(item, base, family, "gateway")
        return None if address is None else (address, interface)
