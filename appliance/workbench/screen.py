"""The workbench: configurations in tabs, and beside them what the compiler, the prover and the simulator say."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.command import Provider
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Footer, Input, Label, Static, TabbedContent, TabPane, TextArea

from appliance.console.plain import plain
from appliance.language import Translate, _
from appliance.workbench.beside import PanelScreen
from appliance.workbench.checking import Checked, check_text
from appliance.workbench.comparing import compare_texts
from appliance.workbench.compiling import compile_text
from appliance.workbench.dialogs import Folders, Help
from appliance.workbench.keys import BINDINGS, HELP, HELP_LINES, Commands, in_words
from appliance.workbench.kinds import TITLES
from appliance.workbench.lanes import Lane, ProcessLane
from appliance.workbench.layout import LAYOUT
from appliance.workbench.messages import (
    Answered,
    CompareWanted,
    CompileWanted,
    CopyWanted,
    GoTo,
    OpenWanted,
    RunWanted,
    SaveWanted,
    StopWanted,
    Told,
    TraceThis,
    TraceWanted,
)
from appliance.workbench.open_texts import OpenText
from appliance.workbench.panels.compare import ComparePanel
from appliance.workbench.panels.compile import CompilePanel
from appliance.workbench.panels.findings import FindingsPanel, summary
from appliance.workbench.panels.lab import LabPanel
from appliance.workbench.panels.lists import toned
from appliance.workbench.panels.trace import TracePanel
from appliance.workbench.running import run_lab
from appliance.workbench.shelf import Shelf
from appliance.workbench.tracing import Traced, trace_text
from appliance.workbench.work import STOPPED, Work

__all__ = ["WorkbenchScreen"]

DEBOUNCE = 0.35
"""Seconds without a key before the text is checked."""
PATIENCE = 2.0
"""Seconds for which a check of older text may go on before it is ended for newer text."""


class WorkbenchScreen(PanelScreen):
    """A mode of the console, and the whole of ``gerbang workbench``.

    ``folder`` is where the tree, the labs and relative names begin; with
    ``is_limited`` nothing outside of it is opened or written. ``recent`` is the
    file that keeps what was open last. ``make_lane`` says where work runs.
    """

    TITLE = _("Workbench")
    HELP = HELP
    BINDINGS = BINDINGS
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    AUTO_FOCUS = ""
    # Textual declares it for an instance.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    DEFAULT_CSS = LAYOUT

    def __init__(
        self,
        folder: Path | None = None,
        files: Sequence[Path] = (),
        *,
        recent: Path | None = None,
        is_limited: bool = False,
        make_lane: Callable[[], Lane] = ProcessLane,
        translate: Translate = _,
        shelf: Shelf | None = None,
        kept: str = "",
    ) -> None:
        """``shelf``: the appliance's texts; ``kept``: the name of one that is opened first."""
        super().__init__(
            (folder or Path.cwd()).resolve(), recent, is_limited=is_limited, translate=translate, shelf=shelf
        )
        self._kept_first = kept
        self._bindings = in_words(self._bindings, translate)
        self._first = tuple(files)
        self._work = Work(
            self, partial(ProcessLane, self.folder) if is_limited and make_lane is ProcessLane else make_lane
        )
        self._check_began = 0.0
        self._check_of: OpenText | None = None
        self._traced: OpenText | None = None
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        """Files, editors, panels; below them what is found, and where the cursor stands."""
        t = self._t
        with Container(id="body"):
            with Vertical(id="files"):
                yield Folders(self.folder, id="tree")
            with Vertical(id="editing"):
                yield TabbedContent(id="tabs")
                nothing = t("Nothing is open. Ctrl+O opens a file, Ctrl+N begins one, F3 shows the files.")
                yield Static(plain(nothing), id="nothing")
            with TabbedContent(id="panel"):
                with TabPane(t("Findings"), id="findings"):
                    yield FindingsPanel(t)
                # These are made when they are first looked at: each costs a tenth of a second.
                yield TabPane(t("Compile"), id="compile")
                yield TabPane(t("Trace"), id="trace")
                yield TabPane(t("Compare"), id="compare")
                yield TabPane(t("Lab"), id="lab")
        with Horizontal(id="finding"):
            yield Input(placeholder=t("find"), compact=True, id="sought")
            yield Label("", id="found")
        yield Static(id="status")
        yield self.key_line()

    def key_line(self) -> Widget:
        """The line that shows the keys."""
        return Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Open what was named."""
        self.show_whether_empty()
        for path in self._first:
            self.open_path(path)
        if self._kept_first:
            self.open_kept(self._kept_first)
        elif not self._texts:
            self.action_files()
        self._tell_place()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without an appliance nothing is said of it."""
        if action in {"open_kept", "save_kept"}:
            return self.shelf is not None
        return super().check_action(action, parameters)

    def on_unmount(self) -> None:
        """No process outlives its screen."""
        self._work.close()

    def is_working(self, group: str) -> bool:
        """Whether an answer of ``check``, ``compile``, ``compare``, ``trace`` or ``lab`` is awaited."""
        return self._work.is_running(group)

    # -- the text that is looked at ------------------------------------------------------

    def texts_changed(self) -> None:
        """Tell the panels what is open."""
        self._show_checked()
        self._check_soon()

    @on(TabbedContent.TabActivated, "#tabs")
    def _looked_at(self) -> None:
        self._show_checked()
        self._check_soon(0.01)
        self._tell_place()

    @on(TextArea.Changed)
    def _edited(self, event: TextArea.Changed) -> None:
        text = self.of_editor(event.text_area)
        if text is not None:
            self.relabel(text)
            self._check_soon()
            self._tell_place()

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        if self.here is not None and event.text_area is self.here.editor:
            self._tell_place()

    def _tell_place(self) -> None:
        """Kind, place, and what is said about this line."""
        status, here = self.query_one("#status", Static), self.here
        if here is None:
            status.update("")
            return
        row, column = here.editor.cursor_location
        place = self._t("line {line}, column {column}").format(line=row + 1, column=column + 1)
        remark = here.editor.remark_here()
        if remark is not None:
            words = Content.assemble(toned(f"{row + 1}:{column + 1} ", "faint"), toned(remark.message, remark.level))
        else:
            said = TITLES[here.editor.kind] if here.checked is None else summary(here.checked, self._t)
            words = plain(f"{said} · {place} · {here.name}")
        status.update(words)

    # -- the live check ------------------------------------------------------------------

    def _check_soon(self, delay: float = DEBOUNCE) -> None:
        if self._due is not None:
            self._due.stop()
        self._due = self.set_timer(delay, self._check)

    def _check(self) -> None:
        self._due = None
        text = self.here
        if text is None:
            return
        words = text.editor.text
        if text.text_checked == words:
            return
        if self._work.is_running("check") and time.monotonic() - self._check_began < PATIENCE:
            self._check_soon()  # its process is warm, and it will not be long
            return
        text.look_again()
        text.text_checked = words
        self._check_of, self._check_began = text, time.monotonic()
        self._work.start("check", check_text, words, text.name, text.saved_path)

    def _checked(self, checked: Checked) -> None:
        text = self._check_of
        if text is None or text.pane not in self._texts:
            return
        if text.editor.text != text.text_checked:
            return  # typed on meanwhile: a newer check is due, and these places may have moved
        text.checked = checked
        text.editor.mark(checked.remarks)
        if text is self.here:
            self._show_checked()
            self._tell_place()

    def _show_checked(self) -> None:
        here = self.here
        checked = None if here is None else here.checked
        self.query_one(FindingsPanel).show(checked)
        self.tell_panels()

    # -- what the panels ask -----------------------------------------------------------------

    @on(CompileWanted)
    def _compile(self, event: CompileWanted) -> None:
        here = self.here
        if here is not None:
            self.query_one(CompilePanel).begin()
            self._work.start("compile", compile_text, here.editor.text, here.name, event.choice)

    @on(CompareWanted)
    def _compare(self, event: CompareWanted) -> None:
        old, new = self.named(event.old), self.named(event.new)
        if old is not None and new is not None:
            self.query_one(ComparePanel).begin()
            pair = (old.name, old.editor.text), (new.name, new.editor.text)
            self._work.start("compare", compare_texts, *pair, event.interfaces)

    @on(TraceWanted)
    def _trace(self, event: TraceWanted) -> None:
        here = self.here
        if here is None:
            self.query_one(TracePanel).fail(self._t("Open a configuration first."))
            return
        self._traced = here
        self._work.start("trace", trace_text, here.editor.text, here.name, event.asked)

    @on(TraceThis)
    async def _trace_this(self, event: TraceThis) -> None:
        text = self.named(event.name)
        if text is not None:
            self.show_text(text)
        panel = await self.show_panel("trace")
        if isinstance(panel, TracePanel) and panel.put(event.packet):
            self.call_after_refresh(panel.run)

    @on(RunWanted)
    def _run_lab(self, event: RunWanted) -> None:
        self.query_one(LabPanel).begin()
        self._work.start("lab", run_lab, event.chosen)

    @on(StopWanted)
    def _stop(self, event: StopWanted) -> None:
        self._work.stop(event.group)

    @on(GoTo)
    def _go(self, event: GoTo) -> None:
        text = self.named(event.name) if event.name else self.here
        if text is not None:
            self.show_parts(text=True)
            self.show_text(text)
            text.editor.go(event.line, event.column)

    @on(OpenWanted)
    def _open(self, event: OpenWanted) -> None:
        self.add_text(event.name, event.text)

    @on(SaveWanted)
    def _keep(self, event: SaveWanted) -> None:
        self.keep_files(event.name, event.files)

    @on(CopyWanted)
    def _copy(self, event: CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)
        self.app.notify(self._t("copied"), timeout=2)

    # -- what work says ----------------------------------------------------------------------

    @on(Told)
    def _told(self, event: Told) -> None:
        if not self._work.is_current(event):
            return
        if event.group == "check":
            self._checked(event.value)
        elif event.group == "compile":
            self.query_one(CompilePanel).tell(*event.value)
        elif event.group == "compare":
            self.query_one(ComparePanel).tell(*event.value)
        elif event.group == "lab":
            self.query_one(LabPanel).tell(event.value)

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        if not self._work.is_current(event):
            return
        if event.group == "check":
            if not event.error:
                self._checked(event.result)
            elif event.error != STOPPED:
                self.complain(event.error)
            return
        panel = self.known_panel(event.group)
        if panel is None:
            return
        if event.error:
            panel.fail(self._t("stopped") if event.error == STOPPED else event.error)
        elif isinstance(panel, TracePanel):
            self._show_traced(panel, event.result)
        else:
            panel.show(event.result)

    def _show_traced(self, panel: TracePanel, traced: Traced) -> None:
        text = self._traced
        panel.show(traced, text.name if text is not None else "")
        if text is not None and text.pane in self._texts:
            text.editor.decide(dict(traced.deciding))
            if traced.deciding:
                text.editor.go(traced.deciding[-1][0])

    # -- actions -------------------------------------------------------------------------------

    def action_explain(self) -> None:
        """Show the help."""
        self.app.push_screen(Help(self._t("Network workbench"), [self._t(line) if line else "" for line in HELP_LINES]))

    async def action_compile(self) -> None:
        """Compile what is looked at."""
        self.call_after_refresh((await self.show_panel("compile")).run)

    async def action_compare(self) -> None:
        """Compare what is chosen."""
        self.call_after_refresh((await self.show_panel("compare")).run)

    async def action_trace(self) -> None:
        """Follow the packet of the form."""
        self.call_after_refresh((await self.show_panel("trace")).run)

    async def action_lab(self) -> None:
        """Run the lab that is chosen; the first time, choose it."""
        self.call_after_refresh((await self.show_panel("lab")).run)
