"""The first mode: what there is, how it is, what was told, and one's own choices."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from appliance.console.own_pane import OwnPane
from appliance.console.plain import plain
from appliance.console.screens import CustomScreen, Pane, ScreenDescription
from appliance.console.state import Notice
from appliance.language import _

__all__ = ["HOME_SCREENS", "NoticesPane", "Overview"]

RECENT = 6
HEALTH = {"ready": _("ready"), "degraded": _("degraded")}
"""What the daemon says of a service."""


def _words(pane: Pane, notice: Notice) -> Content:
    mark = "! " if notice.urgent else ""
    words = pane.reader.say(notice.template, notice.values)
    at = time.localtime(notice.at)
    return plain(f"{pane.reader.clock(at.tm_hour, at.tm_min)}  {notice.service}: {mark}{words}")


class Overview(Pane):
    """The services that one may use, and the last things that happened."""

    HELP = _("""\
# Home

Each line is a service that your roles open. **Enter** goes there.

* **F3** and **Shift+F3** go from service to service, **F4** from screen to screen, **F2** comes back.
* **Ctrl+P** finds any screen, action or setting by a part of its name.
* **Ctrl+O** shows a letter on everything that can be entered; the letter goes there.
* **F1** shows all keys of the screen that you are on.
""")
    DEFAULT_CSS = """
    Overview {
        padding: 1 2;
        & .home--head { text-style: bold; color: $text-primary; }
        & #greeting { margin-bottom: 1; }
        & OptionList { height: auto; max-height: 60%; margin-bottom: 1; border: none; background: $surface; }
        & OptionList:focus { border: none; }
        & #recent { height: auto; color: $foreground; }
    }
    """

    def compose(self) -> ComposeResult:
        """Who, the services, what happened."""
        yield Static("", id="greeting", markup=False)
        yield Static("", id="head", classes="home--head", markup=False)
        yield OptionList(id="services-list")
        yield Static("", id="recent-head", classes="home--head", markup=False)
        yield Static("", id="recent", markup=False)

    def on_mount(self) -> None:
        """Show it, and follow the health."""
        self._shown: list[tuple[str, str]] = []
        self._show()
        self.set_interval(2.0, self._show)

    def _show(self) -> None:
        state, reader = self.shell.state, self.reader
        if state.person is None:
            return
        who = state.person.full_name or state.person.name
        greeting = reader.say(_("Good day, {name}."), {"name": who})
        self.query_one("#greeting", Static).update(plain(greeting))
        self.query_one("#head", Static).update(plain(reader.say(_("Services"))))
        self.query_one("#recent-head", Static).update(plain(reader.say(_("Recent"))))
        recent = list(state.notices)[:RECENT]
        nothing = plain(reader.say(_("Nothing has happened since you logged in.")))
        lines = [_words(self, one) for one in recent] or [nothing]
        self.query_one("#recent", Static).update(Content("\n").join(lines))
        self._show_services()

    def _show_services(self) -> None:
        state, reader = self.shell.state, self.reader
        health = dict(state.health)
        wanted = [
            (one.name, f"{'✗' if one.name in state.ill else '●'} {reader.say(one.title):<28} "
             f"{reader.say(HEALTH.get(health.get(one.name, ''), ''))}")
            for one in state.access.services
            if one.name in self.app._modes
        ]  # fmt: skip
        if wanted == self._shown:
            return
        self._shown = wanted
        services = self.query_one(OptionList)
        kept = services.highlighted
        services.clear_options()
        services.add_options([Option(plain(words), id=name) for name, words in wanted])
        services.highlighted = kept if kept is not None and kept < len(wanted) else (0 if wanted else None)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id:
            self.shell.action_mode(event.option_id)

    def told(self, event: Mapping[str, Any]) -> None:
        """Show it among the recent."""
        self._show()


class NoticesPane(Pane):
    """All that was told since the login, newest first."""

    HELP = _("""\
# Notifications

What happened in your services since you logged in. **Enter** goes to the service, **Del** forgets all.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete", "forget", _("Forget all"), id="notifications.forget"),
    ]
    DEFAULT_CSS = "NoticesPane OptionList { height: 1fr; &, &:focus { border: none; } }"

    def compose(self) -> ComposeResult:
        """The list."""
        yield OptionList(id="notices")

    def on_mount(self) -> None:
        """Show them."""
        self._show()

    def on_show(self) -> None:
        """They are read now."""
        self._show()

    def _show(self) -> None:
        state = self.shell.state
        notices = self.query_one(OptionList)
        notices.clear_options()
        if state.notices:
            notices.add_options([Option(_words(self, one)) for one in state.notices])
        else:
            words = self.reader.say(_("Nothing has happened since you logged in."))
            notices.add_option(Option(plain(words), disabled=True))
        if self.display and self.screen.is_current:
            state.unread = 0

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        notices = self.shell.state.notices
        if event.option_index < len(notices):
            self.shell.action_mode(notices[event.option_index].service)

    def action_forget(self) -> None:
        """Begin anew."""
        self.shell.state.notices.clear()
        self.shell.state.unread = 0
        self._show()

    def told(self, event: Mapping[str, Any]) -> None:
        """Show it."""
        self._show()


HOME_SCREENS: tuple[ScreenDescription, ...] = (
    CustomScreen(name="overview", title=_("Overview"), make=Overview),
    CustomScreen(name="notifications", title=_("Notifications"), make=NoticesPane),
    CustomScreen(name="own", title=_("Own settings"), make=OwnPane),
)
