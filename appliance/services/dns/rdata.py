"""A record's data: read by dnspython, written in one form, so that two spellings of the same are the same text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.dns.names import absolute, below

if TYPE_CHECKING:
    from dns.rdata import Rdata

__all__ = ["LONGEST_STRING", "canonical", "parse", "quoted", "refuse_entry", "strings_of", "target_of"]

LONGEST_STRING = 255
"""Octets of one character-string (RFC 1035 section 3.3)."""
_LOWER = {"A", "AAAA", "MX", "CNAME", "PTR", "NS", "SRV"}


def quoted(text: str) -> str:
    """A text of any length as character-strings: ``"v=DKIM1; p=MII…" "…"`` (RFC 7208 section 3.3, RFC 6376 3.6.2.2)."""
    octets = text.encode()
    parts = [octets[place : place + LONGEST_STRING] for place in range(0, len(octets), LONGEST_STRING)] or [b""]
    return " ".join(f'"{_escaped(part)}"' for part in parts)


def _escaped(part: bytes) -> str:
    """RFC 1035 section 5.1: a quote and a backslash by a backslash, what is not printable by three digits."""
    return "".join(
        f"\\{chr(one)}" if one in b'"\\' else chr(one) if 0x20 <= one < 0x7F else f"\\{one:03d}" for one in part
    )


@lru_cache(maxsize=8192)
def parse(kind: str, value: str, zone: str) -> Rdata:
    """The data; names without a last dot are below the zone. A TXT that is not quoted is one text, of any length.

    Raises ValueError with dnspython's words.
    """
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    text = quoted(value) if kind == "TXT" and not value.lstrip().startswith('"') else value
    try:
        return dns.rdata.from_text(
            dns.rdataclass.IN,
            dns.rdatatype.from_text(kind),
            text,
            origin=dns.name.from_text(zone),
            relativize=False,
        )
    except dns.exception.DNSException as error:
        raise ValueError(str(error) or type(error).__name__) from None
    except (ValueError, UnicodeError) as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=8192)
def canonical(kind: str, value: str, zone: str) -> str:
    """The data in one form: whole names with their last dot, in small letters. Raises ValueError."""
    text = parse(kind, value, zone).to_text()
    return text.lower() if kind in _LOWER else text


def strings_of(value: str, zone: str) -> tuple[bytes, ...]:
    """The character-strings of a TXT record."""
    found = parse("TXT", value, zone)
    return tuple(found.strings)  # type: ignore[attr-defined]


def target_of(kind: str, value: str) -> str | None:
    """The host that a record in its one form points at, without its last dot; None for one that points at none."""
    if kind not in {"MX", "NS", "SRV", "CNAME", "PTR"}:
        return None
    return value.rsplit(" ", 1)[-1].removesuffix(".")


def refuse_entry(zone: str, owner: str, kind: str, value: str) -> None:
    """Raise RuleBroken for a record that no server could serve."""
    name = absolute(owner, zone)
    if not below(name, zone):
        raise RuleBroken(_("{name} does not lie in the zone {zone}"), field="owner", name=name, zone=zone)
    if len(name) > 253:
        raise RuleBroken(_("{name} is longer than 253 characters"), field="owner", name=name[:60])
    try:
        canonical(kind, value, zone)
    except ValueError as error:
        words = _("a record of the type {type} cannot be this: {reason}")
        raise RuleBroken(words, field="value", type=kind, reason=str(error)) from None
