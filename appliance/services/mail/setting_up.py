"""The settings of the mail. Who sets them gets the keys, the certificate and the zone that they need along."""

from __future__ import annotations

from appliance.contract.commands import change
from appliance.contract.context import Context
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.directory import Directory, directory_of
from appliance.services.mail.dkim import ensure_keys
from appliance.services.mail.dns_records import NAMES
from appliance.services.mail.model import POSTMASTERS, Settings, SettingsChange, SettingsKept
from appliance.store.settings import change_settings

__all__ = ["CERTIFICATE", "certified_names", "change_the_settings"]

CERTIFICATE = "mail"
"""The certificate's name, and its purpose."""


@change(*POSTMASTERS, name="settings.change")
def change_the_settings(context: Context, arguments: SettingsChange) -> SettingsKept:
    """Change the settings. Domain and host get their certificate, their zone, and the key that signs."""
    from appliance.services.certificates.issuing import ensure
    from appliance.services.dns.zoning import ensure_zone

    wanted = arguments.row
    if not wanted.address:
        raise RuleBroken(_("the mail server has an address, such as 192.168.10.2"), field="row.address")
    known = directory_of(context)
    _refuse_postmaster(known, wanted)
    _refuse_swallowed(known, wanted)
    version = change_settings(context, wanted, arguments.version)
    ensure_keys(context)
    ensure(context, CERTIFICATE, certified_names(wanted), CERTIFICATE)
    ensure_zone(context, wanted.domain, wanted.full_host, wanted.address)
    context.publish("changed", "settings")
    return SettingsKept(version=version, row=wanted)


def certified_names(settings: Settings) -> tuple[str, ...]:
    """What the certificate of the mail server is for: its name, those that clients guess, and its address."""
    further = (f"{name}.{settings.domain}" for name in NAMES if name != settings.host)
    return (settings.full_host, *further, settings.address)


def _refuse_postmaster(known: Directory, wanted: Settings) -> None:
    """Before there are accounts any name will do: the first account is made then."""
    if wanted.postmaster in (None, known.settings.postmaster) or not known.accounts:
        return
    account = known.accounts.get(wanted.postmaster)
    if account is None or not account.active:
        raise RuleBroken(
            _("there is no active account {name} that could read the mail to the postmaster"),
            field="row.postmaster",
            name=wanted.postmaster,
        )


def _refuse_swallowed(known: Directory, wanted: Settings) -> None:
    """An alias that leads outside must not come to lead to an address of ours that may not be there."""
    for alias in known.aliases.values():
        for target in alias.targets:
            if target.endswith(f"@{wanted.domain}"):
                raise RuleBroken(
                    _("the alias {name} leads to {target}, as to another domain"),
                    field="row.domain",
                    name=alias.name,
                    target=target,
                )
