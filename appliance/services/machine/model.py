"""What the commands of the machine take and answer."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from appliance.commit.results import Standing
from appliance.contract.kinds import Code, Count, Line, Moment, Name, Number, Unit, YesNo
from appliance.contract.programs import State
from appliance.contract.records import record

__all__ = ["KEEPERS", "WATCHERS", "Back", "GenerationRow", "Installed", "LogAsked", "PackagesOf", "ProgramRow", "Wish"]

KEEPERS = ("administrator",)
"""Who changes the machine."""
WATCHERS = ("administrator", "observer")
"""Who looks at it."""


@record
class Wish:
    """A commit of what the services want now."""

    note: Line = ""
    """Why, for the list of generations."""
    confirm_within: Annotated[int, Ge(0), Le(3600), Unit("seconds")] = 120
    """It is taken back unless somebody confirms in time; 0: it stands once it serves."""
    overwrite: YesNo = False
    """Go on although files were edited by hand: the edits are lost."""


@record
class Back:
    """Where to go back to: a generation, or the last confirmed one before this."""

    to: Count | None = None


@record
class LogAsked:
    """The last lines of a program's output."""

    program: Code
    lines: Annotated[int, Ge(1), Le(10_000)] = 200


@record
class GenerationRow:
    """One generation."""

    number: Number
    standing: Standing
    current: YesNo
    who: Line
    when: Moment
    note: Line
    components: tuple[Name, ...]


@record
class ProgramRow:
    """One daemon that is supervised."""

    program: Code
    state: State
    process: Number
    since: Moment | None
    restarts: Count
    said: Line


@record
class PackagesOf:
    """The Debian packages that a service declares."""

    service: Code


@record
class Installed:
    """They are there now."""

    service: Code
    packages: tuple[Name, ...]
    said: tuple[str, ...]
    """The last lines of apt's output."""
