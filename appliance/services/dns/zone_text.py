"""A zone as text (RFC 1035 section 5), written and read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.dns.content import ServedRecord, ServedZone
from appliance.services.dns.model import Zone
from appliance.services.dns.names import below, relative
from appliance.services.dns.rdata import canonical

if TYPE_CHECKING:
    from dns.tokenizer import Token

__all__ = ["MOST_RECORDS", "ReadZone", "mailbox", "read_zone", "serial_in", "with_serial", "write_zone"]

MOST_RECORDS = 10_000
TYPES = frozenset({"A", "AAAA", "MX", "CNAME", "TXT", "SRV", "PTR", "NS", "CAA"})
_SERIAL = re.compile(r"^(\s+)(\d+)(\s+; serial)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadZone:
    """What stood in a text: the SOA's fields, if it had one, and the records."""

    zone: Zone | None
    records: tuple[ServedRecord, ...]


def write_zone(served: ServedZone) -> str:
    """The zone; its serial is the least that may be served, on a line of its own (``with_serial``)."""
    zone = served.zone
    lines = [
        f"$ORIGIN {zone.name}.",
        f"$TTL {zone.ttl}",
        f"@ IN SOA {zone.primary}. {mailbox(zone.contact)} (",
        f"        {zone.least_serial} ; serial",
        f"        {zone.refresh} ; refresh",
        f"        {zone.retry} ; retry",
        f"        {zone.expire} ; expire",
        f"        {zone.negative_ttl} ; negative answers",
        ")",
    ]
    lines += [f"{relative(one.name, zone.name)} {one.ttl} IN {one.type} {one.value}" for one in served.records]
    return "\n".join(lines) + "\n"


def serial_in(text: str) -> int:
    """The serial of a text of ``write_zone``."""
    found = _SERIAL.search(text)
    if found is None:
        raise ValueError("the text has no line of its serial")
    return int(found[2])


def with_serial(text: str, serial: int) -> str:
    """A text of ``write_zone`` with another serial."""
    return _SERIAL.sub(lambda found: f"{found[1]}{serial}{found[3]}", text, count=1)


def mailbox(address: str) -> str:
    """A mail address as a name (RFC 1035 section 8): dots of the local part are escaped."""
    local, _at, domain = address.rpartition("@")
    return f"{local.replace('.', chr(92) + '.')}.{domain}.".lower()


def _address(labels: tuple[bytes, ...]) -> str:
    local, *domain = (label.decode("ascii", "replace") for label in labels if label)
    return f"{local}@{'.'.join(domain)}"


def read_zone(text: str, name: str) -> ReadZone:
    """Read a zone. Raises RuleBroken with the place of what it cannot take, as line and column, both from 1.

    $INCLUDE is refused, because the text comes from somebody's own computer, and
    $GENERATE, because of what it may grow to.
    """
    return _Reading(text, name).read()


class _Fault(Exception):
    """Words, said of the last token."""


class _Reading:
    """One text. ``column`` is where the token at hand begins."""

    def __init__(self, text: str, name: str) -> None:
        self.zone_name = name
        self.tokens = _placed(text)
        self.origin = name
        self.owner = ""
        self.ttl: int | None = None
        self.last_ttl: int | None = None
        self.zone: Zone | None = None
        self.records: list[ServedRecord] = []

    def read(self) -> ReadZone:
        """All lines."""
        import dns.exception

        try:
            while self._line():
                if len(self.records) > MOST_RECORDS:
                    raise _Fault(f"more than {MOST_RECORDS} records")
        except (_Fault, dns.exception.DNSException, ValueError) as error:
            reason = str(error) or type(error).__name__
            line, column = self.tokens.place
            words = _("line {line}, column {column}: {reason}")
            raise RuleBroken(words, field="text", line=line, column=column, reason=reason) from None
        return ReadZone(zone=self.zone, records=tuple(self.records))

    def _line(self) -> bool:
        token = self.tokens.get(want_leading=True)
        if token.is_eof():
            return False
        if token.is_eol():
            return True
        if token.is_whitespace():
            token = self.tokens.get()
            if token.is_eol_or_eof():
                return not token.is_eof()
            if not self.owner:
                raise _Fault("the first record has no owner")
            self.tokens.unget(token)
        elif token.value.startswith("$"):
            self._directive(token.value.upper())
            return True
        else:
            self.owner = self._name(token)
            if not below(self.owner, self.zone_name):
                raise _Fault(f"{self.owner} does not lie in the zone {self.zone_name}")
        self._record()
        return True

    def _directive(self, word: str) -> None:
        if word == "$TTL":
            self.ttl = _ttl(self.tokens.get().value)
        elif word == "$ORIGIN":
            self.origin = self._name(self.tokens.get())
        else:
            raise _Fault(f"{word} is not read here")
        self.tokens.get_eol()

    def _name(self, token: Token) -> str:
        import dns.name

        if not token.is_identifier():
            raise _Fault("expected a name")
        origin = dns.name.from_text(self.origin)
        found: str = self.tokens.as_name(token, origin).to_text(omit_final_dot=True)
        return found.lower()

    def _record(self) -> None:
        import dns.name
        import dns.rdata
        import dns.rdataclass
        import dns.rdatatype

        ttl: int | None = None
        while True:
            token = self.tokens.get()
            word = token.value.upper()
            if not token.is_identifier():
                raise _Fault("expected a type of record")
            if word in {"IN", "CH", "HS"}:
                if word != "IN":
                    raise _Fault(f"the class {word} is not served")
            elif ttl is None and word[:1].isdigit():
                ttl = _ttl(word)
            else:
                break
        if word not in {*TYPES, "SOA"}:
            raise _Fault(f"records of the type {word} are not kept")
        if word == "SOA" and self.owner != self.zone_name:
            raise _Fault(f"the SOA is of {self.owner}, and not of {self.zone_name}")
        if word == "SOA" and self.zone is not None:
            raise _Fault("a second SOA")
        data: Any = dns.rdata.from_text(
            dns.rdataclass.IN,
            dns.rdatatype.from_text(word),
            self.tokens,
            dns.name.from_text(self.origin),
            relativize=False,
        )
        if word == "SOA":
            self._soa(data)
            return
        found = ttl if ttl is not None else self.ttl if self.ttl is not None else self.last_ttl
        if found is None and self.zone is None:
            raise _Fault("a record without a time to live, before a $TTL and before the SOA")
        self.last_ttl = found if ttl is not None else self.last_ttl
        value = canonical(word, data.to_text(), self.zone_name)
        kept = found if found is not None else self.zone.negative_ttl if self.zone else 0
        self.records.append(ServedRecord(name=self.owner, type=word, value=value, ttl=kept))

    def _soa(self, data: Any) -> None:
        self.zone = Zone(
            name=self.zone_name,
            primary=data.mname.to_text(omit_final_dot=True).lower(),
            contact=_address(data.rname.labels),
            ttl=max(1, self.ttl if self.ttl is not None else data.minimum),
            negative_ttl=max(1, data.minimum),
            refresh=data.refresh,
            retry=data.retry,
            expire=data.expire,
            least_serial=max(1, data.serial),
        )


def _ttl(word: str) -> int:
    import dns.ttl

    found: int = dns.ttl.from_text(word)
    return found


def _placed(text: str) -> Any:
    """dnspython's tokenizer, which counts lines, with the columns added. Made here, so that it is loaded late."""
    from dns.tokenizer import Tokenizer

    class Placed(Tokenizer):
        """``place`` is the line and the column at which the last token began."""

        def __init__(self) -> None:
            super().__init__(text, filename="zone")
            self._at = 0

        def skip_whitespace(self) -> int:
            skipped = super().skip_whitespace()
            self._at = self.file.tell() - (self.ungotten_char not in (None, ""))
            return skipped

        @property
        def place(self) -> tuple[int, int]:
            start = text.rfind("\n", 0, self._at) + 1
            return text.count("\n", 0, self._at) + 1, self._at - start + 1

    return Placed()
