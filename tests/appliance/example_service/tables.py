"""The pool's tables."""

from appliance.store.tables import master_tables, metadata
from tests.appliance.example_service.model import MASTER_DATA

METADATA = metadata()
MASTER = master_tables("pool", MASTER_DATA, METADATA)
