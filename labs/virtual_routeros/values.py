"""Values of properties: what the router takes, and how it writes it afterwards.

Only kinds that many properties share are looked at (truths, numbers,
addresses, durations, words of a set, names of other rows); the rest is kept
as it came. Messages follow the console's: "invalid value for argument",
"value of … out of range", "input does not match any value of".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from compiler.dialects.routeros.durations import duration, format_duration
from compiler.dialects.routeros.facts import INTERFACE_GROUPS, MATCHERS
from compiler.dialects.routeros.faults import MatcherFault
from compiler.dialects.routeros.matchers import effect
from compiler.dialects.routeros.script import Path
from compiler.dialects.routeros.stateful_facts import SIMULATED_ACTIONS
from compiler.dialects.routeros.stateful_matchers import CONDITIONS, condition
from compiler.errors import Unmodelled
from compiler.fields import Family
from labs.virtual_routeros.clocks import parse_start
from labs.virtual_routeros.traps import Category, Trap

__all__ = ["Names", "network_of", "normal", "spoken"]

Names = Callable[[Path, str], Collection[str]]
"""The values that the rows of a menu have for a property."""

_SAYS = {"yes": "true", "true": "true", "no": "false", "false": "false"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TRUTHS = _words(
    "disabled passthrough log fib blackhole hw-offload fragment hotspot allow-remote-requests ip-forward "
    "send-redirects accept-redirects secure-redirects accept-source-route tcp-syncookies route-cache allow-fast-path "
    "dont-require-permissions add-default-route use-peer-dns dial-on-demand vlan-filtering randomise-ports "
    "same-not-by-dst suppress-hw-offload time-zone-autodetect"
)
_NUMBERS = {"distance": (1, 255), "scope": (0, 255), "target-scope": (0, 255), "vlan-id": (1, 4095)}
_DURATIONS = frozenset({"interval"})
_INTERFACES = frozenset({"in-interface", "out-interface", "interface"})
_INTERFACE_LISTS = frozenset({"in-interface-list", "out-interface-list"})
_WORDS = {
    "check-gateway": ("none", "ping", "arp", "bfd", "bfd-multihop"),
    "rp-filter": ("no", "loose", "strict"),
    "ipv4-multipath-hash-policy": ("l3", "l4", "l3-inner"),
}
_DHCP: Path = ("ip", "dhcp-client")
_WORDS_OF_DHCP = {"add-default-route": ("yes", "no", "special-classless"), "use-peer-dns": ("yes", "no", "exclusively")}
_RULE_ACTIONS = ("lookup", "lookup-only-in-table", "drop", "unreachable")
_RULE_MENUS = ("filter", "nat", "mangle", "raw")
_LISTS = frozenset({"src-address-list", "dst-address-list"})
_CONDITIONS = CONDITIONS.keys() - _LISTS
_HEADERS = MATCHERS - _LISTS - _INTERFACES - _INTERFACE_LISTS - {"hop-limit"}
_TABLES: Path = ("routing", "table")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PREFIX = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})(?:/(\d{1,2}))?")


def spoken(name: str, value: str) -> str:
    """A value in the console's words: ``yes`` where the API says ``true``."""
    return {"true": "yes", "false": "no"}.get(value, value) if name in _TRUTHS else value


def normal(path: Path, name: str, value: str, names: Names, version: int) -> str:
    """The value as the router keeps it. Raises Trap for one that it does not take."""
    if name in _TRUTHS and not (path == _DHCP and name in _WORDS_OF_DHCP):
        if value not in _SAYS:
            raise Trap(f"invalid value for argument {name}", Category.ARGUMENT)
        return _SAYS[value]
    if not value or name == "comment":
        return value
    if name in _NUMBERS:
        return _number(name, value)
    if name in ("start-time", "start-date"):
        return _start(name, value)
    if name in _DURATIONS:
        length = duration(value)
        if length is None:
            raise Trap(f"invalid value for argument {name}", Category.ARGUMENT)
        return format_duration(length)
    _one_of(path, name, value, names, version)
    if path[:2] == ("ip", "firewall") and path[2] in _RULE_MENUS:
        _matcher(name, value)
    if path == ("ip", "route") and name == "gateway":
        _gateways(value, names, version)
    if path == ("ip", "address") and name == "address":
        return _interface_address(value)
    if path in (("ip", "route"), ("routing", "rule"), ("ip", "route", "rule")) and name.endswith("st-address"):
        return _network(name, value)
    return value


def _start(name: str, value: str) -> str:
    """When a scheduled script runs for the first time."""
    day, hour = (value, "00:00:00") if name == "start-date" else ("1970-01-01", value)
    if value != "startup" and parse_start(day, hour) is None:
        raise Trap(f"invalid value for argument {name}", Category.ARGUMENT)
    return value


def _number(name: str, value: str) -> str:
    low, high = _NUMBERS[name]
    if not value.isascii() or not value.isdigit():
        raise Trap(f"invalid value for argument {name}", Category.ARGUMENT)
    if not low <= int(value) <= high:
        raise Trap(f"value of {name} out of range ({low}..{high})", Category.ARGUMENT)
    return str(int(value))


def _matcher(name: str, value: str) -> None:
    """Whether the dialect's reader knows such a value; what it knows and cannot model the router takes."""
    try:
        if name in _CONDITIONS:
            condition(name, value)
        elif name in _HEADERS:
            effect(Family.IPV4, name, value)
    except MatcherFault as fault:
        if not issubclass(fault.kind, Unmodelled):
            raise Trap(f"invalid value for argument {name}", Category.ARGUMENT) from None


def _one_of(path: Path, name: str, value: str, names: Names, version: int) -> None:
    allowed: Collection[str] | None = None
    bare = value.removeprefix("!")
    if path == _DHCP and name in _WORDS_OF_DHCP:
        allowed = _WORDS_OF_DHCP[name]
    elif path[:2] == ("ip", "firewall") and name == "action":
        allowed = SIMULATED_ACTIONS[path[2]]
    elif name == "action" and path[-1] == "rule":
        allowed = _RULE_ACTIONS
    elif name in _WORDS:
        allowed = _WORDS[name]
    elif name in _INTERFACES:
        allowed = {*names(("interface",), "name"), *(INTERFACE_GROUPS if path[:2] == ("ip", "firewall") else ())}
    elif name == "bridge":
        allowed = names(("interface", "bridge"), "name")
    elif name in _INTERFACE_LISTS or (path == ("interface", "list", "member") and name == "list"):
        allowed = names(("interface", "list"), "name")
    elif version >= 7 and (name in ("routing-table", "new-routing-mark") or (name == "table" and path[-1] == "rule")):
        allowed = names(_TABLES, "name")
    if allowed is not None and bare not in allowed:
        said = name[name.index("interface") :] if "interface" in name else name
        raise Trap(f"input does not match any value of {said}", Category.ARGUMENT)


def _gateways(value: str, names: Names, version: int) -> None:
    """``10.0.0.1``, ``10.0.0.1%ether1``, ``ether1``; several with commas between in version 6 only."""
    several = value.split(",") if version < 7 else [value]
    links = names(("interface",), "name")
    for one in several:
        address, percent, link = one.partition("@")[0].partition("%")
        is_sound = _octets(address) is not None and (not percent or link in links)
        if not is_sound and (percent or address not in links):
            said = "invalid or unexpected argument base" if version >= 7 else "invalid value for argument gateway"
            raise Trap(said, Category.ARGUMENT)


def _octets(text: str) -> int | None:
    if _ADDRESS.fullmatch(text) is None:
        return None
    parts = [int(part) for part in text.split(".")]
    return int.from_bytes(bytes(parts)) if max(parts) < 256 else None


def _split(name: str, value: str) -> tuple[int, int]:
    found = _PREFIX.fullmatch(value)
    address = _octets(found[1]) if found is not None else None
    length = int(found[2] or 32) if found is not None else 33
    if address is None or length > 32:
        raise Trap(f"invalid value for argument {name}", Category.ARGUMENT)
    return address, length


def _interface_address(value: str) -> str:
    address, length = _split("address", value)
    return f"{_written(address)}/{length}"


def _network(name: str, value: str) -> str:
    if ":" in value:
        return value
    address, length = _split(name, value)
    mask = (1 << 32) - (1 << (32 - length))
    return f"{_written(address & mask)}/{length}"


def _written(address: int) -> str:
    return ".".join(str(octet) for octet in address.to_bytes(4))


def network_of(address: str) -> str:
    """The network of an interface's address: ``10.0.0.1/24`` has ``10.0.0.0``."""
    value, length = _split("address", address)
    return _written(value & (1 << 32) - (1 << (32 - length)))
