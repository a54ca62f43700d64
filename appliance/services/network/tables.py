"""The network's tables: those of its master data."""

from __future__ import annotations

from appliance.services.network.model import MASTER_DATA
from appliance.store.tables import master_tables, metadata

__all__ = ["MASTER", "METADATA"]

METADATA = metadata()
MASTER = master_tables("network", MASTER_DATA, METADATA)
