"""An operation of mail, asked of the root helper; its answer is JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from appliance.contract.context import Context
from appliance.contract.refusals import Refused
from appliance.language import _
from compiler.errors import GerbangError

__all__ = ["POSTMASTER", "asked", "fitting"]

POSTMASTER = "postmaster"
"""The role that may do all of this."""
_LONGEST = 1_000


def asked(context: Context, operation: str, given: Any = None, /, **arguments: str | int) -> Any:
    """What ``mail.<operation>`` answers. Raises Refused with what it said when it did not do it."""
    words = {name: str(value) for name, value in arguments.items()}
    perform: Callable[..., str] = context.appliance.machine.perform
    try:
        said = perform(f"mail.{operation}", words, "" if given is None else json.dumps(given))
    except GerbangError as error:
        if not any(one.program.startswith("mail.") for one in context.appliance.machine.status()):
            raise Refused(_("mail does not run yet: it comes with the next commit, under Machine")) from error
        # What a tool has printed says more than that it has failed.
        told = str(getattr(error, "said", "") or error).strip().splitlines()
        raise Refused(_("not done: {why}"), why=fitting(told[-1] if told else str(error), 300)) from error
    if not said.strip():
        return None
    try:
        # What the program itself has printed stands last: a library may have warned before it.
        return json.loads(said.strip().splitlines()[-1])
    except ValueError:
        return None


def fitting(text: str, longest: int = _LONGEST) -> str:
    """What came from outside, as a text of one line may hold it."""
    return "".join(one if one.isprintable() else " " for one in text).strip()[:longest]
