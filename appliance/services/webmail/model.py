"""The web mail's settings, and what its commands take and answer."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen
from pydantic import StringConstraints

from appliance.contract.kinds import Count, Entry, Line, Moment, Name, Unit, YesNo
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.names import Domain

__all__ = [
    "WEBMASTERS",
    "Ended",
    "PersonNamed",
    "PersonRow",
    "Settings",
    "SettingsChange",
    "SettingsKept",
    "Turned",
]

WEBMASTERS = frozenset({"webmaster"})


@record(
    title=_("web mail settings"),
    help={
        "serve": _("Off: the web mail is taken away with the next commit; what people keep in it stays."),
        "names": _("Host names of the web mail; the others lead to the first. None: www in the mail domain."),
        "addresses": _("Addresses of this machine where it listens; none: all IPv4 addresses."),
        "bind_address": _("A login holds for one address only. Turn it off where people walk between networks."),
        "remote_images": _("People may load pictures from elsewhere, after a question; the sender learns of it."),
        "session_minutes": _("After so long without a sign of the browser one logs in again."),
    },
)
class Settings:
    """Under which names the web mail is found, and how it behaves. It serves from the commit after they were saved."""

    serve: YesNo = True
    """Otherwise it is taken away with the next commit; what people keep in it stays."""
    names: Annotated[tuple[Domain, ...], MaxLen(10)] = ()
    """Host names, the first of which the others are sent to; none: ``www`` in the domain of the mail."""
    addresses: Annotated[tuple[Line, ...], MaxLen(20)] = ()
    """Addresses of this machine on which it listens, beside the loopback; none: all IPv4 addresses."""
    title: Name = "Surat Rumah Sakit"
    """What stands on the login page and in the browser's title."""
    language: Literal["id", "en"] = "id"
    """Of the login page and of who has not chosen another."""
    session_minutes: Annotated[int, Ge(5), Le(1440), Unit("minutes")] = 60
    """After so long without a sign of the browser one logs in again."""
    bind_address: YesNo = True
    """A session is of one address: whoever steals its cookie needs that too. Off where people walk between networks."""
    remote_images: YesNo = False
    """People may load what a message shows from elsewhere, after a question. The sender learns when it is read."""

    def __post_init__(self) -> None:
        """Refuse addresses that are none, and what is given twice."""
        for text in self.addresses:
            _refuse_address(text)
        if len(set(self.names)) != len(self.names):
            raise RuleBroken(_("a name is given twice"), field="names")
        if len(set(self.addresses)) != len(self.addresses):
            raise RuleBroken(_("an address is given twice"), field="addresses")


def _refuse_address(text: str) -> None:
    try:
        address = ip_address(text)
    except ValueError:
        raise RuleBroken(_("{text} is no address"), field="addresses", text=text) from None
    if str(address) != text or address.is_multicast or address.is_unspecified or "%" in text:
        raise RuleBroken(_("nobody listens on {text}"), field="addresses", text=text)


@record
class SettingsChange:
    """The settings as they shall be; ``version`` is the one that was looked at."""

    version: Count
    row: Settings


@record
class SettingsKept:
    """The settings, in their present version."""

    version: Count
    row: Settings


Login = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_.+-]*@[a-z0-9][a-z0-9.-]*$", max_length=128),
    MaxLen(128),
    Entry("line"),
]


@record(title=_("web mail user"))
class PersonRow:
    """Somebody who has used the web mail."""

    account: Login
    sessions: Count
    """Browsers that are logged in."""
    addresses: Line
    """From where."""
    seen: Moment | None = None
    """The last sign of one of them."""
    last: Moment | None = None
    """The last login."""
    first: Moment | None = None
    failed: Count
    """Refused logins since the last one that was not."""
    language: Line


@record(title=_("web mail user"))
class PersonNamed:
    """Whose sessions are meant."""

    account: Login


@record
class Turned:
    """Whether there was anything to put aside."""

    turned: YesNo


@record
class Ended:
    """How many sessions are no more."""

    account: Login
    sessions: Count
