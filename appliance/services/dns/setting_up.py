"""Zones set up with the records that nearly every one has, read from a text, and written as one."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import delete, select

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.kinds import Count
from appliance.contract.records import record
from appliance.contract.refusals import NotFound, RuleBroken
from appliance.language import _
from appliance.services.dns.content import ServedRecord
from appliance.services.dns.kinds import ZoneName
from appliance.services.dns.model import (
    HOSTMASTERS,
    Entry,
    NewZone,
    ReverseNetwork,
    Zone,
    ZoneNamed,
    ZoneText,
)
from appliance.services.dns.names import absolute, below, relative, reverse_name, reverse_zone
from appliance.services.dns.tables import RECORDS, ZONES
from appliance.services.dns.zoning import HOST_NETWORK, add_entries, add_zone, address_entry, zone_names

__all__ = ["BEFORE", "ZoneMade", "export_zone", "import_zone", "set_up", "set_up_reverse"]


@record
class ZoneMade:
    """A zone that was made or read in."""

    name: ZoneName
    records: Count
    """Of the zone."""
    reverse: ZoneName | None = None
    """The reverse zone that was made along."""


@change(*HOSTMASTERS, name="zones.set-up")
def set_up(context: Context, wanted: NewZone) -> ZoneMade:
    """Add a zone with its name server, its web and mail server, and the reverse zone."""
    server = absolute(wanted.name_server, wanted.name)
    contact = wanted.contact or f"hostmaster@{wanted.name}"
    add_zone(context, Zone(name=wanted.name, primary=server, contact=contact))
    zone = wanted.name
    hosts = {server: wanted.address} if below(server, zone) else {}
    if wanted.www is not None:
        hosts[f"www.{zone}"] = wanted.www
    if wanted.mail is not None:
        hosts[f"mail.{zone}"] = wanted.mail
    entries = [Entry(zone=zone, owner="@", type="NS", value=f"{server}.")]
    entries += [address_entry(zone, relative(host, zone), address) for host, address in hosts.items()]
    if wanted.mail is not None:
        entries.append(Entry(zone=zone, owner="@", type="MX", value=f"10 mail.{zone}."))
        entries.append(Entry(zone=zone, owner="@", type="TXT", value="v=spf1 mx -all"))
    add_entries(context, entries)
    context.publish("added", f"zones/{zone}")
    reverse = _reverse_of(context, wanted, hosts, server, contact) if wanted.reverse else None
    return ZoneMade(name=zone, records=len(entries), reverse=reverse)


def _reverse_of(context: Context, wanted: NewZone, hosts: dict[str, str], server: str, contact: str) -> str:
    """The zone of the server's network, with the names of the hosts in it; an address has one PTR, of its last host:
    a mail server must be called back by its name."""
    length = HOST_NETWORK[ip_address(wanted.address).version]
    zone = reverse_zone(str(ip_network(f"{wanted.address}/{length}", strict=False)))
    entries = []
    if zone not in zone_names(context):
        add_zone(context, Zone(name=zone, primary=server, contact=contact))
        entries.append(Entry(zone=zone, owner="@", type="NS", value=f"{server}."))
        context.publish("added", f"zones/{zone}")
    taken = select(RECORDS.c.owner).where(RECORDS.c.zone == zone, RECORDS.c.type == "PTR")
    there = set(context.connection.execute(taken).scalars())
    names = {reverse_name(address): host for host, address in hosts.items()}
    entries += [
        Entry(zone=zone, owner=relative(pointer, zone), type="PTR", value=f"{host}.")
        for pointer, host in names.items()
        if below(pointer, zone) and relative(pointer, zone) not in there
    ]
    add_entries(context, entries)
    return zone


@change(*HOSTMASTERS, name="zones.set-up-reverse")
def set_up_reverse(context: Context, wanted: ReverseNetwork) -> ZoneMade:
    """Add the reverse zone of a network, with the PTR records of all addresses that the zones here name."""
    zone = reverse_zone(wanted.network)
    contact = wanted.contact or f"hostmaster@{wanted.primary.partition('.')[2] or wanted.primary}"
    add_zone(context, Zone(name=zone, primary=wanted.primary, contact=contact))
    asked = select(RECORDS.c.owner, RECORDS.c.zone, RECORDS.c.value).where(RECORDS.c.type.in_(("A", "AAAA")))
    names: dict[str, str] = {}
    for owner, of, address in context.connection.execute(asked.order_by(RECORDS.c.id)):
        pointer = reverse_name(address)
        if below(pointer, zone) and not owner.startswith("*"):
            names.setdefault(pointer, absolute(owner, of))
    entries = [Entry(zone=zone, owner="@", type="NS", value=f"{wanted.primary}.")]
    entries += [
        Entry(zone=zone, owner=relative(pointer, zone), type="PTR", value=f"{host}.") for pointer, host in names.items()
    ]
    add_entries(context, entries)
    context.publish("added", f"zones/{zone}")
    return ZoneMade(name=zone, records=len(entries))


@change(*HOSTMASTERS, name="zones.import")
def import_zone(context: Context, given: ZoneText) -> ZoneMade:
    """Read a zone from the text of a zone file (RFC 1035)."""
    from appliance.services.dns.zone_text import read_zone

    found = read_zone(given.text, given.name)
    if given.name in zone_names(context):
        if not given.replace:
            raise RuleBroken(_("the zone {name} is there already"), field="replace", name=given.name)
        context.connection.execute(delete(RECORDS).where(RECORDS.c.zone == given.name))
    elif found.zone is None:
        raise RuleBroken(_("the text has no SOA, and there is no zone {name} yet"), field="text", name=given.name)
    else:
        add_zone(context, found.zone)
    own_ttl = context.connection.execute(select(ZONES.c.ttl).where(ZONES.c.name == given.name)).scalar_one()
    unique: dict[tuple[str, str, str], ServedRecord] = {(one.name, one.type, one.value): one for one in found.records}
    entries = [_entry(one, given.name, own_ttl) for one in unique.values()]
    add_entries(context, entries)
    context.publish("changed", f"zones/{given.name}")
    context.publish("changed", "records")
    return ZoneMade(name=given.name, records=len(entries))


def _entry(one: ServedRecord, zone: str, ttl: int) -> Entry:
    kind: Any = one.type
    own = 0 if one.ttl == ttl else one.ttl
    return Entry(zone=zone, owner=relative(one.name, zone), type=kind, value=one.value, ttl=own)


@query(*HOSTMASTERS, name="zones.export")
def export_zone(context: Context, named: ZoneNamed) -> ZoneText:
    """Write a zone as the text of a zone file, with the records that other services declare in it."""
    from appliance.services.dns.components import served
    from appliance.services.dns.zone_text import write_zone

    appliance = context.appliance
    components = appliance.components(context.connection) if appliance is not None else ()
    for one in served(context.connection, components).zones:
        if one.zone.name == named.name:
            return ZoneText(name=named.name, text=write_zone(one))
    raise NotFound("zone", named.name)


def _refuse_rename(context: Context, changed: Any) -> None:
    """Names in values are whole: they would go on naming the old zone."""
    if changed.row.name != changed.name:
        raise RuleBroken(_("a zone keeps its name: export it, and import it under the other"), field="row.name")


def _remove_records(context: Context, removed: Any) -> None:
    """They go with their zone, whose version is looked at right after."""
    context.connection.execute(delete(RECORDS).where(RECORDS.c.zone == removed.name))
    context.publish("removed", "records")


BEFORE = {"zones.change": _refuse_rename, "zones.remove": _remove_records}
