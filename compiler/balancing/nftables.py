"""The plan -> a file for nft: marks under a mask, translations, and resets for connections gone astray.

Linux hands a related connection the mark of its master (``init_conntrack``),
but since 6.0 no helper looks for announcements unless a rule assigns it
(nf_conntrack_helper is gone): the file does so for FTP.

Counters stand behind the guard in each rule, for nft evaluates a rule's
expressions from left to right and counts only what comes so far.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.balancing.interface_names import names_refused_by_linux
from compiler.balancing.linux_marks import MASK, clear, mark_value
from compiler.balancing.places_of_names import places
from compiler.balancing.plan import EveryNth, MarkingRule, Plan, Remainder, port_of
from compiler.errors import CannotSay
from compiler.fields import PORT_PROTOCOLS, Family
from compiler.integers import IntegerSet
from compiler.placed.addresses import show
from compiler.policy.balance import CLASSIFIER_FIELDS, Addressing, Failback, Selection
from compiler.policy.network import Prefix
from compiler.rendering import render

__all__ = ["write_nftables"]

_WORDS = {
    "source": "ip saddr",
    "destination": "ip daddr",
    "source_port": "th sport",
    "destination_port": "th dport",
}
_SEED = 0x67657262
_FTP = 21
_NONE = f"ct mark & 0x{MASK:x} == 0"


def write_nftables(plan: Plan) -> str:
    """The file. It replaces its own table as a whole: load it as often as you like (nft -f is one transaction).

    Raises CannotSay for interfaces that Linux cannot have.
    """
    balance = plan.balance
    refusals = tuple(names_refused_by_linux(plan))
    if refusals:
        raise CannotSay("Linux", refusals)
    return render(
        "nftables/balance.nft.j2",
        title=balance.name or "router",
        source=balance.source,
        places=places(balance),
        serves_names=balance.serves_names,
        mask=f"0x{MASK:x}",
        local=", ".join(_text(prefix) for prefix in plan.local),
        hosts=", ".join(show(Family.IPV4, host.host) for host in plan.hosts),
        chains=tuple(chain for chain in _chains(plan) if chain[2] or chain[0] != "names"),
    )


def _chains(plan: Plan) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return (
        ("inside", "", tuple(_inside(plan))),
        ("follow", "", tuple(_follow(plan))),
        ("prerouting", "type filter hook prerouting priority mangle; policy accept;", tuple(_prerouting(plan))),
        ("leaving", "type filter hook forward priority mangle; policy accept;", tuple(_leaving(plan))),
        ("own", "type route hook output priority mangle; policy accept;", tuple(_own(plan))),
        ("astray", "type filter hook forward priority filter; policy accept;", tuple(_astray(plan))),
        ("dstnat", "type nat hook prerouting priority dstnat; policy accept;", tuple(_dstnat(plan))),
        ("srcnat", "type nat hook postrouting priority srcnat; policy accept;", tuple(_srcnat(plan))),
        ("names", "type filter hook input priority filter; policy accept;", tuple(_names(plan))),
    )


def _note(key: str) -> str:
    """The name of the thing in the intent; its place stands in the file's head."""
    # A comment in nft has at most 128 characters and no way to write a quote.
    text = key.replace('"', "'")[:128]
    return f' comment "{text}"'


def _text(prefix: Prefix) -> str:
    text = show(prefix.family, prefix.value)
    return text if prefix.length == prefix.family.width else f"{text}/{prefix.length}"


def _set(register: str, number: int) -> str:
    return f"{register} mark set {register} mark & 0x{clear():08x} | 0x{mark_value(number):x}"


def _is(number: int) -> str:
    return f"ct mark & 0x{MASK:x} == 0x{mark_value(number):x}"


def _listed(names: list[str]) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in dict.fromkeys(names)) + " }"


def _from_inside(plan: Plan) -> str:
    return f"iifname {_listed([network.interface for network in plan.balance.networks])}"


def _uplinks(plan: Plan) -> str:
    return f"oifname {_listed([port_of(uplink) for uplink in plan.balance.uplinks])}"


def _helped(plan: Plan) -> str:
    """FTP's control connections, before any translation: the helper must be there when the first is made."""
    doors = {
        low
        for forward in plan.balance.forwards
        for low, high in (forward.ports,)
        if forward.protocol == 6 and forward.port == _FTP and low == high
    }
    ports = ", ".join(str(port) for port in sorted({_FTP, *doors}))
    return f'ct state new tcp dport {{ {ports} }} ct helper set "ftp"{_note("data follows its control")}'


def _prerouting(plan: Plan) -> Iterator[str]:
    yield _helped(plan)
    for uplink in plan.balance.uplinks:
        marked = _set("ct", plan.mark_of(uplink.name).number)
        note = _note(f"opened from {uplink.name}")
        yield f'iifname "{port_of(uplink)}" ct state new {_NONE} {marked}{note}'
    outward = f"{_from_inside(plan)} fib daddr type != local ip daddr != @local"
    yield f"{outward} ct state new {_NONE} jump inside"
    for mark in plan.marks:
        note = _note(f"{mark.name}, table")
        yield f"{outward} {_is(mark.number)} {_set('meta', plan.table(mark.table).number)} accept{note}"


def _inside(plan: Plan) -> Iterator[str]:
    for rule in plan.rules:
        for match in _matches(rule):
            yield f"{_NONE}{match} {_outcome(plan, rule)}{_note(rule.key)}"


def _outcome(plan: Plan, rule: MarkingRule) -> str:
    if rule.mark:
        return _set("ct", next(mark.number for mark in plan.marks if mark.name == rule.mark))
    if rule.table:
        return f"{_set('meta', plan.table(rule.table).number)} accept"
    return "accept"


def _matches(rule: MarkingRule) -> Iterator[str]:
    """The words of a rule's selection and draw: one, or two where the hash has ports and the protocol may have none."""
    base = _selected(rule.selection)
    if isinstance(rule.draw, EveryNth):
        yield f"{base} numgen inc mod {rule.draw.every} == 0"
    elif isinstance(rule.draw, Remainder):
        yield from _hashed(base, rule.selection.protocol, rule.draw)
    else:
        yield base


def _hashed(base: str, protocol: int | None, draw: Remainder) -> Iterator[str]:
    fields = CLASSIFIER_FIELDS[draw.fields]
    plain = tuple(field for field in fields if not field.endswith("port"))
    protocols = "{ " + ", ".join(str(number) for number in PORT_PROTOCOLS.members()) + " }"
    has_ports = protocol is not None and PORT_PROTOCOLS.contains(protocol)
    if plain == fields or has_ports:
        yield f"{base} {_jhash(fields, draw)}"
        return
    if protocol is None:
        yield f"{base} meta l4proto {protocols} {_jhash(fields, draw)}"
        base = f"{base} meta l4proto != {protocols}"
    # Without ports to hash, RouterOS hashes what is left: the addresses, or nothing at all.
    if plain:
        yield f"{base} {_jhash(plain, draw)}"
    elif draw.value == 0:
        yield base


def _jhash(fields: tuple[str, ...], draw: Remainder) -> str:
    key = " . ".join(_WORDS[field] for field in fields)
    return f"jhash {key} mod {draw.modulus} seed 0x{_SEED:x} == {draw.value}"


def _selected(selection: Selection) -> str:
    words = []
    for word, parts in (("ip saddr", selection.sources), ("ip daddr", selection.destinations)):
        if parts:
            words.append(f"{word} {{ {', '.join(_text(part) for part in parts)} }}")
    if selection.protocol is not None:
        words.append(f"meta l4proto {selection.protocol}")
    if selection.ports is not None:
        words.append(f"th dport {_ports(selection.ports)}")
    return "".join(f" {word}" for word in words)


def _ports(ports: IntegerSet) -> str:
    return "{ " + ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ports.intervals) + " }"


def _leaving(plan: Plan) -> Iterator[str]:
    """PPPoE takes eight octets of each frame, and many lose the ICMP that would say so: segments are made to fit."""
    for uplink in plan.balance.uplinks:
        if uplink.addressing is Addressing.PPPOE:
            note = _note(f"segments that fit {uplink.name}")
            yield f'oifname "{port_of(uplink)}" tcp flags syn tcp option maxseg size set rt mtu{note}'
    yield f"{_from_inside(plan)} {_uplinks(plan)} ct state new jump follow"


def _follow(plan: Plan) -> Iterator[str]:
    for rule in plan.rules:
        if not rule.mark and not rule.table:
            yield f"{_NONE}{_selected(rule.selection)} accept{_note(f'{rule.key}, unmarked')}"
    for mark in plan.marks:
        if mark.table != plan.mark_of(mark.uplink).table:
            note = _note(f"{mark.name} keeps its mark")
            yield f"{_is(mark.number)} accept{note}"
    for uplink in plan.balance.uplinks:
        number = plan.mark_of(uplink.name).number
        guard = _is(number).replace("==", "!=") if plan.balance.failback is Failback.GENTLE else _NONE
        note = _note(f"leaves by {uplink.name}")
        yield f'oifname "{port_of(uplink)}" {guard} {_set("ct", number)}{note}'


def _own(plan: Plan) -> Iterator[str]:
    balance = plan.balance
    yield _helped(plan)
    yield f"ip daddr @local accept{_note('the router itself, to networks next door')}"
    if plan.hosts:
        note = _note("the router itself, to probes and name servers")
        yield f"ip daddr @hosts {_NONE} accept{note}"
    if balance.own:
        number = plan.mark_of(balance.own).number
        note = _note(f"the router itself by {balance.own}")
        yield f"fib daddr type != local ct state new {_NONE} {_set('ct', number)}{note}"
    for mark in plan.marks:
        note = _note(f"{mark.name}, table, the router itself")
        number = plan.table(mark.table).number
        yield f"fib daddr type != local {_is(mark.number)} {_set('meta', number)} accept{note}"


def _astray(plan: Plan) -> Iterator[str]:
    for mark in plan.marks:
        others = [port_of(other) for other in plan.balance.uplinks if other.name != mark.uplink]
        way = f"{_from_inside(plan)} oifname {_listed(others)}"
        asked = f"meta l4proto 6 ct state established {_is(mark.number)}"
        yield f"{way} {asked} reject with tcp reset{_note(f'{mark.name} astray')}"


def _names(plan: Plan) -> Iterator[str]:
    """A resolver that anybody may ask answers floods with forged sources: uplinks may not ask one that runs here."""
    if plan.balance.serves_names:
        outside = f"iifname {_listed([port_of(uplink) for uplink in plan.balance.uplinks])}"
        yield f"{outside} meta l4proto {{ 6, 17 }} th dport 53 drop{_note('no names for the world')}"


def _dstnat(plan: Plan) -> Iterator[str]:
    for number, forward in enumerate(plan.balance.forwards, 1):
        low, high = forward.ports
        ports = str(low) if low == high else f"{low}-{high}"
        target = show(Family.IPV4, forward.host) + (f":{forward.port}" if forward.port else "")
        word = "tcp" if forward.protocol == 6 else "udp"
        for name in forward.uplinks:
            port = port_of(plan.balance.uplink(name))
            note = _note(f"forward-{number}")
            yield f'iifname "{port}" {word} dport {ports} dnat to {target}{note}'


def _srcnat(plan: Plan) -> Iterator[str]:
    for uplink in plan.balance.uplinks:
        yield f'oifname "{port_of(uplink)}" masquerade{_note(uplink.name)}'
