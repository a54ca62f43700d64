"""The queue on the screen: what waits and why, held, released, delivered now, deleted."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from appliance.console.exporting import PickScreen
from appliance.console.plain import plain, plain_text
from appliance.console.query_pane import QueryPane, records_of
from appliance.console.told_screen import LogScreen, ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import AskScreen, ConfirmScreen
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.machine.following import worked
from appliance.services.mail.queue_model import QueueAsked, QueueName, QueuePage, QueueRow

__all__ = ["QueuePane"]

_MOST = 1_000
_ON_ONES = {"hold": "queue.hold", "release": "queue.release", "requeue": "queue.requeue", "delete": "queue.delete"}
_COMMANDS = {
    **_ON_ONES,
    "deliver": "queue.deliver",
    "flush": "queue.flush",
    "look_into": "queued",
    "read": "queued.read",
}
_TITLES = {
    "hold": _("Hold"),
    "release": _("Release"),
    "requeue": _("Queue anew"),
    "delete": _("Delete"),
}
_QUEUES = {
    QueueName.ALL: _("all queues"),
    QueueName.ACTIVE: _("active: being delivered"),
    QueueName.INCOMING: _("incoming: just arrived"),
    QueueName.DEFERRED: _("deferred: tried, and tried again later"),
    QueueName.HOLD: _("hold: held until they are released"),
}


class QueuePane(QueryPane):
    """The oldest messages first; looked at anew every few seconds while it is seen."""

    HELP = _("""\
# Queue

What waits to be delivered, the oldest first, and why it waits. **Enter** shows the headers and the parts of a message:
neither its subject nor what is written in it. **m** reads it; the audit log says who did so, and why.

**t** holds a message, **u** releases it, **e** puts it in the queue anew, **n** tries to deliver it now, **Del**
deletes it: nobody gets it then. Each asks whether it is meant for this message, those that are marked (**Space**), or
all that are shown. **b** tries everything. **i** looks for a text in addresses and reasons, **w** chooses the queue.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "act('hold')", _("Hold"), id="mail.hold", tooltip=_("Keep it in the queue until it is released")),
        Binding("u", "act('release')", _("Release"), id="mail.release", tooltip=_("Let it go on")),
        Binding("e", "act('requeue')", _("Queue anew"), id="mail.requeue",
                tooltip=_("Let the aliases and routes of now hold for it")),
        Binding("n", "deliver", _("Deliver"), id="mail.deliver", tooltip=_("Try to deliver it now")),
        Binding("delete", "act('delete')", _("Delete"), id="mail.delete", tooltip=_("Nobody gets it")),
        Binding("b", "flush", _("Deliver all"), id="mail.flush", tooltip=_("Try to deliver everything now")),
        Binding("i", "seek", _("Find"), id="mail.seek", tooltip=_("A text in ids, addresses and reasons")),
        Binding("w", "which", _("Queues"), id="mail.which", tooltip=_("Choose the queue")),
        Binding("m", "read", _("Read"), id="mail.read", tooltip=_("Read the message, for a reason that is kept")),
    ]  # fmt: skip
    DEFAULT_CSS = "QueuePane #sum { height: auto; padding: 0 1; background: $panel; }"
    command = "queue"
    record = QueueRow
    every = 5.0
    subjects = frozenset({"queue"})
    empty = _("The queue is empty: everything was delivered.")

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.wanted = QueueAsked(count=_MOST)

    def compose(self) -> ComposeResult:
        """How much there is, above the messages."""
        yield Static(id="sum", markup=False)
        yield from super().compose()

    def look(self) -> None:
        """Ask again, for what is wanted."""
        self._look_at(self.wanted)

    @work(group="look", exclusive=True)
    async def _look_at(self, wanted: QueueAsked) -> None:
        try:
            answer = await self.door.call(self.service, self.command, wanted)
        except Refused as error:
            self.refused(error)
            return
        (page,) = records_of(QueuePage, [answer])
        self.query_one("#sum", Static).update(self._sum(page))
        self.show_rows(page.rows)
        self.grid.say_empty(self._nothing(wanted))

    def _nothing(self, wanted: QueueAsked) -> str:
        """What an empty answer means."""
        if wanted.search or wanted.queue is not QueueName.ALL:
            return _("No message in the queue fits.")
        return self.empty

    def _sum(self, page: QueuePage) -> Content:
        values = {
            "active": page.active + page.incoming,
            "deferred": page.deferred,
            "hold": page.hold,
            "shown": len(page.rows),
            "matching": page.matching,
        }
        said = self.reader.say(
            _("{active} are being delivered, {deferred} deferred, {hold} held. Shown: {shown} of {matching}."), values
        )
        if self.wanted.search:
            said += " " + self.reader.say(_("With “{text}”."), {"text": self.wanted.search})
        if self.wanted.queue is not QueueName.ALL:
            said += " " + self.reader.say(_QUEUES.get(self.wanted.queue, ""))
        return plain(said)

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row."""
        name = action.removeprefix("act('").removesuffix("')")
        if name in _COMMANDS:
            if reason := self.needs(_COMMANDS[name]):
                return reason
            if name != "flush" and self.is_mounted and self.row is None:
                return self.reader.say(_("There is no row under the cursor."))
        return ""

    def opened(self, row: Any) -> None:
        """Enter: its structure."""
        begin(self, self._structure(row.id))

    async def _structure(self, number: str) -> None:
        try:
            told = await self.door.call(self.service, "queued", {"id": number})
        except Refused as error:
            self.shell.say_refused(error)
            return
        lines = [f"{plain_text(one['name'])}: {plain_text(one['value'])}" for one in told["headers"]]
        lines.append("")
        for part in told["parts"]:
            size = self.reader.say(_("{octets} bytes"), {"octets": part["octets"]}) if part["octets"] else ""
            lines.append(f"{'  ' * part['depth']}{plain_text(part['type'])}  {size}")
        self.app.push_screen(ToldScreen(number, Content("\n".join(lines))))

    def action_act(self, what: str) -> None:
        """On this message, or on all that are shown."""
        if not self.refuses(f"act('{what}')"):
            begin(self, self._act(what, self.row))

    async def _act(self, what: str, row: QueueRow) -> None:
        title = self.reader.say(_TITLES[what])
        ones = {"one": [row.id], "marked": [self.rows[one.id - 1].id for one in self.grid.marked],
                "all": [one.id for one in self.rows]}  # fmt: skip
        options = {"one": self.reader.say(_("This message: {id}"), {"id": row.id})}
        if ones["marked"]:
            options["marked"] = self.reader.say(_("The {count} that are marked"), {"count": len(ones["marked"])})
        options["all"] = self.reader.say(_("All {count} that are shown"), {"count": len(self.rows)})
        chosen = await self.app.push_screen_wait(PickScreen(title, options))
        if chosen is None:
            return
        ids = ones[chosen]
        if what == "delete":
            question = self.reader.say(_("Delete {count} messages? Nobody gets them, and nobody is told."),
                                       {"count": len(ids)})  # fmt: skip
            if not await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
                return
        done = await worked(self, _TITLES[what], _ON_ONES[what], {"ids": ids})
        if isinstance(done, dict):
            self.shell.tell(_("{action}: {done} of {asked} messages"), action=title, **done)
        self.look()

    def action_deliver(self) -> None:
        """The row's."""
        if not self.refuses("deliver"):
            begin(self, self._simple(_("Deliver"), "queue.deliver", {"id": self.row.id}))

    def action_flush(self) -> None:
        """All."""
        if not self.refuses("flush"):
            begin(self, self._simple(_("Deliver all"), "queue.flush", None))

    async def _simple(self, title: str, command: str, arguments: Any) -> None:
        if await worked(self, title, command, arguments) is not None:
            self.shell.tell(_("It is being tried."))
        self.look()

    def action_seek(self) -> None:
        """A text."""
        begin(self, self._seek())

    async def _seek(self) -> None:
        question = self.reader.say(_("Which text stands in the id, an address or the reason? Empty: all messages."))
        text = await self.app.push_screen_wait(AskScreen(question, self.wanted.search))
        if text is not None:
            self.wanted = QueueAsked(queue=self.wanted.queue, search=text.strip()[:200], count=_MOST)
            self.look()

    def action_which(self) -> None:
        """One of the queues."""
        begin(self, self._which())

    async def _which(self) -> None:
        options = {queue.value: self.reader.say(title) for queue, title in _QUEUES.items()}
        chosen = await self.app.push_screen_wait(PickScreen(self.reader.say(_("Which queue?")), options))
        if chosen is not None:
            self.wanted = QueueAsked(queue=QueueName(chosen), search=self.wanted.search, count=_MOST)
            self.look()

    def action_read(self) -> None:
        """After a reason was given."""
        if not self.refuses("read"):
            begin(self, self._read(self.row.id))

    async def _read(self, number: str) -> None:
        question = self.reader.say(
            _("Why must this message be read? The audit log keeps your name and this reason (at least 8 letters).")
        )
        reason = await self.app.push_screen_wait(AskScreen(question))
        if not reason:
            return
        told = await worked(self, _("Read"), "queued.read", {"id": number, "reason": reason.strip()})
        if isinstance(told, dict):
            self.app.push_screen(LogScreen(number, told["text"].split("\n")))
