"""What is wrong with zones as a whole: what no single record shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from appliance.contract.components import Severity
from appliance.language import _
from appliance.services.dns.content import ServedRecord, ServedZone, zone_of
from appliance.services.dns.names import address_of, below, reverse_name
from appliance.services.dns.rdata import target_of
from appliance.services.dns.text_rules import text_problems

__all__ = ["Problem", "problems"]

DAY = 86_400
LEAST_TTL, LONGEST_TTL = 30, 7 * DAY
"""Seconds. Below, resolvers ask all the time; above, a mistake stays for longer than a week (RFC 1912 section 2.2)."""


class Problem(NamedTuple):
    """``template`` is English with ``{names}``; ``place`` is ``dns.records/mail.rssulsel.com A``."""

    place: str
    severity: Severity
    template: str
    values: Mapping[str, Any]


class Tree:
    """All zones of the appliance: what the world below them is known to be."""

    def __init__(self, zones: Sequence[ServedZone]) -> None:
        self.zones = {one.zone.name: one for one in zones}

    def zone_of(self, name: str) -> ServedZone | None:
        """The zone in which the name lies, and which is not delegated away there."""
        found = zone_of(name, self.zones)
        if found is None or cut_above(self.zones[found], name) is not None:
            return None
        return self.zones[found]

    def records(self, name: str) -> Mapping[str, tuple[ServedRecord, ...]] | None:
        """What is at a name, wildcards counted (RFC 4592); None for a name of others."""
        zone = self.zone_of(name)
        if zone is None:
            return None
        if name in zone.by_name:
            return zone.by_name[name]
        if name in zone.existing:
            return {}
        closest = name
        while closest not in zone.existing:
            closest = closest.partition(".")[2]
        return zone.by_name.get(f"*.{closest}", {})


def problems(zones: Sequence[ServedZone]) -> tuple[Problem, ...]:
    """Everything, errors first, then in the order of the zones."""
    tree = Tree(zones)
    found = [problem for zone in zones for rule in _RULES for problem in rule(zone, tree)]
    return tuple(sorted(found, key=lambda one: one.severity is not Severity.ERROR))


def cut_above(zone: ServedZone, name: str) -> str | None:
    """The name at which the zone hands this one over to others, or None."""
    labels = name.removesuffix(zone.zone.name).rstrip(".").split(".")
    for place in range(len(labels) - 1, -1, -1):
        cut = f"{'.'.join(labels[place:])}.{zone.zone.name}"
        if labels[place] and zone.at(cut, "NS"):
            return cut
    return None


def _error(place: str, template: str, **values: Any) -> Problem:
    return Problem(place, Severity.ERROR, template, values)


def _warning(place: str, template: str, **values: Any) -> Problem:
    return Problem(place, Severity.WARNING, template, values)


def _name_servers(zone: ServedZone, _tree: Tree) -> Iterator[Problem]:
    name = zone.zone.name
    servers = zone.at(name, "NS")
    if not servers:
        yield _error(f"dns.zones/{name}", _("the zone names no name server: add an NS record of @"))
    elif f"{zone.zone.primary}." not in {one.value for one in servers}:
        words = _("the primary name server {primary} is not among the NS records")
        yield _warning(f"dns.zones/{name}", words, primary=zone.zone.primary)


def _belongs(zone: ServedZone, tree: Tree) -> Iterator[Problem]:
    for one in zone.records:
        if not below(one.name, zone.zone.name):
            yield _error(one.place, _("{name} does not lie in the zone {zone}"), name=one.name, zone=zone.zone.name)
        elif (nearer := zone_of(one.name, tree.zones)) != zone.zone.name and one.type not in {"NS", "A", "AAAA"}:
            words = _("{name} lies in the zone {zone}, which is served here too: nobody sees this record")
            yield _error(one.place, words, name=one.name, zone=nearer)


def _duplicates(zone: ServedZone, _tree: Tree) -> Iterator[Problem]:
    seen: set[tuple[str, str, str]] = set()
    for one in zone.records:
        key = (one.name, one.type, one.value)
        if key in seen:
            yield _error(one.place, _("the same record stands twice"))
        seen.add(key)


def _aliases(zone: ServedZone, _tree: Tree) -> Iterator[Problem]:
    """RFC 1034 section 3.6.2, RFC 2181 section 10.1."""
    for name, kinds in zone.by_name.items():
        if "CNAME" not in kinds:
            continue
        place = kinds["CNAME"][0].place
        if name == zone.zone.name:
            yield _error(place, _("the zone's own name cannot be an alias: its SOA and NS stand there"))
        elif len(kinds) > 1:
            others = ", ".join(sorted(kinds.keys() - {"CNAME"}))
            yield _error(place, _("an alias stands alone, and here is {others} too"), others=others)
        if len(kinds["CNAME"]) > 1:
            yield _error(place, _("a name is the alias of one other, and not of {count}"), count=len(kinds["CNAME"]))


def _circles(zone: ServedZone, tree: Tree) -> Iterator[Problem]:
    for one in zone.records:
        if one.type != "CNAME":
            continue
        seen, target = {one.name}, target_of("CNAME", one.value)
        while target and target not in seen:
            seen.add(target)
            there = (tree.records(target) or {}).get("CNAME", ())
            target = target_of("CNAME", there[0].value) if there else None
        if target is not None and target == one.name:
            yield _error(one.place, _("the alias leads back to itself"))
        elif (final := target_of("CNAME", one.value)) and tree.records(final) == {}:
            yield _warning(one.place, _("{target}, which it is the alias of, is not there"), target=final)


def _targets(zone: ServedZone, tree: Tree) -> Iterator[Problem]:
    """RFC 2181 section 10.3: the target of an MX or NS is no alias; RFC 2782 says the same of SRV."""
    for one in zone.records:
        if one.type not in {"MX", "NS", "SRV"}:
            continue
        target = target_of(one.type, one.value)
        if not target:  # the null MX of RFC 7505, and an SRV that says that there is no such service
            continue
        if _is_address(target):
            yield _error(one.place, _("{target} is an address, and a name is wanted"), target=target)
            continue
        there = tree.records(target)
        if there is None:
            continue
        if "CNAME" in there:
            yield _error(one.place, _("{target} is an alias: name the host itself"), target=target)
        elif not there.keys() & {"A", "AAAA"}:
            yield _error(one.place, _("{target} has no address"), target=target)


def _is_address(text: str) -> bool:
    labels = text.split(".")
    return len(labels) == 4 and all(label.isdigit() for label in labels)


def _delegations(zone: ServedZone, tree: Tree) -> Iterator[Problem]:
    """RFC 1034 section 4.2.1: the address of a name server below the cut stands above it, as glue."""
    for one in zone.records:
        name = one.name
        if one.type == "NS" and name != zone.zone.name:
            target = target_of("NS", one.value) or ""
            if below(target, name) and not (zone.at(target, "A") or zone.at(target, "AAAA")):
                words = _("{target} lies in what is handed over to it: its address must stand here too (glue)")
                yield _error(one.place, words, target=target)
        elif (cut := cut_above(zone, name)) is not None and cut not in tree.zones and one.type != "NS":
            glue = {target_of("NS", server.value) for server in zone.at(cut, "NS")}
            if one.type not in {"A", "AAAA"} or name not in glue:
                words = _("{cut} is handed over to other name servers: nobody sees this record")
                yield _error(one.place, words, cut=cut)


def _reverse(zone: ServedZone, tree: Tree) -> Iterator[Problem]:
    """RFC 1912 section 2.1: addresses and names agree in both directions."""
    for one in zone.records:
        if one.type in {"A", "AAAA"} and not one.name.startswith("*."):
            there = tree.records(reverse_name(one.value))
            if there is not None and "PTR" not in there:
                yield _warning(one.place, _("{address} has no PTR record"), address=one.value)
        elif one.type == "PTR":
            yield from _pointer(one, tree)


def _pointer(one: ServedRecord, tree: Tree) -> Iterator[Problem]:
    address, target = address_of(one.name), target_of("PTR", one.value) or ""
    there = tree.records(target)
    if address is None or there is None:
        return
    if "CNAME" in there:
        yield _error(one.place, _("{target} is an alias: name the host itself"), target=target)
    elif address not in {other.value for kind in ("A", "AAAA") for other in there.get(kind, ())}:
        yield _warning(one.place, _("{target} does not have the address {address}"), target=target, address=address)


def _lifetimes(zone: ServedZone, _tree: Tree) -> Iterator[Problem]:
    for kinds in zone.by_name.values():
        for ones in kinds.values():
            ttls = {one.ttl for one in ones}
            if len(ttls) > 1:
                yield _error(ones[0].place, _("records of one name and type have one time to live (RFC 2181 5.2)"))
            if min(ttls) < LEAST_TTL:
                words = _("a time to live of {ttl} seconds makes resolvers ask all the time")
                yield _warning(ones[0].place, words, ttl=min(ttls))
            if max(ttls) > LONGEST_TTL:
                words = _("a time to live of {ttl} seconds: a mistake stays for longer than a week")
                yield _warning(ones[0].place, words, ttl=max(ttls))
    if zone.zone.negative_ttl > DAY:
        place = f"dns.zones/{zone.zone.name}"
        yield _warning(place, _("that a name is not there is kept for more than a day (RFC 2308 section 5)"))


def _underscores(zone: ServedZone, _tree: Tree) -> Iterator[Problem]:
    """Hosts have none (RFC 952, RFC 1123 section 2.1); services begin with two (RFC 2782)."""
    for one in zone.records:
        if one.type in {"A", "AAAA", "MX"} and "_" in one.name:
            yield _error(one.place, _("a host's name has no underscore: {name}"), name=one.name)
        target = target_of(one.type, one.value) or ""
        if one.type in {"MX", "NS", "SRV", "PTR"} and "_" in target:
            yield _error(one.place, _("a host's name has no underscore: {name}"), name=target)
        if one.type == "SRV" and [label[:1] for label in one.name.split(".")[:2]] != ["_", "_"]:
            words = _("an SRV record is of a service and a protocol, as _submission._tcp")
            yield _error(one.place, words)


def _texts(zone: ServedZone, tree: Tree) -> Iterator[Problem]:
    spf = {
        name: tuple(one.value for one in kinds["TXT"])
        for other in tree.zones.values()
        for name, kinds in other.by_name.items()
        if "TXT" in kinds
    }
    for place, severity, template, values in text_problems(zone, spf):
        yield Problem(place, severity, template, values)


def _names(zone: ServedZone, _tree: Tree) -> Iterator[Problem]:
    """RFC 4592: a star is a wildcard only as the first label, which the kind of an owner sees to."""
    for one in zone.records:
        if one.type == "NS" and one.name.startswith("*."):
            yield _error(one.place, _("a wildcard is not handed over to others (RFC 4592 section 4.2)"))


_RULES: tuple[Callable[[ServedZone, Tree], Iterator[Problem]], ...] = (
    _name_servers,
    _belongs,
    _duplicates,
    _aliases,
    _circles,
    _targets,
    _delegations,
    _reverse,
    _lifetimes,
    _underscores,
    _texts,
    _names,
)
