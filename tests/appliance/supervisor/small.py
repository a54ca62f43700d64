"""Small programs and what is asked of their processes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from appliance.contract.programs import Program
from appliance.supervisor.places import Places
from appliance.supervisor.restarts import Pace

PACE = Pace(first=0.01, longest=0.05)
Making = Callable[..., Program]
Eventually = Callable[[Callable[[], object]], object]

SERVES = """
    import signal, sys, time
    print("ready", flush=True)
    while True:
        signal.pause()
"""
"""Serves until SIGTERM."""


def alive(number: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return text[text.rfind(")") + 2] not in "ZX"


def in_another_process(places: Places, program: Program, files: str, *, groups: bool) -> subprocess.Popen[str]:
    """A supervisor in a process of its own that can be killed; it says the program's process on its output."""
    described = {"name": program.name, "command": list(program.command)}
    code = f"""
import json, sys, time
sys.path[:] = {sys.path!r}
from pathlib import Path
from appliance.contract.programs import Program, Ready
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
described = json.loads({json.dumps(json.dumps(described))})
program = Program(name=described["name"], command=tuple(described["command"]), ready=Ready(line="ready"))
supervisor = OwnSupervisor(Places(Path({str(places.run)!r}), Path({str(places.state)!r})), groups={groups})
print(supervisor.start(program, {files!r}).process, flush=True)
time.sleep(600)
"""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
