"""The zones, gathered from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.services.dns.content import ServedRecord, ServedZone
from appliance.services.dns.model import Settings, Zone
from appliance.services.dns.names import absolute
from appliance.services.dns.rdata import canonical

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["described", "settings_now"]


def described(connection: Connection) -> tuple[ServedZone, ...]:
    """All zones with the records that are kept for them, in the order of their names."""
    from sqlalchemy import select

    from appliance.services.dns.tables import RECORDS, ZONES
    from appliance.store.rows import made

    zones = [made(Zone, row) for row in connection.execute(select(ZONES).order_by(ZONES.c.name)).mappings()]
    ttls = {one.name: one.ttl for one in zones}
    records: dict[str, list[ServedRecord]] = {one.name: [] for one in zones}
    columns = (RECORDS.c.zone, RECORDS.c.owner, RECORDS.c.type, RECORDS.c.value, RECORDS.c.ttl)
    for zone, owner, kind, value, ttl in connection.execute(select(*columns)):
        name = absolute(owner, zone)
        one = ServedRecord(name=name, type=kind, value=canonical(kind, value, zone), ttl=ttl or ttls[zone])
        records[zone].append(one)
    return tuple(
        ServedZone(zone=one, records=tuple(sorted(records[one.name], key=lambda kept: kept.order))) for one in zones
    )


def settings_now(connection: Connection) -> Settings:
    """The settings, with what an administrator has set."""
    from appliance.store.settings import settings_of

    return settings_of(connection, "dns", Settings)
