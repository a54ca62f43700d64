"""What the pool keeps and says."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from appliance.contract.kinds import Code, Count, Name, Note, Unit
from appliance.contract.master_data import MasterData
from appliance.contract.records import Row, record
from appliance.contract.refusals import RuleBroken

CLERKS = frozenset({"clerk"})
READERS = frozenset({"clerk", "reader"})
MOST = 2_000_000
Kilometres = Annotated[int, Ge(0), Le(MOST), Unit("km")]
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


def refuse_worn_out(vehicle: Row) -> None:
    """A rule of the row: the command refuses by it, and the key of the screen is dim and says so beforehand."""
    if vehicle["kilometres"] > MOST - 5000:
        raise RuleBroken("{plate} is worn out: it has driven {km} km", plate=vehicle["plate"], km=vehicle["kilometres"])


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
