"""The booking that the source prints, beside what the rules say."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.screens import Pane
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["PublishedPane"]


class PublishedPane(Pane):
    """Two columns of figures, and why they differ."""

    HELP = _("The source prints a booking whose total is wrong. Here it stands beside the total by the rules.")
    DEFAULT_CSS = "PublishedPane Static { padding: 1 2; height: auto; }"

    def compose(self) -> ComposeResult:
        """Filled when the daemon has answered."""
        yield Static(id="published", markup=False)

    def on_mount(self) -> None:
        """Ask once: the example does not change."""
        self._look()

    @work
    async def _look(self) -> None:
        try:
            answer = await self.door.call(self.service, "published-example")
        except Refused as error:
            self.shell.say_refused(error)
            return
        say = self.reader.say
        columns = (_("printed"), "printed_total", "printed_balance"), (_("by the rules"), "total", "balance")
        table: list[tuple[str, ...]] = [("", say(_("Total")), say(_("Balance")))]
        table += [(say(head), *(self._rupiah(answer[name]) for name in names)) for head, *names in columns]
        widths = [max(map(len, column)) for column in table]
        rows = (
            f"{words:<{widths[0]}}"
            + "".join(f"{one:>{width + 3}}" for one, width in zip(others, widths[1:], strict=True))
            for words, *others in zip(*table, strict=True)
        )
        lines = [say(_("Booking {number}"), {"number": answer["number"]}), "", *rows, "", say(answer["explanation"])]
        self.query_one("#published", Static).update(Content("\n").join(map(plain, lines)))

    def _rupiah(self, amount: int) -> str:
        return f"Rp {self.reader.value(amount)}"
