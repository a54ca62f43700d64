"""What is asked over the workbench: a file, a line, a name, what to do with what is not saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, DirectoryTree, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from appliance.console.plain import plain
from appliance.console.widgets.front import FrontScreen
from appliance.language import Translate, _
from appliance.workbench.files import is_within, path_said

__all__ = ["AskLine", "Choose", "Folders", "Help", "OpenDialog", "Pick"]

_FRAME = """
    align: center middle;
    & > #frame {
        width: 76;
        max-width: 96%;
        height: auto;
        max-height: 94%;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    & .row { height: 1; margin-top: 1; }
    & Button { margin-right: 2; }
    & Input { margin-top: 1; }
"""
_CLOSE = Binding("escape", "dismiss_nothing", _("Close"))


class Folders(DirectoryTree):
    """The files below one folder; links that lead out of it are not shown."""

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """See DirectoryTree."""
        root = Path(self.path)
        return [path for path in paths if not path.name.startswith(".") and is_within(path, root)]


class OpenDialog(FrontScreen[Path | None]):
    """Choose a file: by its name, among those that were open last, or in the tree."""

    DEFAULT_CSS = f"""
    OpenDialog {{ {_FRAME}
        & #recent {{ height: auto; max-height: 6; margin-top: 1; border: none; }}
        & Folders {{ height: 12; margin-top: 1; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, folder: Path, recent: Sequence[Path], translate: Translate) -> None:
        super().__init__()
        self._folder = folder
        self._recent = recent
        self._t = translate

    def compose(self) -> ComposeResult:
        """The three ways."""
        with Vertical(id="frame") as frame:
            frame.border_title = plain(self._t("Open a configuration"))
            yield Input(placeholder=self._t("file, from {folder}").format(folder=self._folder), id="name")
            if self._recent:
                yield OptionList(*(Option(plain(_short(path, self._folder))) for path in self._recent), id="recent")
            yield Folders(self._folder)

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(path_said(event.value.strip(), self._folder))

    @on(OptionList.OptionSelected)
    def _again(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._recent[event.option_index])

    @on(DirectoryTree.FileSelected)
    def _found(self, event: DirectoryTree.FileSelected) -> None:
        self.dismiss(event.path)

    def action_dismiss_nothing(self) -> None:
        """Open nothing."""
        self.dismiss(None)


class AskLine(FrontScreen[str | None]):
    """One line of text."""

    DEFAULT_CSS = f"""
    AskLine {{ {_FRAME} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, title: str, value: str = "", *, is_number: bool = False) -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._is_number = is_number

    def compose(self) -> ComposeResult:
        """The line."""
        with Vertical(id="frame") as frame:
            frame.border_title = plain(self._title)
            yield Input(self._value, type="integer" if self._is_number else "text", select_on_focus=False)

    @on(Input.Submitted)
    def _said(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)

    def action_dismiss_nothing(self) -> None:
        """Say nothing."""
        self.dismiss(None)


class Choose(FrontScreen[str | None]):
    """A question with a few answers; the first is what Enter does, Escape is none."""

    DEFAULT_CSS = f"""
    Choose {{ {_FRAME}
        & #words {{ margin-top: 1; }}
        & .row {{ margin-bottom: 1; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, title: str, words: str, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._words = words
        self._answers = answers

    def compose(self) -> ComposeResult:
        """The question, and a button for each answer."""
        with Vertical(id="frame") as frame:
            frame.border_title = plain(self._title)
            yield Static(plain(self._words), id="words")
            with Horizontal(classes="row"):
                for name, label in self._answers:
                    yield Button(plain(label), id=f"answer-{name}", compact=True)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "").removeprefix("answer-"))

    def action_dismiss_nothing(self) -> None:
        """No answer: nothing happens."""
        self.dismiss(None)


class Pick(FrontScreen[str | None]):
    """One of many, by its name."""

    DEFAULT_CSS = f"""
    Pick {{ {_FRAME}
        & OptionList {{ height: auto; max-height: 16; margin: 1 0; border: none; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, title: str, names: Sequence[tuple[str, str]]) -> None:
        """``names``: and what they are about."""
        super().__init__()
        self._title = title
        self._names = names

    def compose(self) -> ComposeResult:
        """A line each."""
        with Vertical(id="frame") as frame:
            frame.border_title = plain(self._title)
            yield OptionList(*(Option(plain(f"{name}  {about}".rstrip())) for name, about in self._names))

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index][0])

    def action_dismiss_nothing(self) -> None:
        """None."""
        self.dismiss(None)


class Help(FrontScreen[None]):
    """What can be done here, and its keys."""

    DEFAULT_CSS = f"""
    Help {{ {_FRAME}
        & VerticalScroll {{ height: auto; max-height: 100%; }}
        & Label {{ width: 1fr; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss_nothing", _("Close"))]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(id="frame") as frame:
            frame.border_title = plain(self._title)
            with VerticalScroll():
                for line in self._lines:
                    yield Label(plain(line))

    def action_dismiss_nothing(self) -> None:
        """Back to work."""
        self.dismiss(None)


def _short(path: Path, folder: Path) -> str:
    """Below the folder by the way from there, else whole."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
