"""The pool's screens."""

from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.master_data import MasterScreen
from appliance.console.report_screen import ReportScreen
from tests.appliance.example_service.model import MASTER_DATA, Drive, UsageLine, UsageQuestion, Vehicle, refuse_worn_out

SCREENS = (
    MasterScreen(MASTER_DATA[0]),
    ListingScreen(
        name="trips",
        title="Trips",
        listing="vehicles",
        row=Vehicle,
        shown=("plate", "name", "kilometres"),
        totals=("kilometres",),
        actions=(Action("drive", Drive, "Enter a trip", "t", fills={"plate": "plate"}, rule=refuse_worn_out),),
    ),
    ReportScreen(
        name="usage",
        title="Usage",
        command="usage",
        parameters=UsageQuestion,
        line=UsageLine,
        plot=("fuel", "kilometres"),
    ),
)
