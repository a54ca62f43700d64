"""Mangle for RouterOS: who gets which mark, and which mark looks where.

Order of ``prerouting``: connections that ISPs open are marked by the interface
that they come in by; new ones from inside go through the chain of decisions;
then marks become tables. Related connections have the mark of their master
(Linux ``init_conntrack``), and the guards leave them alone. RouterOS 7 looks at
routing marks before it asks whether a packet is its own, so nothing for the
router is ever marked (``dst-address-type=!local``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.balancing.plan import EveryNth, MarkingRule, Plan, Remainder, port_of
from compiler.balancing.routeros_words import comment, port_parts, ports_text, prefixes_text, protocol_text, row
from compiler.policy.balance import Failback, Selection

__all__ = ["FOLLOW", "HOSTS", "INSIDE", "LISTS_LAN", "LISTS_WAN", "LOCAL", "list_name", "mangle", "selected"]

INSIDE = "gerbang-inside"
"""The chain that new connections from inside go through."""
FOLLOW = "gerbang-follow"
"""The chain that gives a connection the mark of the uplink that it leaves by."""
LISTS_LAN, LISTS_WAN = "gerbang-lan", "gerbang-wan"
LOCAL, HOSTS = "gerbang-local", "gerbang-hosts"


def list_name(rule: MarkingRule, end: str) -> str:
    """The address list of a rule's sources or destinations. The slots of one class share theirs."""
    return f"gerbang-{rule.group or rule.key}-{end}"


def selected(selection: Selection, key: MarkingRule) -> dict[str, object]:
    """The matchers of a selection. One prefix stands in the rule; several are a list, so that a rule stays one."""
    words: dict[str, object] = {}
    for end, word, parts in (("from", "src", selection.sources), ("to", "dst", selection.destinations)):
        if len(parts) == 1:
            words[f"{word}_address"] = prefixes_text(parts[0])
        elif parts:
            words[f"{word}_address_list"] = list_name(key, end)
    words["protocol"] = protocol_text(selection.protocol)
    words["dst_port"] = ports_text(selection.ports)
    return words


def mangle(plan: Plan) -> Iterator[str]:
    """The rows, in their order."""
    yield from _incoming(plan)
    outward: dict[str, object] = {
        "in_interface_list": LISTS_LAN,
        "dst_address_type": "!local",
        "dst_address_list": f"!{LOCAL}",
    }
    note = comment("new connections from inside")
    yield row(
        note,
        chain="prerouting",
        **outward,
        connection_state="new",
        connection_mark="no-mark",
        action="jump",
        jump_target=INSIDE,
    )
    for mark in plan.marks:
        note = comment(f"{mark.name}, table")
        words = {"connection_mark": mark.name, "action": "mark-routing", "new_routing_mark": mark.table}
        yield row(note, chain="prerouting", **outward, **words, passthrough="no")
    yield from _decisions(plan)
    yield from _following(plan)
    yield from _own(plan)


def _incoming(plan: Plan) -> Iterator[str]:
    for uplink in plan.balance.uplinks:
        yield row(
            comment(f"opened from {uplink.name}"),
            chain="prerouting",
            in_interface=port_of(uplink),
            connection_state="new",
            connection_mark="no-mark",
            action="mark-connection",
            new_connection_mark=plan.mark_of(uplink.name).name,
            passthrough="yes",
        )


def _decisions(plan: Plan) -> Iterator[str]:
    """A rule for each; more where one rule cannot hold the ports.

    Rules that count must stay one, or each part of the ports has a count of its
    own: they have a chain of their own then, and the parts lead there.
    """
    entered: dict[str, None] = {}
    for rule in plan.rules:
        parts = _parts(rule.selection)
        if len(parts) == 1 or not rule.group:
            for part in parts:
                yield _decision(rule, INSIDE, part)
        elif rule.group not in entered:
            entered[rule.group] = None
            for part in parts:
                note = comment(rule.group)
                words = {"chain": INSIDE, "connection_mark": "no-mark", **selected(part, rule)}
                yield row(note, **words, action="jump", jump_target=f"gerbang-{rule.group}")
    for rule in plan.rules:
        if rule.group in entered:
            yield _decision(rule, f"gerbang-{rule.group}", Selection())


def _parts(selection: Selection) -> tuple[Selection, ...]:
    return tuple(replace(selection, ports=ports) for ports in port_parts(selection.ports))


def _decision(rule: MarkingRule, chain: str, selection: Selection) -> str:
    words = {"chain": chain, "connection_mark": "no-mark", **selected(selection, rule)}
    if isinstance(rule.draw, EveryNth):
        words["nth"] = f"{rule.draw.every},1"
    elif isinstance(rule.draw, Remainder):
        fields, modulus, value = rule.draw
        words["per_connection_classifier"] = f"{fields}:{modulus}/{value}"
    if rule.mark:
        words |= {"action": "mark-connection", "new_connection_mark": rule.mark, "passthrough": "yes"}
    elif rule.table:
        words |= {"action": "mark-routing", "new_routing_mark": rule.table, "passthrough": "no"}
    else:
        words["action"] = "accept"
    return row(comment(rule.key), **words)


def _following(plan: Plan) -> Iterator[str]:
    """In ``forward`` the way is known: a connection gets the mark of the uplink that carries it."""
    words = {"in_interface_list": LISTS_LAN, "out_interface_list": LISTS_WAN, "connection_state": "new"}
    note = comment("mark by the uplink that is left by")
    yield row(note, chain="forward", **words, action="jump", jump_target=FOLLOW)
    for rule in plan.rules:
        if not rule.mark and not rule.table:
            note = comment(f"{rule.key}, unmarked")
            for part in _parts(rule.selection):
                yield row(note, chain=FOLLOW, connection_mark="no-mark", **selected(part, rule), action="accept")
    for mark in plan.marks:
        if mark.table != plan.mark_of(mark.uplink).table:  # strict: leaves by its own uplink or not at all
            words = {"chain": FOLLOW, "connection_mark": mark.name, "action": "accept"}
            yield row(comment(f"{mark.name} keeps its mark"), **words)
    for uplink in plan.balance.uplinks:
        mark = plan.mark_of(uplink.name)
        guard = f"!{mark.name}" if plan.balance.failback is Failback.GENTLE else "no-mark"
        yield row(
            comment(f"leaves by {uplink.name}"),
            chain=FOLLOW,
            out_interface=port_of(uplink),
            connection_mark=guard,
            action="mark-connection",
            new_connection_mark=mark.name,
            passthrough="yes",
        )


def _own(plan: Plan) -> Iterator[str]:
    """The router's own packets: answers by the line that they were asked by, probes by their own routes."""
    balance = plan.balance
    for listed, what in ((LOCAL, "networks next door"), (HOSTS, "probes and name servers")):
        if listed == LOCAL or plan.hosts:
            guard = {"connection_mark": "no-mark"} if listed == HOSTS else {}
            note = comment(f"the router's own, to {what}")
            yield row(note, chain="output", dst_address_list=listed, **guard, action="accept")
    if balance.own:
        yield row(
            comment(f"the router's own by {balance.own}"),
            chain="output",
            dst_address_type="!local",
            connection_state="new",
            connection_mark="no-mark",
            action="mark-connection",
            new_connection_mark=plan.mark_of(balance.own).name,
            passthrough="yes",
        )
    for mark in plan.marks:
        yield row(
            comment(f"{mark.name}, table, the router's own"),
            chain="output",
            dst_address_type="!local",
            connection_mark=mark.name,
            action="mark-routing",
            new_routing_mark=mark.table,
            passthrough="no",
        )
