"""What is done with vehicles beside keeping their records."""

from __future__ import annotations

from sqlalchemy import func, select

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.store.rows import change_row, row_of
from tests.appliance.example_service.model import Drive, UsageLine, UsageQuestion, refuse_worn_out
from tests.appliance.example_service.tables import MASTER

VEHICLES = MASTER["vehicles"]


@change("clerk")
def drive(context: Context, trip: Drive) -> None:
    """Enter a trip."""
    row = row_of(context, VEHICLES, "plate", trip.plate, "vehicle")
    refuse_worn_out(row)
    driven = {"kilometres": row["kilometres"] + trip.kilometres}
    change_row(context, VEHICLES, "plate", trip.plate, row["version"], driven, "vehicle")
    context.publish("changed", f"vehicles/{trip.plate}")


@query("clerk", "reader")
def usage(context: Context, question: UsageQuestion) -> tuple[UsageLine, ...]:
    """Vehicles and kilometres by fuel."""
    columns = VEHICLES.c
    counted = (
        select(columns.fuel, func.count(), func.sum(columns.kilometres))
        .where(columns.kilometres >= question.at_least)
        .group_by(columns.fuel)
        .order_by(columns.fuel)
    )
    return tuple(
        UsageLine(fuel=fuel, vehicles=vehicles, kilometres=kilometres)
        for fuel, vehicles, kilometres in context.connection.execute(counted)
    )
