"""The tables of names: zones, and the records in them."""

from __future__ import annotations

from appliance.services.dns.model import MASTER_DATA, EntryRow
from appliance.store.tables import master_tables, metadata, record_table

__all__ = ["MASTER", "METADATA", "RECORDS", "ZONES"]

METADATA = metadata()
MASTER = master_tables("dns", MASTER_DATA, METADATA)
ZONES = MASTER["zones"]
RECORDS = record_table(
    "dns_records",
    EntryRow,
    METADATA,
    key="number",
    refers={"zones": "dns_zones.name"},
)
