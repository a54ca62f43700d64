"""What people say of names: zones, records, and who may ask the resolver.

Rules across records are in ``rules.py``; what a zone means to a name server is
said by ``components.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen

from appliance.contract.kinds import Code, Count, Line, Note, Refers, YesNo
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.dns.kinds import (
    Address,
    Network,
    Owner,
    RecordType,
    Seconds,
    Serial,
    Ttl,
    Value,
    ZoneFile,
    ZoneName,
)

__all__ = [
    "HOSTMASTERS",
    "MASTER_DATA",
    "AnswerLine",
    "Answered",
    "Asked",
    "Entry",
    "EntryChange",
    "EntryRow",
    "EntrySeen",
    "NewZone",
    "ProblemLine",
    "ReverseNetwork",
    "ServedLine",
    "Settings",
    "Zone",
    "ZoneNamed",
    "ZoneText",
]

HOSTMASTERS = frozenset({"hostmaster"})
"""Who keeps names."""
ZoneReference = Annotated[ZoneName, Refers("zones")]


@record(title=_("zone"))
class Zone:
    """A zone of authority, with what its SOA record says (RFC 1035 section 3.3.13)."""

    name: ZoneName
    primary: ZoneName
    """The name server that the SOA names first: ``ns.rssulsel.com``."""
    contact: Line
    """The mail address of who looks after the zone: ``hostmaster@rssulsel.com``."""
    ttl: Seconds = 3600
    """Of records that have none of their own."""
    negative_ttl: Seconds = 300
    """How long resolvers keep that a name is not there (RFC 2308)."""
    refresh: Seconds = 7200
    retry: Seconds = 900
    expire: Seconds = 1_209_600
    least_serial: Serial = 1
    """The serial that is served is never below it: for zones that come from another server."""
    about: Line = ""

    def __post_init__(self) -> None:
        local, at, domain = self.contact.partition("@")
        if not (local and at and "." in domain) or any(letter in self.contact for letter in ' "\\()<>;'):
            raise RuleBroken(_("the contact is a mail address, as hostmaster@example.org"), field="contact")
        if self.retry >= self.refresh:
            raise RuleBroken(_("a retry comes sooner than the next refresh (RFC 1912 section 2.2)"), field="retry")
        if self.expire < self.refresh + self.retry:
            raise RuleBroken(
                _("a zone expires only after a refresh and a retry (RFC 1912 section 2.2)"), field="expire"
            )


@record(title=_("record"))
class Entry:
    """A record of a zone."""

    zone: ZoneReference
    owner: Owner = "@"
    type: RecordType = "A"
    value: Value
    ttl: Ttl = 0
    """0: that of the zone."""
    about: Line = ""

    def __post_init__(self) -> None:
        # dnspython is loaded with the first record, not with the console.
        from appliance.services.dns.rdata import refuse_entry

        refuse_entry(self.zone, self.owner, self.type, self.value)


@record(title=_("record"))
class EntryChange(Entry):
    """A record as it shall be; ``version`` is the one that was looked at."""

    number: Code
    version: Count


@record(title=_("record"))
class EntrySeen:
    """A record, in the version that was looked at."""

    number: Code
    version: Count


@record(title=_("record"))
class EntryRow:
    """A line of the list of records."""

    zone: ZoneReference
    owner: Owner
    type: RecordType
    value: Value
    ttl: Ttl
    about: Line
    number: Code


@record(title=_("zone"))
class NewZone:
    """A zone with the records that nearly every one has."""

    name: ZoneName
    address: Address
    """Of this server: the name server, and of those below that are wanted."""
    name_server: Owner = "ns"
    contact: Line = ""
    """Empty: hostmaster of the zone."""
    www: Address | None = None
    mail: Address | None = None
    """Makes the host ``mail``, the MX and an SPF record that names it."""
    reverse: YesNo = True
    """Also the reverse zone of the address's network, with its PTR records."""


@record(title=_("reverse zone"))
class ReverseNetwork:
    """A network whose addresses get names."""

    network: Network
    primary: ZoneName
    contact: Line = ""


@record(title=_("zone"))
class ZoneNamed:
    """One zone."""

    name: ZoneReference


@record(title=_("zone file"))
class ZoneText:
    """A zone in the form of RFC 1035 section 5, to be read in."""

    name: ZoneName
    text: ZoneFile
    replace: YesNo = False
    """Whether the records of a zone that is there already go first."""


@record(title=_("question"))
class Asked:
    """A question to one of the appliance's own servers."""

    name: Line
    type: Literal["A", "AAAA", "MX", "CNAME", "TXT", "SRV", "PTR", "NS", "CAA", "SOA", "ANY", "AXFR"] = "A"
    server: Literal["authoritative", "resolver"] = "resolver"


@record(title=_("answer"))
class AnswerLine:
    """A line of what a server has said."""

    section: Line
    text: Note


@record
class Answered:
    """What a server has said. ``code`` is as in RFC 1035 section 4.1.1: ``NOERROR``, ``NXDOMAIN``, ``REFUSED``."""

    code: Line
    authoritative: YesNo = False
    lines: tuple[AnswerLine, ...]


@record(title=_("problem"))
class ProblemLine:
    """Something that is wrong with a zone, or worth a look."""

    severity: Line
    place: Line
    text: Note


@record(title=_("record"))
class ServedLine:
    """A record as it would be served. ``by`` is the component that declares it; empty: it is kept here."""

    zone: ZoneName
    name: Line
    type: Line
    value: Value
    ttl: Ttl
    by: Line


@record(
    title=_("settings"),
    help={
        "addresses": _("Addresses of this machine where the LAN asks for names; one a line."),
        "networks": _("Whose machines may ask for any name, as 192.168.10.0/24; nobody else may."),
        "forwarders": _("Resolvers of the provider that are asked for names of others; none: the root servers."),
        "validate_answers": _("Answers of signed zones must prove genuine (DNSSEC); forwarders must support it."),
        "public_addresses": _("Where everybody may ask for your own zones; none: only the LAN learns them."),
        "transfer_partners": _("Secondary name servers, which may copy whole zones; nobody else may."),
        "answers_per_second": _("Equal answers to one network, before the name server holds back."),
        "asks_per_second": _("Questions from one machine, before the resolver drops some."),
    },
)
class Settings:
    """The resolver, and who sees the name server."""

    addresses: Annotated[tuple[Address, ...], MaxLen(16)] = ()
    """Where the resolver listens on port 53, beside 127.0.0.1."""
    networks: Annotated[tuple[Network, ...], MaxLen(64)] = ()
    """Whose hosts may ask it for any name; nobody else may."""
    forwarders: Annotated[tuple[Address, ...], MaxLen(8)] = ()
    """Resolvers that are asked for names of others; none: it asks the root itself."""
    validate_answers: YesNo = True
    """Whether answers of others must pass DNSSEC where their zones are signed. Forwarders must support it."""
    public_addresses: Annotated[tuple[Address, ...], MaxLen(16)] = ()
    """Where the name server answers everybody for its own zones, on port 53; none: only the resolver asks it."""
    transfer_partners: Annotated[tuple[Address, ...], MaxLen(16)] = ()
    """Who may copy whole zones: secondary name servers. Nobody else may."""
    answers_per_second: Annotated[int, Ge(10), Le(10_000)] = 200
    """Equal answers to one network, before the name server holds back (response rate limiting)."""
    asks_per_second: Annotated[int, Ge(100), Le(1_000_000)] = 5_000
    """Questions from one address, before the resolver drops some."""

    def __post_init__(self) -> None:
        from ipaddress import ip_address, ip_network

        for text in self.networks:
            if not ip_network(text).prefixlen:
                raise RuleBroken(_("a resolver that answers the whole world is an open resolver"), field="networks")
        for text in (*self.addresses, *self.public_addresses):
            if ip_address(text).is_multicast:
                raise RuleBroken(_("{address} cannot be the address of a server"), field="addresses", address=text)
        for text in self.addresses:
            if text in self.public_addresses:
                raise RuleBroken(
                    _("{address} cannot be both the resolver's and the name server's"),
                    field="public_addresses",
                    address=text,
                )


MASTER_DATA = (MasterData(name="zones", record=Zone, key="name", see=HOSTMASTERS, change=HOSTMASTERS),)
