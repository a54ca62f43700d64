"""A document in front of a screen: read, searched, copied, saved as text, printed as PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from appliance.console.exporting import deliver
from appliance.console.status import KeyLine
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.document import DocumentView
from appliance.console.widgets.front import FrontScreen
from appliance.contract.refusals import Refused
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["PaperScreen", "show_paper"]


def show_paper(pane: Pane, command: str, arguments: Any, title: str, text: str) -> None:
    """The text of a document; printing asks the daemon for its PDF with the same arguments."""
    pane.app.push_screen(PaperScreen(pane, command, arguments, title, text))


class PaperScreen(FrontScreen[None]):
    """What ``show_paper`` shows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", _("Leave"), id="paper.leave"),
        Binding("h", "save_page", _("Save HTML"), id="paper.html", tooltip=_("Save the paper as a web page")),
    ]
    DEFAULT_CSS = """
    PaperScreen { align: center middle; }
    PaperScreen DocumentView { width: 100%; max-width: 120; height: 1fr; border: round $primary; }
    PaperScreen DocumentView { background: $surface; }
    """

    def __init__(self, pane: Pane, command: str, arguments: Any, title: str, text: str) -> None:
        super().__init__()
        self._pane = pane
        self._command = command
        self._arguments = arguments
        self._title_text = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        yield DocumentView(self._title_text, self._text, on_print=lambda: self._keep("application/pdf", "pdf"))
        yield KeyLine(classes="-front")

    def action_save_page(self) -> None:
        """As HTML."""
        self._keep("text/html", "html")

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()

    def _keep(self, kind: str, suffix: str) -> None:
        begin(self, self._save(kind, suffix), group="print")

    async def _save(self, kind: str, suffix: str) -> None:
        pane = self._pane
        try:
            content = await pane.door.document(pane.service, self._command, self._arguments, kind)
        except Refused as error:
            pane.shell.say_refused(error)
        else:
            await deliver(pane, content, f"{self._title_text}.{suffix}")
