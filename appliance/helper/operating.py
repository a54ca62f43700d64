"""An operation, carried out: its arguments checked once more, its rights dropped, its output bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping

from appliance.contract.operations import Operation, unfit
from appliance.contract.programs import Program
from appliance.helper.answers import HelperRefused
from appliance.supervisor.bounded import run
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.places import Places
from appliance.supervisor.privileges import environment, prefix

__all__ = ["perform"]

MOST_PRINTED = 4 << 20
"""Bytes of an answer; beyond that the middle is left out."""


def perform(operation: Operation, arguments: Mapping[str, str], given: str, places: Places, *, privileged: bool) -> str:
    """What it printed. Raises HelperRefused for arguments that do not fit, SupervisionFailed when it failed."""
    if why := unfit(operation, arguments, given):
        raise HelperRefused("ill-formed", why)
    as_program = Program(name=operation.program, command=operation.command, user=operation.user)
    words = tuple(_filled(word, operation, arguments, places) for word in operation.command)
    rights = prefix(as_program, privileged=privileged and bool(operation.user))
    outcome = run(
        (*rights, *words),
        environment=environment(as_program, privileged=privileged),
        within=operation.within,
        given=given,
        most=MOST_PRINTED,
    )
    if not outcome.fine:
        raise SupervisionFailed(operation.name, f"it ended with {outcome.code}", outcome.said[-4_000:])
    return outcome.said


def _filled(word: str, operation: Operation, arguments: Mapping[str, str], places: Places) -> str:
    """One pass over the word: what an argument says is never looked at for braces itself."""
    folders = {name: places.expanded(f"{{{name}}}", operation.program) for name in ("files", "run", "state")}
    values = {**arguments, **folders}
    return re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found[1], found[0]), word)
