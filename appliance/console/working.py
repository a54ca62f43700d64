"""Work that takes long, followed in front of a screen; it goes on in the daemon when the user leaves it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from appliance.console.answers import show_answer
from appliance.console.status import KeyLine
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.front import FrontScreen
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.work import Work
from appliance.contract.context import Progress
from appliance.contract.refusals import Refused
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["WorkScreen", "follow"]

EVERY = 0.3
"""Seconds between looks at it."""


async def follow(pane: Pane, title: str, number: str) -> None:
    """Until it has ended or the user leaves it."""
    answer = await pane.app.push_screen_wait(WorkScreen(pane, title, number))
    if answer is not None:
        show_answer(pane, title, answer)


class WorkScreen(FrontScreen[object]):
    """The result, or None when it did not end well or was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", _("Leave it running"), id="work.leave"),
    ]
    DEFAULT_CSS = """
    WorkScreen { align: center middle; }
    WorkScreen > Vertical {
        width: 80%; max-width: 90; height: auto; background: $surface; border: round $primary; padding: 1 1;
    }
    """

    def __init__(self, pane: Pane, title: str, number: str) -> None:
        """``title`` is in the reader's language."""
        super().__init__()
        self._pane = pane
        self._title_text = title
        self._number = number

    def compose(self) -> ComposeResult:
        """The bar."""
        yield Vertical(Work(self._title_text))
        yield KeyLine(classes="-front")

    def on_mount(self) -> None:
        """Look at it from time to time."""
        self.query_one("Work Button").focus()
        self.run_worker(self._watch(), group="work", exclusive=True)

    async def _watch(self) -> None:
        work = self.query_one(Work)
        while True:
            try:
                seen = await self._pane.door.work(self._number)
            except Refused as error:
                work.fail(reader_of(self).say(error.template, error.values))
                return
            work.advance(Progress(done=seen["done"], total=seen["total"], doing=seen.get("doing") or ""))
            match seen["state"]:
                case "done":
                    work.finish()
                    self.dismiss(seen.get("result") if seen.get("result") is not None else True)
                    return
                case "failed":
                    refusal = seen.get("error") or {}
                    values = refusal.get("values") or {}
                    work.fail(reader_of(self).say(str(refusal.get("template") or refusal.get("message") or ""), values))
                    return
                case "cancelled":
                    work.cancelled()
                    return
            await asyncio.sleep(EVERY)

    @on(Work.CancelAsked)
    def _cancel_asked(self) -> None:
        begin(self, self._cancel(), group="cancel")

    async def _cancel(self) -> None:
        try:
            await self._pane.door.cancel(self._number)
        except Refused as error:
            self._pane.shell.say_refused(error)

    def action_leave(self) -> None:
        """It goes on."""
        self.dismiss(None)
