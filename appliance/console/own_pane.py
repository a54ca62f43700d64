"""One's own choices at home: language, theme, password, and where one is logged in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from appliance.console.plain import plain, plain_text
from appliance.console.screens import Pane
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.refusals import Refused
from appliance.language import LANGUAGES, _

__all__ = ["OwnPane"]


class OwnPane(Pane):
    """Language, theme, password, logging out: what concerns only oneself."""

    HELP = _("""\
# Own settings

**Enter** takes the line. The language and the theme change at once, and are kept.

Keys are remapped in the file `keys.yaml` of your configuration folder; the key sheet (**F1**) shows the names of all
actions. A line is `grid.sort: o`.

Below are your sessions, wherever you have logged in. **Del** ends the one under the cursor: that of a computer which
you have left.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete", "end", _("End the session"), id="own.end-session", tooltip=_("Log out there")),
    ]
    DEFAULT_CSS = """
    OwnPane {
        & OptionList { height: 1fr; &, &:focus { border: none; } }
        & #sessions-head { height: 1; padding: 0 1; text-style: bold; color: $text-primary; }
        & #own-sessions { height: auto; max-height: 30%; }
    }
    """

    def compose(self) -> ComposeResult:
        """The choices, and the sessions."""
        yield OptionList(id="own")
        if self.access.may("system", "sessions.own"):
            yield Static(plain(self.reader.say(_("Your sessions"))), id="sessions-head")
            yield OptionList(id="own-sessions")

    def on_mount(self) -> None:
        """Fill it."""
        self._show()
        self._look()

    def on_show(self) -> None:
        """Somebody may have logged in elsewhere."""
        self._look()

    def _show(self) -> None:
        say = self.reader.say
        own = self.query_one("#own", OptionList)
        person = self.shell.state.person
        if person is not None and not person.name:
            own.add_option(Option(plain(say(_("Log in"))), id="login"))
        else:
            own.add_option(Option(plain(say(_("Log out"))), id="logout"))
            own.add_option(Option(plain(say(_("Change the password"))), id="password"))
        own.add_option(None)
        language = say(_("Language"))
        for code, name in LANGUAGES.items():
            own.add_option(Option(self._line(language, name, code == self.shell.language), id=f"language {code}"))
        own.add_option(None)
        theme = say(_("Theme"))
        for name in sorted(self.app.available_themes, key=lambda one: (not one.startswith("gerbang"), one)):
            own.add_option(Option(self._line(theme, name, name == self.app.theme), id=f"theme {name}"))

    def _line(self, what: str, name: str, chosen: bool) -> Content:
        return plain(f"{what}: {plain_text(name)}{' ✓' if chosen else ''}")

    @on(OptionList.OptionSelected, "#own")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        kind, _blank, name = (event.option_id or "").partition(" ")
        if kind == "logout":
            self.app.call_later(self.shell.action_logout)
        elif kind == "login":
            self.app.call_later(self.shell.action_login)
        elif kind == "language":
            self.app.call_later(self.shell.action_language, name)
        elif kind == "theme":
            self.shell.action_theme(name)
            self.query_one("#own", OptionList).clear_options()
            self._show()
        elif kind == "password":
            from appliance.console.passwords import PasswordScreen

            self.app.push_screen(PasswordScreen())

    # Sessions

    def _look(self) -> None:
        if self.access.may("system", "sessions.own") and self.is_mounted:
            self._read()

    @work(group="sessions", exclusive=True)
    async def _read(self) -> None:
        try:
            found = await self.door.call("system", "sessions.own")
        except Refused:
            return
        sessions = self.query_one("#own-sessions", OptionList)
        kept = sessions.highlighted or 0
        sessions.clear_options()
        sessions.add_options([Option(plain(self._words_of(one)), id=str(one["session"])) for one in found])
        sessions.highlighted = min(kept, len(found) - 1) if found else None

    def _words_of(self, one: Mapping[str, Any]) -> str:
        began, seen = (self.reader.value(datetime.fromisoformat(one[name])) for name in ("began", "last_seen"))
        words = _("{peer}, since {began}, last used {seen}")
        return self.reader.say(words, {"peer": one["peer"], "began": began, "seen": seen})

    def why_not(self, action: str) -> str:
        """A session is chosen in its list."""
        if action == "end" and (not self.is_mounted or self._session() is None):
            return self.reader.say(_("Go to a line of your sessions."))
        return ""

    def _session(self) -> int | None:
        focused = self.screen.focused
        if isinstance(focused, OptionList) and focused.id == "own-sessions" and focused.highlighted is not None:
            return int(focused.get_option_at_index(focused.highlighted).id or 0)
        return None

    def action_end(self) -> None:
        """After a question: it may be this one."""
        session = self._session()
        if not self.refuses("end") and session is not None:
            begin(self, self._end(session), group="end")

    async def _end(self, session: int) -> None:
        question = self.reader.say(_("End this session? What is not saved there is lost."))
        if not await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
            return
        try:
            await self.door.call("system", "sessions.end", {"session": session})
        except Refused as error:
            self.shell.say_refused(error)
        else:
            self.shell.tell(_("The session has ended."))
        self._look()

    def told(self, event: Mapping[str, Any]) -> None:
        """Sessions come and go."""
        if event.get("kind") == "missed" or str(event.get("subject", "")).startswith("sessions"):
            self._look()
