"""What the mail keeps: departments, accounts, aliases, groups, and the records that its commands take and answer."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, ip_network
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from appliance.contract.kinds import Code, Count, Entry, Line, Moment, Name, Note, Refers, Secret, Unit, YesNo
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.description import Senders
from appliance.services.mail.names import Address, Domain, HostLabel, LocalPart, Target

__all__ = [
    "MASTER_DATA",
    "POSTMASTERS",
    "Account",
    "AccountMade",
    "AccountRow",
    "AccountSeen",
    "Alias",
    "Asked",
    "Department",
    "DkimRow",
    "Group",
    "Imported",
    "NewAccount",
    "NewPassword",
    "NewQuota",
    "Pasted",
    "Recipient",
    "Selector",
    "Settings",
    "SettingsChange",
    "SettingsKept",
    "Sheet",
]

POSTMASTERS = frozenset({"postmaster"})
"""Who keeps the accounts. Nobody makes one for himself."""

Megabytes = Annotated[int, Ge(0), Le(10_000_000), Unit("MiB")]
"""Room for mail; 0: no limit."""
PerHour = Annotated[int, Ge(1), Le(1_000_000)]


@record(title=_("department"))
class Department:
    """A part of the house: wards, nurses, doctors, administration. Groups and the address book know it."""

    name: LocalPart
    title: Name
    quota: Megabytes | None = None
    """Of each of its accounts that has none of its own; none: the settings'."""


@record(title=_("account"))
class Account:
    """A mailbox with a login. Its name is the local part of its address, and stays: its mail lies under it."""

    name: LocalPart
    full_name: Name
    department: Annotated[LocalPart, Refers("departments")] | None = None
    quota: Megabytes | None = None
    """None: the department's, or the settings'."""
    messages_per_hour: PerHour | None = None
    """None: the settings'."""
    recipients_per_hour: PerHour | None = None
    active: YesNo = True
    """A suspended account neither logs in nor gets mail; its mail stays."""


@record(title=_("account"))
class NewAccount(Account):
    """An account with its first password; without one it gets a password that is shown once."""

    password: Secret = ""
    take_over: YesNo = False
    """Give it the mail of a former account of this name."""


@record(title=_("account"))
class AccountSeen:
    """An account, in the version that was looked at."""

    name: LocalPart
    version: Count


@record(title=_("password"))
class NewPassword:
    """Whose password is made new; an empty one is made up."""

    name: LocalPart
    password: Secret = ""


@record(title=_("quota"))
class NewQuota(AccountSeen):
    """How much mail an account may keep; none: the department's, or the settings'."""

    quota: Megabytes | None = None


@record(title=_("account"))
class AccountMade:
    """What the owner is told, once. It holds when it is committed."""

    name: LocalPart
    address: Line
    password: Secret
    """Empty when it was given: who gave it knows it."""
    version: Count


@record(title=_("account"))
class AccountRow:
    """A line of the list of accounts. The quota is the one that counts."""

    name: LocalPart
    full_name: Name
    department: Annotated[LocalPart, Refers("departments")] | None = None
    active: YesNo
    quota: Megabytes
    messages_per_hour: PerHour
    recipients_per_hour: PerHour
    password_changed: Moment
    last_change: Moment
    last_change_by: Line


@record(title=_("alias"))
class Alias:
    """Another address of somebody, or one that leads outside. No alias leads to a group, for a group says who may
    write to it."""

    name: LocalPart
    targets: Annotated[tuple[Target, ...], MinLen(1), MaxLen(100)]
    note: Line = ""


@record(title=_("group"))
class Group:
    """An address whose mail goes to all active accounts of its departments, and to its members."""

    name: LocalPart
    title: Name
    departments: Annotated[tuple[Annotated[LocalPart, Refers("departments")], ...], MaxLen(100)] = ()
    members: Annotated[tuple[LocalPart, ...], MaxLen(1000)] = ()
    senders: Senders = Senders.ACCOUNTS


@record(title=_("recipient"))
class Recipient:
    """Who gets what is sent to an address."""

    address: Line
    full_name: Line
    active: YesNo
    because: Line
    """The department, ``member``, or the aliases on the way."""


@record(title=_("address"))
class Asked:
    """An address, with or without our domain."""

    address: Address


@record(title=_("accounts"))
class Sheet:
    """Accounts as CSV (RFC 4180), the first line names the columns: ``name,full_name,department,quota,password``."""

    text: Annotated[str, MaxLen(1_000_000), Entry("secret")]
    """It may hold passwords, so no log has it."""


@record(title=_("accounts"))
class Pasted:
    """A sheet as it is pasted into a form."""

    text: Annotated[str, MaxLen(1_000_000), Entry("note")]


@record(title=_("accounts"))
class Imported:
    """The accounts that were made, with the passwords that were made up."""

    made: tuple[AccountMade, ...]


@record(title=_("DKIM key"))
class DkimRow:
    """A key that signs, or has signed."""

    selector: Code
    signs: YesNo
    made_at: Moment
    record_name: Line
    record_value: Note


@record(title=_("DKIM key"))
class Selector:
    """A key, by its selector."""

    selector: Code


@record(
    title=_("settings"),
    help={
        "domain": _("What stands behind the @ of all addresses."),
        "host": _("The name of this server in the domain: mail makes mail.rssulsel.com."),
        "address": _("The IPv4 address of this server, as 192.168.10.2."),
        "networks": _("The LAN, as 192.168.10.0/24: from where mail is fetched, and sent after a login."),
        "postmaster": _("Who reads mail to postmaster and abuse; empty: the account postmaster, or the first one."),
        "quota": _("Room of a mailbox, unless its account or department says otherwise; 0: no limit."),
        "recipients_per_message": _("A message to more recipients is refused."),
        "messages_per_client_minute": _("From machines that have not logged in."),
        "snapshots_kept": _("A snapshot of all mailboxes is taken each night; older ones than so many are removed."),
    },
)
class Settings:
    """The domain, its server, and what accounts may do unless something else is said of them."""

    domain: Domain = "rssulsel.com"
    host: HostLabel = "mail"
    """The server's name in the domain."""
    address: Line = ""
    """The server's IPv4 address."""
    networks: Annotated[tuple[Line, ...], MaxLen(100)] = ()
    """The LAN, in CIDR: from where mail is fetched and sent with a login. Nobody relays by where he is."""
    postmaster: LocalPart | None = None
    """The account that reads the mail to ``postmaster``, ``abuse`` and other roles. None: the account ``postmaster``,
    or the first that was made."""
    quota: Megabytes = 500
    messages_per_hour: PerHour = 200
    recipients_per_hour: PerHour = 500
    recipients_per_message: Annotated[int, Ge(1), Le(10_000)] = 100
    message_size: Annotated[int, Ge(1), Le(200), Unit("MiB")] = 25
    connections_per_client: Annotated[int, Ge(1), Le(10_000)] = 20
    messages_per_client_minute: Annotated[int, Ge(1), Le(100_000)] = 60
    """From machines that have not logged in."""
    snapshots_kept: Annotated[int, Ge(1), Le(999)] = 14
    """Snapshots of the mailboxes that stay: one is taken each night."""

    def __post_init__(self) -> None:
        """Refuse an address and networks that are none."""
        if self.address:
            _refuse_address(self.address)
        for text in self.networks:
            _refuse_network(text)
        if len(set(self.networks)) != len(self.networks):
            raise RuleBroken(_("a network is given twice"), field="networks")

    @property
    def full_host(self) -> str:
        """``mail.rssulsel.com``."""
        return f"{self.host}.{self.domain}"


def _refuse_address(text: str) -> None:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        raise RuleBroken(_("{text} is no IPv4 address"), field="address", text=text) from None
    if address.is_loopback or address.is_multicast or address.is_unspecified or address.is_reserved:
        raise RuleBroken(_("no other machine reaches {text}"), field="address", text=text)


def _refuse_network(text: str) -> None:
    try:
        # Behind ``%`` any text would do, and come into the configurations.
        network = ip_network(text.replace("%", " "))
    except ValueError:
        raise RuleBroken(_("{text} is no network such as 192.168.10.0/24"), field="networks", text=text) from None
    if "/" not in text or str(network) != text:
        raise RuleBroken(
            _("the network {text} is written {network}"), field="networks", text=text, network=str(network)
        )
    if not network.prefixlen:
        raise RuleBroken(_("{text} is the whole world, and no LAN"), field="networks", text=text)


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


MASTER_DATA = (
    MasterData(name="departments", record=Department, key="name", see=POSTMASTERS, change=POSTMASTERS),
    MasterData(name="accounts", record=Account, key="name", see=POSTMASTERS, change=POSTMASTERS),
    MasterData(name="aliases", record=Alias, key="name", see=POSTMASTERS, change=POSTMASTERS),
    MasterData(name="groups", record=Group, key="name", see=POSTMASTERS, change=POSTMASTERS),
)
