"""The tables of interfaces, addresses and routes while a script runs.

Beside what all tables do, rows have names that statements may use, flags may
stand alone (``fib``, ``blackhole``), menus without rows have settings, and the
router's ports are there before the script begins. Source: MikroTik
documentation, "Console" (item names), "Ethernet" (default-name).
"""

from __future__ import annotations

import re

from compiler.dialects.routeros.facts import PROPERTIES, REQUIRED
from compiler.dialects.routeros.network_facts import OLD_NAMES, OTHER_LINKS, SETTINGS, TABLES
from compiler.dialects.routeros.script import Opaque, Path, Script, Statement
from compiler.dialects.routeros.tables import Item, Table
from compiler.errors import Unmodelled

__all__ = ["LinkTable", "Ports", "Settings", "network_tables", "routing_tables"]

_REQUIRED: dict[Path, tuple[str, ...]] = {
    ("interface", "bridge", "port"): ("bridge", "interface"),
    ("interface", "vlan"): ("interface", "vlan-id"),
    ("interface", "pppoe-client"): ("interface",),
    ("ip", "address"): ("address", "interface"),
    ("ipv6", "address"): ("interface",),
    ("ip", "dhcp-client"): ("interface",),
    ("routing", "table"): ("name",),
}
_FLAGS: dict[Path, frozenset[str]] = {
    ("routing", "table"): frozenset({"fib"}),
    ("ip", "route"): frozenset({"blackhole"}),
    ("ipv6", "route"): frozenset({"blackhole"}),
}
_LISTS: Path = ("interface", "list")
_PORT_NAME = re.compile(r'(?<![\w-])(?:default-)?name=(?:"([^"\\]+)"|([\w.+-]+))')
_WITH_PORTS = ("ethernet", "wireless", "wifi", "wifiwave2", "lte")


def _found_names(find: str) -> list[str]:
    """The names that a ``[find …]`` asks for."""
    return [quoted or bare for quoted, bare in _PORT_NAME.findall(find)]


class _NetworkTable(Table):
    """Rows whose flags may stand without a value, and that may be found by what they connect."""

    texts = frozenset({"default-name", "name", "routing-mark", "routing-table", "table", "bridge", "gateway"})

    def __init__(self, path: Path) -> None:
        super().__init__(path, TABLES.get(path, frozenset()), _REQUIRED.get(path, ()))
        self.flags = _FLAGS.get(path, frozenset())

    def run(self, script: Script, statement: Statement) -> None:
        """Carry out one statement. Raises InputError."""
        if self.flags and statement.command in ("add", "set"):
            arguments = tuple(
                (value, "yes") if not name and isinstance(value, str) and value in self.flags else (name, value)
                for name, value in statement.arguments
            )
            statement = statement._replace(arguments=arguments)
        if statement.command in ("add", "set"):
            self.want_known(script, statement)
        super().run(script, statement)

    def _resolve(self, script: Script, statement: Statement, index: int | None, value: str | Opaque) -> list[Item]:
        """Rows by their names too."""
        if not isinstance(value, str) or not value or "name" not in self.known:
            return super()._resolve(script, statement, index, value)
        found = []
        for part in value.split(","):
            named = [item for item in self.items if item.properties.get("name") == part]
            found += named or super()._resolve(script, statement, index, part)
        return found


class LinkTable(_NetworkTable):
    """Interfaces of one kind; a row without a name gets the router's."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.open = path[1] in OTHER_LINKS
        if self.open:
            self.known = frozenset({"name", "comment", "disabled", "mtu", "default-name"})

    def run(self, script: Script, statement: Statement) -> None:
        """Carry out one statement. Raises InputError."""
        super().run(script, statement)
        prefix = self.path[1].replace("-client", "-out")
        for item in self.items:
            if not item.properties.get("name"):
                taken = {other.properties.get("name") for other in self.items}
                item.properties["name"] = next(
                    name
                    for name in (f"{prefix}{number}" for number in range(1, len(self.items) + 2))
                    if name not in taken
                )

    def _know(self, script: Script, statement: Statement, index: int, name: str) -> None:
        if not self.open:
            super()._know(script, statement, index, name)


class Ports(LinkTable):
    """Interfaces that the hardware has: a statement that names one brings its row to light."""

    def _resolve(self, script: Script, statement: Statement, index: int | None, value: str | Opaque) -> list[Item]:
        if isinstance(value, Opaque):
            for name in _found_names(value.text):
                self.reveal(name, statement)
            return super()._resolve(script, statement, index, value)
        for part in value.split(","):
            if part.isascii() and part.isdigit() and len(part) < 4:
                self._count_to(int(part), script, statement, index)
            elif part and not part.startswith("*"):
                self.reveal(part, statement)
        return super()._resolve(script, statement, index, value)

    def reveal(self, name: str, statement: Statement) -> None:
        """A port of that name, unless it is known or has got another one."""
        names = {item.properties.get(key) for item in self.items for key in ("default-name", "name")}
        if name not in names:
            self.items.append(Item({"default-name": name, "name": name}, statement))

    def _count_to(self, number: int, script: Script, statement: Statement, index: int | None) -> None:
        prefix = "ether" if self.path[1] == "ethernet" else "wlan"
        wanted = [f"{prefix}{count + 1}" for count in range(max(number + 1, len(self.items)))]
        known = [item.properties.get("default-name", "") for item in self.items]
        if known != wanted[: len(known)]:
            why = f"{number} counts ports that this text does not list: name the port, as in [find default-name=ether1]"
            raise script.fault_at(why, statement, index, Unmodelled)
        for name in wanted[len(known) :]:
            self.reveal(name, statement)


class _AllLinks(_NetworkTable):
    """``/interface``: the interfaces of all kinds under one roof."""

    def __init__(self, links: list[LinkTable], ports: Ports) -> None:
        super().__init__(("interface",))
        self.known = frozenset({"name", "comment", "disabled", "mtu", "l2mtu"})
        self._links = links
        self._ports = ports

    def run(self, script: Script, statement: Statement) -> None:
        """Carry out one statement on the rows of all kinds. Raises InputError."""
        if statement.command in ("add", "remove", "move"):
            raise script.fault_at(f"/interface has no {statement.command}: its kinds have", statement)
        self.items = [item for table in self._links for item in table.items]
        super().run(script, statement)

    def _resolve(self, script: Script, statement: Statement, index: int | None, value: str | Opaque) -> list[Item]:
        names = _found_names(value.text) if isinstance(value, Opaque) else value.split(",")
        known = {item.properties.get(key) for item in self.items for key in ("default-name", "name")}
        for name in names:
            if name in known or name[:1] in ("", "*"):
                continue
            if name.isdigit():
                why = f"{name} counts interfaces that this text does not list: name the interface"
                raise script.fault_at(why, statement, index, Unmodelled)
            self._ports.reveal(name, statement)
            self.items.append(self._ports.items[-1])
        return super()._resolve(script, statement, index, value)


class Settings(Table):
    """A menu without rows: ``set`` changes its one set of properties."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SETTINGS[path], ())

    def run(self, script: Script, statement: Statement) -> None:
        """Carry out one statement. Raises InputError."""
        if statement.command in ("print", "export", "get"):
            return
        if statement.command != "set":
            raise script.fault_at(f"/{' '.join(self.path)} has no {statement.command}: expected set", statement)
        self.want_known(script, statement)
        if not self.items:
            self.items.append(Item({}, statement))
        for index, (name, value) in enumerate(statement.arguments):
            if not name:
                raise self._stray(script, statement, index)
            changed, text = (str(value), "") if name == "!" else (name, value)
            if not isinstance(text, str):
                raise self._opaque(script, statement, index, text)
            self.items[0].put(changed, text, statement, index)

    def _know(self, script: Script, statement: Statement, index: int, name: str) -> None:
        if name in OLD_NAMES:
            why = f"{name!r} is of old versions: /{' '.join(self.path)} has {OLD_NAMES[name]} now"
            raise script.fault_at(why, statement, index)
        super()._know(script, statement, index, name)


def routing_tables() -> Table:
    """``/routing table``, empty."""
    return _NetworkTable(("routing", "table"))


def network_tables() -> dict[Path, Table]:
    """All tables of the network, as they are before a script runs."""
    tables: dict[Path, Table] = {path: Settings(path) for path in SETTINGS}
    links: list[LinkTable] = []
    for kind in ("ethernet", "bridge", "vlan", "pppoe-client", *OTHER_LINKS):
        table = (Ports if kind in _WITH_PORTS else LinkTable)(("interface", kind))
        tables["interface", kind] = table
        links.append(table)
    tables |= {path: _NetworkTable(path) for path in TABLES if path not in tables}
    tables[_LISTS] = Table(_LISTS, PROPERTIES[_LISTS], REQUIRED[_LISTS])
    ports = links[0]
    assert isinstance(ports, Ports)
    tables["interface",] = _AllLinks(links, ports)
    return tables
