"""Agreements across services: what one needs, some other must provide, or the commit is refused.

Mail declares the DNS records without which nobody can reach it; DNS says what
it serves. Who removes the zone learns of it before anything is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.components.finding import error
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.language import _

__all__ = ["Accounts", "Declared", "DnsRecord", "DnsRecords", "account", "dns_record", "provided", "unmet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One thing that is needed or provided. A component provides those of its ``provides``."""

    kind: str
    """``dns-record``, ``account``."""
    key: str
    """``MX example.org``."""
    value: str = ""
    """``10 mail.example.org``; empty: any will do."""


def provided(all_components: Mapping[str, Component]) -> Iterator[tuple[str, Declared]]:
    """Everything that is provided, with the component that does."""
    for name, component in all_components.items():
        for one in getattr(component, "provides", ()):
            yield name, one


def unmet(component: str, needs: Sequence[Declared], all_components: Mapping[str, Component]) -> tuple[Finding, ...]:
    """A finding for each need that nobody meets; one that is met with another value says whose."""
    offers: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, one in provided(all_components):
        offers.setdefault((one.kind, one.key), []).append((name, one.value))
    return tuple(
        finding for need in needs if (finding := _unmet(component, need, offers.get((need.kind, need.key), ())))
    )


def _unmet(component: str, need: Declared, offers: Sequence[tuple[str, str]]) -> Finding | None:
    if any(need.value in {"", value} for _, value in offers):
        return None
    wanted = f"{need.key} {need.value}".strip()
    if not offers:
        return error(component, _("needs the {kind} {wanted}, which nobody provides"), kind=need.kind, wanted=wanted)
    provider, value = offers[0]
    return error(
        component,
        _("needs the {kind} {wanted}; {provider} provides {other}"),
        kind=need.kind,
        wanted=wanted,
        provider=provider,
        other=value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """A record of the DNS, in the presentation format of RFC 1035 section 5.1, without TTL and class."""

    name: str
    type: str
    value: str = ""
    """Empty: any value will do, as when the record is of a machine elsewhere."""


def dns_record(record: DnsRecord) -> Declared:
    """The record in the one form in which two spellings of it are the same (RFC 4343: case does not count in names).

    The value of a TXT record keeps its case; so does everything else that is
    quoted.
    """
    name = record.name.lower().rstrip(".")
    value = " ".join(record.value.split()) if '"' not in record.value else record.value.strip()
    if record.type.upper() in {"A", "AAAA", "CNAME", "MX", "NS", "PTR", "SRV"}:
        value = value.lower().rstrip(".")
    return Declared(kind="dns-record", key=f"{record.type.upper()} {name}", value=value)


def account(address: str) -> Declared:
    """An account that can be logged in to, or written to: ``notices@example.org``."""
    return Declared(kind="account", key=address.lower())


class _Declaration:
    """A component that only declares."""

    __slots__ = ()

    def render(self) -> Sequence[RenderedFile]:
        """A declaration has no files."""
        return ()

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Everything was said by ``verify``."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Who provides acts."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Who provides is probed."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecords(_Declaration):
    """The records without which a service is not found. The component of a name server lists what it serves in its
    ``provides``, by ``dns_record``."""

    name: str
    records: tuple[DnsRecord, ...]
    requires: tuple[str, ...] = ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether each of them is served."""
        return unmet(self.name, tuple(dns_record(record) for record in self.records), all_components)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts(_Declaration):
    """The accounts that a service uses, such as that from which it sends notices."""

    name: str
    addresses: tuple[str, ...]
    requires: tuple[str, ...] = ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether each of them is there."""
        return unmet(self.name, tuple(account(address) for address in self.addresses), all_components)
