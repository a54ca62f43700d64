"""A shadow start: the program on new files in namespaces of its own, to see whether it would come up.

unshare(1) gives it a network, mounts and process numbers that nobody else
has, and all of it is gone with its first process. Over the folders of all
programs and over the program's further writable folders lie empty tmpfs,
so sockets, queues and databases of the running one are not touched. A
program that starts as root finds all else read only (``walls``); one that
has a user of its own is kept from no more than that user is.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from appliance.contract.programs import Program
from appliance.supervisor.bounded import run
from appliance.supervisor.places import Places

__all__ = ["MARK", "possible", "shadow", "words_inside"]

MARK = "gerbang shadow verdict: "
"""Begins the line of the verdict."""
_GRACE = 20.0
"""Seconds for everything beside the program's own."""
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
# -I: neither the environment nor the working folder has a say in what is imported.
_INSIDE = (
    "import json, sys; said = json.loads(sys.argv[1]); sys.path[:] = said['path']; "
    "from appliance.helper.inside import main; main(said)"
)


def _namespaces(*, privileged: bool) -> tuple[str, ...]:
    unshare = shutil.which("unshare", path=_ENVIRONMENT["PATH"]) or "unshare"
    words = (unshare, "--net", "--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
    return (*words, *(() if privileged else ("--map-root-user",)), "--")


def possible(*, privileged: bool) -> bool:
    """Whether this user may make the namespaces here."""
    return run((*_namespaces(privileged=privileged), "true"), environment=_ENVIRONMENT, within=_GRACE).fine


def shadow(program: Program, files: Path, places: Places, *, privileged: bool) -> str:
    """What the program said when it did not come up; empty when it did."""
    words = words_inside(program, files, places, privileged=privileged)
    within = program.ready.within + program.stop_within + _GRACE
    outcome = run(words, environment=_ENVIRONMENT, within=within)
    for line in outcome.said.splitlines():
        if line.startswith(MARK):
            return str(json.loads(line.removeprefix(MARK)))
    return f"the shadow start itself failed with {outcome.code}: {outcome.said}"


def words_inside(
    program: Program, files: Path, places: Places, *, privileged: bool, check: bool = False
) -> tuple[str, ...]:
    """The command that does it in namespaces of its own: ``inside``."""
    told = {
        "path": sys.path,
        "program": asdict(program),
        "files": str(files),
        "run": str(places.run),
        "state": str(places.state),
        "privileged": privileged,
        "check": check,
    }
    return (*_namespaces(privileged=privileged), sys.executable, "-I", "-c", _INSIDE, json.dumps(told))
