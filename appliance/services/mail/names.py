"""The names of mail: domains, local parts and addresses, and which of them stand for a role.

A local part of ours is a Dot-string of RFC 5321 section 4.1.2 in small letters,
of letters, digits, ``_`` and ``-`` alone: it is a folder's name too, and a word
in the tables of Postfix and Dovecot. ``+`` is no part of it: what stands behind
it is the owner's own (``budi+farm@``).
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen
from pydantic import StringConstraints

from appliance.contract.kinds import Entry

__all__ = [
    "POSTMASTER",
    "ROLES",
    "ROLES_OF_RFC_2142",
    "Address",
    "Domain",
    "HostLabel",
    "LocalPart",
    "Target",
    "local_of",
    "whole",
]

_ATOM = r"[a-z0-9_][a-z0-9_-]*"
_LOCAL = rf"{_ATOM}(?:\.{_ATOM})*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ANY_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_OUTSIDE = r"[A-Za-z0-9_](?:[A-Za-z0-9_+=&'-]|\.[A-Za-z0-9_+=&'-])*"

LocalPart = Annotated[str, StringConstraints(pattern=rf"^{_LOCAL}$", max_length=64), MaxLen(64), Entry("line")]
"""What stands before the ``@`` of an address of ours: ``siti.rahma``."""
Domain = Annotated[
    str, StringConstraints(pattern=rf"^(?:{_LABEL}\.)+{_LABEL}$", max_length=253), MaxLen(253), Entry("line")
]
"""``rssulsel.com``, in small letters; an international name in its ``xn--`` form (RFC 5890)."""
HostLabel = Annotated[str, StringConstraints(pattern=rf"^{_LABEL}$", max_length=63), MaxLen(63), Entry("line")]
"""One label of a host's name: ``mail``."""
Target = Annotated[
    str,
    StringConstraints(pattern=rf"^{_OUTSIDE}(?:@(?:{_ANY_LABEL}\.)+{_ANY_LABEL})?$", max_length=254),
    MaxLen(254),
    Entry("line"),
]
"""Where an alias leads: a whole address, or the local part of one of ours."""
Address = Annotated[
    str,
    StringConstraints(pattern=rf"^{_OUTSIDE}(?:@(?:{_ANY_LABEL}\.)+{_ANY_LABEL})?$", max_length=254),
    MaxLen(254),
    Entry("line"),
]
"""An address that is asked about, with or without our domain."""

POSTMASTER = "postmaster"
ROLES = ("abuse", "hostmaster", "noc", "postmaster", "security", "webmaster")
"""Addresses that strangers may expect (RFC 2142 sections 4 and 5): the postmaster's, unless something else has them."""
ROLES_OF_RFC_2142 = frozenset(
    {*ROLES, "ftp", "info", "mailer-daemon", "marketing", "news", "root", "sales", "support", "usenet", "uucp", "www"}
)
"""No account has one of these names, except that the postmaster may: a role outlives its holder, and is an alias or a
group. ``mailer-daemon`` and ``root`` are not of the RFC, but what programs send as."""


def local_of(target: str, domain: str) -> str | None:
    """The local part, in small letters, of an address of ours; None for one outside."""
    local, at, where = target.rpartition("@")
    if not at:
        return target.lower()
    return local.lower() if where.lower() == domain else None


def whole(target: str, domain: str) -> str:
    """The whole address of what an alias keeps."""
    return target if "@" in target else f"{target}@{domain}"
