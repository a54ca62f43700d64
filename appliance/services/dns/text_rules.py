"""What is wrong with TXT records that mail servers read: SPF (RFC 7208), DMARC (RFC 7489) and DKIM keys (RFC 6376)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, NamedTuple

from appliance.contract.components import Severity
from appliance.language import _
from appliance.services.dns.content import ServedZone
from appliance.services.dns.rdata import LONGEST_STRING, strings_of

__all__ = ["SPF_LOOKUPS", "TextProblem", "text_problems"]

SPF_LOOKUPS = 10
"""RFC 7208 section 4.6.4."""
_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(.*))?", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_DMARC_VALUES = {
    "p": r"none|quarantine|reject",
    "sp": r"none|quarantine|reject",
    "adkim": r"r|s",
    "aspf": r"r|s",
    "pct": r"100|[1-9]?[0-9]",
    "fo": r"[01ds](:[01ds])*",
    "rf": r"afrf(:afrf)*",
    "ri": r"[0-9]{1,10}",
    "rua": r"(mailto:[^@,\s]+@[^@,\s]+)(\s*,\s*mailto:[^@,\s]+@[^@,\s]+)*",
    "ruf": r"(mailto:[^@,\s]+@[^@,\s]+)(\s*,\s*mailto:[^@,\s]+@[^@,\s]+)*",
}
_LEAST_BITS, _GOOD_BITS = 1024, 2048
"""Of an RSA key (RFC 8301 section 3.2)."""


class TextProblem(NamedTuple):
    """As ``rules.Problem``."""

    place: str
    severity: Severity
    template: str
    values: Mapping[str, Any]


def text_problems(zone: ServedZone, texts: Mapping[str, tuple[str, ...]]) -> Iterator[TextProblem]:
    """Of all TXT records of the zone. ``texts`` are those of all zones, by their names."""
    for name, kinds in zone.by_name.items():
        for one in kinds.get("TXT", ()):
            if any(len(part) > LONGEST_STRING for part in strings_of(one.value, zone.zone.name)):
                yield _error(one.place, _("a string of a TXT record has 255 octets at most; write several"))
        found = [(one.place, _text(one.value)) for one in kinds.get("TXT", ())]
        yield from _spf(name, [(place, text) for place, text in found if _is_spf(text)], texts)
        if name.startswith("_dmarc."):
            yield from _dmarc(found)
        if "._domainkey." in name:
            for place, text in found:
                yield from _dkim(place, text)


def _error(place: str, template: str, **values: Any) -> TextProblem:
    return TextProblem(place, Severity.ERROR, template, values)


def _warning(place: str, template: str, **values: Any) -> TextProblem:
    return TextProblem(place, Severity.WARNING, template, values)


def _text(value: str) -> str:
    return b"".join(strings_of(value, "invalid")).decode("utf-8", "replace")


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


# SPF


def _spf(name: str, found: list[tuple[str, str]], texts: Mapping[str, tuple[str, ...]]) -> Iterator[TextProblem]:
    if not found:
        return
    place, text = found[0]
    if len(found) > 1:
        yield _error(place, _("two SPF records at one name: receivers take neither (RFC 7208 section 4.5)"))
        return
    for term in text.split()[1:]:
        if reason := _unfit(term):
            yield _error(place, _("the SPF record has a term that is none: {term}"), term=reason)
            return
    if (count := _lookups(name, text, texts, frozenset())) > SPF_LOOKUPS:
        words = _("the SPF record needs {count} look-ups, and receivers do {most} (RFC 7208 section 4.6.4)")
        yield _error(place, words, count=count, most=SPF_LOOKUPS)
    last = [term.lower() for term in text.split()[1:]]
    if {"all", "+all"} & set(last):
        yield _warning(place, _("the SPF record allows everybody to send in this name"))
    elif not any(term.lstrip("+?~-") == "all" or term.startswith("redirect=") for term in last):
        yield _warning(place, _("the SPF record says nothing of others: end it with -all or ~all"))


def _unfit(term: str) -> str:
    """The term when it is none of RFC 7208 section 4.6.1, or an empty text."""
    if _MODIFIER.fullmatch(term):
        return ""
    found = _TERM.fullmatch(term)
    if found is None:
        return term
    _sign, mechanism, mark, rest = found.groups()
    mechanism = mechanism.lower()
    if mechanism == "all":
        return term if mark else ""
    if mechanism in {"include", "exists"}:
        return "" if mark == ":" and rest else term
    if mechanism in {"ip4", "ip6"}:
        try:
            return "" if mark == ":" and ip_network(rest, strict=False).version == int(mechanism[2]) else term
        except ValueError:
            return term
    return term if mark and not rest else ""


def _lookups(name: str, text: str, texts: Mapping[str, tuple[str, ...]], seen: frozenset[str]) -> int:
    """How many terms ask the DNS, those of included records counted where we have them."""
    count = 0
    for term in text.split()[1:]:
        word = term.lower()
        found = _TERM.fullmatch(word)
        if found is not None and found[2] in {"include", "a", "mx", "ptr", "exists"}:
            count += 1
            target = found[4] if found[2] == "include" else ""
        elif word.startswith("redirect="):
            count, target = count + 1, word.partition("=")[2]
        else:
            continue
        target = (target or "").removesuffix(".")
        if target and target not in seen | {name}:
            for value in texts.get(target, ()):
                inner = _text(value)
                if _is_spf(inner):
                    count += _lookups(target, inner, texts, seen | {name})
    return count


# DMARC


def _dmarc(found: list[tuple[str, str]]) -> Iterator[TextProblem]:
    policies = [(place, text) for place, text in found if text.lstrip().lower().startswith("v=dmarc1")]
    if not policies:
        for place, _unread in found[:1]:
            yield _error(place, _("the text of a DMARC policy begins with v=DMARC1"))
        return
    place, text = policies[0]
    if len(policies) > 1:
        yield _error(place, _("two DMARC policies at one name: receivers take neither (RFC 7489 section 6.6.3)"))
        return
    tags = _tags(text)
    if tags is None or next(iter(tags)) != "v" or tags["v"] != "DMARC1":
        yield _error(place, _("a DMARC policy is tags with values between semicolons: v=DMARC1; p=reject"))
        return
    if list(tags)[1:2] != ["p"]:
        yield _error(place, _("in a DMARC policy the tag p follows v at once (RFC 7489 section 6.3)"))
    for tag, value in tags.items():
        if tag in _DMARC_VALUES and not re.fullmatch(_DMARC_VALUES[tag], value):
            yield _error(place, _("the DMARC policy's {tag} cannot be {value}"), tag=tag, value=value)
        elif tag != "v" and tag not in _DMARC_VALUES:
            yield _warning(place, _("receivers do not know the DMARC tag {tag}"), tag=tag)
    if tags.get("p") == "none":
        yield _warning(place, _("the DMARC policy none lets forged mail through"))


def _tags(text: str) -> dict[str, str] | None:
    """The tags of RFC 6376 section 3.2, or None for another text or a tag that stands twice."""
    tags: dict[str, str] = {}
    for part in text.strip().removesuffix(";").split(";"):
        tag, sign, value = part.partition("=")
        if not sign or not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", tag.strip()) or tag.strip() in tags:
            return None
        tags[tag.strip()] = value.strip()
    return tags


# DKIM


def _dkim(place: str, text: str) -> Iterator[TextProblem]:
    tags = _tags(text)
    if tags is None or "p" not in tags or (("v" in tags) and (next(iter(tags)) != "v" or tags["v"] != "DKIM1")):
        yield _error(place, _("a DKIM key is tags with values between semicolons: v=DKIM1; k=rsa; p=..."))
        return
    kind = tags.get("k", "rsa")
    if kind not in {"rsa", "ed25519"}:
        yield _error(place, _("a DKIM key is rsa or ed25519, and not {kind}"), kind=kind)
        return
    if not (written := "".join(tags["p"].split())):
        yield _warning(place, _("the DKIM key is withdrawn: its p is empty"))
        return
    try:
        raw = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        yield _error(place, _("the DKIM key's p is no base64"))
        return
    if kind == "ed25519":
        if len(raw) != 32:
            yield _error(place, _("an ed25519 key has 32 octets, and this one {count}"), count=len(raw))
        return
    yield from _rsa(place, raw)


def _rsa(place: str, raw: bytes) -> Iterator[TextProblem]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(raw)
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        yield _error(place, _("the DKIM key's p is no RSA key"))
    elif key.key_size < _LEAST_BITS:
        yield _error(place, _("an RSA key of {bits} bits is not accepted (RFC 8301)"), bits=key.key_size)
    elif key.key_size < _GOOD_BITS:
        yield _warning(place, _("an RSA key of {bits} bits is short: take 2048"), bits=key.key_size)
