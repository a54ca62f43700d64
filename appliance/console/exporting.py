"""Exports: all rows of a listing's question as CSV or XLSX, saved where the user's downloads go."""

from __future__ import annotations

import asyncio
import io
import shutil
import stat
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from appliance.console.plain import plain
from appliance.console.widgets.front import FrontScreen
from appliance.contract.refusals import Refused
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.listing_source import ListingSource
    from appliance.console.screens import Pane

__all__ = ["PickScreen", "deliver", "export"]

SLOW = 1.0
"""Seconds after which it is said that an export is under way: 100,000 rows take some 15 as XLSX."""
TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "html": "text/html",
    "txt": "text/plain",
}


class PickScreen(FrontScreen[str | None]):
    """One of a few; Enter takes, or its first letter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", _("Leave"), id="dialog.leave-pick")]
    DEFAULT_CSS = """
    PickScreen { align: center middle; }
    PickScreen > Vertical {
        width: 56; max-width: 94%; height: auto; background: $surface; border: round $primary; padding: 1 2;
    }
    PickScreen .head { height: auto; margin-bottom: 1; }
    PickScreen OptionList { height: auto; max-height: 14; border: none; }
    """

    def __init__(self, question: str, options: dict[str, str]) -> None:
        """``question`` and the titles in ``options`` are in the reader's language."""
        super().__init__()
        self._question = question
        self._options = options

    def compose(self) -> ComposeResult:
        """The question above the list."""
        with Vertical():
            yield Static(plain(self._question), classes="head")
            yield OptionList(*(Option(plain(title), id=name) for name, title in self._options.items()))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_id)

    def action_leave(self) -> None:
        """None of them."""
        self.dismiss(None)


async def export(pane: Pane, source: ListingSource, name: str) -> None:
    """Ask for the form, read the rows, save them. To be run in a worker."""
    forms = {
        "xlsx": pane.reader.say(_("Workbook (XLSX)")),
        "csv": pane.reader.say(_("Text (CSV)")),
    }
    form = await pane.app.push_screen_wait(PickScreen(pane.reader.say(_("Export as")), forms))
    if form is None:
        return
    with tempfile.TemporaryDirectory(prefix="gerbang-export-") as folder:
        file = Path(folder) / f"{name}.{form}"
        slow = pane.set_timer(SLOW, lambda: pane.shell.tell(_("The rows are being written; you can go on meanwhile.")))
        try:
            await source.export(form, file)
        except Refused as error:
            pane.shell.say_refused(error)
            return
        finally:
            slow.stop()
        await deliver(pane, file, file.name)


async def deliver(pane: Pane, content: bytes | Path, name: str) -> None:
    """Hand it to the browser, or save it in the downloads folder; the user is told where."""
    name = _safe(name)
    if pane.app.is_web:
        kind = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        file: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
        pane.app.deliver_binary(file, save_filename=name, mime_type=kind)
        return
    # Textual 8.2's own saving opens the file for text, and fails on bytes.
    from platformdirs import user_downloads_path

    folder = Path(user_downloads_path())
    try:
        saved = await asyncio.to_thread(_saved, content, folder, name)
    except OSError as error:
        reason = str(error.strerror or error)
        pane.shell.tell(_("It cannot be saved in {folder}: {reason}"), "error", folder=str(folder), reason=reason)
    else:
        pane.shell.tell(_("Saved: {file}"), file=str(saved))


def _saved(content: bytes | Path, folder: Path, name: str) -> Path:
    """Under a name that is free. Written beside it, so that half a file never has it: not even when the disk is full,
    or the console is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as aside:
        try:
            if isinstance(content, bytes):
                aside.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, aside)
            aside.close()
            return _named(Path(aside.name), folder, name)
        except BaseException:
            Path(aside.name).unlink(missing_ok=True)
            raise


def _named(aside: Path, folder: Path, name: str) -> Path:
    """Give the file its name, or the name with the first number that is free."""
    stem, dot, suffix = name.rpartition(".")
    for number in count(1):
        file = folder / (name if number == 1 else f"{stem} ({number}){dot}{suffix}")
        try:
            # The name is taken first: another console may save the same at the same time.
            file.touch(exist_ok=False)
        except FileExistsError:
            continue
        try:
            # As any other file that the user makes; those of tempfile are for nobody else.
            aside.chmod(stat.S_IMODE(file.stat().st_mode))
            aside.replace(file)
        except OSError:
            file.unlink()
            raise
        return file
    raise AssertionError("numbers do not end")


def _safe(name: str) -> str:
    """A name of a file that no file system and no shell stumbles over."""
    kept = "".join(letter if letter.isalnum() or letter in "-_. " else "-" for letter in name)
    return kept.strip(" .")[:120] or "export"
