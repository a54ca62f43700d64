"""Zones made for other services: what a mail server needs before anybody has looked at names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from appliance.services.dns.model import Entry, EntryRow, Settings, Zone
from appliance.services.dns.names import absolute, relative, reverse_zone
from appliance.services.dns.rdata import canonical

if TYPE_CHECKING:
    from appliance.contract.context import Context

__all__ = ["HOST_NETWORK", "add_entries", "add_zone", "address_entry", "ensure_zone", "row_of_entry", "zone_names"]

HOST_NETWORK = {4: 24, 6: 64}
"""The length of the network that gets a reverse zone, by the version of the address."""


def ensure_zone(context: Context, zone: str, name_server: str, address: str) -> None:
    """In a change: make the zone, with this server as its name server, and the reverse zone of the address's network.

    ``zone`` is ``rssulsel.com``, ``name_server`` ``ns`` or a whole name in it,
    ``address`` an IPv4 or IPv6 address. What is there already stays as it is;
    calling it twice is calling it once. When nobody has ever set up the
    resolver and the address is private, it listens there, for its network.
    Raises RuleBroken for what is no name or no address.
    """
    context = replace(context, service="dns")
    zone = zone.lower().removesuffix(".")
    named = name_server.lower().removesuffix(".")
    host = named if "." in named else absolute(named, zone)
    there = zone_names(context)
    contact = f"hostmaster@{zone}"
    if zone not in there:
        add_zone(context, Zone(name=zone, primary=host, contact=contact))
        entries = [Entry(zone=zone, owner="@", type="NS", value=f"{host}.")]
        if host.endswith(f".{zone}"):
            entries.append(address_entry(zone, relative(host, zone), address))
        add_entries(context, entries)
        context.publish("added", f"zones/{zone}")
    network = ip_network(f"{address}/{HOST_NETWORK[ip_address(address).version]}", strict=False)
    reverse = reverse_zone(str(network))
    if reverse not in there:
        add_zone(context, Zone(name=reverse, primary=host, contact=contact))
        # No PTR: who the address is, says the service that declares one. Mail is taken from its own name only.
        add_entries(context, [Entry(zone=reverse, owner="@", type="NS", value=f"{host}.")])
        context.publish("added", f"zones/{reverse}")
    _first_settings(context, address, str(network))


def _first_settings(context: Context, address: str, network: str) -> None:
    from appliance.store.settings import change_settings, settings_version

    if ip_address(address).is_private and not settings_version(context.connection, "dns"):
        change_settings(context, Settings(addresses=(address,), networks=(network,)), 0)
        context.publish("changed", "settings")


def zone_names(context: Context) -> frozenset[str]:
    """The zones that are there."""
    from sqlalchemy import select

    from appliance.services.dns.tables import ZONES

    return frozenset(context.connection.execute(select(ZONES.c.name)).scalars())


def address_entry(zone: str, owner: str, address: str) -> Entry:
    """The A or AAAA record of an address."""
    if ip_address(address).version == 4:
        return Entry(zone=zone, owner=owner, type="A", value=address)
    return Entry(zone=zone, owner=owner, type="AAAA", value=address)


def add_zone(context: Context, zone: Zone) -> None:
    """Add a zone. Raises AlreadyThere."""
    from appliance.services.dns.tables import ZONES
    from appliance.store.rows import add_row, values_of

    add_row(context, ZONES, "name", values_of(zone), "zone")


def add_entries(context: Context, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Add records, each in its one form; their numbers. Raises AlreadyThere for one that is there."""
    from sqlalchemy import select

    from appliance.contract.refusals import AlreadyThere
    from appliance.services.dns.tables import RECORDS
    from appliance.store.numbering import next_number
    from appliance.store.rows import add_row, values_of

    if not entries:
        return ()
    first = next_number(context, RECORDS.c.number, "R", digits=4)
    start, count = first[:7], int(first[7:])
    columns = (RECORDS.c.zone, RECORDS.c.owner, RECORDS.c.type, RECORDS.c.value)
    zones = {one.zone for one in entries}
    asked = select(*columns).where(RECORDS.c.zone.in_(zones))
    known = {tuple(row) for row in context.connection.execute(asked)}
    numbers = []
    for place, entry in enumerate(entries):
        row = row_of_entry(entry, f"{start}{count + place:04d}")
        key = (row.zone, row.owner, row.type, row.value)
        if key in known:
            raise AlreadyThere("record", f"{absolute(row.owner, row.zone)} {row.type} {row.value}"[:200], field="value")
        known.add(key)
        add_row(context, RECORDS, "number", values_of(row), "record")
        numbers.append(row.number)
    return tuple(numbers)


def row_of_entry(entry: Entry, number: str) -> EntryRow:
    """The record in the form in which it is kept."""
    name = absolute(entry.owner, entry.zone)
    return EntryRow(
        zone=entry.zone,
        owner=relative(name, entry.zone),
        type=entry.type,
        value=canonical(entry.type, entry.value, entry.zone),
        ttl=entry.ttl,
        about=entry.about,
        number=number,
    )
