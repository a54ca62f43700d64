"""The panels beside the text: each made when it is first looked at."""

from __future__ import annotations

from textual import on
from textual.widgets import TabbedContent, TabPane

from appliance.workbench.moving import MovingScreen
from appliance.workbench.panels.compare import ComparePanel
from appliance.workbench.panels.compile import CompilePanel
from appliance.workbench.panels.lab import LabPanel
from appliance.workbench.panels.trace import TracePanel
from appliance.workbench.running import labs_in

__all__ = ["Panel", "PanelScreen"]

Panel = CompilePanel | ComparePanel | TracePanel | LabPanel


class PanelScreen(MovingScreen):
    """The tabs of ``#panel``: ``compile``, ``trace``, ``compare``, ``lab``."""

    def known_panel(self, name: str) -> Panel | None:
        """The panel of that tab, or None when it was never looked at."""
        for panel in self.query_one(f"#{name}", TabPane).query("*"):
            if isinstance(panel, Panel):
                return panel
        return None

    async def panel(self, name: str) -> Panel:
        """The panel of that tab; made when it is first asked for."""
        pane = self.query_one(f"#{name}", TabPane)
        known = self.known_panel(name)
        if known is not None:
            return known
        kind = _PANELS.get(name)
        made: Panel = LabPanel(self._t, self.folder) if kind is None else kind(self._t)
        await pane.mount(made)
        if isinstance(made, LabPanel):
            self.run_worker(self._find_labs, thread=True, group="labs", exit_on_error=False)
        # Selects forget what they are told before they are mounted.
        self.call_after_refresh(self.tell_panels)
        return made

    @on(TabbedContent.TabActivated, "#panel")
    async def _panel_wanted(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id in _PANELS or event.pane.id == "lab":
            await self.panel(event.pane.id)

    def tell_panels(self) -> None:
        """What is open, and what is looked at."""
        for compare in self.query(ComparePanel):
            compare.texts([text.name for text in self.texts])
        here = self.here
        if here is not None:
            interfaces = here.checked.interfaces if here.checked is not None else ()
            for panel in self.query(CompilePanel):
                panel.source(here.name, here.editor.kind, interfaces)

    def _find_labs(self) -> None:
        found = labs_in(self.folder)
        self.app.call_from_thread(lambda: self.query_one(LabPanel).offer(found))

    async def show_panel(self, name: str) -> Panel:
        """Look at this panel."""
        self.show_parts(panel=True)
        made = await self.panel(name)
        tabs = self.query_one("#panel", TabbedContent)
        if tabs.active != name:
            tabs.active = name
        return made


_PANELS: dict[str, type[CompilePanel] | type[ComparePanel] | type[TracePanel]] = {
    "compile": CompilePanel,
    "compare": ComparePanel,
    "trace": TracePanel,
}
"""Panels by their tab's name, which is also that of their work; the lab's needs to know a folder."""
