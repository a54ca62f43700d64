"""A program's native validator, with the program's own rights and within limits."""

from __future__ import annotations

from pathlib import Path

from appliance.contract.programs import Program
from appliance.helper.shadow import words_inside
from appliance.helper.walls import walled
from appliance.supervisor.bounded import limits, run
from appliance.supervisor.places import Places
from appliance.supervisor.privileges import environment, prefix

__all__ = ["check"]

WITHIN = 60.0
"""Seconds."""


def check(program: Program, files: Path, places: Places, *, privileged: bool) -> str:
    """What the validator said when it refused; empty when it accepts or when there is none.

    Raises SupervisionFailed when the program's user is not there.
    """
    if not program.check:
        return ""
    if privileged and walled(program):
        # As root, on what the daemon's user has written: behind walls, as a shadow start is.
        words = words_inside(program, files, places, privileged=True, check=True)
    else:
        places.prepare_for(program, privileged=privileged)
        own = (places.expanded(word, program.name, str(files)) for word in program.check)
        words = (*prefix(program, privileged=privileged), *own)
    outcome = run((*limits(), *words), environment=environment(program, privileged=privileged), within=WITHIN)
    if outcome.fine:
        return ""
    return outcome.said or f"{program.check[0]} ended with {outcome.code}"
