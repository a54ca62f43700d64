"""The daemon with the ledger, as a process: ``python -m tests.appliance.daemon.run_ledger STATE SOCKET [STORE]``."""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.daemon.run_settings import RunSettings
from appliance.daemon.serving import serve
from appliance.services.system import service as system
from compiler.errors import GerbangError
from tests.appliance.daemon.house import ZONE
from tests.appliance.daemon.ledger import service as ledger

if __name__ == "__main__":
    state, socket, *store = sys.argv[1:]
    settings = RunSettings(state=Path(state), socket=Path(socket), store="".join(store), zone=ZONE)
    try:
        sys.exit(serve(settings, [system, ledger]))
    except GerbangError as error:
        sys.exit(str(error))
