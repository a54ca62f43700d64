"""The table of accounts."""

from appliance.store.tables import master_tables, metadata
from tests.appliance.daemon.ledger.model import MASTER_DATA

METADATA = metadata()
MASTER = master_tables("ledger", MASTER_DATA, METADATA)
