"""Ways through the workbench: between texts and results, to a finding, a line, or what is sought."""

from __future__ import annotations

from textual import on, work
from textual.widgets import DirectoryTree, Input, Label, TabbedContent

from appliance.console.plain import plain
from appliance.workbench.dialogs import AskLine
from appliance.workbench.filing import FilingScreen

__all__ = ["MovingScreen"]


class MovingScreen(FilingScreen):
    """What is seen: ``#files``, ``#editing``, ``#panel``, ``#finding``.

    Parts are shown by ``display``: a class of the screen would style all of its widgets anew.
    """

    # -- parts ---------------------------------------------------------------------

    def show_parts(self, *, text: bool = False, panel: bool = False) -> None:
        """Make sure that these parts are seen; others stay as they are."""
        if text:
            self.query_one("#editing").display = True
        if panel:
            self.query_one("#panel").display = True

    def action_files(self) -> None:
        """Show or hide the tree."""
        files = self.query_one("#files")
        files.display = not files.display
        if files.display:
            self.call_after_refresh(self.query_one("#tree").focus)

    @on(DirectoryTree.FileSelected)
    def _chosen(self, event: DirectoryTree.FileSelected) -> None:
        if self.open_path(event.path) is not None and self.has_class("-narrow"):
            self.query_one("#files").display = False

    def action_panel(self) -> None:
        """Both, results only, text only."""
        editing, panel = self.query_one("#editing"), self.query_one("#panel")
        if not editing.display:
            editing.display, panel.display = True, False
            self.action_leave()
        elif not panel.display:
            panel.display = True
        else:
            editing.display = False
            self._focus_panel()

    def action_next_pane(self) -> None:
        """From the text to the results, and back."""
        panel = self.query_one("#panel")
        if self.focused is not None and panel in self.focused.ancestors:
            self.action_leave()
        else:
            panel.display = True
            self._focus_panel()

    def action_leave(self) -> None:
        """Back to the text."""
        self.query_one("#finding").display = False
        self.show_parts(text=True)
        if self.here is not None:
            self.here.editor.focus()

    def action_tab(self, step: int) -> None:
        """Another text."""
        panes = [text.pane for text in self.texts]
        if self.here is not None:
            self.show_text(self.texts[(panes.index(self.here.pane) + step) % len(panes)])

    def _focus_panel(self) -> None:
        panel = self.query_one("#panel", TabbedContent)
        pane = panel.active_pane
        if pane is not None:
            first = next((one for one in pane.query("*") if one.focusable), None)
            (first or panel).focus()

    # -- places ---------------------------------------------------------------------

    def action_next_finding(self, backwards: bool = False) -> None:
        """Put the cursor on the next finding, over the end if need be."""
        here = self.here
        if here is None or here.checked is None:
            return
        row, column = here.editor.cursor_location
        places = sorted({(one.line, max(one.column, 1)) for one in here.checked.remarks if one.line and not one.source})
        if not places:
            self.app.notify(self._t("nothing to say"), timeout=2)
            return
        now = row + 1, column + 1
        if backwards:
            line, column = next((place for place in reversed(places) if place < now), places[-1])
        else:
            line, column = next((place for place in places if place > now), places[0])
        here.editor.go(line, column)
        here.editor.focus()

    @work
    async def action_go_to_line(self) -> None:
        """Ask for a line, and go there."""
        here = self.here
        if here is not None:
            said = await self.app.push_screen_wait(AskLine(self._t("Go to line"), is_number=True))
            if said is not None and said.lstrip("-+").isdecimal():
                here.editor.go(int(said))

    # -- find ------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Show the line to find by, with the selected words."""
        here = self.here
        if here is None:
            return
        self.query_one("#finding").display = True
        sought = self.query_one("#sought", Input)
        chosen = here.editor.selected_text
        if chosen and "\n" not in chosen:
            sought.value = chosen
        sought.focus()

    def action_find_next(self, backwards: bool = False, stay: bool = False) -> None:
        """Go to the next place of what is sought."""
        here = self.here
        if here is None:
            return
        number, count = here.editor.seek(self.query_one("#sought", Input).value, backwards=backwards, stay=stay)
        words = self._t("{number} of {count}").format(number=number, count=count) if count else self._t("not found")
        self.query_one("#found", Label).update(plain(words))

    @on(Input.Changed, "#sought")
    def _sought(self) -> None:
        self.action_find_next(stay=True)

    @on(Input.Submitted, "#sought")
    def _found(self) -> None:
        self.action_find_next()
