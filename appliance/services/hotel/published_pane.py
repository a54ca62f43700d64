"""The booking that the source prints, beside what the rules say."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
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
        lines = [
            say(_("Booking {number}"), {"number": answer["number"]}),
            "",
            f"{'':<12}{say(_('printed')):>16}{say(_('by the rules')):>16}",
            f"{say(_('Total')):<12}{self._rupiah(answer['printed_total']):>16}{self._rupiah(answer['total']):>16}",
            f"{say(_('Balance')):<12}{self._rupiah(answer['printed_balance']):>16}{self._rupiah(answer['balance']):>16}",
            "",
            say(answer["explanation"]),
        ]
        self.query_one("#published", Static).update(plain("\n".join(lines)))

    def _rupiah(self, amount: int) -> str:
        return f"Rp {self.reader.value(amount)}"
