"""Passwords: another one, and the same once more when the session has expired."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from appliance.console.plain import plain
from appliance.console.speaking import say
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.front import FrontScreen
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["AgainScreen", "PasswordScreen"]

_CSS = """
    %(name)s { align: center middle; }
    %(name)s > Vertical {
        width: 58; max-width: 94%%; height: auto; background: $surface; border: round $primary; padding: 1 2;
    }
    %(name)s Input { margin-bottom: 1; }
    %(name)s .state { height: auto; color: $text-error; }
    %(name)s .head { height: auto; margin-bottom: 1; }
    %(name)s Horizontal { height: auto; align-horizontal: right; }
    %(name)s Button { margin-left: 2; }
"""


class _Asking(FrontScreen[bool]):
    """Fields below each other, a line for what is wrong, two buttons."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", _("Leave"), id="password.leave")]

    def _field(self, name: str, label: str) -> ComposeResult:
        yield Static(plain(say(self, label)))
        yield Input(password=True, id=name, max_length=256)

    def _end(self, yes: str, no: str) -> ComposeResult:
        yield Static("", classes="state", markup=False)
        with Horizontal():
            yield Button(plain(say(self, yes)), variant="primary", id="yes")
            yield Button(plain(say(self, no)), id="no")

    def complain(self, template: str, **values: object) -> None:
        """What is wrong."""
        self.query_one(".state", Static).update(plain(say(self, template, values)))

    def action_leave(self) -> None:
        """Without an answer."""
        self.dismiss(False)

    @on(Button.Pressed, "#no")
    def _left(self) -> None:
        self.dismiss(False)


class PasswordScreen(_Asking):
    """Another password. ``must``: the administrator has given the first, and nothing else can be done before."""

    DEFAULT_CSS = _CSS % {"name": "PasswordScreen"}

    def __init__(self, old: str = "", *, must: bool = False) -> None:
        super().__init__()
        self._old = old
        self._must = must

    def compose(self) -> ComposeResult:
        """The old one if it is not known, the new one twice."""
        head = _("This password was given to you. Choose your own.") if self._must else _("Change the password")
        with Vertical():
            yield Static(plain(say(self, head)), classes="head")
            if not self._old:
                yield from self._field("old", _("Old password"))
            yield from self._field("new", _("New password"))
            yield from self._field("again", _("New password, once more"))
            yield from self._end(_("Change"), _("Leave"))

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "again":
            self._take()
        else:
            self.focus_next()

    @on(Button.Pressed, "#yes")
    def _take(self) -> None:
        old = self._old or self.query_one("#old", Input).value
        new = self.query_one("#new", Input).value
        if new != self.query_one("#again", Input).value:
            self.complain(_("The two are not the same."))
        elif not new:
            self.complain(_("A new password is needed."))
        else:
            begin(self, self._change(old, new), group="password")

    async def _change(self, old: str, new: str) -> None:
        from appliance.console.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        try:
            await self.app.door.change_password(old, new)
        except Refused as error:
            self.complain(error.template, **error.values)
        else:
            self.app.tell(_("The password is changed."))
            self.dismiss(True)


_CLOSED = _(
    "The password is wrong. If it was right before, an administrator has made a new one, or closed your account."
)


class AgainScreen(_Asking):
    """The session has expired: the password once more, and the work goes on."""

    DEFAULT_CSS = _CSS % {"name": "AgainScreen"}

    def __init__(self, name: str) -> None:
        super().__init__()
        self._who = name

    def compose(self) -> ComposeResult:
        """One field."""
        words = _("{name}, your session has ended. Give your password to go on; nothing is lost.")
        with Vertical():
            yield Static(plain(say(self, words, {"name": self._who})), classes="head")
            yield from self._field("password", _("Password"))
            yield from self._end(_("Go on"), _("Log out"))

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _take(self) -> None:
        begin(self, self._login(self.query_one(Input).value), group="again")

    async def _login(self, password: str) -> None:
        from appliance.console.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        door = self.app.door
        try:
            answer = await door.login(self._who, password)
            if answer.get("must_change_password") and not await self._own(password):
                await door.logout()
                self.complain(_("The password must be changed before anything else."))
                return
        except Refused as error:
            # It was right a moment ago, as far as the person knows; the daemon tells nobody which accounts there are.
            self.complain(_CLOSED if error.code == "login-refused" else error.template, **error.values)
            self.query_one(Input).value = ""
        else:
            self.dismiss(True)

    async def _own(self, password: str) -> bool:
        """An administrator has made a new one, and with that the session ended: a password of one's own comes first."""
        changed = await self.app.push_screen_wait(PasswordScreen(password, must=True))
        return bool(changed)
