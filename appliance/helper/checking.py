"""A program's native validator, with the program's own rights and within limits."""

from __future__ import annotations

from pathlib import Path

from appliance.contract.programs import Program
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
    places.prepare_for(program, privileged=privileged)
    words = (
        *limits(),
        *prefix(program, privileged=privileged),
        *(places.expanded(word, program.name, str(files)) for word in program.check),
    )
    outcome = run(words, environment=environment(program, privileged=privileged), within=WITHIN)
    if outcome.fine:
        return ""
    return outcome.said or f"{program.check[0]} ended with {outcome.code}"
