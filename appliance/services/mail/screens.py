"""The screens of the mail: accounts first, then what they belong to, the keys that sign, and the settings."""

from __future__ import annotations

from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.screens import CustomScreen
from appliance.console.settings_screen import SettingsScreen
from appliance.language import _
from appliance.services.mail.committing_pane import MailScreen
from appliance.services.mail.model import MASTER_DATA, DkimRow, Selector, Settings
from appliance.services.mail.operating_screens import OPERATING

__all__ = ["SCREENS"]

_DEPARTMENTS, _ACCOUNTS, _ALIASES, _GROUPS = MASTER_DATA

DKIM_HELP = _("""\
# Keys that sign

What leaves us is signed (DKIM); others look the key up in our zone. **n** makes a new key, which signs from the next
commit on. The record of the old one stays published, for mail that is on its way: **k** drops it, a week later.
Both change the zone and the filter, so an administrator commits them under Machine.
""")

SCREENS = (
    CustomScreen(
        name="accounts",
        title=_("Accounts"),
        make="appliance.services.mail.accounts_pane:AccountsPane",
        needs=("accounts",),
    ),
    MailScreen(_GROUPS),
    MailScreen(_ALIASES),
    MailScreen(_DEPARTMENTS),
    *OPERATING,
    ListingScreen(
        name="dkim",
        title=_("Keys that sign"),
        help=DKIM_HELP,
        row=DkimRow,
        actions=(
            Action("dkim.rotate", None, _("New key"), "n", tooltip=_("Sign with a new key from the next commit on")),
            Action("dkim.forget", Selector, _("Drop"), "k", fills={"selector": "selector"}, form=False,
                   tooltip=_("Publish the record of an old key no longer")),
        ),
    ),
    SettingsScreen(Settings, committed=True),
)  # fmt: skip
