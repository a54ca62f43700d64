"""A zone as it is served: its own records, and those that other services declare in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from appliance.components.agreements import DnsRecord
from appliance.services.dns.model import Zone
from appliance.services.dns.names import below
from appliance.services.dns.rdata import canonical, strings_of

__all__ = ["Broken", "Served", "ServedRecord", "ServedZone", "Wanted", "txt_kind", "with_declared", "zone_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRecord:
    """A record. ``name`` is whole and without its last dot; ``value`` is in its one form (``rdata.canonical``)."""

    name: str
    type: str
    value: str
    ttl: int
    declared_by: str = ""
    """The component that wants it; empty for a record of the table."""

    @property
    def place(self) -> str:
        """Where a finding says it is."""
        return f"dns.records/{self.name} {self.type}"

    @property
    def order(self) -> tuple[tuple[str, ...], str, str]:
        """By names from the top of the tree downwards (RFC 4034 section 6.1 without its octets), then types."""
        return tuple(reversed(self.name.split("."))), self.type, self.value


@dataclass(frozen=True, kw_only=True)
class ServedZone:
    """A zone with its records in their order."""

    zone: Zone
    records: tuple[ServedRecord, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Mapping[str, tuple[ServedRecord, ...]]]:
        """The records of each name and type."""
        found: dict[str, dict[str, list[ServedRecord]]] = {}
        for one in self.records:
            found.setdefault(one.name, {}).setdefault(one.type, []).append(one)
        return {name: {kind: tuple(ones) for kind, ones in kinds.items()} for name, kinds in found.items()}

    @cached_property
    def existing(self) -> frozenset[str]:
        """All names that are there, those among them that only have others below them (RFC 4592 section 2.2.2)."""
        found = {self.zone.name}
        for whole in self.by_name:
            name = whole
            while name not in found and below(name, self.zone.name):
                found.add(name)
                name = name.partition(".")[2]
        return frozenset(found)

    def at(self, name: str, kind: str) -> tuple[ServedRecord, ...]:
        """The records of one name and type."""
        return self.by_name.get(name, {}).get(kind, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A record that a component declares."""

    component: str
    record: DnsRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A declared record that is no record, or that lies in a zone and cannot be read."""

    wanted: Wanted
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What comes of zones and of what others want in them."""

    zones: tuple[ServedZone, ...]
    fulfilled: tuple[DnsRecord, ...]
    """The declared records that are served, as they were declared."""
    broken: tuple[Broken, ...] = field(default=())


def zone_of(name: str, zones: Iterable[str]) -> str | None:
    """The longest of the zones in which the name lies."""
    return max((zone for zone in zones if below(name, zone)), key=len, default=None)


def txt_kind(value: str) -> str:
    """What a TXT record is for, by how it begins: ``v=spf1``, ``v=DMARC1``; empty for any other text.

    Records of different purposes stand beside each other at one name; two of one
    purpose are one too many (RFC 7208 section 3.2, RFC 7489 section 6.6.3).
    """
    try:
        text = b"".join(strings_of(value, "invalid")).decode("ascii", "replace")
    except ValueError:
        return ""
    tag = text.partition(";")[0].split(" ")[0].strip()
    return tag if tag.lower().startswith("v=") else ""


def with_declared(zones: Sequence[ServedZone], wanted: Iterable[Wanted]) -> Served:
    """The zones with the declared records that lie in them.

    A record of the table with the same owner and type but another value wins:
    who keeps the zone has said otherwise, and the agreement is broken, which the
    component that declared it says. TXT records of another purpose do not count.
    """
    standing = {one.zone.name: one for one in zones}
    added: dict[str, dict[tuple[str, str, str], ServedRecord]] = {name: {} for name in standing}
    fulfilled: list[DnsRecord] = []
    broken: list[Broken] = []
    for one in wanted:
        name = one.record.name.lower().removesuffix(".")
        zone = zone_of(name, standing)
        if zone is None:
            continue
        kind = one.record.type.upper()
        there = standing[zone].at(name, kind)
        if not one.record.value:
            if there:
                fulfilled.append(one.record)
            continue
        try:
            value = canonical(kind, one.record.value, zone)
        except ValueError as error:
            broken.append(Broken(wanted=one, reason=str(error)))
            continue
        rivals = [other for other in there if kind != "TXT" or txt_kind(other.value) == txt_kind(value)]
        if any(other.value == value for other in there):
            fulfilled.append(one.record)
        elif not rivals or (kind == "TXT" and not txt_kind(value)):
            ttl = there[0].ttl if there else standing[zone].zone.ttl
            made = ServedRecord(name=name, type=kind, value=value, ttl=ttl, declared_by=one.component)
            added[zone].setdefault((name, kind, value), made)
            fulfilled.append(one.record)
    merged = tuple(_merged(one, added[one.zone.name].values()) for one in zones)
    return Served(zones=merged, fulfilled=tuple(fulfilled), broken=tuple(broken))


def _merged(zone: ServedZone, more: Iterable[ServedRecord]) -> ServedZone:
    return replace(zone, records=tuple(sorted((*zone.records, *more), key=lambda one: one.order)))
