"""The workbench in the console: in front of the network's screens, with the appliance's policies at hand."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Button, Static

from appliance.console.plain import plain
from appliance.console.screens import Pane
from appliance.console.status import KeyLine
from appliance.language import _
from appliance.services.network.policy_shelf import PolicyShelf
from appliance.workbench.keys import BINDINGS, help_in
from appliance.workbench.recent import state_file
from appliance.workbench.screen import WorkbenchScreen

__all__ = ["ConsoleWorkbench", "WorkbenchPane", "open_workbench"]


def open_workbench(pane: Pane, policy: str = "") -> None:
    """In front of the pane; with this policy, or with what is still open there."""
    console = pane.shell
    opened = next((one for one in console.screen_stack if isinstance(one, ConsoleWorkbench)), None)
    if opened is not None:
        if policy:
            opened.open_kept(policy)
        return
    console.push_screen(ConsoleWorkbench(pane, policy))


def is_behind_a_door(web: bool) -> bool:
    """Whether who types is not who runs this process: in a browser, or by the forced command of sshd."""
    if web or os.environ.get("GERBANG_LIMITED"):
        return True
    try:
        parent = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:
        return False
    return parent.startswith("sshd")


class ConsoleWorkbench(WorkbenchScreen):
    """Leaves to the screen below it. Behind a door it has a folder of its own, which goes with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "back", _("Back"), tooltip=_("Back to the console"), id="workbench.back"),
        *BINDINGS,
    ]

    def __init__(self, pane: Pane, policy: str = "") -> None:
        limited = is_behind_a_door(pane.shell.given.web)
        self._own = Path(tempfile.mkdtemp(prefix="gerbang-workbench-")) if limited else None
        super().__init__(
            self._own,
            recent=None if limited else state_file(),
            is_limited=limited,
            translate=pane.reader.translate,
            shelf=PolicyShelf(pane),
            kept=policy,
        )
        self.help_text = help_in(pane.reader.translate)

    @property
    def pane(self) -> ConsoleWorkbench:
        """The key sheet asks a screen's pane for help."""
        return self

    def key_line(self) -> Widget:
        """The console's own: its keys are in the reader's language, and written as on all other screens."""
        return KeyLine()

    def on_unmount(self) -> None:
        """The folder goes too."""
        super().on_unmount()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    @work(exclusive=True, group="back")
    async def action_back(self) -> None:
        """After a question about what is not saved."""
        if self.app.screen is self and await self.may_leave():
            self.dismiss()


class WorkbenchPane(Pane):
    """What stands in the list of screens: says what the workbench is, and opens it."""

    HELP = _("""\
# Workbench

An editor for access lists of Cisco IOS, RouterOS and nftables: checked as you type, compiled and proved (F5), packets
traced (F9), texts compared (F2), labs run (F10). **F11** opens a policy of the appliance, **Ctrl+S** saves it there,
**Ctrl+R** comes back.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "workbench", _("Open"), id="network.open-workbench", tooltip=_("Open the workbench")),
    ]
    DEFAULT_CSS = """
    WorkbenchPane { align: center middle; }
    WorkbenchPane > Vertical { width: 76; max-width: 96%; height: auto; }
    WorkbenchPane Static { height: auto; margin-bottom: 1; }
    """

    def compose(self) -> ComposeResult:
        """Some words, and the way in."""
        say = self.reader.say
        with Vertical():
            yield Static(plain(say(_("The workbench edits access lists, and says at once what they mean."))))
            yield Static(
                plain(
                    say(_("F11 there opens a policy of the appliance, Ctrl+S saves it, Ctrl+R comes back here. "
                          "What is saved is not in force yet: plan and commit under Machine."))
                )
            )  # fmt: skip
            yield Button(plain(say(_("Open the workbench (w)"))), variant="primary", id="open-workbench")

    @on(Button.Pressed, "#open-workbench")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_workbench()

    def action_workbench(self) -> None:
        """In front of this screen."""
        open_workbench(self)
