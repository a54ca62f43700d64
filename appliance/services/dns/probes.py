"""Whether the name server and the resolver say what they should, asked over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from appliance.components.finding import error
from appliance.components.own_addresses import addresses_elsewhere
from appliance.contract.components import Finding, Machine
from appliance.language import _
from appliance.services.dns.asking import ask, transfer_of
from appliance.services.dns.content import ServedRecord, ServedZone
from appliance.services.dns.rules import cut_above
from appliance.services.dns.zone_text import mailbox

__all__ = ["AUTHORITATIVE", "RESOLVER", "probe_resolver", "wrong_answers"]

AUTHORITATIVE, RESOLVER = ("127.0.0.1", 5300), ("127.0.0.1", 53)
MOST_ASKED = 200
"""Sets of records of one zone; of a larger one as many, evenly over it."""


def wrong_answers(component: str, zones: Sequence[ServedZone], partners: Sequence[str]) -> Iterator[Finding]:
    """What the name server says otherwise than the zones, and whether it hands out whole zones."""
    for zone in zones:
        name = zone.zone.name
        said = ask(name, "SOA", *AUTHORITATIVE, recurse=False)
        begins = f"{zone.zone.primary}. {mailbox(zone.zone.contact)} "
        values = said.values("SOA")
        if not values or not said.authoritative or not values[0].lower().startswith(begins.lower()):
            yield error(component, _("the name server does not serve {zone}: {code}"), zone=name, code=said.code)
            continue
        for owner, kind, wanted in _some(_sets(zone), MOST_ASKED):
            found = ask(owner, kind, *AUTHORITATIVE, recurse=False)
            if {one.lower() for one in found.values(kind)} != {one.lower() for one in wanted}:
                words = _("the name server answers {found} for {name} {type}")
                answered = ", ".join(found.values(kind)) or found.code
                yield error(component, words, name=owner, type=kind, found=answered)
        if "127.0.0.1" not in partners and (code := transfer_of(name, *AUTHORITATIVE)) != "REFUSED":
            words = _("the name server does not refuse to hand out {zone} as a whole: {code}")
            yield error(component, words, zone=name, code=code)


def _sets(zone: ServedZone) -> list[tuple[str, str, tuple[str, ...]]]:
    """What the server answers itself: not what is handed over to others, nor stars, which it writes otherwise."""
    found = []
    for owner, kinds in zone.by_name.items():
        if cut_above(zone, owner) is None and not owner.startswith("*."):
            found += [(owner, kind, _values(ones)) for kind, ones in kinds.items()]
    return found


def _values(ones: Iterable[ServedRecord]) -> tuple[str, ...]:
    return tuple(sorted({one.value for one in ones}))


def _some(sets: list[tuple[str, str, tuple[str, ...]]], most: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    step = max(1, -(-len(sets) // most))
    yield from sets[::step]


def probe_resolver(files: Path, machine: Machine) -> Sequence[Finding]:
    """Whether each of its addresses answers for our own zones as the name server does."""
    told: Mapping[str, Sequence[str]] = json.loads((files / "probe.json").read_text(encoding="utf-8"))
    elsewhere = addresses_elsewhere("dns.unbound", "dns/addresses", told["addresses"])
    # Nobody here answers at an address that is not here, and waiting for it would fail the commit with other words.
    missing = {str(one.values["address"]) for one in elsewhere}
    here = ("127.0.0.1", *(one for one in told["addresses"] if one not in missing))
    return (*_resolver_findings(told["zones"], here), *elsewhere)


def _resolver_findings(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[Finding]:
    for address in addresses:
        # Without zones of ours a name that each resolver knows itself (RFC 6761 section 6.3).
        for name, kind in [(zone, "SOA") for zone in zones] or [("localhost", "A")]:
            said = ask(name, kind, address)
            wanted = ask(name, kind, *AUTHORITATIVE, recurse=False).values(kind) if zones else ("127.0.0.1",)
            # Our own address may lie outside the networks that may ask, and is refused then.
            refused = said.code == "REFUSED" and address != "127.0.0.1"
            if not refused and said.values(kind) != wanted:
                words = _("the resolver at {address} answers {code} for {name}")
                yield error("dns.unbound", words, address=address, code=said.code, name=name)
