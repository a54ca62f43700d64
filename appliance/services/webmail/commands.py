"""What the webmaster does: the settings, who uses the web mail, and ending somebody's sessions."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from appliance.contract.commands import change, query, work
from appliance.contract.context import Context
from appliance.contract.refusals import NotFound, Refused, RuleBroken
from appliance.language import _
from appliance.services.certificates.issuing import ensure
from appliance.services.mail.described import describe as describe_mail
from appliance.services.webmail.described import autoconfig_of, describe, names_of
from appliance.services.webmail.model import (
    WEBMASTERS,
    Ended,
    PersonNamed,
    PersonRow,
    Settings,
    SettingsChange,
    SettingsKept,
    Turned,
)
from appliance.services.webmail.tables import KEYS, PASSWORDS_KEY
from appliance.services.webmail.timed import TIMED
from appliance.store.settings import change_settings
from compiler.errors import GerbangError

__all__ = ["TIMED", "log_out", "people", "settings_change", "turn_log"]


@change(*WEBMASTERS, name="settings.change")
def settings_change(context: Context, changed: SettingsChange) -> SettingsKept:
    """Change the settings, with a certificate for the names; the next commit makes them hold."""
    mail = describe_mail(context.connection)
    if mail is None:
        raise RuleBroken(_("set up the mail first: the web mail shows what is in its mailboxes"))
    settings = changed.row
    version = change_settings(context, settings, changed.version)
    _make_key(context)
    if settings.serve:
        ensure(context, "web", names_of(settings, mail.domain), "web mail", also=(autoconfig_of(mail.domain),))
    context.publish("changed", "settings")
    return SettingsKept(version=version, row=settings)


@query(*WEBMASTERS)
def people(context: Context) -> tuple[PersonRow, ...]:
    """List who has used the web mail, and from where they are logged in."""
    lifetime = context.settings(Settings).session_minutes * 60
    now = context.now.timestamp()
    told = json.loads(_performed(context, "webmail.people", {}))
    return tuple(_row(context, one, now - lifetime) for one in told["people"])


@change(*WEBMASTERS, name="log-out")
def log_out(context: Context, named: PersonNamed) -> Ended:
    """End all sessions of somebody in the web mail, as when a tablet was lost."""
    told = json.loads(_performed(context, "webmail.log-out", {"account": named.account}))
    if not told["known"]:
        raise NotFound("web mail user", named.account)
    context.publish("changed", f"people/{named.account}")
    return Ended(account=named.account, sessions=told["sessions"])


@work(*WEBMASTERS, name="log.turn")
def turn_log(context: Context) -> Turned:
    """Put the web server's log aside, and compress the one before it."""
    turned = Turned(turned=json.loads(_performed(context, "webmail.log-turn", {}))["turned"])
    with context.writing("log.turn", {"turned": turned.turned}):
        pass
    return turned


def _make_key(context: Context) -> None:
    """Once."""
    there = context.connection.execute(select(KEYS.c.name).where(KEYS.c.name == PASSWORDS_KEY)).first()
    if there is None:
        # 24 bytes are 32 characters of base64, each of which PHP hands to AES-256 as one byte of its key.
        context.connection.execute(insert(KEYS).values(name=PASSWORDS_KEY, value=secrets.token_urlsafe(24)))


def _performed(context: Context, operation: str, arguments: dict[str, str]) -> str:
    try:
        said: str = context.appliance.machine.perform(operation, arguments)
    except GerbangError as error:
        if not any(one.program.startswith("webmail.") for one in context.appliance.machine.status()):
            raise Refused(_why_it_does_not_run(context)) from error
        told = str(getattr(error, "said", "") or error).strip().splitlines()
        raise Refused(_("the web mail does not say: {why}"), why=(told[-1] if told else str(error))[:400]) from error
    return said


def _why_it_does_not_run(context: Context) -> str:
    """What is missing, in the order in which it is done."""
    if describe_mail(context.connection) is None:
        return _("the web mail does not run yet: set up Mail first, then save the settings here, then commit both")
    if describe(context.connection) is None:
        return _("the web mail does not run: save its settings here with “Serve” ticked, then commit them")
    return _("the web mail does not run yet: it comes with the next commit, under Machine")


def _row(context: Context, told: dict[str, Any], since: float) -> PersonRow:
    """Sessions that are older than their life are rows that nobody has swept yet."""
    alive = [one for one in told["sessions"] if one["seen"] >= since]
    addresses = ", ".join(dict.fromkeys(str(one["address"]) for one in alive))
    return PersonRow(
        account=told["account"],
        sessions=len(alive),
        addresses=addresses if len(addresses) <= 200 else f"{addresses[:199]}…",
        seen=_moment(context, max((one["seen"] for one in alive), default=0)),
        last=_moment(context, told["last"]),
        first=_moment(context, told["first"]),
        failed=told["failed"],
        language=told["language"],
    )


def _moment(context: Context, seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC).astimezone(context.zone) if seconds else None
