"""The screens of names: what is wrong, zones, records, all that is served, and questions to the servers."""

from __future__ import annotations

from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.report_screen import ReportScreen
from appliance.console.screens import CustomScreen
from appliance.console.settings_screen import SettingsScreen
from appliance.contract.listings import Order
from appliance.language import _
from appliance.services.dns.model import AnswerLine, Asked, Entry, EntryChange, EntryRow, EntrySeen, Settings

__all__ = ["SCREENS"]

HELP = _("""\
# Records

**a** adds one, **e** changes the one under the cursor, **Del** removes it. **f** filters: `zone=rssulsel.com type=MX`.

The owner is `@` for the zone itself, `www` for a name below it, or a whole name with a dot at its end. The value is
written as in a zone file; names in it without a dot at their end are below the zone:

| type | value |
|---|---|
| A, AAAA | `192.168.10.2`, `2001:db8::2` |
| MX | `10 mail` |
| CNAME, NS, PTR | `www`, `ns.rssulsel.com.` |
| TXT | any text, of any length; or `"one" "two"` |
| SRV | priority, weight, port, host: `0 1 587 mail` |
| CAA | `0 issue "letsencrypt.org"` |

What you change here is a description. **It is served after a commit: Machine, plan, commit.** The screen Check says
what is wrong with it.
""")
ASK_HELP = _("""\
# Question

Asks the name server of the appliance for its own zones, or its resolver for any name, and shows what it says.
**Ctrl+S** asks. AXFR asks for a whole zone: it must be REFUSED.
""")
_SEEN = {"number": "number", "version": "version"}
_WHOLE = {name: name for name in ("zone", "owner", "type", "value", "ttl", "about")}

SCREENS = (
    CustomScreen(
        name="zones",
        title=_("Zones"),
        make="appliance.services.dns.zones_pane:ZonesPane",
        needs=("zones",),
    ),
    ListingScreen(
        name="records",
        title=_("Records"),
        help=HELP,
        row=EntryRow,
        order=(Order(column="zone"), Order(column="owner"), Order(column="type")),
        actions=(
            Action("records.add", Entry, _("Add"), "a", tooltip=_("Add a record")),
            Action(
                "records.change", EntryChange, _("Change"), "e", fills=_SEEN | _WHOLE, tooltip=_("Change the record")
            ),
            Action("records.remove", EntrySeen, _("Remove"), "delete", fills=_SEEN, form=False),
        ),
        follows=("zones",),
    ),
    CustomScreen(
        name="check",
        title=_("Check"),
        make="appliance.services.dns.check_pane:CheckPane",
        needs=("check",),
    ),
    CustomScreen(
        name="served",
        title=_("All that is served"),
        make="appliance.services.dns.served_pane:ServedPane",
        needs=("served",),
    ),
    ReportScreen(
        name="ask",
        command="ask",
        title=_("Question"),
        help=ASK_HELP,
        parameters=Asked,
        line=AnswerLine,
    ),
    SettingsScreen(Settings, committed=True),
)
