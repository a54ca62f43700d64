"""The kinds of value of the DNS: names, addresses and networks as people write them, seconds."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator

from appliance.contract.kinds import Entry, Unit, one_line, several_lines

__all__ = ["Address", "Network", "Owner", "RecordType", "Seconds", "Serial", "Ttl", "Value", "ZoneFile", "ZoneName"]

RecordType = Literal["A", "AAAA", "MX", "CNAME", "TXT", "SRV", "PTR", "NS", "CAA"]
"""What a record may be; the SOA is made from the fields of its zone."""
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def _labels(text: str) -> str:
    """The name in small letters without its last dot. RFC 1035 section 2.3.4: 63 octets a label, 253 a name."""
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError("a name of labels of letters, digits and hyphens, 63 at most in each, between dots")
    return name


def _owner(text: str) -> str:
    if text == "@":
        return text
    first, dot, rest = text.partition(".")
    if first == "*":
        return f"*.{_labels(rest)}" if dot else "*"
    _labels(text)
    # The last dot says that it is a whole name and not one below the zone.
    return text.lower()


def _address(text: str) -> str:
    _refuse_scope(text)
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("an IPv4 or IPv6 address, as 192.0.2.1 or 2001:db8::1") from None


def _refuse_scope(text: str) -> None:
    """To ``ipaddress`` any text may stand behind ``%``, a line feed too; it would come into configurations."""
    if "%" in text:
        raise ValueError("an address without a scope (%)")


def _network(text: str) -> str:
    _refuse_scope(text)
    if "/" not in text:
        raise ValueError("a network with its length, as 192.0.2.0/24")
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError(str(error)) from None


ZoneName = Annotated[str, MinLen(1), MaxLen(253), AfterValidator(_labels), Entry("line")]
"""``rssulsel.com``, ``10.168.192.in-addr.arpa``: small letters, no last dot."""
Owner = Annotated[str, MinLen(1), MaxLen(254), AfterValidator(_owner), Entry("line")]
"""Whose record it is: ``@`` is the zone itself, ``www`` a name below it, ``www.rssulsel.com.`` a whole name."""
Value = Annotated[str, MinLen(1), MaxLen(4000), AfterValidator(one_line), Entry("line")]
"""A record's data in the presentation format of RFC 1035 section 5.1; names without a last dot are below the zone."""
Address = Annotated[str, MaxLen(45), AfterValidator(_address), Entry("line")]
Network = Annotated[str, MaxLen(49), AfterValidator(_network), Entry("line")]
Ttl = Annotated[int, Ge(0), Le(2**31 - 1), Unit("seconds")]
"""RFC 2181 section 8: 31 bits. 0 in a record is the zone's own."""
Seconds = Annotated[int, Ge(1), Le(2**31 - 1), Unit("seconds")]
ZoneFile = Annotated[str, MaxLen(1_000_000), AfterValidator(several_lines), Entry("note")]
"""The text of a zone."""
Serial = Annotated[int, Ge(1), Le(2**32 - 1), Entry("number")]
