"""Failover: routes that are not watched, lines without a second way, lines without translation."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.behaviour import PRIVATE
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Lint
from compiler.balancing.lints.roles import hop_of
from compiler.balancing.lints.rows import MANGLE, NAT, ROUTES, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import default_routes, distance_of, parse_v4, table_of

__all__ = ["check_depth", "check_masquerade", "check_second_way", "check_watched"]

_PROBES = ("8.8.8.8", "1.1.1.1", "9.9.9.9", "8.8.4.4", "1.0.0.1")
"""Hosts that answer pings for everybody."""


def check_watched(subject: Subject) -> Iterator[Lint]:
    """Default routes whose gateway nobody watches, though another way is there."""
    if len(subject.roles.uplinks) < 2:
        return
    defaults = default_routes(subject.reading)
    for row in defaults:
        table, checked = table_of(row), row["check-gateway"] not in ("", "none")
        by_address = any(
            parse_v4(part.partition("@")[0].partition("%")[0]) is not None for part in row["gateway"].split(",")
        )
        if checked or not by_address or _checked_below(subject, row):
            continue
        same = [one for one in defaults if table_of(one) == table and one is not row]
        if table == "main" and not any(distance_of(one) >= distance_of(row) for one in same):
            continue  # the last resort: there is nothing behind it
        if table != "main" and same and all(distance_of(one) < distance_of(row) for one in same):
            continue
        answers = table != "main" and _only_answers(subject, table)
        what = "of the main table" if table == "main" else f"of {table}"
        lost = "connections marked for it" if table != "main" else "all that follows it"
        message = (
            f"the default by {row['gateway']} {what} has no check-gateway: "
            f"when the provider dies behind it, {lost} die too"
        )
        severity = Severity.NOTE if answers else None
        mended = (subject.change(row, {"check-gateway": "ping"}),)
        yield lint("marked-route-unchecked", subject.place(row), message, mended, severity=severity)


def _checked_below(subject: Subject, row: Row) -> bool:
    """Whether host routes to all of its gateways are watched."""
    hosts = {one["dst-address"] for one in subject.of(ROUTES) if one["check-gateway"] not in ("", "none")}
    return all(f"{part.partition('@')[0]}/32" in hosts for part in row["gateway"].split(","))


def check_depth(subject: Subject) -> Iterator[Lint]:
    """Whether anything watches more than the modems; said once."""
    if len(subject.roles.uplinks) < 2:
        return
    watched = [row for row in default_routes(subject.reading) if row["check-gateway"] not in ("", "none")]
    for row in watched:
        one = subject.roles.uplink(hop_of(subject.reading, row["gateway"]))
        gateway = parse_v4(row["gateway"].partition("@")[0])
        if one is None or gateway is None or gateway != one.gateway or "," in row["gateway"]:
            continue
        if not any(net.contains(gateway) for net in PRIVATE):
            continue
        used = {part["dst-address"].partition("/")[0] for part in subject.of(ROUTES)}
        free = [probe for probe in _PROBES if probe not in used]
        if not free:
            return
        told = row["gateway"]
        message = f"check-gateway watches {told}, which is next door: a provider that is dead behind it is not noticed"
        values = {"gateway": free[0], "target-scope": "11"}
        host = subject.before(row, ROUTES, f"dst-address={free[0]}/32 gateway={told} scope=10")
        yield lint(
            "check-ends-next-door", subject.place(row, "check-gateway"), message, (host, subject.change(row, values))
        )
        return


def _only_answers(subject: Subject, table: str) -> bool:
    """Whether only answers to connections from outside look in the table: they have no other way anyhow."""
    senders = [row for row in subject.of(MANGLE) if row["new-routing-mark"] == table]
    marks = {row["connection-mark"] for row in senders}
    givers = [row for row in subject.of(MANGLE) if row["new-connection-mark"] in marks]
    uplinks = subject.roles.uplink_names
    from_outside = all(row["in-interface"] in uplinks for row in givers)
    return bool(senders) and "" not in marks and bool(givers) and from_outside


def check_second_way(subject: Subject) -> Iterator[Lint]:
    """Whether what is not marked, and what is marked for a dead line, has a way left."""
    uplinks = subject.roles.uplinks
    if len(uplinks) < 2 or any(one.kind != "static" for one in uplinks):
        return  # leases bring their defaults themselves
    main = [row for row in default_routes(subject.reading) if table_of(row) == "main"]
    lines = {hop_of(subject.reading, part) for row in main for part in row["gateway"].split(",")}
    missing = [one for one in uplinks if one.interface not in lines and one.gateway is not None]
    if not main:
        defaults = default_routes(subject.reading)
        if not defaults:
            return  # a script of marks and translations: its routes are elsewhere
        place = subject.place(defaults[0])
        edits = tuple(
            subject.append(ROUTES, f"gateway={format_address(one.gateway, 32)} distance={number} check-gateway=ping")
            for number, one in enumerate(missing, 1)
            if one.gateway is not None
        )
        message = "the main table has no default route: the router itself, and what is not marked, reaches nobody"
        piece = not subject.of(("ip", "address"))
        yield lint("no-failover", place, message, edits, severity=Severity.NOTE if piece else None)
    elif len(lines) < 2 and missing and missing[0].gateway is not None:
        distance = max(distance_of(row) for row in main) + 1
        gateway = format_address(missing[0].gateway, 32)
        message = f"the main table leads by {', '.join(sorted(lines))} alone: when it dies, nothing takes over"
        edit = subject.append(ROUTES, f"gateway={gateway} distance={distance} check-gateway=ping")
        yield lint("no-failover", subject.place(main[0]), message, (edit,))
    yield from _equal(subject, main)


def _equal(subject: Subject, main: list[Row]) -> Iterator[Lint]:
    by: dict[int, list[Row]] = {}
    for row in main:
        by.setdefault(distance_of(row), []).append(row)
    for distance, rows in by.items():
        if len(rows) < 2 or "," in "".join(row["gateway"] for row in rows):
            continue
        told = "only one of them is used" if subject.version == 6 else "they share the traffic (ECMP)"
        message = f"{len(rows)} defaults of the main table have distance={distance}: {told}"
        taken = set(by)
        free = next(number for number in range(distance + 1, 256) if number not in taken)
        edit = subject.change(rows[1], {"distance": str(free)})
        severity = None if subject.version == 6 else Severity.NOTE
        mended = (edit,) if subject.version == 6 else ()
        yield lint("no-failover", subject.place(rows[1]), message, mended, severity=severity)


def check_masquerade(subject: Subject) -> Iterator[Lint]:
    """Lines that private addresses leave untranslated."""
    nat = [row for row in subject.of(NAT) if row["chain"] == "srcnat"]
    for one in subject.roles.uplinks:
        if one.masqueraded or (not nat and not subject.of(("ip", "address"))):
            continue
        reason = "no rule of srcnat translates what leaves by it"
        if not subject.of(("ip", "address")) and not subject.of(NAT):
            continue
        edit = subject.append(NAT, f"chain=srcnat out-interface={one.interface} action=masquerade")
        anchor = nat[-1] if nat else next((row for row in subject.of(ROUTES)), None)
        if anchor is None:
            continue
        message = f"{one.interface} is an uplink, and {reason}"
        severity = None if nat else Severity.NOTE  # a script without NAT may be a piece of a whole
        yield lint("masquerade-missing", subject.place(anchor), message, (edit,), severity=severity)
