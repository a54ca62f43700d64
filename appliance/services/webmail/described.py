"""The web mail as one value, gathered from the store: what its daemons are configured from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.services.mail.described import describe as describe_mail
from appliance.services.mail.description import MailDescription
from appliance.services.webmail.model import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["WebmailDescription", "autoconfig_of", "describe", "names_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebmailDescription:
    """All of it."""

    mail: MailDescription
    settings: Settings
    names: tuple[str, ...]
    """Host names; the first is the one that people see."""
    key: str = field(repr=False)
    """32 characters."""

    @property
    def autoconfig(self) -> str:
        """Where mail programs ask how to reach the mail of the domain."""
        return autoconfig_of(self.mail.domain)


def describe(connection: Connection) -> WebmailDescription | None:
    """None while the mail is not set up, while nobody has saved the settings, and when it shall not serve."""
    from sqlalchemy import select

    from appliance.services.webmail.tables import KEYS, PASSWORDS_KEY
    from appliance.store.settings import settings_of

    mail = describe_mail(connection)
    key = connection.execute(select(KEYS.c.value).where(KEYS.c.name == PASSWORDS_KEY)).scalar_one_or_none()
    settings = settings_of(connection, "webmail", Settings)
    if mail is None or key is None or not settings.serve:
        return None
    return WebmailDescription(mail=mail, settings=settings, names=names_of(settings, mail.domain), key=key)


def names_of(settings: Settings, domain: str) -> tuple[str, ...]:
    """Those that are set, or ``www`` in the domain of the mail."""
    return settings.names or (f"www.{domain}",)


def autoconfig_of(domain: str) -> str:
    """The name that a mail program makes of an address's domain (Mozilla, Autoconfiguration)."""
    return f"autoconfig.{domain}"
