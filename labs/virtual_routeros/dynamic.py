"""Rows that the router makes itself: what addresses say of their networks, and the routes to these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labs.virtual_routeros.tables import Row
from labs.virtual_routeros.values import network_of

if TYPE_CHECKING:
    from labs.virtual_routeros.device import Device

__all__ = ["renew"]


def renew(device: Device) -> None:
    """Have the router's own rows follow the others; a route that stays keeps its id."""
    table = device.tables["ip", "route"]
    held = {_key(row.properties): row for row in table.rows if row.dynamic}
    wanted: list[Row] = []
    for address in device.tables["ip", "address"].rows:
        text, interface = address.properties.get("address", ""), address.properties.get("interface", "")
        network = address.properties.get("network") or network_of(text)
        address.extra = {"network": network, "actual-interface": interface, "invalid": "false"}
        if address.is_disabled:
            continue
        properties = {
            "dst-address": f"{network}/{text.partition('/')[2]}",
            "gateway": interface,
            "distance": "0",
            "scope": "10",
            "pref-src": text.partition("/")[0],
        }
        row = held.get(_key(properties))
        if row is None:
            row = Row(device.dynamic_ids.take(), properties, dynamic=True)
            row.extra = {"connect": "true", "active": "true"}
        wanted.append(row)
    table.rows[:] = [*wanted, *(row for row in table.rows if not row.dynamic)]
    for row in table.rows:
        if not row.dynamic:
            row.extra = {"static": "true"}
    for rule in ("filter", "nat", "mangle", "raw"):
        for row in device.tables["ip", "firewall", rule].rows:
            row.extra.setdefault("packets", "0")
            row.extra.setdefault("invalid", "false")


def _key(properties: dict[str, str]) -> tuple[str, ...]:
    return tuple(properties[name] for name in ("dst-address", "gateway", "pref-src"))
