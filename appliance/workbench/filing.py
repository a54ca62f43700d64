"""Texts in tabs: opened, made, saved, closed, with a question before anything is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textual import work
from textual.screen import Screen
from textual.widgets import TabbedContent, TabPane

from appliance.console.plain import plain
from appliance.language import Translate, _
from appliance.workbench import shelving
from appliance.workbench.dialogs import AskLine, Choose, OpenDialog
from appliance.workbench.editor import Editor
from appliance.workbench.files import ChangedOnDisk, Opened, is_within, open_file, path_said, save_file
from appliance.workbench.kinds import kind_of
from appliance.workbench.open_texts import OpenText, name_for
from appliance.workbench.recent import recent_files, remember
from appliance.workbench.shelf import Kept, Shelf
from compiler.errors import UsageError

__all__ = ["FilingScreen"]


class FilingScreen(Screen[None]):
    """The tabs of the workbench. Its ``#tabs`` hold the texts."""

    def __init__(
        self, folder: Path, recent: Path | None, *, is_limited: bool, translate: Translate, shelf: Shelf | None = None
    ) -> None:
        super().__init__()
        self.shelf = shelf
        self.folder = folder
        self._t = translate
        self._recent = recent
        self._is_limited = is_limited
        self._texts: dict[str, OpenText] = {}
        self._numbers = 0

    # -- what is open --------------------------------------------------------------

    @property
    def texts(self) -> tuple[OpenText, ...]:
        """All tabs, in their order."""
        return tuple(self._texts.values())

    @property
    def here(self) -> OpenText | None:
        """The text that is looked at."""
        return self._texts.get(self.query_one("#tabs", TabbedContent).active)

    @property
    def unsaved(self) -> str:
        """The names of texts that would be lost; the console asks for them before it leaves."""
        return ", ".join(text.name for text in self.texts if text.is_changed)

    def say(self, words: str) -> str:
        """In the reader's language."""
        return self._t(words)

    def named(self, name: str) -> OpenText | None:
        """The tab of that name."""
        return next((text for text in self.texts if text.name == name), None)

    def of_editor(self, editor: object) -> OpenText | None:
        """The tab of an editor; None for one that is no tab's."""
        return next((text for text in self.texts if text.editor is editor), None)

    # -- opening -------------------------------------------------------------------

    def open_path(self, path: Path) -> OpenText | None:
        """Open a file, or go to its tab; None and said when that cannot be."""
        full = self.folder / path
        known = next((one for one in self.texts if one.opened is not None and _same(one.opened.path, full)), None)
        if known is not None:
            self.show_text(known)
            return known
        try:
            self._allow(full)
            opened = open_file(full)
        except UsageError as error:
            self.complain(str(error))
            return None
        if opened.note:
            self.app.notify(opened.note, severity="warning", markup=False)
        if self._recent is not None:
            remember(self._recent, full)
        return self.add_text(name_for(full, self.folder, self._taken()), opened.text, opened)

    def add_text(self, name: str, text: str, opened: Opened | None = None) -> OpenText:
        """A tab for a text. One that is no file yet counts as changed until it is saved."""
        if name in self._taken():
            name = name_for(Path(name), self.folder, self._taken())
        self._numbers += 1
        pane = f"text-{self._numbers}"
        editor = Editor(text, kind_of(text, name), id=f"editor-{self._numbers}")
        made = OpenText(name, pane, editor, opened, text if opened is not None else "")
        self._texts[pane] = made
        tabs = self.query_one("#tabs", TabbedContent)
        tabs.add_pane(TabPane(plain(made.label), editor, id=pane))
        self.show_whether_empty()
        self.call_after_refresh(self.show_text, made)
        self.texts_changed()
        return made

    def show_text(self, text: OpenText) -> None:
        """Look at this tab."""
        if text.pane in self._texts:
            self.query_one("#tabs", TabbedContent).active = text.pane
            text.editor.focus()

    def relabel(self, text: OpenText) -> None:
        """Its name on the tab, with a dot when it is not saved."""
        tabs = self.query_one("#tabs", TabbedContent)
        if not tabs.query(f"#{text.pane}"):
            return  # it is being mounted, and will come with its name
        tab = tabs.get_tab(text.pane)
        if tab.label.plain != plain(text.label).plain:
            tab.label = plain(text.label)

    def show_whether_empty(self) -> None:
        """Words in place of tabs, when there are none."""
        self.query_one("#tabs").display = bool(self._texts)
        self.query_one("#nothing").display = not self._texts

    def texts_changed(self) -> None:
        """Tabs came, went, or have another name."""

    @work
    async def action_open_file(self) -> None:
        """Ask which file, and open it."""
        recent = recent_files(self._recent) if self._recent is not None else ()
        path = await self.app.push_screen_wait(OpenDialog(self.folder, recent, self._t))
        if path is not None:
            self.open_path(path)

    def action_new_file(self) -> None:
        """A new, empty text."""
        self.add_text("new.cfg", "")

    # -- saving --------------------------------------------------------------------

    @work
    async def action_save(self) -> None:
        """Save the text that is looked at."""
        if self.here is not None:
            await self._save(self.here)

    @work
    async def action_save_as(self) -> None:
        """Save it under another name."""
        text = self.here
        if text is not None:
            path = await self._ask_path(text.name)
            if path is not None and await self._save_as(text, path):
                self.texts_changed()

    @work
    async def keep_files(self, name: str, files: tuple[tuple[str, str], ...]) -> None:
        """Ask for a name and save texts that are in no tab, each under the name and its own end."""
        path = await self._ask_path(name)
        if path is None:
            return
        for end, content in files:
            target = path.with_name(path.name + end)
            opened = await self._free(target)
            if opened is None or not self._written(opened, content, overwrite=True):
                return
            self.app.notify(self._t("saved {name}").format(name=target), markup=False)

    async def _save(self, text: OpenText) -> bool:
        if text.shelved is not None and self.shelf is not None:
            return await shelving.save_to_appliance(self, text)
        if text.opened is None:
            path = await self._ask_path(text.name)
            return path is not None and await self._save_as(text, path)
        try:
            self._allow(text.opened.path)
            text.opened = save_file(text.opened, text.editor.text)
        except ChangedOnDisk as error:
            answers = (
                ("keep", self._t("Go on editing")),
                ("reload", self._t("Take the file's text")),
                ("overwrite", self._t("Overwrite it")),
            )
            answer = await self.app.push_screen_wait(Choose(self._t("Changed on disk"), str(error), answers))
            if answer == "reload":
                return self._reload(text)
            if answer != "overwrite" or not self._written(text.opened, text.editor.text, overwrite=True, text=text):
                return False
        except UsageError as error:
            self.complain(str(error))
            return False
        self._saved(text)
        return True

    async def _save_as(self, text: OpenText, path: Path) -> bool:
        opened = await self._free(path)
        if opened is None or not self._written(opened, text.editor.text, overwrite=True, text=text):
            return False
        text.name = name_for(path, self.folder, self._taken() - {text.name})
        text.look_again()
        self._saved(text)
        return True

    async def _free(self, path: Path) -> Opened | None:
        """The place to write to, when it is free or may be overwritten."""
        try:
            self._allow(path)  # before anything is said of what is there
        except UsageError as error:
            self.complain(str(error))
            return None
        if path.exists():
            words = self._t("{name} is there already.").format(name=path)
            answers = (("keep", self._t("Leave it")), ("overwrite", self._t("Overwrite it")))
            if await self.app.push_screen_wait(Choose(self._t("Overwrite"), words, answers)) != "overwrite":
                return None
        return Opened(path, "", None)

    async def _ask_path(self, name: str) -> Path | None:
        said = await self.app.push_screen_wait(AskLine(self._t("Save as"), name))
        return None if said is None else path_said(said, self.folder)

    def _written(self, opened: Opened, content: str, *, overwrite: bool, text: OpenText | None = None) -> bool:
        try:
            self._allow(opened.path)
            kept = save_file(opened, content, overwrite=overwrite)
        except UsageError as error:
            self.complain(str(error))
            return False
        if text is not None:
            text.opened = kept
        return True

    def _reload(self, text: OpenText) -> bool:
        assert text.opened is not None
        try:
            text.opened = open_file(text.opened.path)
        except UsageError as error:
            self.complain(str(error))
            return False
        text.editor.load_text(text.opened.text)
        self._saved(text)
        return True

    # -- the appliance -------------------------------------------------------------

    @work
    async def action_open_kept(self) -> None:
        """Ask which text of the appliance, and open it."""
        if self.shelf is not None:
            await shelving.pick_and_open(self)

    @work
    async def open_kept(self, name: str) -> None:
        """Open this text of the appliance."""
        await shelving.open_by_name(self, name)

    @work
    async def action_save_kept(self) -> None:
        """Save the text that is looked at to the appliance."""
        if self.shelf is not None and self.here is not None:
            await shelving.save_to_appliance(self, self.here)

    def add_shelved(self, kept: Kept) -> None:
        """A tab for a text of the appliance."""
        # The name of a policy says nothing of its dialect: they are Cisco's.
        text = self.add_text(f"{kept.name}.ios", kept.text)
        self.is_shelved(text, kept, kept.text, quietly=True)

    def is_shelved(self, text: OpenText, kept: Kept, content: str, *, quietly: bool = False) -> None:
        """The appliance keeps this content of the text."""
        text.shelved, text.kept = kept, content
        self.relabel(text)
        self.texts_changed()
        if not quietly:
            words = self._t(_("saved {name} to the appliance; plan and commit under Machine")).format(name=kept.name)
            self.app.notify(words, markup=False, timeout=4)

    # -- what is done after saving ---------------------------------------------------

    def _saved(self, text: OpenText) -> None:
        text.kept = text.editor.text
        text.text_checked = None  # a lab is checked from its file
        self.relabel(text)
        self.texts_changed()
        if self._recent is not None and text.opened is not None:
            remember(self._recent, text.opened.path)
        self.app.notify(self._t("saved {name}").format(name=text.name), markup=False, timeout=2)

    # -- closing -------------------------------------------------------------------

    @work
    async def action_close_file(self) -> None:
        """Close the text that is looked at, once it is saved or not wanted."""
        text = self.here
        if text is None:
            return
        if text.is_changed:
            answer = await self._ask_to_save(text.name)
            if answer is None or (answer == "save" and not await self._save(text)):
                return
        del self._texts[text.pane]
        await self.query_one("#tabs", TabbedContent).remove_pane(text.pane)
        self.show_whether_empty()
        self.texts_changed()

    async def may_leave(self) -> bool:
        """Ask about each text that is not saved; False when the user stays."""
        for text in tuple(self._unsaved()):
            self.show_text(text)
            answer = await self._ask_to_save(text.name)
            if answer is None or (answer == "save" and not await self._save(text)):
                return False
        return True

    def _unsaved(self) -> Iterator[OpenText]:
        return (text for text in self.texts if text.is_changed)

    async def _ask_to_save(self, name: str) -> str | None:
        answers = (("save", self._t("Save")), ("drop", self._t("Do not save")))
        words = self._t("{name} is not saved. Escape goes on editing.").format(name=name)
        return await self.app.push_screen_wait(Choose(self._t("Not saved"), words, answers))

    def complain(self, words: str) -> None:
        """Say what went wrong."""
        self.app.notify(words, severity="error", markup=False)

    def _allow(self, path: Path) -> None:
        if self._is_limited and not is_within(path, self.folder):
            raise UsageError(f"{str(path)!r} is not below {str(self.folder)!r}")

    def _taken(self) -> frozenset[str]:
        return frozenset(text.name for text in self.texts)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False
