"""The table of changes: the machine's other records are the generations, which are files."""

from __future__ import annotations

from appliance.services.machine.project import ChangeRecord
from appliance.store.tables import metadata, record_table

__all__ = ["CHANGES", "METADATA"]

METADATA = metadata()
CHANGES = record_table("machine_changes", ChangeRecord, METADATA, key="number")
