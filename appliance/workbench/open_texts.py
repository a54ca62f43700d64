"""The texts that are open: what each tab holds beside its editor."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from appliance.workbench.checking import Checked
from appliance.workbench.editor import Editor
from appliance.workbench.files import Opened
from appliance.workbench.kinds import kind_of
from appliance.workbench.shelf import Kept

__all__ = ["OpenText", "name_for"]


@dataclass(eq=False)
class OpenText:
    """One tab. ``opened`` is None for a text that was never a file."""

    name: str
    """Unique among the tabs; what compiles and comparisons call the text."""
    pane: str
    editor: Editor
    opened: Opened | None
    kept: str = ""
    """The text as it was last opened or saved."""
    checked: Checked | None = None
    text_checked: str | None = field(default=None, repr=False)
    shelved: Kept | None = None
    """As the appliance keeps it, when it came from there or was saved to it."""

    @property
    def is_changed(self) -> bool:
        """Whether something would be lost by closing it."""
        return self.editor.text != self.kept

    @property
    def label(self) -> str:
        """The name on its tab."""
        short = Path(self.name).name or self.name
        return f"{short} ●" if self.is_changed else short

    @property
    def saved_path(self) -> str | None:
        """The file that holds just this text, or None."""
        return str(self.opened.path) if self.opened is not None and not self.is_changed else None

    def look_again(self) -> None:
        """What the text is may have changed with it."""
        self.editor.become(kind_of(self.editor.text, self.name))


def name_for(path: Path, folder: Path, taken: frozenset[str]) -> str:
    """The way from the folder, or the whole path; with a number when a tab has that name already."""
    full = path.absolute()
    name = str(full.relative_to(folder)) if full.is_relative_to(folder) else str(full)
    if name not in taken:
        return name
    stem, end = str(Path(name).with_suffix("")), Path(name).suffix
    return next(one for number in range(2, 10_000) if (one := f"{stem}-{number}{end}") not in taken)
