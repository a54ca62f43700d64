"""A pool to try things on."""

from appliance.contract.context import Context
from appliance.store.rows import add_row, values_of
from tests.appliance.example_service.model import Vehicle
from tests.appliance.example_service.tables import MASTER


def load(context: Context) -> None:
    """Three vehicles."""
    for plate, name, fuel, seats, driven in (
        ("B1234XY", "Minibus", "diesel", 12, 81_000),
        ("B7", "Ambulance", "petrol", 4, 15_400),
        ("D88", "[/bold] cart", "electricity", 2, 120),
    ):
        vehicle = Vehicle(plate=plate, name=name, fuel=fuel, seats=seats, kilometres=driven)
        add_row(context, MASTER["vehicles"], "plate", values_of(vehicle), "vehicle")
