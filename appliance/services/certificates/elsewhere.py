"""Certificates that come from elsewhere, such as an ACME client's: put in order, and judged before they are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from appliance.components.certificate import Certificate as Judged
from appliance.contract.components import Severity
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.certificates.kinds import subject_name
from appliance.services.certificates.model import Certificate, CertificateTexts, Source
from appliance.services.certificates.signing import facts_of

__all__ = ["component_of", "judged"]

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
KEY = re.compile(r"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def judged(sent: CertificateTexts, names: tuple[str, ...]) -> Certificate:
    """What was sent, as it is kept. ``names``: what it is used for; none: all names in it.

    The certificate is the one that has the key; those between it and the root
    follow it by their signatures, and what belongs to neither is left out.
    Raises RuleBroken for what clients would refuse.
    """
    key, public = _key(sent.key)
    found = _certificates(f"{sent.certificate}\n{sent.chain}")
    leaf = next((one for one in found if _public(one) == public), None)
    if leaf is None:
        raise RuleBroken(_("the key is not the certificate's"), field="key")
    chain = "".join(_pem(one) for one in _upward(leaf, found))
    facts = facts_of(_pem(leaf))
    if not facts.names:
        raise RuleBroken(_("no names stand in it: clients compare nothing else"), field="certificate")
    made = Certificate(
        name=sent.name,
        names=names or tuple(dict.fromkeys(_usable(facts.names))),
        purpose=sent.purpose,
        source=Source.ELSEWHERE,
        issuer=facts.issuer,
        serial=facts.serial,
        begins=facts.begins,
        ends=facts.ends,
        fingerprint=facts.fingerprint,
        certificate=_pem(leaf),
        chain=chain,
        key=key,
    )
    for finding in component_of(made).verify({}):
        if finding.severity is Severity.ERROR:
            raise RuleBroken(finding.template, field="certificate", **finding.values)
    return made


def component_of(kept: Any) -> Judged:
    """The component of a certificate, a record or a row of the same names."""
    return Judged(
        name=f"certificates.{kept.name}",
        key=kept.key,
        certificate=kept.certificate,
        chain=kept.chain,
        # A handshake asks for one host: any below the ``*`` stands for all of them.
        covers=tuple(one.replace("*.", "any.", 1) for one in kept.names),
    )


def _key(text: str) -> tuple[str, bytes]:
    block = KEY.search(text)
    if block is None:
        raise RuleBroken(_("there is no private key where one should be"), field="key")
    try:
        loaded = load_pem_private_key(block[0].encode(), password=None)
    except TypeError:
        raise RuleBroken(_("the key is locked with a password"), field="key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise RuleBroken(_("the private key cannot be read"), field="key") from None
    return f"{block[0]}\n", loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certificates(text: str) -> tuple[x509.Certificate, ...]:
    blocks = CERTIFICATE.findall(text)
    if not blocks:
        raise RuleBroken(_("there is no certificate where one should be"), field="certificate")
    try:
        return tuple(dict.fromkeys(x509.load_pem_x509_certificate(one.encode()) for one in blocks))
    except ValueError:
        raise RuleBroken(_("a certificate cannot be read"), field="certificate") from None


def _upward(leaf: x509.Certificate, found: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """From the issuer of the certificate to the highest that was sent."""
    chain: list[x509.Certificate] = []
    below, left = leaf, [one for one in found if one != leaf]
    while (above := next((one for one in left if _issued(below, one)), None)) is not None:
        chain.append(above)
        left.remove(above)
        below = above
    return tuple(chain)


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _public(one: x509.Certificate) -> bytes | None:
    try:
        return one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _usable(names: Sequence[str]) -> list[str]:
    """The names that a host of ours may have; others stay in the certificate and are used for nothing."""
    found = []
    for one in names:
        try:
            found.append(subject_name(one))
        except RuleBroken:
            continue
    if not found:
        raise RuleBroken(_("no name in it is a host's"), field="certificate")
    return found


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
