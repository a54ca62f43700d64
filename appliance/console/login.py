"""The first screen: who are you? Imports nothing but Textual's simplest widgets, for it is to be there in 0.4 s."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from appliance.console.speaking import say, speaker
from appliance.language import LANGUAGES, _

__all__ = ["LoginScreen"]


class LoginScreen(Screen[None]):
    """Name and password. It only asks: the application attempts, and tells how it went by ``tell``."""

    DEFAULT_CSS = """
    LoginScreen { align: center middle; }
    LoginScreen #box { width: 76; max-width: 96%; height: auto; max-height: 95%; overflow-y: auto; }
    LoginScreen #box { border: round $primary; padding: 1 3; }
    LoginScreen #title { text-style: bold; color: $text-primary; }
    LoginScreen #subtitle { color: $text-muted; margin-bottom: 1; }
    LoginScreen .label { color: $foreground; }
    LoginScreen Input { margin-bottom: 1; height: 1; border: none; padding: 0 1; background: $panel; }
    LoginScreen Input:focus { border: none; background: $primary 30%; }
    LoginScreen #enter { width: 100%; height: 1; min-height: 1; border: none; }
    LoginScreen #state { margin-top: 1; height: auto; color: $text-muted; }
    LoginScreen #state.-error { color: $text-error; }
    LoginScreen #state.-warning { color: $text-warning; }
    LoginScreen #demo { margin-top: 1; height: auto; color: $text-muted; }
    LoginScreen.-low #box { padding: 0 3; }
    LoginScreen.-low #subtitle, LoginScreen.-low Input { margin-bottom: 0; }
    LoginScreen.-low #state, LoginScreen.-low #demo { margin-top: 0; }
    LoginScreen #hint { dock: bottom; height: 1; color: $text-muted; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f10", "language", _("Language"), id="login.language"),
        Binding("f11", "theme", _("Theme"), id="login.theme"),
    ]
    AUTO_FOCUS = ".first"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012 - as Textual has it

    class Attempt(Message):
        """Somebody wants in."""

        def __init__(self, name: str, password: str) -> None:
            super().__init__()
            self.name = name
            self.password = password

    def __init__(self, *, address: str, name: str = "", password: str = "", accounts: tuple[str, ...] = ()) -> None:
        """``accounts`` are the demonstration's; ``name`` and ``password`` stand there already."""
        super().__init__()
        self._address = address
        self._given = name, password
        self._accounts = accounts
        self._told: tuple[str, dict[str, object], str] = (_("Connecting…"), {}, "")

    def compose(self) -> ComposeResult:
        name, password = self._given
        words = self._words()
        first = "enter" if name and password else "password" if name else "name"
        begin = {one: "first" if one == first else "" for one in ("name", "password", "enter")}
        with Vertical(id="box"):
            yield Static("Gerbang", id="title", markup=False)
            yield Static(Content(self._address), id="subtitle")
            yield Static(words["name-label"], id="name-label", classes="label")
            yield Input(name, id="name", classes=begin["name"], max_length=100)
            yield Static(words["password-label"], id="password-label", classes="label")
            yield Input(password, id="password", classes=begin["password"], password=True, max_length=256)
            yield Button(words["enter"], id="enter", classes=begin["enter"], variant="primary")
            template, values, severity = self._told
            yield Static(Content(say(self, template, values)), id="state", classes=f"-{severity}" if severity else "")
            if self._accounts:
                yield Static(words["demo"], id="demo")
        yield Static(words["hint"], id="hint")

    def _words(self) -> dict[str, Content]:
        """By the ids of their widgets."""
        translate = speaker(self)
        said = {
            "name-label": translate(_("Name")),
            "password-label": translate(_("Password")),
            "enter": translate(_("Log in")),
            "hint": translate(_("Tab next field · Enter log in · F10 language · F11 theme · Ctrl+Q quit")),
        }
        if self._accounts:
            head = translate(_("Demonstration: nothing is kept. Passwords and their accounts:"))
            said["demo"] = "\n".join([head, *self._accounts])
        return {place: Content(text) for place, text in said.items()}

    def relabel(self) -> None:
        """Say everything in the language of now."""
        for place, words in self._words().items():
            if place == "enter":
                self.query_one("#enter", Button).label = words
            else:
                self.query_one(f"#{place}", Static).update(words)
        self._show()

    def show_accounts(self, accounts: tuple[str, ...]) -> None:
        """The demonstration's accounts, now that its daemon has said all of them."""
        if self._accounts and accounts != self._accounts:
            self._accounts = accounts
            self.relabel()

    def tell(self, template: str, severity: str = "", **values: object) -> None:
        """What happened, below the button: ``severity`` is ``error``, ``warning`` or nothing."""
        self._told = template, values, severity
        if self.is_mounted:
            self._show()

    def busy(self, working: bool) -> None:
        """Whether an attempt is under way."""
        self.query_one("#enter", Button).disabled = working

    def empty_password(self) -> None:
        """Ready for the next attempt."""
        field = self.query_one("#password", Input)
        field.value = ""
        field.focus()

    def _show(self) -> None:
        template, values, severity = self._told
        state = self.query_one("#state", Static)
        state.set_classes(f"-{severity}" if severity else "")
        state.update(Content(say(self, template, values)))

    @on(Input.Submitted, "#name")
    def _name_given(self) -> None:
        self.query_one("#password", Input).focus()

    @on(Input.Submitted, "#password")
    @on(Button.Pressed, "#enter")
    def _attempt(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        password = self.query_one("#password", Input).value
        if not name or not password:
            self.tell(_("A name and a password are needed."), "warning")
            self.query_one("#password" if name else "#name", Input).focus()
        elif not self.query_one("#enter", Button).disabled:
            self.post_message(self.Attempt(name, password))

    def action_language(self) -> None:
        """The next language."""
        codes = list(LANGUAGES)
        now = getattr(self.app, "language", codes[0])
        self.app.call_later(self.app.run_action, f"language('{codes[(codes.index(now) + 1) % len(codes)]}')")

    def action_theme(self) -> None:
        """From light to dark, and back."""
        self.app.call_later(self.app.run_action, "toggle_dark")
