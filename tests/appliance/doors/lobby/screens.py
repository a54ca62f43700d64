"""The screen that visitors see, and the one that porters see beside it."""

from appliance.console.report_screen import ReportScreen
from tests.appliance.doors.lobby.model import Greeting, Welcome

SCREENS = (
    ReportScreen(name="welcome", title="Welcome board", command="welcome", parameters=Greeting, line=Welcome),
    ReportScreen(name="bell", title="Bell of the porters", command="ring", parameters=Greeting, line=Welcome),
)
