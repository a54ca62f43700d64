"""The certificates: how long they are good, who uses them, and what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen
from pydantic_core import to_jsonable_python
from textual.binding import Binding, BindingType
from textual.content import Content

from appliance.console.actions import Action, perform
from appliance.console.plain import plain_lines
from appliance.console.query_pane import QueryPane
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.contract.fields import fields_of
from appliance.contract.kinds import Entry, Line
from appliance.contract.records import record
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.certificates.kinds import CertificateName, Pem, SubjectName
from appliance.services.certificates.model import (
    CertificateRow,
    NewCertificate,
    Removed,
    Renewal,
    Replaced,
    Source,
    Standing,
)

__all__ = ["CertificatesPane", "PastedCertificate"]


@record(title=_("certificate from elsewhere"))
class PastedCertificate:
    """``CertificateTexts`` as it is pasted: a key has several lines, and an entry of passwords has one."""

    name: CertificateName
    certificate: Annotated[Pem, MinLen(1)]
    key: Annotated[str, MinLen(1), MaxLen(16_000), Entry("note")]
    chain: Pem = ""
    names: Annotated[tuple[SubjectName, ...], MaxLen(100)] = ()
    purpose: Line = ""


SEEN = {"name": "name", "version": "version"}
ACTIONS = (
    Action("issue", NewCertificate, _("Issue"), "i", tooltip=_("By the own authority, or again for other names")),
    Action("renew", Renewal, _("Renew"), "n", fills=SEEN, form=False, tooltip=_("A new end; the key stays")),
    Action("replace-key", Replaced, _("Replace the key"), "k", fills=SEEN, tooltip=_("Revoke it, and issue it again")),
    Action("install", PastedCertificate, _("Install"), "t", tooltip=_("One from elsewhere, with its key")),
    Action("remove", Removed, _("Remove"), "d", fills=SEEN, form=False, tooltip=_("One that nobody uses")),
)
OF_OWN = frozenset({"renew", "replace-key"})


class CertificatesPane(QueryPane):
    """The next to end first."""

    HELP = _("""\
# Certificates

**i** issues one by the own authority; of a name that is there, again for other names. **n** renews the one under the
cursor, **k** revokes it and gives it a new key. **t** installs one from elsewhere: paste the PEM texts. **d** removes
one. **p** shows the PEM text, **y** copies it there.

Daemons get what is new here by the next commit. What is due for renewal is renewed and committed by itself, and when
that has to wait (somebody else's changes, a generation that is not confirmed) it is tried each hour until it is done.
`gerbang call certificates.renew-due --commit yes` does the same now.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(one.key, f"do('{one.command}')", one.title, id=f"certificates.{one.command}", tooltip=one.tooltip)
            for one in ACTIONS
        ),
        Binding("p", "show", _("PEM"), id="certificates.show", tooltip=_("The certificate and its chain")),
    ]
    command = "overview"
    record = CertificateRow
    subjects = frozenset({"certificates", "authority", "settings", "generations"})
    empty = _("There is no certificate yet: i issues one.")
    shown = ("name", "left", "standing", "ends", "names", "waits", "source", "used_by")

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row, and whether it is the own authority's."""
        found = _action(action)
        command = found.command if found else action
        if found is None and action != "show":
            return ""
        if reason := self.needs(command):
            return reason
        if (found is None or found.needs_row) and self.is_mounted:
            if self.row is None:
                return self.reader.say(_("There is no row under the cursor."))
            if command in OF_OWN and self.row.source is Source.ELSEWHERE:
                return self.reader.say(_("It is from elsewhere: who issued it renews it."))
        return ""

    def action_do(self, command: str) -> None:
        """One of the actions, on the row of now."""
        action = _action(f"do('{command}')")
        if action is not None and not self.refuses(f"do('{command}')"):
            begin(self, self._do(action))

    async def _do(self, action: Action) -> None:
        if await perform(self, action, self._values()):
            self.look()

    def action_show(self) -> None:
        """The PEM text, to be copied."""
        if not self.refuses("show"):
            begin(self, self._show(self.row.name))

    async def _show(self, name: str) -> None:
        try:
            answer = await self.door.call(self.service, "show", {"name": name})
        except Refused as error:
            self.shell.say_refused(error)
        else:
            lines = plain_lines(str(answer["certificate"]) + str(answer["chain"]))
            self.app.push_screen(ToldScreen(name, Content("\n".join(lines))))

    def show_rows(self, rows: tuple[Any, ...]) -> None:
        """What ends soon is said once, when it is first seen."""
        known = {(one.name, one.standing) for one in self.rows}
        waited = {one.name for one in self.rows if one.waits}
        super().show_rows(rows)
        for row in rows:
            if row.waits and row.name not in waited:
                self.shell.tell(
                    _("The certificate {name} was renewed and waits for a commit."), "warning", name=row.name
                )
        for row in rows:
            if row.standing in {Standing.SOON, Standing.ENDED} and (row.name, row.standing) not in known:
                self.shell.tell(_("The certificate {name} ends on {day}."), "warning", name=row.name, day=row.ends)

    def _values(self) -> Mapping[str, Any]:
        row = self.row
        if row is None:
            return {}
        return {one.name: to_jsonable_python(getattr(row, one.name)) for one in fields_of(CertificateRow)}


def _action(text: str) -> Action | None:
    return next((one for one in ACTIONS if text == f"do('{one.command}')"), None)
