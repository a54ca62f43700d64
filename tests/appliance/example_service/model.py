"""What the pool keeps and says."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from appliance.contract.kinds import Code, Count, Name, Note, Unit
from appliance.contract.master_data import MasterData
from appliance.contract.records import record

CLERKS = frozenset({"clerk"})
READERS = frozenset({"clerk", "reader"})
Kilometres = Annotated[int, Ge(0), Le(2_000_000), Unit("km")]
Fuel = Literal["petrol", "diesel", "electricity"]


@record
class Vehicle:
    """What stands in the yard."""

    plate: Code
    name: Name
    fuel: Fuel = "petrol"
    seats: Annotated[int, Ge(1), Le(80)]
    kilometres: Kilometres = 0
    note: Note = ""


@record
class Drive:
    """One trip."""

    plate: Code
    kilometres: Annotated[int, Ge(1), Le(5000), Unit("km")]


@record
class UsageQuestion:
    """Which vehicles are counted."""

    at_least: Kilometres = 0


@record
class UsageLine:
    """The vehicles of one fuel."""

    fuel: Fuel
    vehicles: Count
    kilometres: Count


MASTER_DATA = (MasterData(name="vehicles", record=Vehicle, key="plate", see=READERS, change=CLERKS),)
