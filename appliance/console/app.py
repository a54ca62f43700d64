"""The console: login first, then one mode for each service that the person may see.

Until the login is painted this imports nothing but Textual; what the screens
need (pydantic, the HTTP client, the widgets) comes while the user types.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from appliance.console.given import NOTHING, Given
from appliance.console.going_about import HOME, GoingAboutApp
from appliance.console.login import LoginScreen
from appliance.console.places import Places
from appliance.console.plain import plain_text
from appliance.console.preferences import Preferences
from appliance.console.widgets.whole import to_its_end
from appliance.language import LANGUAGES, _

if TYPE_CHECKING:
    from appliance.console.door import Door, Transport
    from appliance.console.embedded import Embedded
    from appliance.contract.service import Service

__all__ = ["ConsoleApp", "run"]

RETRY = 1.0
"""Seconds between attempts to reach the daemon."""
HEALTH = 10.0
"""Seconds between looks at the services' health."""


def run(places: Places, *, embedded: Embedded | None = None, given: Given = NOTHING) -> int:
    """Show the console until its user leaves; the exit code."""
    ConsoleApp(places, embedded=embedded, given=given).run()
    return 0


class ConsoleApp(GoingAboutApp):
    """Owns the session, the modes and what is told; screens ask it."""

    TITLE = "Gerbang"
    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "login"
    # The keys and the state stay to be seen below what is told.
    CSS = "ToastRack { margin-bottom: 2; }"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares no ClassVar
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "keys", _("Keys"), id="console.keys", tooltip=_("All keys of this screen"), priority=True),
        Binding("question_mark", "keys", _("Keys"), show=False, id="console.keys-too"),
        Binding("ctrl+p", "palette", _("Palette"), id="console.palette", tooltip=_("Find any screen, action, setting")),
        Binding("ctrl+o", "jump", _("Jump"), id="console.jump", tooltip=_("Show letters; a letter goes there")),
        Binding("f2", "mode('home')", _("Home"), show=False, id="console.home"),
        Binding("f3", "next_mode(1)", _("Next service"), show=False, id="console.next-service"),
        Binding("shift+f3", "next_mode(-1)", _("Previous service"), show=False, id="console.previous-service"),
        Binding("f9", "notices", _("Notifications"), show=False, id="console.notices"),
        Binding("ctrl+q", "quit", _("Quit"), show=False, id="console.quit", priority=True),
    ]

    def __init__(
        self,
        places: Places,
        *,
        embedded: Embedded | None = None,
        given: Given = NOTHING,
        services: Callable[[], Iterable[Service]] | None = None,
        transport: Callable[[Places], Transport] | None = None,
    ) -> None:
        """``services`` and ``transport`` are the installed ones and the real one, if not given."""
        super().__init__(Preferences.read(places.config), services)
        self.places = places
        self.embedded = embedded
        self.given = given
        self._transport = transport
        self._door: Door | None = None
        self._renewing: asyncio.Future[bool] | None = None
        self._login_at_hand: LoginScreen | None = None
        self._coming_or_going = asyncio.Lock()
        """Who logs in does not get modes of who has just logged out."""
        self._leaving = False
        """Somebody logs out: what was asked in the last moment is refused, and no reason to ask for a password."""
        self._speaking = asyncio.Lock()

    # The beginning

    def get_default_screen(self) -> Screen[Any]:
        """The login. As a mode from the start it would have every style sheet parsed twice before the first paint."""
        demo = self.embedded
        address = self.translate(_("demonstration")) if demo else str(self.places.address)
        self._login_at_hand = LoginScreen(
            address=address,
            name=demo.name if demo else self.preferences.name,
            password=demo.password if demo else "",
            accounts=demo.accounts if demo else (),
        )
        return self._login_at_hand

    @property
    def login(self) -> LoginScreen:
        """The login screen; it stays below everything."""
        assert self._login_at_hand is not None
        return self._login_at_hand

    @property
    def door(self) -> Door:
        """The way to the daemon; there is one as soon as the login can be used."""
        assert self._door is not None
        return self._door

    def transport_anew(self) -> Transport:
        """Another way to the same daemon, with connections of its own. The caller closes it."""
        from appliance.console.transport import open_transport

        return (self._transport or open_transport)(self.places)

    def on_mount(self) -> None:
        """First the paint, then the rest."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        # The command line runs without the collector; somebody may leave a console open for weeks.
        gc.enable()
        self.add_mode(self.DEFAULT_MODE, self.get_default_screen)
        self._connect()

    @work(group="connect", exclusive=True)
    async def _connect(self) -> None:
        await asyncio.to_thread(_import_the_rest)
        from appliance.console.door import Door
        from appliance.contract.refusals import Refused

        try:
            self._door = Door(self.transport_anew(), self._renew)
        except Refused as error:
            self.login.tell(error.template, "error", **error.values)
            return
        self._read_keys()
        while not await self._reached():
            await asyncio.sleep(RETRY)
        if self.embedded is not None:
            self.login.show_accounts(self.embedded.accounts)
        self.login.tell(_("Connected."))
        self.reachable.set()
        if not self.given.asks:
            self._enter_given()

    async def _reached(self) -> bool:
        from appliance.console.door import Failure, Unreachable

        try:
            self.state.learn_health(await self.door.health())
        except Unreachable as error:
            if self.embedded and (said := self.embedded.ended()):
                self.login.tell(_("The daemon has ended: {reason}"), "error", reason=said)
            elif self.embedded:
                self.login.tell(_("The daemon is starting…"))
            else:
                self.login.tell(_("The daemon does not answer: {reason}. Trying again."), "warning", **error.values)
            return False
        except Failure as error:
            self.login.tell(error.template, "error", **error.values)
            return False
        return True

    def _read_keys(self) -> None:
        from appliance.console.key_ids import all_ids
        from appliance.console.keys import read_keymap
        from compiler.errors import GerbangError

        try:
            self.set_keymap(read_keymap(self.places.config, all_ids()))
        except GerbangError as error:
            self.notify(plain_text(str(error)), severity="error", timeout=30, markup=False)
        except (OSError, UnicodeError) as error:
            self.notify(plain_text(f"{error}"), severity="error", timeout=30, markup=False)

    # Logging in and out

    @on(LoginScreen.Attempt)
    def _attempted(self, event: LoginScreen.Attempt) -> None:
        self.login.busy(True)
        self._enter(event.name, event.password)

    @work(group="login", exclusive=True)
    async def _enter(self, name: str, password: str) -> None:
        from appliance.console.access import PersonSeen
        from appliance.contract.refusals import Refused

        try:
            await self.reachable.wait()
            self.login.tell(_("Logging in…"))
            answer = await self.door.login(name, password)
            if answer.get("must_change_password") and not await self._password_changed(password):
                await self.door.logout()
                self.login.tell(_("The password must be changed before anything else."), "warning")
                return
            person = PersonSeen.of(answer["person"])
            await self._start(person)
        except Refused as error:
            self.login.tell(error.template, "error", **error.values)
            self.login.empty_password()
        finally:
            self.login.busy(False)

    def on_app_focus(self) -> None:
        """A page in a browser has the focus again: a screen that was made in the meantime gets its first entry."""
        screen = self.screen
        if screen.focused is None:
            wanted = self.AUTO_FOCUS if screen.AUTO_FOCUS is None else screen.AUTO_FOCUS
            first = next((one for one in screen.query(wanted or "*") if one.focusable), None)
            if first is not None:
                screen.set_focus(first)

    @work(group="login", exclusive=True)
    async def _enter_given(self) -> None:
        """Without asking: with the session that a door has given, or as a visitor."""
        from appliance.console.access import PersonSeen
        from appliance.contract.refusals import Refused

        try:
            if self.given.visitor:
                await self._start(PersonSeen(name="", full_name=self.translate(_("Visitor")), language=self.language))
                return
            self.door.transport.token = self.given.token
            answer = await self.door.me()
            if answer.get("must_change_password") and not await self._password_changed(""):
                await self.door.logout()
                await self._leave_modes(_("The password must be changed before anything else."))
                return
            await self._start(PersonSeen.of(answer.get("person") or answer))
        except Refused as error:
            self.door.transport.token = ""
            self.login.tell(error.template, "error", **error.values)

    async def _password_changed(self, old: str) -> bool:
        from appliance.console.passwords import PasswordScreen

        changed = await self.push_screen_wait(PasswordScreen(old, must=True))
        return bool(changed)

    async def _start(self, person: Any) -> None:
        """Make the modes of the person, and go home."""
        async with self._coming_or_going:
            await self._come(person)
        self._listen()
        self._watch()

    async def _come(self, person: Any) -> None:
        from appliance.console.access import Access
        from appliance.console.shell import add_modes

        self.state.person = person
        offered = await self.door.services()
        self.state.access = Access.of(one for one in offered if one.get("public") or person.name)
        self.preferences = self.preferences.changed(name=person.name if not self.embedded else "")
        if person.language in LANGUAGES and person.language != self.language:
            self.speak(person.language)
        add_modes(self)
        self.login.tell(_("Connected."))
        await self.switch_mode(HOME)

    @work(group="login", exclusive=True)
    async def action_logout(self) -> None:
        """End the session and show the login."""
        if await self._may_leave():
            self._leaving = True
            try:
                with contextlib.suppress(Exception):
                    await self.door.logout()
                await self._leave_modes(_("Logged out."))
            finally:
                self._leaving = False

    @work(group="login", exclusive=True)
    async def action_login(self) -> None:
        """A visitor logs in: at the web door if he came by it, for the page belongs to who has logged in there."""
        if self.given.web:
            self.open_url(self.given.login, new_tab=False)
        elif await self._may_leave():
            await self._leave_modes(_("Connected."))

    async def _leave_modes(self, words: str) -> None:
        if self.given.web:
            self.exit()
            return
        # The login is to be seen before all of it is done, and who logs in there ends the worker that this is in.
        await to_its_end(self._go(words))

    async def _go(self, words: str) -> None:
        async with self._coming_or_going:
            await self._forget(words)

    async def _forget(self, words: str) -> None:
        from appliance.console.shell import remove_modes

        for group in ("events", "health"):
            self.workers.cancel_group(self, group)
        self.clear_notifications()
        # Before it is seen: who types there at once keeps what he has typed.
        self.login.tell(words)
        self.login.relabel()
        if not self.embedded:
            self.login.empty_password()
        await self.switch_mode(self.DEFAULT_MODE)
        await remove_modes(self)
        self.state.forget()

    async def _renew(self) -> bool:
        """The session has expired: ask for the password once, however many requests wait for it."""
        if self._leaving or self.state.person is None or not self.state.person.name:
            return False
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_future()
            self._ask_again(self._renewing)
        return await asyncio.shield(self._renewing)

    @work(group="renew")
    async def _ask_again(self, answer: asyncio.Future[bool]) -> None:
        from appliance.console.passwords import AgainScreen

        assert self.state.person is not None
        try:
            while not (renewed := await self.push_screen_wait(AgainScreen(self.state.person.name))):
                if await self._may_leave():
                    break
        finally:
            self._renewing = None
        answer.set_result(bool(renewed))
        if renewed:
            self._listen()
        else:
            await self._leave_modes(_("The session has ended."))

    # What the daemon tells

    @work(group="events", exclusive=True)
    async def _listen(self) -> None:
        from appliance.console.listening import listen

        await listen(self)

    @work(group="health", exclusive=True)
    async def _watch(self) -> None:
        from appliance.console.door import Unreachable
        from appliance.contract.refusals import Refused

        while True:
            try:
                self.state.learn_health(await self.door.health())
            except Unreachable:
                self.state.connected = False
            except Refused:
                pass
            await asyncio.sleep(HEALTH)

    # Language

    @work(group="language", exclusive=True)
    async def action_language(self, language: str) -> None:
        """Everything in this language, at once."""
        if language not in LANGUAGES or language == self.language:
            return
        if self.state.person is not None and not await self._may_leave():
            return
        self.speak(language)
        self.login.relabel()
        if self.state.person is not None:
            await to_its_end(self._speak_everywhere())

    async def _speak_everywhere(self) -> None:
        from appliance.console.shell import relabel
        from appliance.contract.refusals import Refused

        async with self._speaking:
            # Whatever was chosen last, if another was chosen while one waited.
            await relabel(self)
            if self.state.person is None or not self.state.person.name:
                return
            try:
                await self.door.set_language(self.language)
            except Refused as error:
                if not self._leaving and self.state.person is not None:
                    self.say_refused(error)

    # Leaving

    async def action_quit(self) -> None:
        """Leave, unless something typed would be lost and the user stays."""
        if self.state.person is None:
            self.exit()
        else:
            self._quit()

    @work(group="quit", exclusive=True)
    async def _quit(self) -> None:
        if await self._may_leave():
            # A session that a door has given is the door's to end.
            if self._door is not None and not self.embedded and self.door.transport.token != self.given.token:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(self.door.logout(), 2)
            self.exit()

    async def on_unmount(self) -> None:
        """Give the connections back."""
        if self._door is not None:
            with contextlib.suppress(Exception):
                await self._door.transport.close()


def _import_the_rest() -> None:
    from importlib import import_module

    for name in ("transport", "door", "shell", "home", "palette", "key_sheet", "jump", "master_data"):
        import_module(f"appliance.console.{name}")
