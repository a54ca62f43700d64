"""Which interfaces of a script are inside, and which lead to providers.

Scripts say neither. What tells: default routes and the networks that their
gateways lie in, leases and PPPoE, masquerade, and the interfaces whose new
connections are marked. Interfaces that rules name otherwise than the
addresses do (``LOKAL`` and ``LAN``) are taken for each other where only one
pair is possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from compiler.balancing.lints.rows import MANGLE, NAT, ROUTES, Reading, Row, read_rows
from compiler.balancing.lints.values import (
    address_of,
    default_routes,
    distance_of,
    interfaces_of,
    network_of,
    parse_prefix,
    parse_v4,
    table_of,
)
from compiler.policy.network import InterfaceAddress, Prefix

__all__ = ["Inside", "Roles", "Uplink", "hop_of", "network_of", "roles", "roles_of"]


class Inside(NamedTuple):
    """An interface with clients behind it. ``addresses`` are the router's own there."""

    interface: str
    addresses: tuple[InterfaceAddress, ...] = ()

    @property
    def networks(self) -> tuple[Prefix, ...]:
        """The networks that are connected there."""
        return tuple(network_of(one) for one in self.addresses)


class Uplink(NamedTuple):
    """A line to a provider. ``interface`` is the name that the addresses use, or else the rules."""

    interface: str
    gateway: int | None = None
    """The next hop, never the router's own; None where an interface or a lease is the gateway."""
    address: InterfaceAddress | None = None
    kind: str = "static"
    """``static``, ``dhcp`` or ``pppoe``."""
    distance: int | None = None
    """The least distance of its defaults in the main table."""
    tables: tuple[str, ...] = ()
    """Tables (or routing marks) whose first default leads by it, without main."""
    marks: tuple[str, ...] = ()
    """Connection marks whose packets look in those tables."""
    masqueraded: bool = False
    checked: bool = False
    """Whether a default route by it watches its gateway."""


class Roles(NamedTuple):
    """What the interfaces are for. ``aliases`` maps a name that only rules have to the name that addresses have."""

    version: int
    inside: tuple[Inside, ...]
    uplinks: tuple[Uplink, ...]
    aliases: tuple[tuple[str, str], ...] = ()

    def name(self, interface: str) -> str:
        """The name that addresses use for an interface."""
        return dict(self.aliases).get(interface, interface)

    def uplink(self, interface: str) -> Uplink | None:
        """The uplink of that name, or None."""
        name = self.name(interface)
        return next((one for one in self.uplinks if one.interface == name), None)

    @property
    def inside_names(self) -> tuple[str, ...]:
        """The names of the interfaces inside."""
        return tuple(one.interface for one in self.inside)

    @property
    def uplink_names(self) -> tuple[str, ...]:
        """The names of the uplinks' interfaces."""
        return tuple(one.interface for one in self.uplinks)


def roles(
    text: str, source: str, version: int | None = None, inside: tuple[str, ...] = (), uplinks: tuple[str, ...] = ()
) -> Roles:
    """The roles of a script's interfaces. ``inside`` and ``uplinks`` tell names that are known. Never raises."""
    return roles_of(read_rows(text, source, version), inside, uplinks)


class _Inference:
    def __init__(self, reading: Reading, inside: tuple[str, ...], uplinks: tuple[str, ...]) -> None:
        self.reading = reading
        self.told_inside = inside
        self.told_uplinks = uplinks
        found = (
            (row["interface"], address_of(row))
            for row in reading.of(("ip", "address"))
            if row["interface"] not in ("", "lo", "loopback")
        )
        self.addresses = [(name, address) for name, address in found if address is not None]
        self.own = {address.address for _, address in self.addresses}
        self.leases = [row["interface"] for row in reading.of(("ip", "dhcp-client"))]
        self.dialled = [row["name"] for row in reading.of(("interface", "pppoe-client"))]
        self.routes = reading.of(ROUTES)
        self.defaults = default_routes(reading)

    def roles(self) -> Roles:
        dead_ends = self._dead_ends()
        outside = [name for name in dict.fromkeys(self._outside()) if name not in dead_ends]
        clients = list(dict.fromkeys(self._clients(outside)))
        ports = self.ports()
        outside = list(dict.fromkeys(ports.get(name, name) for name in outside))
        clients = list(dict.fromkeys(ports.get(name, name) for name in clients))
        aliases = self._aliases(outside, clients)
        outside = list(dict.fromkeys(aliases.get(name, name) for name in outside))
        outside = list(self.told_uplinks) or [name for name in outside if name not in self.told_inside]
        clients = list(self.told_inside) or [aliases.get(name, name) for name in clients]
        clients = [name for name in dict.fromkeys(clients) if name not in outside]
        lines = sorted((self._uplink(name, aliases) for name in outside), key=lambda one: one.distance or 999)
        aliases |= self.ports()
        return Roles(
            self.reading.version,
            tuple(Inside(name, tuple(own for at, own in self.addresses if at == name)) for name in clients),
            tuple(lines),
            tuple(aliases.items()),
        )

    def ports(self) -> dict[str, str]:
        """Ports of bridges that have no address of their own -> their bridges, where IP sees the packets."""
        named = {name for name, _ in self.addresses} | {*self.leases, *self.dialled}
        rows = self.reading.of(("interface", "bridge", "port"))
        return {row["interface"]: row["bridge"] for row in rows if row["bridge"] and row["interface"] not in named}

    def hop(self, text: str, depth: int = 0) -> str:
        """The interface that a gateway leads by, or ``""``."""
        base, _, interface = text.partition("@")[0].partition("%")
        address = parse_v4(base)
        if interface or address is None:
            return interface or ("" if base[:1] in "$[" else base)
        lengths = [(own.length, name) for name, own in self.addresses if network_of(own).contains(address)]
        if lengths:
            return max(lengths)[1]
        for row in self.reading.of(("ip", "address")):  # the other end of a line
            if parse_v4(row["network"]) == address:
                return row["interface"]
        best: tuple[int, str] = (0, "")
        for row in self.routes:
            prefix = parse_prefix(row["dst-address"])
            if prefix is not None and prefix.length > best[0] and prefix.contains(address) and row["gateway"]:
                best = prefix.length, row["gateway"].split(",")[0]
        return self.hop(best[1], depth + 1) if best[1] and depth < 4 else ""

    def _outside(self) -> Iterator[str]:
        yield from (self.hop(part) for row in self.defaults for part in row["gateway"].split(",") if self.hop(part))
        yield from self.dialled
        rows = self.reading.of(("ip", "dhcp-client"))
        yield from (row["interface"] for row in rows if row["add-default-route"] != "no")
        marked = set(self._marked_from())
        for row in self.reading.of(NAT):
            if row["chain"] == "srcnat" and row["action"] in ("masquerade", "src-nat") and not row["dst-address"]:
                yield from (name for name in interfaces_of(self.reading, row, "out") if name not in marked)

    def _dead_ends(self) -> set[str]:
        """Bridges without ports and addresses: routes lead there so that packets end."""
        ports = {row["bridge"] for row in self.reading.of(("interface", "bridge", "port"))}
        bridges = {row["name"] for row in self.reading.of(("interface", "bridge"))}
        return bridges - ports - {name for name, _ in self.addresses} - set(self.leases)

    def _marked_from(self) -> Iterator[str]:
        """Interfaces whose connections are dealt out."""
        for row in self.reading.of(MANGLE):
            if row["nth"] or row["per-connection-classifier"] or row["action"] == "mark-routing":
                yield from interfaces_of(self.reading, row, "in")

    def _clients(self, outside: Iterable[str]) -> Iterator[str]:
        out = {*outside, "lo", "loopback"}
        yield from (name for name in self._marked_from() if name not in out)
        yield from (name for name, _ in self.addresses if name not in out)

    def _aliases(self, outside: list[str], clients: list[str]) -> dict[str, str]:
        """Names that only rules have -> names of addresses that no rule has, where they can only be meant."""
        declared = [name for name, _ in self.addresses] + self.leases + self.dialled
        declared += [row["name"] for row in self.reading.rows if row.path[:1] == ("interface",) and row["name"]]
        declared += [row["interface"] for row in self.reading.rows if row.path == ("interface", "bridge", "port")]
        gateways = {part.partition("%")[2] or part for row in self.routes for part in row["gateway"].split(",")}
        unknown = [name for name in (*outside, *clients) if name not in declared and name not in gateways]
        free = list(dict.fromkeys(name for name, _ in self.addresses))
        leads = {self.hop(part) for row in self.defaults for part in row["gateway"].split(",")}
        translated = {
            name
            for row in self.reading.of(NAT)
            if row["chain"] == "srcnat"
            for name in interfaces_of(self.reading, row, "out")
        }
        found: dict[str, str] = {}
        parts = ((outside, leads - translated), (clients, set(free) - leads - set(self._marked_from())))
        for group, chosen in parts:
            missing = [name for name in group if name in unknown]
            left = [name for name in free if name in chosen]
            found |= _paired(missing, left)
        return found

    def _uplink(self, name: str, aliases: dict[str, str]) -> Uplink:
        names = {name} | {alias for alias, meant in aliases.items() if meant == name}
        ways = [(row, part) for row in self.defaults for part in row["gateway"].split(",") if self.hop(part) == name]
        main = [row for row, _ in ways if table_of(row) == "main"]
        first: dict[str, tuple[int, str]] = {}
        for row in self.defaults:
            best = first.get(table_of(row))
            if best is None or distance_of(row) < best[0]:
                first[table_of(row)] = distance_of(row), self.hop(row["gateway"].split(",")[0])
        tables = tuple(table for table, (_, by) in first.items() if by == name and table != "main")
        mangle = self.reading.of(MANGLE)
        marks = [
            row["connection-mark"]
            for row in mangle
            if row["action"] == "mark-routing" and row["new-routing-mark"] in tables
        ]
        translated = any(self._translates(row, names) for row in self.reading.of(NAT))
        kind = "pppoe" if name in self.dialled else "dhcp" if name in self.leases else "static"
        return Uplink(
            name,
            self._gateway(name, [part for _, part in ways]),
            next((own for at, own in self.addresses if at == name), None),
            kind,
            min((distance_of(row) for row in main), default=None),
            tables,
            tuple(dict.fromkeys(mark for mark in marks if mark not in ("", "no-mark") and mark[0] != "!")),
            translated,
            any(row["check-gateway"] not in ("", "none") for row, _ in ways),
        )

    def _translates(self, row: Row, names: set[str]) -> bool:
        """Whether a rule of NAT gives what leaves by one of these interfaces another source."""
        anywhere = not row["out-interface"] and not row["out-interface-list"]
        others = row["out-interface"].startswith("!") and row["out-interface"][1:] not in names
        here = anywhere or others or bool(names & set(interfaces_of(self.reading, row, "out")))
        return here and row["chain"] == "srcnat" and row["action"] in ("masquerade", "src-nat", "same")

    def _gateway(self, name: str, parts: list[str]) -> int | None:
        """The neighbour on the line: of the defaults, or of the routes to their recursive gateways."""
        parts = parts + [row["gateway"] for row in self.routes if self.hop(row["gateway"]) == name]
        connected = [network_of(own) for at, own in self.addresses if at == name]
        ends = {parse_v4(row["network"]) for row in self.reading.of(("ip", "address")) if row["interface"] == name}
        for part in parts:
            base, percent, _ = part.partition("@")[0].partition("%")
            address = parse_v4(base)
            if address is None or address in self.own:
                continue
            if percent or address in ends or any(net.contains(address) for net in connected):
                return address
        return None


def _paired(missing: list[str], left: list[str]) -> dict[str, str]:
    """Each missing name with the free one that it must mean: by the number at its end, else by being alone."""
    found: dict[str, str] = {}
    for name in missing:
        number = re.search(r"\d+\Z", name)
        same = [free for free in left if number and re.search(r"(?<!\d)" + number[0] + r"\Z", free)]
        if len(same) == 1:
            found[name] = same[0]
    rest = [name for name in missing if name not in found]
    free = [name for name in left if name not in found.values()]
    if len(rest) == 1 and len(free) == 1:
        found[rest[0]] = free[0]
    return found


def roles_of(reading: Reading, inside: tuple[str, ...] = (), uplinks: tuple[str, ...] = ()) -> Roles:
    """The roles of the interfaces of a script that was read."""
    return _Inference(reading, inside, uplinks).roles()


def hop_of(reading: Reading, gateway: str) -> str:
    """The interface that a gateway leads by, or ``""``."""
    return _Inference(reading, (), ()).hop(gateway)
