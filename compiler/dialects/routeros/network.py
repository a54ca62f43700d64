"""RouterOS scripts and exports -> where packets go.

The script is run on the tables of a fresh router, as in the reading of
firewalls. Menus of interfaces, addresses, routes, rules, DNS and the settings
beside them are read and every word there is known or an error; all else is
skipped and counted.

What the tree leaves to whoever runs it:

- In version 7 several routes of one prefix, table and distance share the
  traffic; each is a :class:`Route` of its own here, as its row is. In version 6
  only one of such routes is used, and ECMP is one row with several gateways.
- ``rules`` are the rows of the script. The look-up that follows a routing mark
  is none of them: it comes before them in version 7, after them in version 6.
- Addresses and default routes that come by DHCP are not known here.
"""

from __future__ import annotations

from compiler.dialects.routeros.interface_rows import InterfaceReader
from compiler.dialects.routeros.menus import abbreviation_fault
from compiler.dialects.routeros.network_tables import network_tables
from compiler.dialects.routeros.route_rows import RouteReader
from compiler.dialects.routeros.row_values import RowReader
from compiler.dialects.routeros.runner import Runner
from compiler.dialects.routeros.script import Path, Script, Statement, parse
from compiler.dialects.routeros.tables import Item
from compiler.dialects.routeros.versions import evident_version
from compiler.errors import Unmodelled
from compiler.fields import Family
from compiler.policy.network import Network, Route, RoutingRule

__all__ = ["read_network"]


def read_network(text: str, source: str, *, version: int | None = None) -> Network:
    """The network that a script or an export leaves on a router that had no configuration.

    ``version`` is 6 or 7; without it the export's own head decides, then words
    that only one of them has, and else it is 7. Raises InputErrors with every
    place that cannot be read.
    """
    script = parse(text, source)
    router = _Router(script, version)
    for statement in script.statements:
        router.run(statement)
    network = router.network()
    router.raise_faults()
    return network


_REFUSED: dict[Path, str] = {
    ("interface", "bridge", "filter"): "rules for bridged frames are not modelled",
    ("interface", "bridge", "nat"): "rules for bridged frames are not modelled",
    ("ip", "route", "vrf"): "a VRF is not modelled",
    ("ip", "vrf"): "a VRF is not modelled",
}


class _Router(Runner):
    def __init__(self, script: Script, version: int | None) -> None:
        super().__init__(script, version, network_tables())
        self.network_version = 6 if (self.version or evident_version(script) or 7) < 7 else 7

    def path_fault(self, path: Path) -> str:
        """Why a path is wrong, or ``""``."""
        return abbreviation_fault(path, self.tables.keys())

    def is_parent(self, path: Path) -> bool:
        """Whether the path only leads to menus, so that commands there make no sense."""
        return path not in self.tables and any(menu[: len(path)] == path for menu in self.tables)

    def skip(self, statement: Statement) -> None:
        """Refuse what sends packets ways that the tree cannot say."""
        why = _REFUSED.get(statement.path, "")
        active = dict(statement.arguments).get("disabled") not in ("yes", "true")
        if why and active and statement.command == "add":
            raise self.script.fault_at(why, statement, kind=Unmodelled)

    def network(self) -> Network:
        """What the tables hold at the end."""
        interfaces = InterfaceReader(self.script, self.tables)
        found = interfaces.read()
        tables = self._routing_tables()
        reader = RouteReader(self.script, self.network_version, {"main", *tables})
        routes, rules = self._routes(reader), self._rules(reader)
        settings = _SettingsReader(self.script)
        name, servers = self._hostname(), settings.name_servers(self._settings("ip", "dns"))
        policy = settings.multipath(self._settings("ip", "settings"))
        tracking = settings.tracking(self._settings("ip", "firewall", "connection", "tracking"))
        self.faults += [*interfaces.faults, *reader.faults, *settings.faults]
        return Network(
            self.script.source,
            "routeros",
            name,
            self.network_version,
            found,
            (*interfaces.routes, *routes),
            tuple(tables),
            rules,
            name_servers=servers,
            multipath_policy=policy,
            tracking=tracking,
            skipped_lines=self.skipped,
            lines=tuple(self.script.text.split("\n")),
        )

    def _settings(self, *path: str) -> Item | None:
        items = self.tables[path].items
        return items[0] if items else None

    def _hostname(self) -> str:
        item = self._settings("system", "identity")
        return item.properties.get("name", "") if item else ""

    def _routing_tables(self) -> dict[str, None]:
        """Version 7 declares tables; in version 6 they come to be by the marks of routes."""
        if self.network_version == 6:
            marks = (
                item.properties.get("routing-mark", "")
                for path in (("ip", "route"), ("ipv6", "route"))
                for item in self.tables[path].items
            )
            return dict.fromkeys(mark for mark in marks if mark not in ("", "main"))
        found: dict[str, None] = {}
        for item in self.tables["routing", "table"].items:
            name = item.properties["name"]
            if name in found:
                self.faults.append(item.fault(self.script, f"there is a routing table {name} already", "name"))
            elif not item.disabled and name != "main":
                found[name] = None
        return found

    def _routes(self, reader: RouteReader) -> list[Route]:
        menus = ((("ip", "route"), Family.IPV4), (("ipv6", "route"), Family.IPV6))
        found = [reader.route(item, family) for path, family in menus for item in self.tables[path].items]
        return [route for route in found if route is not None]

    def _rules(self, reader: RouteReader) -> tuple[RoutingRule, ...]:
        wanted: Path = ("ip", "route", "rule")
        other: Path = ("routing", "rule")
        if self.network_version != 6:
            wanted, other = other, wanted
        for item in self.tables[other].items:
            why = f"/{' '.join(other)} is not of RouterOS {self.network_version}: expected /{' '.join(wanted)}"
            self.faults.append(item.fault(self.script, why))
        rows = enumerate(self.tables[wanted].items)
        return tuple(rule for priority, item in rows for rule in reader.rules(item, priority))


class _SettingsReader(RowReader):
    """Menus without rows."""

    def name_servers(self, item: Item | None) -> tuple[int, ...]:
        """The IPv4 resolvers of ``/ip dns``."""
        found = []
        for text in filter(None, (item.properties.get("servers", "") if item else "").split(",")):
            assert item is not None  # its property was read
            if ":" in text:
                self.fault(item, f"servers: {text}: name servers by IPv6 are not modelled", "servers", Unmodelled)
                continue
            address = self.address(item, text, Family.IPV4, "servers")
            if address is not None:
                found.append(address)
        if item is not None:
            self.yes(item, "allow-remote-requests")
        return tuple(found)

    def multipath(self, item: Item | None) -> str:
        """Over what a multipath route hashes; other ``/ip settings`` that change packets are refused."""
        if item is None:
            return "l3"
        if self.word(item, "rp-filter", "no", ("no", "loose", "strict")) != "no":
            self.fault(item, "a check of the way back (rp-filter) is not modelled", "rp-filter", Unmodelled)
        if not self.yes(item, "ip-forward", "yes"):
            self.fault(item, "a router that does not forward is not modelled", "ip-forward", Unmodelled)
        return self.word(item, "ipv4-multipath-hash-policy", "l3", ("l3", "l4", "l3-inner"))

    def tracking(self, item: Item | None) -> bool | None:
        """Connection tracking: on, off, or None for ``auto``."""
        if item is None:
            return None
        return {"yes": True, "no": False}.get(self.word(item, "enabled", "auto", ("auto", "yes", "no")))
