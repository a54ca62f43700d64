"""The own authority: what clients are to trust, and how they check that it is the one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import TypeAdapter
from pydantic_core import to_json
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from appliance.console.exporting import deliver
from appliance.console.plain import plain, plain_lines
from appliance.console.screens import Pane
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.certificates.model import SOON, AuthorityPage, AuthorityReplaced

__all__ = ["AuthorityPane"]


class AuthorityPane(Pane):
    """Its page, or why there is none."""

    HELP = _("""\
# Own authority

Browsers and mail programs trust the certificates of the own authority once its certificate is among those that they
trust. **e** saves it as a file for them; on a client compare the fingerprint. **p** shows the PEM text.

**l** makes the signed list of what was revoked. **r** makes a new authority and issues all certificates again: every
client has to trust the new one.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "export", _("Export"), id="certificates.export", tooltip=_("Save the certificate for clients")),
        Binding("p", "pem", _("PEM"), id="certificates.pem", tooltip=_("The certificate as text")),
        Binding("l", "revoked", _("Revocation list"), id="certificates.revoked", tooltip=_("Signed, as PEM")),
        Binding("r", "replace", _("Replace"), id="certificates.replace", tooltip=_("A new authority, and all again")),
    ]
    DEFAULT_CSS = """
    AuthorityPane Static { padding: 1 2; height: auto; }
    AuthorityPane #remark.-soon { color: $text-warning; }
    """

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.page: AuthorityPage | None = None
        self._seen = False

    def compose(self) -> ComposeResult:
        """Filled when the daemon has answered."""
        # Something must have the focus, or no key of the pane is heard.
        yield VerticalScroll(Static(id="authority", markup=False), Static(id="remark", markup=False))

    def on_mount(self) -> None:
        """Ask at once."""
        self.look()

    def look(self) -> None:
        """Ask again."""
        self._look()

    def told(self, event: Mapping[str, Any]) -> None:
        """Look again when certificates or the authority have changed."""
        if event.get("kind") == "missed" or str(event.get("subject", "")).partition("/")[0] in {
            "authority",
            "certificates",
        }:
            self.look()

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is an authority."""
        command = {"export": "authority", "pem": "authority", "revoked": "revocation-list"}.get(action)
        if action == "replace":
            return self.needs("replace-authority")
        if command is None:
            return ""
        if reason := self.needs(command):
            return reason
        return "" if self.page is not None else self.reader.say(_("There is no own authority yet."))

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        try:
            answer = await self.door.call(self.service, "authority")
        except Refused as error:
            self.page = None
            self.query_one("#authority", Static).update(plain(self.reader.say(error.template, error.values)))
            self.query_one("#remark", Static).update("")
        else:
            self.page = TypeAdapter(AuthorityPage).validate_json(to_json(answer))
            self._show(self.page)

    def _show(self, page: AuthorityPage) -> None:
        say, value = self.reader.say, self.reader.value
        rows = (
            (say(_("Name")), page.subject),
            (say(_("SHA-256")), page.fingerprint[:47]),
            ("", page.fingerprint[48:]),
            (say(_("From")), value(page.begins)),
            (say(_("Until")), value(page.ends)),
            (say(_("Good certificates")), value(page.certificates)),
            (say(_("Revoked")), value(page.revoked)),
        )
        width = max(len(name) for name, _text in rows)
        lines = "\n".join(f"{name:<{width}}  {text}" for name, text in rows)
        self.query_one("#authority", Static).update(_lines(lines))
        remark = self.query_one("#remark", Static)
        remark.set_class(page.left < SOON, "-soon")
        remark.update(plain(say(_("It is good for {days} days more."), {"days": page.left})))

    def action_export(self) -> None:
        """As a file."""
        if not self.refuses("export") and self.page is not None:
            saved = deliver(self, self.page.certificate.encode(), "authority.pem")
            begin(self, saved)

    def action_pem(self) -> None:
        """As text, to be copied."""
        if not self.refuses("pem") and self.page is not None:
            title = self.reader.say(_("Own authority"))
            self.app.push_screen(ToldScreen(title, _lines(self.page.certificate)))

    def action_revoked(self) -> None:
        """As text, to be copied."""
        if not self.refuses("revoked"):
            begin(self, self._revoked())

    async def _revoked(self) -> None:
        try:
            answer = await self.door.call(self.service, "revocation-list")
        except Refused as error:
            self.shell.say_refused(error)
        else:
            title = self.reader.say(_("Revocation list"))
            self.app.push_screen(ToldScreen(title, _lines(str(answer["list"]))))

    def action_replace(self) -> None:
        """After a question."""
        if not self.refuses("replace"):
            begin(self, self._replace())

    async def _replace(self) -> None:
        question = self.reader.say(
            _("Make a new authority and issue all its certificates again? Clients trust them only when they trust it.")
        )
        if not await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
            return
        fingerprint = self.page.fingerprint if self.page is not None else None
        try:
            await self.door.call(self.service, "replace-authority", AuthorityReplaced(fingerprint=fingerprint))
        except Refused as error:
            self.shell.say_refused(error)
        else:
            self.shell.tell(_("Done."))
        self.look()


def _lines(text: str) -> Content:
    return Content("\n".join(plain_lines(text)))
