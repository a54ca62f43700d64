"""What is wrong with the zones as they would be served, with its places; and where to go from here."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.problems_pane import ProblemsPane
from appliance.language import _
from appliance.services.dns.model import ProblemLine

__all__ = ["CheckPane"]


class CheckPane(ProblemsPane):
    """Looked at again whenever zones or records change."""

    HELP = _("""\
# Check

Zones are looked at as a whole: targets of MX, NS and SRV, aliases, addresses and their reverse, SPF, DMARC and DKIM,
times to live, delegations, and the records that other services need. **Enter** goes to the records or zones. Errors
stop a commit; warnings do not.

When nothing is wrong, **m** goes to Machine: plan, commit.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "again", _("Check again"), id="dns.check", tooltip=_("Look at all zones again")),
        Binding("o", "look", _("Whole text"), id="dns.look", tooltip=_("The whole text of the problem")),
        Binding("m", "machine", _("To Machine"), id="dns.machine", tooltip=_("Plan and commit")),
    ]
    DEFAULT_CSS = """
    CheckPane #verdict { height: auto; padding: 0 1; background: $panel; }
    """
    command = "check"
    record = ProblemLine
    subjects = frozenset({"zones", "records", "settings"})
    empty = _("Nothing is wrong with the zones.")

    def compose(self) -> ComposeResult:
        """The verdict above the lines."""
        yield Static("", id="verdict", markup=False)
        yield from super().compose()

    def take(self, answer: Any) -> None:
        """The lines, then the verdict."""
        super().take(answer)
        errors = sum(one.severity == "error" for one in self.rows)
        say = self.reader.say
        if errors:
            words, style = say(_("Errors: {errors}. They stop a commit."), {"errors": errors}), "$text-error"
        elif self.rows:
            words, style = say(_("Warnings only: the zones can be committed (m).")), "$text-warning"
        else:
            words, style = say(_("Nothing is wrong: the zones can be committed (m).")), "$text-success"
        self.query_one("#verdict", Static).update(plain(words).stylize(f"bold {style}"))

    def opened(self, row: ProblemLine) -> None:
        """The screen of the record or the zone; anything else is looked at."""
        name = row.place.removeprefix("dns.").partition("/")[0]
        if name in {"records", "zones"}:
            self.shell.action_open("dns", name)
        else:
            super().opened(row)
