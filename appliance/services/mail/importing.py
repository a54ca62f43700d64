"""Many accounts at once, from a sheet: all of them, or none."""

from __future__ import annotations

from appliance.contract.commands import work
from appliance.contract.context import Context, Progress
from appliance.contract.refusals import Refused, RuleBroken
from appliance.language import Translate, _, translator
from appliance.services.mail.accounts import make
from appliance.services.mail.directory import Directory, directory_of
from appliance.services.mail.model import POSTMASTERS, Imported, NewAccount, Sheet
from appliance.services.mail.passwords import hashed
from appliance.services.mail.sheets import SheetRow, at_line, read_sheet
from appliance.services.system.passwords import one_time

__all__ = ["import_accounts"]


@work(*POSTMASTERS, name="accounts.import")
def import_accounts(context: Context, sheet: Sheet) -> Imported:
    """Add all accounts of a sheet, or none; the answer has the passwords that were made up."""
    translate = translator(context.person.language)
    rows = read_sheet(sheet.text, translate)
    with context.reading() as connection:
        known = directory_of(context, connection)
    # Before the hashes are made, which take a while; and once more when nobody else can change anything.
    for row in rows:
        _refuse_row(known, row, translate)
    passwords = []
    for number, row in enumerate(rows):
        context.tell(Progress(done=number, total=len(rows), doing=row.account.name))
        made = "" if row.account.password else one_time()
        passwords.append((made, hashed(row.account.password or made)))
    with context.writing("accounts.import", {"accounts": [row.account.name for row in rows]}) as writing:
        known = directory_of(writing)
        found = []
        for row, password in zip(rows, passwords, strict=True):
            try:
                found.append(make(writing, known, row.account, *password))
            except Refused as error:
                raise at_line(row.line, error, translate) from None
    return Imported(made=tuple(found))


def _refuse_row(known: Directory, row: SheetRow, translate: Translate) -> None:
    account: NewAccount = row.account
    try:
        known.refuse_role(account.name)
        known.refuse_taken(account.name)
        if account.department is not None and account.department not in known.departments:
            raise RuleBroken(_("there is no department {name}"), field="department", name=account.department)
    except RuleBroken as error:
        raise at_line(row.line, error, translate) from None
