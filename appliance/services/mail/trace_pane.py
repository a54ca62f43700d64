"""Where is my mail? One question, the messages that match, and the way of each of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from appliance.console.dialog import AskDialog
from appliance.console.plain import plain, plain_text
from appliance.console.query_pane import records_of
from appliance.console.screens import Pane
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.grid import Grid
from appliance.console.widgets.list_source import ListSource
from appliance.language import _
from appliance.services.machine.following import worked
from appliance.services.mail.trace_words import OUTCOMES, STEPS
from appliance.services.mail.tracing_model import TraceAsked, Traced, TraceFound, TraceOutcome, TraceRow

__all__ = ["TracePane"]

_BAD = frozenset({"virus", "refused", "bounced", "not-stored", "removed"})
_WAITING = frozenset({"held", "waits", "postponed", "on-its-way"})


class TracePane(Pane):
    """The question by a form; the answer as a grid, and Enter for all steps of one message."""

    HELP = _("""\
# Where is my mail?

**n** asks: by recipient or sender (a part of the address is enough), by the whole subject, or by an id. **Enter** shows
the way of a message through all daemons, step by step, and what became of it for each recipient.

Nothing that is written in a message is looked at. A subject is found by a keyed hash, so it must be the whole subject.
Who asks for what stands in the audit log.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "ask", _("Ask"), id="mail.trace", tooltip=_("Look for a message")),
    ]
    DEFAULT_CSS = "TracePane #sum { height: auto; padding: 0 1; background: $panel; }"

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.asked = TraceAsked(text="@")
        self.found: tuple[TraceFound, ...] = ()

    def compose(self) -> ComposeResult:
        """What was asked, above the messages."""
        yield Static(plain(self.reader.say(_("n asks for a message."))), id="sum")
        yield Grid(ListSource.of(TraceRow, ()), empty=_("n asks: by recipient, sender, subject or id."))

    def why_not(self, action: str) -> str:
        """Only the role."""
        return self.needs("trace") if action == "ask" else ""

    def action_ask(self) -> None:
        """By a form."""
        if not self.refuses("ask"):
            begin(self, self._ask())

    async def _ask(self) -> None:
        wanted: list[TraceAsked] = []

        async def take(value: Any, _version: int) -> Any:
            wanted[:] = [value]
            return True

        title = self.reader.say(_("Where is my mail?"))
        first = TraceAsked(by=self.asked.by, text=self.asked.text, days=self.asked.days)
        if await self.app.push_screen_wait(AskDialog(title, TraceAsked, first, take)) is None:
            return
        (self.asked,) = wanted
        answer = await worked(self, _("Where is my mail?"), "trace", self.asked)
        if isinstance(answer, dict):
            (traced,) = records_of(Traced, [answer])
            self._show(traced)

    def _show(self, traced: Traced) -> None:
        self.found = traced.found
        values = {"text": self.asked.text, "shown": len(traced.found), "matching": traced.matching,
                  "lines": traced.lines}  # fmt: skip
        said = self.reader.say(_("“{text}”: {shown} of {matching} messages, from {lines} lines."), values)
        if traced.cut:
            said += " " + self.reader.say(_("There is more: ask for a shorter time."))
        self.query_one("#sum", Static).update(plain(said))
        self.query_one(Grid).show(ListSource.of(TraceRow, [self._row(one) for one in traced.found]))
        self.query_one(Grid).body.focus()

    def _row(self, one: TraceFound) -> TraceRow:
        recipients = ", ".join(dict.fromkeys(each.recipient for each in one.outcomes if each.recipient))
        return TraceRow(
            began=one.began,
            sender=one.sender,
            recipients=recipients[:1_000],
            outcome=self._outcome(one.outcomes[0]) if one.outcomes else "",
        )

    def _outcome(self, one: TraceOutcome) -> str:
        return self.reader.say(OUTCOMES.get(one.verdict, "{recipient}"), asdict(one))[:1_000]

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        event.stop()
        row = self.query_one(Grid).row
        if row is not None and row.id <= len(self.found):
            one = self.found[row.id - 1]
            self.app.push_screen(ToldScreen(one.message_id or one.sender or "-", self.way_of(one)))

    def way_of(self, one: TraceFound) -> Content:
        """What became of it, then the time line."""
        parts: list[Content | tuple[str, str]] = []
        for outcome in one.outcomes:
            style = "bold $text-error" if outcome.verdict in _BAD else "bold $text-success"
            style = "bold $text-warning" if outcome.verdict in _WAITING else style
            parts.append((plain_text(self._outcome(outcome)) + "\n", style))
            if outcome.original and outcome.original != outcome.recipient:
                came = self.reader.say(_("  it came by {original}"), {"original": outcome.original})
                parts.append((plain_text(came) + "\n", "$text-muted"))
        parts.append(("\n", ""))
        for step in one.steps:
            at = f"{self.reader.value(step.at.date())} {self.reader.clock(*step.at.timetuple()[3:6])}"
            said = self.reader.say(STEPS.get(step.step, step.step), asdict(step))
            parts.append((f"{at}  {plain_text(step.daemon):8.8} {plain_text(step.queue_id):12.12}  ", "$text-muted"))
            parts.append((" ".join(plain_text(said).split()) + "\n", ""))
        if one.more:
            parts.append((self.reader.say(_("and {count} steps more"), {"count": one.more}), "$text-muted"))
        return Content.assemble(*parts)
