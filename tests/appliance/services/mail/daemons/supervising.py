"""Runs in a mount namespace whose ``/run`` and ``/var/lib`` are its own: the supervisor, told what to do by lines."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from appliance.contract.programs import RUN, STATE
from appliance.helper.checking import check
from appliance.helper.shadow import shadow
from appliance.services.mail.components import PROGRAMS
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places

NAMED = {program.name: program for program in PROGRAMS}


def main() -> None:
    """One JSON line in, one out, until the input ends."""
    places = Places(RUN, STATE)
    # Control groups are named by the run folder's path, which is the same in every ward and hospital that stands.
    with OwnSupervisor(places, NAMED, groups=False) as supervisor:
        for line in sys.stdin:
            start = time.monotonic()
            try:
                answer: Any = {"said": _done(supervisor, places, *json.loads(line))}
            except Exception as error:
                answer = {"error": f"{error}"}
            print(json.dumps({**answer, "seconds": time.monotonic() - start}), flush=True)


def _done(supervisor: OwnSupervisor, places: Places, what: str, name: str, files: str = "") -> str:
    program = NAMED[name]
    match what:
        case "start":
            status = supervisor.start(program, files)
            return f"{status.state}"
        case "stop":
            return f"{supervisor.stop(name).state}"
        case "check":
            return check(program, Path(files), places, privileged=True)
        case "shadow":
            return shadow(program, Path(files), places, privileged=True)
        case "log":
            return "\n".join(supervisor.log(name, 200))
        case _:
            raise ValueError(what)


main()
