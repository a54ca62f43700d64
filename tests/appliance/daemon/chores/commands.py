"""A change each day, and work every six hours; tests say how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

from appliance.contract.commands import change, work
from appliance.contract.context import Context
from appliance.contract.kinds import Count, Line
from appliance.contract.people import Person
from appliance.contract.records import record
from appliance.contract.timed import Daily, Every, Timed


@record
class Litres:
    """How much water."""

    litres: Count = 1


SWEPT: list[tuple[Person, str]] = []
WATERED: list[tuple[Person, int]] = []
HOOKS: dict[str, Callable[[Context], str]] = {}


def _hook(context: Context, name: str) -> str:
    return HOOKS[name](context) if name in HOOKS else ""


@change("gardener")
def sweep(context: Context) -> Line:
    """Sweep the yard."""
    SWEPT.append((context.person, context.now.isoformat()))
    context.publish("swept", "yard")
    return _hook(context, "sweep")


@work("gardener")
def water(context: Context, litres: Litres) -> Line:
    """Water the garden."""
    WATERED.append((context.person, litres.litres))
    with context.writing("water", {"litres": litres.litres}):
        pass
    return _hook(context, "water")


TIMED = (
    Timed(command="sweep", when=Daily(at=time(2, 30)), wanted=lambda _context: "idle" not in HOOKS),
    Timed(
        command="water",
        when=Every(hours=6),
        arguments=lambda context: Litres(litres=context.now.hour + 1),
        also=frozenset({"machine.administrator"}),
        complaint=str,
    ),
)
