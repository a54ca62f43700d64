"""Gateways: the router itself, neighbours that it does not have, and recursive next hops."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.roles import Uplink, hop_of
from compiler.balancing.lints.rows import MANGLE, ROUTES, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import address_of, default_routes, network_of, parse_prefix, parse_v4, table_of

__all__ = ["check_gateways", "check_probes", "check_recursion"]


def _parts(row: Row) -> list[tuple[str, int | None]]:
    """The gateways of a route as text, and as addresses where they are."""
    found = []
    for part in filter(None, row["gateway"].split(",")):
        base, _, _ = part.partition("@")[0].partition("%")
        found.append((part, parse_v4(base)))
    return found


def check_gateways(subject: Subject) -> Iterator[Lint]:
    """Gateways that are the router's own addresses."""
    own: dict[int | None, str] = {}
    for row in subject.of(("ip", "address")):
        mine = address_of(row)
        if mine is not None:
            own[mine.address] = row["interface"]
    for row in subject.of(ROUTES):
        for part, address in _parts(row):
            if address not in own:
                continue
            uplink = subject.roles.uplink(own[address])
            right = uplink.gateway if uplink else None
            message = f"gateway={part} is the router's own address on {own[address]}"
            if right is None:
                hint = f"write the neighbour's address on {own[address]}"
                yield lint("gateway-is-own-address", subject.place(row, "gateway"), message, hint=hint)
                continue
            told = format_address(right, 32)
            message += f"; the neighbour there is {told}"
            yield lint(
                "gateway-is-own-address", subject.place(row, "gateway"), message, (_by(subject, row, part, told),)
            )


def _by(subject: Subject, row: Row, part: str, right: str) -> Edit:
    parts = [right if one == part else one for one in row["gateway"].split(",")]
    return subject.change(row, {"gateway": ",".join(parts)})


def check_recursion(subject: Subject) -> Iterator[Lint]:
    """Gateways behind other routes: whether they resolve, and by their own line alone."""
    addresses = [one for row in subject.of(("ip", "address")) if (one := address_of(row)) is not None]
    if not addresses:
        return  # a piece of a script: its addresses are on the router
    connected = [network_of(one) for one in addresses]
    ends = {parse_v4(row["network"]) for row in subject.of(("ip", "address"))}
    leased = bool(subject.of(("ip", "dhcp-client"))) or bool(subject.of(("interface", "pppoe-client")))
    for row in subject.of(ROUTES):
        for part, address in _parts(row):
            near = address is None or any(net.contains(address) for net in connected) or address in ends
            if near or "%" in part or address is None:
                continue
            ways = [one for one in _covering(subject, address) if one is not row]
            if not ways and not leased:
                message = f"gateway={part} lies in no network of the router, and no route leads to it"
                yield _unreachable(subject, row, part, message)
            elif ways:
                yield from _scopes(subject, row, part, ways)
                yield from _own_line(subject, row, part, ways)


def _covering(subject: Subject, address: int) -> list[Row]:
    """The routes to a host or its network, defaults apart."""
    found = []
    for row in subject.of(ROUTES):
        prefix = parse_prefix(row["dst-address"])
        if prefix is not None and prefix.length > 0 and prefix.contains(address) and table_of(row) == "main":
            found.append(row)
    return found


def _unreachable(subject: Subject, row: Row, part: str, message: str) -> Lint:
    table = table_of(row)
    uplink = next((one for one in subject.roles.uplinks if table in one.tables and one.gateway), None)
    if uplink is None or uplink.gateway is None:
        return lint("gateway-unreachable", subject.place(row, "gateway"), message, hint="name a neighbour as gateway")
    edit = subject.append(ROUTES, f"dst-address={part}/32 gateway={format_address(uplink.gateway, 32)} scope=10")
    return lint("gateway-unreachable", subject.place(row, "gateway"), message, (edit,))


def _number(row: Row, name: str, usual: int) -> int:
    return int(row[name]) if row[name].isdigit() else usual


def _scopes(subject: Subject, row: Row, part: str, ways: list[Row]) -> Iterator[Lint]:
    target = _number(row, "target-scope", 10)
    for way in ways:
        scope = _number(way, "scope", 30)
        # Version 7 resolves through lower scopes only, version 6 through equal ones too.
        if scope > target or (subject.version != 6 and scope == target):
            place = subject.place(way)
            message = (
                f"gateway={part} (target-scope={target}) cannot be resolved by the route to {way['dst-address']} "
                f"with scope={scope}: the default in {table_of(row)} is never active"
            )
            least = "11" if subject.version != 6 else "10"
            edits: tuple[Edit, ...] = (subject.change(way, {"scope": "10"}),)
            if target < int(least):
                edits += (subject.change(row, {"target-scope": least}),)
            yield lint("recursive-scope", place, message, edits)


def check_probes(subject: Subject) -> Iterator[Lint]:
    """Recursive defaults of main that all end in the same line: when it dies, all die."""
    rows = [row for row in default_routes(subject.reading) if table_of(row) == "main"]
    probes = {
        part: ways for row in rows for part, address in _parts(row) if address and (ways := _covering(subject, address))
    }
    lines = {hop_of(subject.reading, way["gateway"]) for ways in probes.values() for way in ways}
    gateways = {part for row in rows for part, _ in _parts(row)}
    ends = {way["gateway"] for ways in probes.values() for way in ways}
    networks = {one["interface"] for one in subject.of(("ip", "address"))}
    if len(probes) < 2 or gateways != probes.keys() or len(lines) != 1 or len(ends) != 1 or len(networks) < 3:
        return
    line = lines.pop()
    last = list(probes.values())[-1][0]
    message = f"the probes {' and '.join(probes)} are all reached by {line}: no default is left when it dies"
    hint = f"reach {last['dst-address']} by the gateway of the other line"
    yield lint("probes-by-one-line", subject.place(last, "gateway"), message, hint=hint)


def _own_line(subject: Subject, row: Row, part: str, ways: list[Row]) -> Iterator[Lint]:
    lines = list(dict.fromkeys(hop_of(subject.reading, way["gateway"]) for way in ways if way["gateway"]))
    if len(lines) > 1:
        place = subject.place(ways[1])
        message = f"the probe {part} is reached by {' and by '.join(lines)}: it answers when its own line is dead"
        yield lint("recursive-scope", place, message, (subject.remove(ways[1]),))
        return
    uplink = _marked_line(subject, row)
    if uplink is not None and lines and uplink.interface != lines[0]:
        message = f"table {table_of(row)} is for {uplink.interface}, and its probe {part} is reached by {lines[0]}"
        place = subject.place(ways[0])
        if uplink.gateway is None:
            hint = f"give {ways[0]['dst-address']} the neighbour on {uplink.interface} as gateway"
            yield lint("recursive-scope", place, message, hint=hint)
            return
        edit = subject.change(ways[0], {"gateway": format_address(uplink.gateway, 32)})
        yield lint("recursive-scope", place, message, (edit,))


def _marked_line(subject: Subject, row: Row) -> Uplink | None:
    """The uplink whose incoming connections are sent to the route's table, where exactly one is."""
    marks = {one["connection-mark"] for one in subject.of(MANGLE) if one["new-routing-mark"] == table_of(row)}
    found = {
        one["in-interface"]
        for one in subject.of(MANGLE)
        if one["new-connection-mark"] in marks and one["in-interface"] in subject.roles.uplink_names
    }
    first = min(
        (_number(one, "distance", 1) for one in subject.of(ROUTES) if table_of(one) == table_of(row)), default=1
    )
    return subject.roles.uplink(found.pop()) if len(found) == 1 and _number(row, "distance", 1) == first else None
