"""What is said in the lobby."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from appliance.contract.kinds import Count, Name
from appliance.contract.records import record


@record
class Greeting:
    """For whom."""

    guests: Annotated[int, Ge(1), Le(9)] = 1


@record
class Welcome:
    """One line of it."""

    words: Name
    guests: Count
