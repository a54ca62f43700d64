"""Questions to the appliance's own servers, over UDP, by TCP when the answer is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.rrset import RRset

__all__ = ["Answer", "ask", "serial_of", "transfer_of"]

WITHIN = 2.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server has said."""

    code: str
    """``NOERROR``, ``NXDOMAIN``, ``REFUSED``; or ``no answer``."""
    authoritative: bool = False
    recursion: bool = False
    records: tuple[str, ...] = ()
    """The answer section, in presentation format with owner, TTL, class and type."""
    authority: tuple[str, ...] = ()
    seconds: float = 0.0

    def values(self, kind: str) -> tuple[str, ...]:
        """The data of the answer's records of one type, sorted, without their owners; small letters for names."""
        found = (one.split(None, 4) for one in self.records)
        return tuple(sorted(parts[4] for parts in found if len(parts) == 5 and parts[3] == kind))


def ask(name: str, kind: str, server: str, port: int = 53, *, recurse: bool = True, within: float = WITHIN) -> Answer:
    """Ask a server. Raises ValueError for a name that is none."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query
    import dns.rcode

    try:
        question = dns.message.make_query(name, kind, use_edns=0, payload=1232)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(str(error)) from None
    if not recurse:
        question.flags &= ~dns.flags.RD
    try:
        said, _by_tcp = dns.query.udp_with_fallback(question, server, timeout=within, port=port)
    except (dns.exception.DNSException, OSError) as error:
        return Answer(code=f"no answer: {error or type(error).__name__}")
    return Answer(
        code=dns.rcode.to_text(said.rcode()),
        authoritative=bool(said.flags & dns.flags.AA),
        recursion=bool(said.flags & dns.flags.RA),
        records=_lines(said.answer),
        authority=_lines(said.authority),
        seconds=float(getattr(said, "time", 0.0)),
    )


def _lines(section: Sequence[RRset]) -> tuple[str, ...]:
    return tuple(line for rrset in section for line in rrset.to_text().splitlines())


def serial_of(zone: str, server: str, port: int = 53) -> int | None:
    """The serial that a server gives for a zone, or None."""
    values = ask(zone, "SOA", server, port, recurse=False).values("SOA")
    return int(values[0].split()[2]) if values else None


def transfer_of(zone: str, server: str, port: int = 53, within: float = WITHIN) -> str:
    """What a server says when it is asked for the whole zone (RFC 5936): the code, or ``NOERROR`` when it gives it."""
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode

    try:
        said = dns.query.tcp(dns.message.make_query(zone, "AXFR"), server, timeout=within, port=port)
    except (dns.exception.DNSException, OSError, EOFError) as error:
        return f"no answer: {error or type(error).__name__}"
    return dns.rcode.to_text(said.rcode())
