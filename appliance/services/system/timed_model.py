"""What the commands of what runs by itself take and answer."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, MaxLen

from appliance.contract.kinds import Code, Entry, Line, Moment, Unit
from appliance.contract.records import record
from appliance.language import _

__all__ = ["CommandNamed", "Said", "TimedRow"]

CommandName = Annotated[str, MaxLen(100), Entry("line")]
Said = Annotated[str, MaxLen(300), Entry("line")]


@record
class CommandNamed:
    """A command that runs by itself."""

    service: Code
    command: CommandName


@record(title=_("what runs by itself"))
class TimedRow:
    """A command that runs by itself, how its last run has ended, and when the next is due."""

    service: Code
    command: CommandName
    daily: Line
    """``02:30``, where the appliance stands; empty for one that runs more often."""
    hours: Annotated[int, Ge(0), Unit("hours")]
    """Of one that runs every so many hours; 0 for a daily one."""
    last: Moment | None
    """When the last run began."""
    by: Line
    """Who began it: the appliance, or somebody by hand."""
    outcome: Line
    """``running``, ``done``, ``failed``, ``cancelled``, ``interrupted`` (the daemon died during it), ``not needed``;
    empty before the first."""
    said: Said
    """Why it has failed."""
    next: Moment | None
