"""The screen of the commit: what serves, what waits for its confirmation, and what the next commit would do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from appliance.commit.results import CommitStatus, Phase, Plan
from appliance.console.dialog import RecordDialog
from appliance.console.door import Unreachable
from appliance.console.plain import plain
from appliance.console.query_pane import records_of
from appliance.console.screens import Pane
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.components import Severity
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.machine.following import carried, over_a_new_connection, worked
from appliance.services.machine.model import Back, GenerationRow, Wish
from appliance.services.machine.shown import diagnosis_shown, plan_of, plan_shown, status_of

__all__ = ["CommitPane"]

_COMMANDS = {"commit": "commit", "confirm": "confirm", "take_back": "rollback", "diagnose": "diagnose"}
TICK = 0.5
"""Seconds."""


class CommitPane(Pane):
    """Plan, commit, confirm, take back, diagnose."""

    HELP = _("""\
# Commit

Below stands the plan: what is wrong, which files would change (**+** new lines, **-** old ones), and who would act.
**c** commits it: everything is checked, switched, probed, and taken back whole when a part fails.

A commit waits for its confirmation. **Confirm** (y) first comes in over a new connection: only who still reaches the
appliance may keep a change of its network. If contact is lost, do nothing: the appliance takes the change back by
itself when the time is over, and says so here.

**k** takes back at once what waits. **d** probes everything that serves. Older generations: see Generations.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "commit", _("Commit"), id="machine.commit", tooltip=_("Make the machine what the plan says")),
        Binding("y", "confirm", _("Confirm"), id="machine.confirm", tooltip=_("Keep the generation that waits")),
        Binding("k", "take_back", _("Take back"), id="machine.take-back", tooltip=_("Back to what was confirmed")),
        Binding("d", "diagnose", _("Diagnose"), id="machine.diagnose", tooltip=_("Probe all that serves")),
        Binding("r", "again", _("Plan again"), id="machine.plan", tooltip=_("Ask for the plan again")),
    ]
    DEFAULT_CSS = """
    CommitPane {
        & #standing { height: auto; padding: 0 1; background: $panel; }
        & #lost {
            display: none; height: auto; padding: 0 1; margin: 0 1; border: round $error; color: $text-error;
        }
        & #lost.-shown { display: block; }
        & #waiting {
            display: none; height: auto; margin: 0 1; padding: 0 1; border: heavy $warning;
            & Static { height: auto; }
            & Horizontal { height: auto; }
            & Button { margin-right: 2; }
            & #confirm { width: 1fr; max-width: 60; }
        }
        & #waiting.-shown { display: block; }
        & #plan { height: 1fr; margin: 0 1; border: round $primary; }
        & #plan:focus { border: round $accent; }
        & #plan Static { height: auto; }
    }
    """

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.status: CommitStatus | None = None
        self.plan: Plan | None = None
        self._until = 0.0
        self._waited = 0
        """The generation that waited when we last looked."""
        self._settled = 0
        """The one that we have confirmed or taken back ourselves."""
        self._stale = False

    def compose(self) -> ComposeResult:
        """What serves; what went wrong; what waits; the plan."""
        yield Static(id="standing", markup=False)
        yield Static(id="lost", markup=False)
        with Vertical(id="waiting"):
            yield Static(id="countdown", markup=False)
            with Horizontal():
                yield Button(plain(self.reader.say(_("Confirm"))), variant="success", id="confirm")
                yield Button(plain(self.reader.say(_("Take back"))), variant="error", id="take-back")
        plan = VerticalScroll(Static(id="planned", markup=False), id="plan")
        plan.border_title = plain(self.reader.say(_("Plan")))
        yield plan

    def on_mount(self) -> None:
        """Ask for everything; the seconds go by themselves."""
        self.set_interval(TICK, self._tick)
        self.look()

    # Looking

    def look(self) -> None:
        """Ask for the status and the plan."""
        self._look()

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        try:
            status = status_of(await self.door.call(self.service, "status"))
            lines = records_of(GenerationRow, await self.door.call(self.service, "generations"))
            self._take(status, lines)
            self.query_one("#plan").loading = self.plan is None
            self._show_plan(plan_of(await self.door.call(self.service, "plan")))
        except Refused as error:
            self.query_one("#planned", Static).update(
                plain(self.reader.say(error.template, error.values)).stylize("$text-error")
            )
        finally:
            # None, when the pane is taken away meanwhile: another language, or who has logged out.
            for plan in self.query("#plan"):
                plan.loading = False
                # While it loaded it could not have the focus, and without one none of the keys works.
                if self._waited == 0 and self._is_seen and self.screen.focused is None:
                    plan.focus()

    @property
    def _is_seen(self) -> bool:
        return self.is_attached and bool(self.display) and self.screen.is_current

    def _take(self, status: CommitStatus, lines: tuple[GenerationRow, ...]) -> None:
        waits = status.current if status.phase is Phase.CONFIRM else 0
        newest = max(lines, key=lambda one: one.number, default=None)
        if self._waited and self._waited not in {waits, self._settled} and status.current != self._waited:
            self._say_lost(self._waited, status.current)
        if waits:
            self.query_one("#lost").remove_class("-shown")
        self.status, self._waited = status, waits
        self._until = time.monotonic() + status.remaining if waits else 0.0
        self.shell.state.confirm_until = time.time() + status.remaining if waits else 0.0
        self._show_standing(status, newest)
        waiting = self.query_one("#waiting")
        appeared = bool(waits) and not waiting.has_class("-shown")
        waiting.set_class(bool(waits), "-shown")
        button = self.query_one("#confirm", Button)
        button.label = plain(self.reader.say(_("Confirm generation {number}"), {"number": waits}))
        button.disabled = bool(self.needs("confirm"))
        self.query_one("#take-back", Button).disabled = bool(self.needs("rollback"))
        self._tick()
        if appeared and self.display and self.screen.is_current:
            button.focus()
        self.refresh_bindings()

    def _show_standing(self, status: CommitStatus, newest: GenerationRow | None) -> None:
        say = self.reader.say
        if status.phase is Phase.CONFIRM:
            words = say(_("Generation {current} serves and waits; generation {confirmed} is confirmed."),
                        {"current": status.current, "confirmed": status.confirmed})  # fmt: skip
        elif status.phase is not None:
            words = say(_("A commit is underway: {phase}."), {"phase": say(str(status.phase))})
        elif status.current:
            words = say(_("Generation {current} serves, and is confirmed."), {"current": status.current})
        else:
            words = say(_("Nothing was committed yet: the machine is as it was found."))
        parts: list[Content] = [plain(words).stylize("bold")]
        if newest is not None:
            last = say(_("Last commit: {number} by {who}, {when}"), {"number": newest.number, "who": newest.who,
                                                                     "when": newest.when})  # fmt: skip
            note = f" “{newest.note}”" if newest.note else ""
            fate = "$text-success" if newest.standing == "confirmed" else "$text-warning"
            parts.append(Content.assemble(plain(f"{last}{note}: "), plain(say(newest.standing)).stylize(fate)))
        if status.unfinished:
            names = ", ".join(status.unfinished)
            parts.append(plain(say(_("Not wholly taken back: {names}"), {"names": names})).stylize("$text-error"))
        self.query_one("#standing", Static).update(Content("\n").join(parts))

    def _say_lost(self, was: int, current: int) -> None:
        words = self.reader.say(
            _("Generation {was} was taken back: nobody confirmed it in time. Generation {current} serves again, "
              "and what you changed is still in the plan."),
            {"was": was, "current": current},
        )  # fmt: skip
        lost = self.query_one("#lost", Static)
        lost.update(plain(words))
        lost.add_class("-shown")

    def _show_plan(self, plan: Plan) -> None:
        self.plan = plan
        self.query_one("#planned", Static).update(plan_shown(plan, self.reader.translate))
        self.query_one("#plan").border_subtitle = plain(
            self.reader.say(
                _("files: {files}, act: {acts}, errors: {errors}, warnings: {warnings}"),
                {
                    "files": len(plan.files),
                    "acts": len(plan.acts),
                    "errors": sum(one.severity is Severity.ERROR for one in plan.findings),
                    "warnings": sum(one.severity is Severity.WARNING for one in plan.findings),
                },
            )
        )
        self.refresh_bindings()

    def _tick(self) -> None:
        if not self._until:
            return
        left = self._until - time.monotonic()
        if left < -1.0:
            # The daemon's own timer has rung.
            self._until = 0.0
            self.look()
        seconds = max(0, round(left))
        words = self.reader.say(
            _("Generation {number} waits. It is taken back in {minutes}:{seconds} unless you confirm that it serves."),
            {"number": self._waited, "minutes": str(seconds // 60), "seconds": f"{seconds % 60:02}"},
        )
        self.query_one("#countdown", Static).update(plain(words).stylize("bold $text-warning"))

    # What can be done

    def why_not(self, action: str) -> str:
        """Roles first, then where the commit stands."""
        say = self.reader.say
        command = {"commit": "commit", "confirm": "confirm", "take_back": "rollback", "diagnose": "diagnose"}.get(
            action
        )
        if command is None:
            return ""
        if reason := self.needs(command):
            return reason
        if action in {"confirm", "take_back"} and not self._waited:
            return say(_("Nothing waits to be confirmed."))
        if action == "commit" and self._waited:
            return say(_("Generation {number} waits: confirm it or take it back first."), {"number": self._waited})
        if action == "commit" and self.plan is not None and not self.plan.ok:
            return say(_("The plan has errors, which stand at its beginning."))
        if action == "commit" and self.plan is not None and self.plan.empty and self.plan.standing:
            return say(_("There is nothing to commit: the machine is as the services want it."))
        return ""

    def action_again(self) -> None:
        """After a look elsewhere."""
        self.query_one("#lost").remove_class("-shown")
        self.look()

    def action_commit(self) -> None:
        """The form of the wish, then the work."""
        if not self.refuses("commit"):
            begin(self, self._commit())

    async def _commit(self) -> None:
        async def submit(value: Any, _version: int) -> Any:
            return value

        dialog = RecordDialog(self.reader.say(_("Commit")), Wish, None, submit)
        wish = await self.app.push_screen_wait(dialog)
        if wish is not None:
            self.query_one("#lost").remove_class("-shown")
            self._settled = 0
            outcome = await worked(self, _("Commit"), "commit", wish)
            if isinstance(outcome, dict):
                await self._show_outcome(outcome)
            self.look()

    async def _show_outcome(self, outcome: Mapping[str, Any]) -> None:
        from appliance.services.machine.shown import outcome_shown

        if outcome.get("ending") == "unconfirmed" and not outcome.get("findings"):
            # The countdown runs: nothing stands before the key that confirms.
            return
        said = outcome_shown(outcome, self.reader.translate)
        await self.app.push_screen_wait(ToldScreen(self.reader.say(_("Commit")), said))

    def action_confirm(self) -> None:
        """Over a new connection."""
        if not self.refuses("confirm"):
            begin(self, self._confirm())

    async def _confirm(self) -> None:
        number = self._waited
        async with over_a_new_connection(self) as door:
            try:
                await door.health()
            except Unreachable as error:
                self.shell.tell(
                    _("Not confirmed: the appliance cannot be reached over a new connection ({reason}). "
                      "It takes the change back by itself."),
                    "error",
                    reason=error.values.get("reason", ""),
                )  # fmt: skip
                return
            outcome = await worked(self, _("Confirm"), "confirm", door=door)
        if isinstance(outcome, dict):
            self._settled = number
            if outcome.get("ending") == "confirmed":
                self.shell.tell(_("Generation {number} is confirmed: it stands."), number=number)
            else:
                await self._show_outcome(outcome)
        self.look()

    def action_take_back(self) -> None:
        """After a question."""
        if not self.refuses("take_back"):
            begin(self, self._take_back())

    async def _take_back(self) -> None:
        number = self._waited
        question = self.reader.say(_("Take generation {number} back now?"), {"number": number})
        if await self.app.push_screen_wait(ConfirmScreen(question)):
            self._settled = number
            await carried(self, _("Take back"), "rollback", Back())
            self.look()

    def action_diagnose(self) -> None:
        """What the probes say."""
        if not self.refuses("diagnose"):
            begin(self, self._diagnose())

    async def _diagnose(self) -> None:
        found = await worked(self, _("Diagnose"), "diagnose")
        if isinstance(found, dict):
            said = diagnosis_shown(found, self.reader.translate)
            await self.app.push_screen_wait(ToldScreen(self.reader.say(_("Diagnosis")), said))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "confirm":
            self.action_confirm()
        else:
            self.action_take_back()

    # What is told

    def told(self, event: Mapping[str, Any]) -> None:
        """Somebody has committed, confirmed, or not; or events were missed, as when contact was lost."""
        if event.get("kind") in {"generation", "missed"}:
            self.look()

    def on_show(self) -> None:
        """The plan follows what was changed elsewhere in the meantime."""
        if self._stale:
            self.look()
        self._stale = True
