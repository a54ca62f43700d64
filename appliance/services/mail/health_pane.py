"""The health of mail on one screen: what is wrong first, then the daemons; logs and probes by a key."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from appliance.console.exporting import PickScreen
from appliance.console.plain import plain_text
from appliance.console.query_pane import QueryPane, records_of
from appliance.console.told_screen import LogScreen, ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.machine.following import worked
from appliance.services.mail.health_model import DaemonRow, Health, LogDaemon

__all__ = ["HealthPane"]

_LOGS = {f"mail.{one.value}": one for one in LogDaemon}
_GIB = 1 << 30
_LITTLE = 0.1
"""Part of a disk that should stay free."""
_OLD = 3
"""Days after which signatures are old."""
_SOON = 21
"""Days before the end of a certificate in which something should be done."""


class HealthPane(QueryPane):
    """Looked at anew every few seconds while it is seen."""

    HELP = _("""\
# Health of mail

Above: the queue, the disk, the virus signatures, the certificate, the last snapshot; what needs somebody is coloured.
Below: the daemons. **Enter** or **o** shows the log of the daemon, without secrets.

**n** probes now: a test virus is sent, which must be refused, and a message to the postmaster, which must arrive; then
it is removed. Every component is probed too.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "log", _("Log"), id="mail.log", tooltip=_("The last lines of its log")),
        Binding("n", "probe", _("Probe"), id="mail.probe", tooltip=_("Send a test virus and a message")),
    ]
    DEFAULT_CSS = "HealthPane #sum { height: auto; padding: 0 1; background: $panel; }"
    command = "health"
    record = DaemonRow
    every = 5.0
    subjects = frozenset({"snapshots", "queue", "generations"})
    empty = _("No daemon of mail is supervised. They come with the next commit.")

    def compose(self) -> ComposeResult:
        """What stands above the daemons."""
        yield Static(id="sum", markup=False)
        yield from super().compose()

    def take(self, answer: Any) -> None:
        """Lines above, daemons below."""
        (health,) = records_of(Health, [answer])
        self.query_one("#sum", Static).update(self.said(health))
        self.show_rows(health.daemons)

    def said(self, health: Health) -> Content:
        """One line for each thing."""
        say = self.reader.say
        none = say(_("it does not tell"))
        lines: list[tuple[str, bool]] = []
        if health.queued is None:
            lines.append((say(_("Queue: {none}"), {"none": none}), True))
        else:
            values = {"count": health.queued, "deferred": health.deferred, "held": health.held}
            text = say(_("Queue: {count} messages, {deferred} deferred, {held} held"), values)
            if health.oldest is not None:
                text += say(_("; the oldest since {oldest}"), {"oldest": health.oldest})
            lines.append((text, health.deferred > 0))
        room = {"room": round(health.room / _GIB, 1), "size": round(health.size / _GIB, 1)}
        lines.append((say(_("Disk: {room} of {size} GiB are free"), room), health.room < health.size * _LITTLE))
        if health.signature_days is None and health.signatures and "/" not in health.signatures:
            # Then clamd says its version without a number and a day of signatures: nothing of freshclam(1) is there.
            lines.append((say(_("Virus signatures: of the test virus only; freshclam fetches the others")), True))
        elif health.signature_days is None:
            signatures = say(_("Virus signatures: {said}"), {"said": health.signatures or none})
            lines.append((signatures, not health.signatures))
        else:
            values = {"days": health.signature_days}
            lines.append((say(_("Virus signatures: {days} days old"), values), health.signature_days > _OLD))
        if health.certificate_days is None:
            lines.append((say(_("Certificate: there is none")), True))
        else:
            left = health.certificate_days
            lines.append((say(_("Certificate: good for {days} days more"), {"days": left}), left < _SOON))
        if health.last_snapshot is None:
            lines.append((say(_("Snapshots: there is none")), True))
        else:
            lines.append((say(_("Last snapshot: {when}"), {"when": health.last_snapshot}), False))
        return Content.assemble(*((plain_text(text) + "\n", "$text-warning" if bad else "") for text, bad in lines))

    def why_not(self, action: str) -> str:
        """Roles first; a log is of a daemon."""
        if action in {"log", "probe"}:
            return self.needs(action)
        return ""

    def opened(self, row: Any) -> None:
        """Enter is the log."""
        self.action_log()

    def action_log(self) -> None:
        """Of the row, or of one that is chosen."""
        if not self.refuses("log"):
            begin(self, self._log(self.row), group="log")

    async def _log(self, row: DaemonRow | None) -> None:
        daemon = _LOGS.get(row.program) if row is not None else None
        name = daemon.value if daemon is not None else await self._chosen_log()
        if name is None:
            return
        try:
            lines = await self.door.call(self.service, "log", {"daemon": name})
        except Refused as error:
            self.shell.say_refused(error)
        else:
            self.app.push_screen(LogScreen(name, lines or [self.reader.say(_("It has said nothing."))]))

    async def _chosen_log(self) -> str | None:
        options = {one.value: one.value for one in LogDaemon}
        return await self.app.push_screen_wait(PickScreen(self.reader.say(_("Whose log?")), options))

    def action_probe(self) -> None:
        """Now."""
        if not self.refuses("probe"):
            begin(self, self._probe())

    async def _probe(self) -> None:
        told = await worked(self, _("Probe"), "probe")
        if not isinstance(told, dict):
            return
        say = self.reader.say
        parts = []
        for fine, good, bad, said in (
            (told["virus"]["fine"], _("The test virus was refused"), _("THE TEST VIRUS WAS NOT REFUSED"),
             told["virus"]["said"]),
            (told["round"]["fine"], _("A message to the postmaster has arrived"),
             _("A message to the postmaster has not arrived"), told["round"]["said"]),
        ):  # fmt: skip
            style = "$text-success" if fine else "bold $text-error"
            parts.append((f"{plain_text(say(good if fine else bad))}: {plain_text(said)}\n", style))
        parts.extend((f"{plain_text(one)}\n", "$text-warning") for one in told["findings"])
        if not told["findings"]:
            parts.append((say(_("All components answer as they should.")), ""))
        self.app.push_screen(ToldScreen(say(_("Probe")), Content.assemble(*parts)))
