"""The kinds of value that certificates are made of: names of hosts, PEM texts, keys, fingerprints."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, StringConstraints

from appliance.contract.kinds import Entry, Unit, several_lines
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = [
    "CertificateName",
    "Days",
    "FileNumber",
    "Fingerprint",
    "Pem",
    "PrivateKey",
    "SubjectName",
    "SubjectNames",
    "subject_name",
]

LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?:\*\.)?(?:{LABEL}\.)*{LABEL}", re.ASCII)


def subject_name(text: str) -> str:
    """A DNS name in small letters, with or without a first label ``*``, or an address as RFC 5952 writes it.

    Raises RuleBroken for what can stand in no ``subjectAltName`` (RFC 5280, section 4.2.1.6).
    """
    plain = text.strip().lower()
    try:
        return str(ip_address(plain))
    except ValueError:
        pass
    plain = plain.removesuffix(".")
    if len(plain) > 253 or not HOST_NAME.fullmatch(plain) or plain.rpartition(".")[2].isdecimal():
        raise RuleBroken(_("{name} is neither a name of a host nor an address"), name=text[:80])
    if plain.startswith("*.") and plain.count(".") < 2:
        raise RuleBroken(_("{name} would be for every host of a whole top domain"), name=text[:80])
    return plain


def _whole_lines(text: str) -> str:
    plain = several_lines(text)
    return f"{plain}\n" if plain else ""


CertificateName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=32), MaxLen(32), Entry("line")
]
"""How a certificate is called here, and its component: ``mail`` is ``certificates.mail``."""
SubjectName = Annotated[str, MinLen(1), MaxLen(253), AfterValidator(subject_name), Entry("line")]
"""A name or address of a host that a certificate is for."""
SubjectNames = Annotated[tuple[SubjectName, ...], MinLen(1), MaxLen(100)]
Pem = Annotated[str, MaxLen(64_000), AfterValidator(_whole_lines), Entry("note")]
"""Certificates as RFC 7468 writes them; the last line is whole, so that two texts make one."""
PrivateKey = Annotated[str, MaxLen(16_000), Entry("secret")]
"""A private key as PEM: never shown, never logged."""
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{2}(:[0-9A-F]{2}){31}$"), MaxLen(95), Entry("line")]
"""SHA-256 of the DER, as browsers show it."""
FileNumber = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), MaxLen(32), Entry("line")]
"""The number of a file that was sent."""
Days = Annotated[int, Ge(1), Le(825), Unit("days")]
