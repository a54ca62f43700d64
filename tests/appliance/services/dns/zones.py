"""Zones for the tests, by the lines of a zone file."""

from __future__ import annotations

from appliance.services.dns.content import ServedZone
from appliance.services.dns.rules import Problem, problems
from appliance.services.dns.zone_text import read_zone

__all__ = ["HEAD", "said", "zone"]

HEAD = """\
$TTL 3600
@ IN SOA ns hostmaster ( 1 7200 900 1209600 300 )
@ NS ns
ns A 192.0.2.1
"""


def zone(name: str, lines: str, *, head: str = HEAD) -> ServedZone:
    """The zone of these lines, behind the usual ones."""
    found = read_zone(head + lines + "\n", name)
    assert found.zone is not None
    return ServedZone(zone=found.zone, records=tuple(sorted(found.records, key=lambda one: one.order)))


def said(*zones: ServedZone) -> list[tuple[str, str, str]]:
    """What is wrong: severity, place and words."""
    return [_words(one) for one in problems(zones)]


def _words(one: Problem) -> tuple[str, str, str]:
    return one.severity.value, one.place, one.template.format_map(dict(one.values))
