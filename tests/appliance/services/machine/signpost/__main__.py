"""The daemon as a process."""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.daemon.run_settings import RunSettings
from appliance.daemon.serving import serve
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from compiler.errors import GerbangError
from tests.appliance.daemon.house import ZONE
from tests.appliance.services.machine.signpost import service as signpost

if __name__ == "__main__":
    state, socket, store = sys.argv[1:]
    try:
        settings = RunSettings(state=Path(state), socket=Path(socket), store=store, zone=ZONE)
        sys.exit(serve(settings, [system, machine, signpost]))
    except GerbangError as error:
        print(error)
        sys.exit(error.exit_code)
