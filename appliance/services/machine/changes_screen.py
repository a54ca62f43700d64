"""The screen of changes: the list, and what is done with one."""

from __future__ import annotations

from appliance.console.actions import Action
from appliance.console.listing_screen import ListingScreen
from appliance.console.screens import Pane
from appliance.language import _
from appliance.services.machine.project import (
    ChangeChanged,
    ChangeLinked,
    ChangeNamed,
    ChangeRow,
    ChangesAsked,
    ChangeSeen,
    NewChange,
)

__all__ = ["CHANGES_SCREEN", "ChangesScreen"]

HELP = _("""\
# Changes of the network

Each change of the network is a project: prepare, plan, design, implement, operate, optimize. **a** opens one,
**c** changes it or brings it into another phase: a change that is implemented needs a step with a rollback.
**Enter** or **p** shows its record with the steps, **o** that of all changes.

A commit whose note names a change (CH202611001) is linked to it; **n** links the generation that stands.
**d** finishes it: nobody changes it any more.
""")
SEEN = {"number": "number", "version": "version"}
WHOLE = ("title", "phase", "description", "minutes", "rollback", "reference", "steps")
ACTIONS = (
    Action("changes.add", NewChange, _("Open"), "a", tooltip=_("Open a change of the network")),
    Action("changes.change", ChangeChanged, _("Change"), "c", fills=SEEN | {name: name for name in WHOLE}),
    Action(
        "changes.link", ChangeLinked, _("Link"), "n", fills=SEEN, form=False, tooltip=_("The generation that stands")
    ),
    Action("changes.finish", ChangeSeen, _("Finish"), "d", fills=SEEN, form=False),
    Action("print-change", ChangeNamed, _("Record"), "p", fills={"number": "number"}, form=False, paper=True),
    Action("print-changes", ChangesAsked, _("All records"), "o", paper=True),
)


class ChangesScreen(ListingScreen):
    """A listing whose rows are only a part of what a change is."""

    def pane(self, service: str) -> Pane:
        """The list that asks for the whole of a change before it is changed."""
        from appliance.services.machine.changes_pane import ChangesPane

        return ChangesPane(self, service)


CHANGES_SCREEN = ChangesScreen(
    name="changes",
    title=_("Changes"),
    row=ChangeRow,
    actions=ACTIONS,
    help=HELP,
    totals=("total",),
    follows=("generations",),
)
