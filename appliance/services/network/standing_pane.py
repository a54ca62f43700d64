"""How the network stands now: interfaces, routes, uplinks, and what each line of the policies has decided."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static, TabbedContent, TabPane

from appliance.console.dialog import LookScreen
from appliance.console.plain import plain
from appliance.console.screens import Pane
from appliance.console.widgets.grid import Grid
from appliance.console.widgets.list_source import ListSource
from appliance.contract.fields import title_of
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.network import standing_shown as shown

__all__ = ["StandingPane"]

EVERY = 2.0
"""Seconds between looks, while it is seen."""
TEXTS_EVERY = 30.0
"""Seconds after which the policies' texts are read again."""

_PARTS: dict[str, tuple[str, type, str]] = {
    "interfaces": (_("Interfaces"), shown.InterfaceShown, _("There is no interface.")),
    "routes": (_("Routes"), shown.RouteShown, _("There is no route.")),
    "uplinks": (_("Uplinks"), shown.UplinkShown, _("No balance uses any uplink.")),
    "lines": (_("Policy lines"), shown.LineShown, _("No filter stands: nothing is counted.")),
}


class StandingPane(Pane):
    """Asked for every two seconds."""

    HELP = _("""\
# How the network stands

Read from the kernel every two seconds. **1** interfaces, **2** routes, **3** uplinks, **4** lines of the policies with
the packets that each has decided. Rates are of the last two seconds. **Space** holds what is shown.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"part('{name}')", title, id=f"network.{name}-stand")
            for number, (name, (title, _record, _empty)) in enumerate(_PARTS.items(), 1)
        ),
        Binding("space", "hold", _("Hold"), id="network.hold", tooltip=_("Stop, and go on")),
    ]
    DEFAULT_CSS = """
    StandingPane #trouble { height: auto; padding: 0 1; background: $panel; }
    StandingPane TabbedContent { height: 1fr; }
    StandingPane ContentSwitcher { height: 1fr; }
    StandingPane TabPane { padding: 0; height: 1fr; }
    StandingPane Tab { color: $foreground-muted; &.-active { color: $foreground; } }
    """

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.held = False
        self.rows: dict[str, tuple[Any, ...]] = {}
        self._before: Mapping[str, Any] = {}
        self._read_at = 0.0
        self._texts: dict[str, str] = {}
        self._texts_at = -TEXTS_EVERY

    def compose(self) -> ComposeResult:
        """A line of words, and a tab for each part."""
        yield Static(id="trouble", markup=False)
        with TabbedContent():
            for name, (title, record, empty) in _PARTS.items():
                with TabPane(plain(self.reader.say(title)), id=f"part-{name}"):
                    yield Grid(ListSource.of(record, ()), empty=empty, id=f"grid-{name}")

    def on_mount(self) -> None:
        """At once, and then again and again."""
        self.set_interval(EVERY, self._tick)
        self._look()

    def _tick(self) -> None:
        if self.display and self.screen.is_current and not self.held:
            self._look()

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        words, style = "", "$text-muted"
        try:
            now = await self.door.call(self.service, "status")
            await self._read_texts(now)
        except Refused as error:
            words, style = self.reader.say(error.template, error.values), "$text-error"
        else:
            self._show(now)
            if now["trouble"]:
                words, style = now["trouble"], "$text-error"
            elif now["waiting"]:
                words = self.reader.say(
                    _("A change waits for its confirmation (see Machine). Left to itself, the helper takes it back "
                      "in {seconds} s."),
                    {"seconds": now["remaining"]},
                )  # fmt: skip
                style = "$text-warning"
            else:
                words = self.reader.say(_("Read at {time}."), {"time": self.reader.clock(*time.localtime()[3:6])})
        self.query_one("#trouble", Static).update(plain(words).stylize(style))

    async def _read_texts(self, now: Mapping[str, Any]) -> None:
        """What the lines say; a policy that was removed, but still stands, has no text."""
        if not now["lines"] or time.monotonic() - self._texts_at < TEXTS_EVERY:
            return
        self._texts_at = time.monotonic()
        for name in {one["policy"] for one in now["lines"]}:
            try:
                kept = await self.door.call(self.service, "policies.get", {"name": name})
            except Refused:
                continue
            self._texts[name] = kept["row"]["text"]

    def _show(self, now: Mapping[str, Any]) -> None:
        at = time.monotonic()
        seconds = at - self._read_at
        found: dict[str, tuple[Any, ...]] = {
            "interfaces": shown.interfaces(now, self._before, seconds),
            "routes": shown.routes(now),
            "uplinks": shown.uplinks(now),
            "lines": shown.lines(now, self._before, seconds, self._texts),
        }
        self._before, self._read_at = now, at
        for name, rows in found.items():
            if rows != self.rows.get(name, ()):
                self.query_one(f"#grid-{name}", Grid).show(ListSource.of(_PARTS[name][1], rows))
        self.rows = found

    def action_part(self, name: str) -> None:
        """To its tab, into its grid."""
        self.query_one(TabbedContent).active = f"part-{name}"
        self.query_one(f"#grid-{name}", Grid).body.focus()

    def action_hold(self) -> None:
        """What is shown stays, or goes on."""
        self.held = not self.held
        words = self.reader.say(_("Held: Space goes on.")) if self.held else ""
        self.query_one("#trouble", Static).update(plain(words).stylize("$text-warning"))
        self._tick()

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        event.stop()
        name = (event.grid.id or "").removeprefix("grid-")
        rows = self.rows.get(name, ())
        if event.row.id <= len(rows):
            row, record = rows[event.row.id - 1], _PARTS[name][1]
            values = {field: getattr(row, field) for field in type(row).__dataclass_fields__}
            self.app.push_screen(LookScreen(self.reader.say(title_of(record)), record, values))

    def told(self, event: Mapping[str, Any]) -> None:
        """A policy has another text."""
        if str(event.get("subject", "")).startswith("policies"):
            self._texts_at = -TEXTS_EVERY
