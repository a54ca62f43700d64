"""The menus that a balance is made of, and the normal form of their rows.

A device tells more of a row than was set: defaults, states, counters, canonical
spellings. The normal form leaves out all of that, so that two rows that mean
the same are equal. Sources of the defaults: MikroTik documentation ("Filter",
"Mangle", "IP Routing", "Address-lists"), and what version 6 and 7 print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Interface
from typing import NamedTuple

from compiler.balancing.routeros_words import OWNER
from compiler.dialects.routeros.facts import INERT, MATCHERS, PROPERTIES, UNMODELLED_MATCHERS
from compiler.dialects.routeros.network_facts import SETTINGS, TABLES
from compiler.dialects.routeros.script import Path
from compiler.dialects.routeros.stateful_facts import ACTION_PROPERTIES

__all__ = [
    "MENUS",
    "SCRIPTS",
    "Menu",
    "Row",
    "Values",
    "canonical",
    "is_ours",
    "menu_of",
    "menus_of",
    "normal",
    "settled",
]

Values = Mapping[str, str]

_NOT_SET = frozenset({"copy-from", "place-before", "dynamic", "immediate-gw", "actual-interface", "default-name"})
"""Words of the dialect's tables that no row keeps or nobody sets."""
_ONLY_SIX, _ONLY_SEVEN = frozenset({"routing-mark", "type"}), frozenset({"routing-table", "blackhole"})


@dataclass(frozen=True, slots=True, eq=False)
class Menu:
    """One menu. ``key`` are the properties that tell its rows apart, ``()`` where rows may be equal."""

    path: Path
    key: tuple[str, ...] = ()
    is_ordered: bool = False
    is_settings: bool = False
    is_open: bool = False
    """What the balance does not name is the owner's own and stays."""
    flags: frozenset[str] = frozenset()
    """Properties that stand without a value."""
    defaults: Values = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``/ip route``."""
        return "/" + " ".join(self.path)

    @property
    def is_routes(self) -> bool:
        """Whether the rows are routes."""
        return self.path == ("ip", "route")

    def known(self, version: int) -> frozenset[str]:
        """The properties that can be set in that version."""
        return _known(self.path, version)


class Row(NamedTuple):
    """A row of the device in normal form. ``id`` is good for this session only."""

    id: str
    values: Values
    is_dynamic: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it belongs to the balance."""
        return is_ours(self.values) and not self.is_dynamic


_RULE = {"action": "accept", "log": "no", "log-prefix": "", "disabled": "no"}
_FIREWALL = ("ip", "firewall")

SCRIPTS = Menu(("system", "script"), ("name",))
"""Of these the balance has one, which holds what was there before it."""

MENUS: tuple[Menu, ...] = (
    SCRIPTS,
    Menu(("interface", "pppoe-client"), ("name",), is_open=True, defaults={"disabled": "no"}),
    Menu(("interface", "list"), ("name",)),
    Menu(("interface", "list", "member"), ("list", "interface"), defaults={"disabled": "no"}),
    Menu(("ip", "address"), ("address", "interface"), defaults={"disabled": "no"}),
    Menu(("ip", "dns"), is_settings=True),
    Menu(("system", "identity"), is_settings=True),
    Menu(("routing", "table"), ("name",), flags=frozenset({"fib"}), defaults={"disabled": "no", "fib": "no"}),
    Menu((*_FIREWALL, "address-list"), ("list", "address"), defaults={"disabled": "no"}),
    Menu(
        ("ip", "route"),
        flags=frozenset({"blackhole"}),
        defaults={
            "disabled": "no",
            "distance": "1",
            "scope": "30",
            "target-scope": "10",
            "routing-table": "main",
            "check-gateway": "none",
            "type": "unicast",
            "blackhole": "no",
            "suppress-hw-offload": "no",
        },
    ),
    Menu(("ip", "dhcp-client"), ("interface",), is_open=True, defaults={"disabled": "no"}),
    Menu((*_FIREWALL, "nat"), is_ordered=True, defaults={**_RULE, "randomise-ports": "no", "same-not-by-dst": "no"}),
    Menu((*_FIREWALL, "filter"), is_ordered=True, defaults={**_RULE, "hw-offload": "yes"}),
    Menu((*_FIREWALL, "mangle"), is_ordered=True, defaults={**_RULE, "passthrough": "yes"}),
)
"""In the order of doing: what is used comes before what uses it, and the marks that switch all of it on come last.

A lease finds the routes that wait for it: they come before the client."""

_TEXTS = frozenset(
    {"comment", "name", "user", "password", "script", "list", "log-prefix", "service-name", "ac-name", "source"}
)
"""Properties whose text is the user's own."""
_SETS = frozenset({"connection-state", "connection-nat-state"})
_TRUTHS = {"true": "yes", "yes": "yes", "false": "no", "no": "no"}


def menu_of(path: Path) -> Menu | None:
    """The menu at that path, or None for one that no balance has."""
    return next((menu for menu in MENUS if menu.path == path), None)


def menus_of(version: int) -> tuple[Menu, ...]:
    """The menus that a version has: tables have one of their own since version 7."""
    return tuple(menu for menu in MENUS if version >= 7 or menu.path != ("routing", "table"))


def is_ours(values: Values) -> bool:
    """Whether a row's comment says that it belongs to the balance."""
    return values.get("comment", "").startswith(OWNER)


@lru_cache(maxsize=64)
def _known(path: Path, version: int) -> frozenset[str]:
    if path == SCRIPTS.path:
        return frozenset({"name", "source", "comment"})
    if path in SETTINGS:
        return SETTINGS[path] - {"dynamic-servers"}
    if path in TABLES:
        known = TABLES[path] - _NOT_SET
        return known - (_ONLY_SIX if version >= 7 else _ONLY_SEVEN) if path == ("ip", "route") else known
    if path in PROPERTIES:
        return PROPERTIES[path] - _NOT_SET - {"creation-time"}
    own = frozenset() if path[2] == "filter" else frozenset({"reject-with", "hw-offload"})
    return (INERT | MATCHERS | UNMODELLED_MATCHERS | ACTION_PROPERTIES[path[2]]) - own - {"hop-limit", "headers"}


def canonical(menu: Menu, name: str, value: str) -> str:
    """A value in the console's words and in one spelling."""
    if name in _TEXTS:
        return value
    if name in menu.flags and value == "":
        return "yes"
    value = _TRUTHS.get(value, value)
    if name in _SETS:
        bare = value.removeprefix("!")
        return value[: len(value) - len(bare)] + ",".join(sorted(bare.split(",")))
    if name in ("src-address", "dst-address") or (name == "address" and menu.path[-1] == "address-list"):
        return value.removesuffix("/32")
    return value


def normal(menu: Menu, told: Values, version: int) -> dict[str, str]:
    """A row's settings without defaults, states and counters, in the order of their names."""
    found = {}
    for name in sorted(told.keys() & menu.known(version)):
        value = canonical(menu, name, told[name])
        if value == menu.defaults.get(name, "") or (name == "network" and _is_plain_network(told)):
            continue
        found[name] = value
    if menu.is_settings:
        return {name: canonical(menu, name, told[name]) for name in sorted(told.keys() & menu.known(version))}
    return found


def _is_plain_network(told: Values) -> bool:
    try:
        return str(IPv4Interface(told.get("address", "")).network.network_address) == told["network"]
    except (AddressValueError, ValueError):
        return False


def settled(values: Values) -> Values:
    """The values that the balance decides: a lease gives and takes the gateway of routes that wait for it."""
    if "gateway of " in values.get("comment", ""):
        return {name: value for name, value in values.items() if name not in ("gateway", "disabled")}
    return values
