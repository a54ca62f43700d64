"""The network's screens: how it stands, what is wrong with its description, the description itself, the workbench."""

from __future__ import annotations

from appliance.console.master_data import MasterScreen
from appliance.console.screens import CustomScreen
from appliance.console.settings_screen import SettingsScreen
from appliance.language import _
from appliance.services.network.model import MASTER_DATA, Settings

__all__ = ["SCREENS"]

_INTERFACES, _ROUTES, _POLICIES, _MANAGEMENT = MASTER_DATA

HELP = _("""\
# Records

**a** adds one, **Enter** or **e** opens the one under the cursor, **Del** removes it after a question,
**x** exports all rows that are shown. **/** searches, **f** filters, **s** sorts.

What you change here is a description. **The machine is changed under Machine: plan, commit, confirm.** The screen
Check says what is wrong with it.
""")

SCREENS = (
    CustomScreen(
        name="standing",
        title=_("Standing"),
        make="appliance.services.network.standing_pane:StandingPane",
        needs=("status",),
    ),
    CustomScreen(
        name="check",
        title=_("Check"),
        make="appliance.services.network.check_pane:CheckPane",
        needs=("check",),
    ),
    MasterScreen(_INTERFACES, help=HELP),
    MasterScreen(_ROUTES, help=HELP),
    CustomScreen(
        name="policies",
        title=_("Policies"),
        make="appliance.services.network.policies_pane:PoliciesPane",
        needs=("policies",),
    ),
    MasterScreen(_MANAGEMENT, title=_("Management networks"), help=HELP),
    CustomScreen(
        name="workbench",
        title=_("Workbench"),
        make="appliance.services.network.workbench_pane:WorkbenchPane",
        needs=("policies",),
    ),
    SettingsScreen(Settings, committed=True),
)
