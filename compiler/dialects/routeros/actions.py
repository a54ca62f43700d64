"""What a rule's action does: its verdict, and what it changes.

Sources: MikroTik documentation, "Mangle", "NAT", "RAW", "Filter" and
"Connection tracking" (FastTrack); Linux ``xt_TCPMSS`` (a segment size is never
raised) and ``xt_TTL``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from compiler.dialects.routeros.durations import duration
from compiler.dialects.routeros.faults import MatcherFault, PropertyFault
from compiler.dialects.routeros.translations import TRANSLATIONS, translation
from compiler.errors import Unmodelled
from compiler.fields import Family
from compiler.policy.ruleset import Hook, Verdict
from compiler.policy.stateful import (
    AddToSet,
    ChangeField,
    ClampSegment,
    Effect,
    Register,
    SetMark,
    SkipFirewall,
    Untrack,
)

__all__ = ["Outcome", "Setting", "outcome"]


class Setting(NamedTuple):
    """What surrounds a rule: its table's family, and the hooks that reach its chain."""

    family: Family
    hooks: frozenset[Hook]
    tables: Mapping[str, int] | None = None
    """RouterOS 7: the routing tables that marks may name, and the offsets at which they were added."""
    start: int = 0
    """The offset of the statement that gave the rule its routing mark."""


class Outcome(NamedTuple):
    """The verdict, and the effects with the properties that say them."""

    verdict: Verdict
    effects: tuple[tuple[str, Effect], ...] = ()


_PLAIN = {
    "accept": Verdict.ACCEPT,
    "drop": Verdict.DROP,
    "reject": Verdict.REJECT,
    "jump": Verdict.JUMP,
    "return": Verdict.RETURN,
    "log": Verdict.CONTINUE,
    "passthrough": Verdict.CONTINUE,
}
_REFUSED = {
    "clear-df": "clears a bit that packets here do not have",
    "endpoint-independent-nat": "is a way of NAT of its own",
    "route": "sends packets past the routing tables",
    "set-priority": "sets the priority of VLAN and WMM frames",
    "sniff-pc": "sends copies of packets away",
    "sniff-tzsp": "sends copies of packets away",
    "strip-ipv4-options": "changes options that packets here do not have",
    "tarpit": "answers connections and holds them",
}


def outcome(action: str, properties: Mapping[str, str], setting: Setting) -> Outcome:
    """What ``action`` does. Raises :class:`PropertyFault`."""
    verdict = _PLAIN.get(action)
    if verdict is not None:
        return Outcome(verdict)
    if action in _REFUSED:
        raise PropertyFault("action", f"action={action} {_REFUSED[action]}: not modelled", Unmodelled)
    if action in TRANSLATIONS:
        effect: Effect = translation(action, properties, setting.family, setting.hooks)
        return Outcome(Verdict.ACCEPT, (("action", effect),))
    if action == "notrack":
        return Outcome(Verdict.ACCEPT, (("action", Untrack()),))
    if action == "fasttrack-connection":
        # The connection is marked and this packet goes on: the documentation wants an accept rule behind.
        return Outcome(Verdict.CONTINUE, (("action", SkipFirewall()),))
    if action.startswith("add-"):
        return Outcome(Verdict.CONTINUE, (("address-list", _fill(action, properties, setting.family)),))
    name, change = _CHANGES[action]
    text = properties.get(name, "")
    if not text:
        raise PropertyFault("action", f"action={action} without {name}")
    try:
        effect = change(name, text, setting)
    except MatcherFault as fault:
        raise PropertyFault(name, str(fault), fault.kind) from None
    through = properties.get("passthrough") or "yes"
    if through not in ("yes", "no", "true", "false"):
        raise PropertyFault("passthrough", f"passthrough={through}: expected yes or no")
    return Outcome(Verdict.CONTINUE if through in ("yes", "true") else Verdict.ACCEPT, ((name, effect),))


def _fill(action: str, properties: Mapping[str, str], family: Family) -> Effect:
    name = properties.get("address-list", "")
    if not name:
        raise PropertyFault("action", f"action={action} without address-list")
    text = properties.get("address-list-timeout") or "none-dynamic"
    timeout: int | None = 0
    if text not in ("none-dynamic", "none-static"):
        timeout = duration(text)
    if timeout is None:
        why = f"address-list-timeout={text}: expected a time as in 1d2h, none-dynamic or none-static"
        raise PropertyFault("address-list-timeout", why)
    field = "source" if action == "add-src-to-address-list" else "destination"
    return AddToSet("ip" if family is Family.IPV4 else "ipv6", name, field, timeout)


def _mark(register: Register) -> Callable[[str, str, Setting], Effect]:
    def read(_name: str, text: str, _setting: Setting) -> Effect:
        return SetMark(register, "" if text == "no-mark" else text)

    return read


def _routing_mark(name: str, text: str, setting: Setting) -> Effect:
    wrong = sorted(hook.value for hook in setting.hooks - {Hook.PREROUTING, Hook.OUTPUT})
    if wrong:
        raise MatcherFault(f"routing is decided before {wrong[0]}: mark-routing works in prerouting and output only")
    tables = setting.tables
    if tables is not None and text != "main":
        if text not in tables:
            from difflib import get_close_matches  # only for messages: it costs start-up time

            near = get_close_matches(text, sorted(tables), 1)
            hint = f"; did you mean {near[0]}?" if near else f": /routing table add name={text} fib must stand before"
            raise MatcherFault(f"{name}={text} names no routing table, as RouterOS 7 wants{hint}")
        if tables[text] > setting.start:
            raise MatcherFault(f"{name}={text}: RouterOS 7 wants the routing table first, and it is added only later")
    return SetMark(Register.ROUTING, text)


def _dscp(name: str, text: str, _setting: Setting) -> Effect:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 63):
        raise MatcherFault(f"{name}={text}: expected a DSCP value from 0 to 63")
    return ChangeField("traffic_class", int(text) << 2, 0xFC)


def _hops(name: str, text: str, _setting: Setting) -> Effect:
    found = re.fullmatch(r"(?:(set|increment|decrement):)?(\d{1,3})", text, re.ASCII)
    if found is None or int(found[2]) > 255:
        raise MatcherFault(f"{name}={text}: expected set:N, increment:N or decrement:N, N from 0 to 255")
    number = int(found[2])
    if found[1] in ("increment", "decrement"):
        return ChangeField("ttl", number if found[1] == "increment" else -number, step=True)
    return ChangeField("ttl", number)


def _segment(name: str, text: str, _setting: Setting) -> Effect:
    if text == "clamp-to-pmtu":
        return ClampSegment()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535):
        raise MatcherFault(f"{name}={text}: expected a size in octets, or clamp-to-pmtu")
    return ClampSegment(int(text))


_CHANGES: dict[str, tuple[str, Callable[[str, str, Setting], Effect]]] = {
    "mark-connection": ("new-connection-mark", _mark(Register.CONNECTION)),
    "mark-packet": ("new-packet-mark", _mark(Register.PACKET)),
    "mark-routing": ("new-routing-mark", _routing_mark),
    "change-dscp": ("new-dscp", _dscp),
    "change-ttl": ("new-ttl", _hops),
    "change-hop-limit": ("new-hop-limit", _hops),
    "change-mss": ("new-mss", _segment),
}
