"""Certificates as people see them: what is kept of each, what commands take, and the service's settings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from appliance.contract.kinds import Count, Line, Moment, Name, Unit, Whole, YesNo
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.certificates.kinds import (
    CertificateName,
    Days,
    FileNumber,
    Fingerprint,
    Pem,
    PrivateKey,
    SubjectName,
    SubjectNames,
)

__all__ = [
    "KEEPERS",
    "SOON",
    "Authority",
    "AuthorityPage",
    "AuthorityReplaced",
    "Certificate",
    "CertificateFiles",
    "CertificateKept",
    "CertificateRow",
    "CertificateTexts",
    "IssuedRow",
    "Named",
    "NewCertificate",
    "Reason",
    "Removed",
    "Renewal",
    "RenewalWish",
    "Renewed",
    "Replaced",
    "RevocationList",
    "Settings",
    "Shown",
    "Source",
    "Standing",
]

KEEPERS = ("keeper",)
"""Who looks after certificates, beside the administrator."""
SOON = 21
"""Days before its end from which a certificate is warned of."""


class Source(StrEnum):
    """Where a certificate is from."""

    OWN = "own authority"
    ELSEWHERE = "elsewhere"


class Standing(StrEnum):
    """How near its end a certificate is."""

    GOOD = "good"
    DUE = "due for renewal"
    SOON = "ends soon"
    ENDED = "has ended"


class Reason(StrEnum):
    """Why a certificate is given up: the names of RFC 5280, section 5.3.1."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"


@record
class Settings:
    """How the own authority issues."""

    organization: Annotated[Name, MaxLen(64)] = "Gerbang"
    """Stands in the authority's own certificate; a change is for the next authority."""
    days: Days = 397
    """How long a certificate is good. Apple refuses more than 825 days of any authority."""
    renew_within: Annotated[int, Ge(1), Le(365), Unit("days")] = 30
    """Days before its end from which a certificate is due to be renewed."""

    def __post_init__(self) -> None:
        if self.renew_within >= self.days:
            raise RuleBroken(_("a certificate would be due the day that it is issued"), field="renew_within")


@record(title=_("certificate"))
class Certificate:
    """One certificate with its key, as it is kept."""

    name: CertificateName
    names: SubjectNames
    """Names under which it is used; each stands in it, or under one of its ``*``."""
    purpose: Line
    source: Source
    issuer: Line
    serial: Line
    """In hexadecimal digits."""
    begins: Moment
    ends: Moment
    fingerprint: Fingerprint
    certificate: Pem
    chain: Pem
    key: PrivateKey


@record(title=_("authority"))
class Authority:
    """The own authority of now, or one before it."""

    fingerprint: Fingerprint
    subject: Line
    begins: Moment
    ends: Moment
    current: YesNo
    certificate: Pem
    key: PrivateKey


@record(title=_("issued certificate"))
class IssuedRow:
    """One that the own authority has issued: what its revocation list is made from."""

    serial: Line
    name: CertificateName
    names: SubjectNames
    authority: Fingerprint
    begins: Moment
    ends: Moment
    revoked_at: Moment | None = None
    reason: Reason | None = None


@record(title=_("certificate"))
class CertificateRow:
    """One certificate in the list: everything but its key."""

    name: CertificateName
    names: tuple[SubjectName, ...]
    ends: Moment
    left: Annotated[Whole, Unit("days")]
    """Whole days until its end; below zero: it has ended."""
    standing: Standing
    source: Source
    issuer: Line
    used_by: tuple[Line, ...]
    """Components that require it."""
    waits: YesNo
    """It was renewed, and daemons serve the one before it until the next commit."""
    purpose: Line
    begins: Moment
    serial: Line
    fingerprint: Fingerprint
    version: Count


@record(title=_("certificate"))
class CertificateKept:
    """One certificate as a change has left it. Who uses it is not asked then: a change is short."""

    name: CertificateName
    names: tuple[SubjectName, ...]
    ends: Moment
    left: Annotated[Whole, Unit("days")]
    standing: Standing
    source: Source
    issuer: Line
    purpose: Line
    begins: Moment
    serial: Line
    fingerprint: Fingerprint
    version: Count


@record
class Named:
    """One certificate, by its name."""

    name: CertificateName


@record
class Shown:
    """What everybody may know of a certificate: servers show it to each client."""

    name: CertificateName
    certificate: Pem
    chain: Pem


@record(title=_("certificate"))
class NewCertificate:
    """A certificate that the own authority shall issue. One that is there of this name is issued anew for these names,
    with the key that it has."""

    name: CertificateName
    names: SubjectNames
    purpose: Line = ""


@record
class Renewal:
    """A certificate of the own authority that gets a new end; its key stays."""

    name: CertificateName
    version: Count


@record
class Replaced:
    """A certificate that is revoked, and issued again with a new key."""

    name: CertificateName
    version: Count
    reason: Reason = Reason.SUPERSEDED


@record
class Removed:
    """A certificate that nobody needs any more; one of the own authority is revoked."""

    name: CertificateName
    version: Count


@record
class CertificateTexts:
    """A certificate from elsewhere, with its key."""

    name: CertificateName
    certificate: Annotated[Pem, MinLen(1)]
    """The certificate, and in any order those between it and the root: the ``fullchain.pem`` of ACME clients."""
    key: Annotated[PrivateKey, MinLen(1)]
    chain: Pem = ""
    """More of those between, if the client keeps them apart."""
    names: Annotated[tuple[SubjectName, ...], MaxLen(100)] = ()
    """What it is used for. None: what the one before it of this name was used for, else all names in it."""
    purpose: Line = ""


@record
class CertificateFiles:
    """A certificate from elsewhere, with its key: the numbers of files that were sent."""

    name: CertificateName
    certificate: FileNumber
    key: FileNumber
    chain: FileNumber | None = None
    names: Annotated[tuple[SubjectName, ...], MaxLen(100)] = ()
    """As in the command that takes texts."""
    purpose: Line = ""


@record
class RenewalWish:
    """The renewal of all that is due."""

    commit: YesNo = False
    """Commit too, if nothing else waits for a commit."""


@record
class Renewed:
    """What was renewed, and what was not."""

    names: tuple[CertificateName, ...]
    elsewhere: tuple[CertificateName, ...]
    """Due, but from elsewhere: whoever issued it renews it."""
    committed: YesNo
    generation: Count
    remark: Line = ""


@record
class AuthorityReplaced:
    """A new authority; everything of the one before it is issued again."""

    fingerprint: Fingerprint | None = None
    """Of the one of now, so that nobody replaces one that is new already; none when there is none."""


@record
class AuthorityPage:
    """The own authority, for those who are to trust it."""

    subject: Line
    fingerprint: Fingerprint
    begins: Moment
    ends: Moment
    left: Annotated[Whole, Unit("days")]
    certificates: Count
    """How many good ones it has issued."""
    revoked: Count
    certificate: Pem


@record
class RevocationList:
    """Which certificates of the own authority nobody should trust any more (RFC 5280, section 5)."""

    authority: Fingerprint
    revoked: tuple[Line, ...]
    """Serial numbers."""
    until: Moment
    """When the next list is due."""
    list: Pem
