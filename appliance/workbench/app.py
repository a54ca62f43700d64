"""The workbench alone: what ``gerbang workbench [FILE…]`` shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

from appliance.language import DEFAULT, _, translator
from appliance.workbench.files import open_file
from appliance.workbench.lanes import Lane, ProcessLane
from appliance.workbench.recent import state_file
from appliance.workbench.screen import WorkbenchScreen

__all__ = ["WorkbenchApp", "run_workbench"]


class WorkbenchApp(App[int]):
    """One screen, and a question before unsaved work is lost."""

    TITLE = "Gerbang"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", _("Quit"), tooltip=_("Leave the workbench"), show=False, priority=True, id="quit")
    ]

    def __init__(
        self,
        folder: Path,
        files: Sequence[Path] = (),
        *,
        recent: Path | None = None,
        language: str = DEFAULT,
        make_lane: Callable[[], Lane] = ProcessLane,
        is_limited: bool = False,
    ) -> None:
        super().__init__()
        self.workbench = WorkbenchScreen(
            folder,
            files,
            recent=recent,
            is_limited=is_limited,
            make_lane=make_lane,
            translate=translator(language),
        )

    def on_mount(self) -> None:
        """Show the only screen."""
        self.push_screen(self.workbench)

    @work(exclusive=True)
    async def action_leave(self) -> None:
        """End, unless something unsaved keeps the user."""
        if self.screen is self.workbench and await self.workbench.may_leave():
            self.exit(0)


def run_workbench(files: Sequence[str], *, folder: str = ".", language: str = DEFAULT, is_limited: bool = False) -> int:
    """Run it until the user leaves; the exit code.

    Raises UsageError (exit code 2), before any screen is drawn, for a file that
    is not there or cannot be edited, and for a folder that is none.
    """
    from compiler.errors import UsageError

    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"there is no folder {folder!r}")
    paths = [Path(name).absolute() for name in files]
    for name in files:
        open_file(Path(name))
    app = WorkbenchApp(root, paths, recent=state_file(), language=language, is_limited=is_limited)
    return app.run() or app.return_code or 0
