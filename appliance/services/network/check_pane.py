"""What is wrong with the network as it is described, with its places; and where to go from here."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.problems_pane import ProblemsPane
from appliance.contract.kinds import Line, Note
from appliance.contract.records import record
from appliance.language import _

__all__ = ["CheckPane", "ProblemShown"]

_SCREENS = {"interfaces": "interfaces", "routes": "routes", "policies": "policies", "management": "management",
            "settings": "settings"}  # fmt: skip


@record(title=_("problem"))
class ProblemShown:
    """Something that is wrong, or worth a look."""

    severity: Line
    place: Line
    text: Note


class CheckPane(ProblemsPane):
    """Compiled, proved and read again whenever the description changes."""

    HELP = _("""\
# Check

The filter is compiled and proved equal to the policies, and addresses, routes, balance and the way in for
administrators are checked. **Enter** goes to the record that is meant. Errors stop a commit; warnings do not.

When nothing is wrong, **m** goes to Machine: plan, commit, confirm.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "again", _("Check again"), id="network.check", tooltip=_("Compile and prove again")),
        Binding("o", "look", _("Whole text"), id="network.look", tooltip=_("The whole text of the problem")),
        Binding("m", "machine", _("To Machine"), id="network.machine", tooltip=_("Plan and commit")),
    ]
    DEFAULT_CSS = """
    CheckPane #verdict { height: auto; padding: 0 1; background: $panel; }
    """
    command = "check"
    record = ProblemShown
    subjects = frozenset({"interfaces", "routes", "policies", "management", "settings"})
    empty = _("Nothing is wrong with the network as it is described.")

    def compose(self) -> ComposeResult:
        """The verdict above the lines."""
        yield Static(plain(self.reader.say(_("Compiling and proving…"))), id="verdict", markup=False)
        yield from super().compose()

    def take(self, answer: Any) -> None:
        """Errors first, then the verdict."""
        super().take(sorted(answer, key=lambda one: one["severity"] != "error"))
        errors = sum(one.severity == "error" for one in self.rows)
        say = self.reader.say
        if errors:
            words, style = say(_("Errors: {errors}. They stop a commit."), {"errors": errors}), "$text-error"
        elif self.rows:
            words, style = (
                say(_("Warnings only. To make the machine so: Machine, plan and commit (m).")),
                "$text-warning",
            )
        else:
            words, style = (
                say(_("Nothing is wrong. To make the machine so: Machine, plan and commit (m).")),
                "$text-success",
            )
        self.query_one("#verdict", Static).update(plain(words).stylize(f"bold {style}"))

    def opened(self, row: ProblemShown) -> None:
        """The screen of the record; what has no screen is looked at."""
        name = row.place.removeprefix("network.").partition("/")[0].partition(".")[0]
        if name in _SCREENS:
            self.shell.action_open("network", _SCREENS[name])
        else:
            super().opened(row)
