"""Which menus a virtual router has, by version, and what their rows may say.

Names of properties come from the readers of :mod:`compiler.dialects.routeros`,
so that what the router takes is what the simulator understands; only menus
that no reader looks into are listed here. Sources of those: MikroTik
documentation ("Scheduler", "Scripting", "Clock", "Resource"); what changed
between versions: "Moving from ROSv6 to v7 with examples".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from compiler.dialects.routeros.facts import PROPERTIES, REQUIRED
from compiler.dialects.routeros.network_facts import SETTINGS
from compiler.dialects.routeros.network_tables import network_tables
from compiler.dialects.routeros.script import Path, parse
from compiler.dialects.routeros.simulated import SimulatedRouter
from compiler.dialects.routeros.stateful_facts import SIMULATED_ACTIONS

__all__ = ["CONSOLE_ONLY", "READ_ONLY", "Kind", "Menu", "menus"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONSOLE_ONLY = _words("place-before copy-from")
"""Arguments of ``add`` that no row keeps."""
READ_ONLY = _words(
    "dynamic invalid creation-time immediate-gw inactive active static connect actual-interface builtin "
    "dynamic-servers orig-mac-address active-ipv4 active-ipv6 bytes packets running type-of next-run run-count owner "
    "last-started default-name type default"
)
"""What the router tells and nobody sets; ``type`` of a route in version 6 is the exception."""

_RULES = tuple(("ip", "firewall", kind) for kind in ("filter", "nat", "mangle", "raw"))
_LINKS = tuple(("interface", kind) for kind in ("bridge", "vlan", "pppoe-client"))
_ETHERNET, _LISTS, _MEMBERS = ("interface", "ethernet"), ("interface", "list"), ("interface", "list", "member")
_DHCP, _BRIDGE_PORTS = ("ip", "dhcp-client"), ("interface", "bridge", "port")
_ADDRESS_LIST, _ADDRESS, _ROUTE = ("ip", "firewall", "address-list"), ("ip", "address"), ("ip", "route")
_TABLE, _RULE, _OLD_RULE = ("routing", "table"), ("routing", "rule"), ("ip", "route", "rule")

_NEVER = _words("")
_SIX_ONLY: Mapping[Path, frozenset[str]] = {
    _ROUTE: _words(
        "routing-mark type bgp-as-path bgp-communities bgp-local-pref bgp-med bgp-origin bgp-prepend "
        "bgp-atomic-aggregate bgp-ext-communities route-tag ospf-metric"
    ),
    ("ip", "settings"): _words("route-cache"),
} | {path: _words("p2p") for path in _RULES}
_SEVEN_ONLY: Mapping[Path, frozenset[str]] = {
    _ROUTE: _words("routing-table blackhole suppress-hw-offload"),
    ("ip", "settings"): _words("ipv4-multipath-hash-policy tcp-timestamps allow-hw-offload"),
    ("ip", "dns"): _words(
        "doh-max-concurrent-queries doh-max-server-connections doh-timeout vrf mdns-repeat-ifaces "
        "address-list-extra-time"
    ),
} | {path: _words("hw-offload randomise-ports routing-table connection-nat-state") for path in _RULES}

_DEFAULTS: Mapping[Path, Mapping[str, str]] = {
    _ROUTE: {"distance": "1", "scope": "30", "target-scope": "10"},
    _RULE: {"action": "lookup"},
    _OLD_RULE: {"action": "lookup"},
    ("system", "scheduler"): {"interval": "0s", "policy": "read,write,policy,test", "start-date": "", "run-count": "0"},
    ("system", "script"): {"policy": "read,write,policy,test", "dont-require-permissions": "false", "run-count": "0"},
} | {path: {"action": "accept", "log": "false", "log-prefix": ""} for path in _RULES}

_SETTINGS_DEFAULTS: Mapping[Path, Mapping[str, str]] = {
    ("system", "identity"): {"name": "MikroTik"},
    ("ip", "dns"): {"servers": "", "allow-remote-requests": "false", "cache-size": "2048KiB", "cache-max-ttl": "1w"},
    ("ip", "settings"): {"ip-forward": "true", "rp-filter": "no", "tcp-syncookies": "false"},
    ("ip", "firewall", "connection", "tracking"): {"enabled": "auto"},
    ("system", "clock"): {"time-zone-name": "UTC"},
}


_GOES_ON = frozenset(
    action
    for action in SIMULATED_ACTIONS["mangle"]
    if action.startswith(("mark-", "change-", "set-", "clear-", "strip-"))
)
"""Mangle's actions after which the next rule is looked at, if ``passthrough`` says so."""


_BUSY = {
    _DHCP: "failure: dhcp-client on that interface already exists",
    _BRIDGE_PORTS: "failure: device already added as bridge port",
}


class Kind:
    """What a menu holds."""

    ROWS = "rows"
    SETTINGS = "settings"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu. ``known`` are the properties that may be set, ``unique`` groups of them that no two rows share."""

    path: Path
    kind: str = Kind.ROWS
    known: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    unique: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Properties that together tell rows apart, and what the router says to a second one."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    only_with: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Defaults that are told only of rows with certain actions."""
    flags: frozenset[str] = frozenset()
    """Properties that an empty value switches on."""
    prefix: str = ""
    """What the router names a row that got no name, with a number behind it."""
    is_ordered: bool = False
    can_add: bool = True
    can_disable: bool = True

    @property
    def has_names(self) -> bool:
        """Whether a row's name may stand for its id."""
        return "name" in self.known


_PREFIXES: Mapping[Path, str] = {
    ("interface", "bridge"): "bridge",
    ("interface", "vlan"): "vlan",
    ("interface", "pppoe-client"): "pppoe-out",
    ("system", "scheduler"): "schedule",
    ("system", "script"): "script",
}


def _unique(path: Path, known: frozenset[str]) -> tuple[tuple[tuple[str, ...], str], ...]:
    if path == _ADDRESS:
        return ((("address", "interface"), "failure: already have such address"),)
    if path in (_DHCP, _BRIDGE_PORTS):
        return ((("interface",), _BUSY[path]),)
    if path == _ADDRESS_LIST:
        return ((("list", "address"), "failure: already have such entry"),)
    if path == _MEMBERS:
        return ((("list", "interface"), "failure: already have such entry"),)
    if path[:1] == ("interface",) and path != _LISTS:
        return ((("name",), "failure: already have interface with such name"),) if "name" in known else ()
    return ((("name",), "failure: item with this name already exists"),) if "name" in known else ()


def _rows(path: Path, known: frozenset[str], required: tuple[str, ...], version: int, **more: object) -> Menu:
    other = (_SIX_ONLY if version >= 7 else _SEVEN_ONLY).get(path, _NEVER)
    read_only = READ_ONLY - {"type"} if path == _ROUTE and version < 7 else READ_ONLY
    settable = known - CONSOLE_ONLY - read_only - other
    defaults = {name: value for name, value in _DEFAULTS.get(path, {}).items() if name not in other}
    if path == _ROUTE and version >= 7:
        defaults["routing-table"] = "main"
    if path == ("ip", "firewall", "mangle"):
        defaults["passthrough"] = "true"
        more["only_with"] = {"passthrough": _GOES_ON}
    more["prefix"] = _PREFIXES.get(path, "")
    return Menu(path, Kind.ROWS, settable, required, _unique(path, settable), defaults, **more)  # type: ignore[arg-type]


@lru_cache(maxsize=4)
def menus(version: int) -> Mapping[Path, Menu]:
    """The menus of RouterOS 6 or 7."""
    firewall = SimulatedRouter(parse("", "menus"), version).tables
    network = network_tables()
    found: list[Menu] = [
        _rows(path, firewall[path].known, firewall[path].required, version, is_ordered=True) for path in _RULES
    ]
    found += [_rows(path, PROPERTIES[path], REQUIRED[path], version) for path in (_ADDRESS_LIST, _LISTS, _MEMBERS)]
    for path in (_ADDRESS, _DHCP, _ROUTE, *_LINKS, _BRIDGE_PORTS, *((_TABLE, _RULE) if version >= 7 else (_OLD_RULE,))):
        table = network[path]
        flags = _words("fib") if path == _TABLE else _words("blackhole") if path == _ROUTE else _NEVER
        ordered = path in (_RULE, _OLD_RULE)
        found.append(_rows(path, table.known, table.required, version, flags=flags & table.known, is_ordered=ordered))
    ethernet = _rows(_ETHERNET, network[_ETHERNET].known, (), version, can_add=False)
    names = network["interface",].known
    every = Menu(("interface",), Kind.ROWS, names, unique=_unique(("interface",), names), can_add=False)
    found += [ethernet, every, *_system(version)]
    for path in (
        ("system", "identity"),
        ("ip", "dns"),
        ("ip", "settings"),
        ("ip", "firewall", "connection", "tracking"),
    ):
        other = (_SIX_ONLY if version >= 7 else _SEVEN_ONLY).get(path, _NEVER)
        defaults = dict(_SETTINGS_DEFAULTS[path])
        if path == ("ip", "settings") and version >= 7:
            defaults["ipv4-multipath-hash-policy"] = "l3"
        found.append(Menu(path, Kind.SETTINGS, SETTINGS[path] - READ_ONLY - other, defaults=defaults))
    return {menu.path: menu for menu in found}


def _system(version: int) -> list[Menu]:
    scheduler = _words("name start-date start-time interval on-event policy disabled comment")
    script = _words("name source policy dont-require-permissions comment")
    clock = _words("time date time-zone-name time-zone-autodetect")
    return [
        _rows(("system", "scheduler"), scheduler, (), version),
        _rows(("system", "script"), script, (), version, can_disable=False),
        _rows(("file",), _words("name contents"), ("name",), version, can_add=version >= 7, can_disable=False),
        Menu(("system", "clock"), Kind.SETTINGS, clock, defaults=_SETTINGS_DEFAULTS["system", "clock"]),
        Menu(("system", "resource"), Kind.STATE),
    ]
