"""Commands for ``ip -force -batch``: written from the plan, and read back into a network.

``-force`` goes on after errors: on a first load there is nothing yet to
delete. The reader knows the commands that stand here and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from compiler.balancing.linux_marks import MASK, RULE_PRIORITY, mark_value, table_number
from compiler.balancing.plan import Plan, port_of
from compiler.errors import CannotSay, InputErrors, Refusal, SyntaxFault
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.placed.addresses import address, interface_address, prefix, show
from compiler.policy.balance import Addressing, Uplink
from compiler.policy.network import Interface, Network, NextHop, Prefix, Route, RouteKind, RoutingRule
from compiler.policy.stateful import MarkIn, Register
from compiler.source import Span

__all__ = ["read_batch", "write_batch"]


def write_batch(plan: Plan) -> str:
    """The text. Raises CannotSay for uplinks that get their gateway by DHCP: the lease's hook must give it."""
    refused = [uplink for uplink in plan.balance.uplinks if uplink.addressing is Addressing.DHCP]
    if refused:
        why = "routes by a leased gateway are for the hook of the DHCP client"
        raise CannotSay("Linux", tuple(Refusal(f"gateway of {one.name} by DHCP", why, one.span) for one in refused))
    head = [
        f"# {plan.balance.name or 'router'}: tables and rules by Gerbang, from {plan.balance.source}.",
        "# Load with: ip -force -batch FILE (errors of deletions on a first load are of no account)",
    ]
    return "\n".join([*head, *_addresses(plan), *_routes(plan), *_rules(plan)]) + "\n"


def _addresses(plan: Plan) -> Iterator[str]:
    for one in plan.balance.ends:
        if one.address is not None:
            text = f"{show(one.address.family, one.address.address)}/{one.address.length}"
            yield f"address replace {text} dev {one.interface}"


def _routes(plan: Plan) -> Iterator[str]:
    for host in plan.hosts:
        yield f"route replace {show(Family.IPV4, host.host)}/32 {_way(plan.balance.uplink(host.uplink))}"
    for metric, name in enumerate(plan.main, 1):
        yield f"route replace default {_way(plan.balance.uplink(name))} metric {metric}"
    for table in plan.tables:
        number = table_number(table.number)
        yield f"# {table.name} ({table.span.source}:{table.span.line})"
        yield f"route flush table {number}"
        if table.weights:
            hops = zip(table.uplinks, table.weights, strict=True)
            words = " ".join(f"nexthop {_way(plan.balance.uplink(name))} weight {weight}" for name, weight in hops)
            yield f"route replace default table {number} {words}"
            continue
        for metric, name in enumerate(table.uplinks, 1):
            yield f"route replace default {_way(plan.balance.uplink(name))} metric {metric} table {number}"
        if table.strict:
            yield f"route replace blackhole default metric 1000 table {number}"


def _way(uplink: Uplink) -> str:
    device = f"dev {port_of(uplink)}"
    return device if uplink.gateway is None else f"via {show(Family.IPV4, uplink.gateway)} {device}"


def _rules(plan: Plan) -> Iterator[str]:
    """Routes more specific than a default come first: a mark must not send the networks next door away."""
    yield f"rule del priority {RULE_PRIORITY}"
    yield f"rule add priority {RULE_PRIORITY} lookup main suppress_prefixlength 0"
    for place, table in enumerate(plan.tables, 1):
        mark = f"0x{mark_value(table.number):x}/0x{MASK:x}"
        yield f"rule del priority {RULE_PRIORITY + place}"
        yield f"rule add priority {RULE_PRIORITY + place} fwmark {mark} lookup {table_number(table.number)}"


# -- reading ----------------------------------------------------------------------------


def read_batch(text: str, source: str) -> Network:
    """The network that the commands make. Raises InputErrors with every line that is none of ours."""
    reader = _Reader(source)
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        if words:
            reader.line(words, Span(source, number), line)
    if reader.errors:
        raise InputErrors(tuple(reader.errors))
    tables = tuple(dict.fromkeys(route.table for route in reader.routes if route.table != "main"))
    interfaces = tuple(reader.interfaces.values())
    return Network(
        source, "linux", interfaces=interfaces, routes=tuple(reader.routes), tables=tables, rules=reader.rules
    )


class _Reader:
    def __init__(self, source: str) -> None:
        self.interfaces: dict[str, Interface] = {}
        self.routes: list[Route] = []
        self.rules: tuple[RoutingRule, ...] = ()
        self.errors: list[SyntaxFault] = []

    def line(self, words: list[str], span: Span, text: str) -> None:
        try:
            self._command(words, span)
        except (ValueError, KeyError, IndexError) as error:
            self.errors.append(SyntaxFault(f"not understood: {error}", span, text))

    def _command(self, words: list[str], span: Span) -> None:
        head, rest = tuple(words[:2]), words[2:]
        if head == ("address", "replace") and rest[1] == "dev" and len(rest) == 3:
            port = self._interface(rest[2])
            self.interfaces[port.name] = replace(port, addresses=(*port.addresses, interface_address(rest[0])))
        elif head == ("route", "flush") and rest[0] == "table":
            self.routes = [route for route in self.routes if route.table != rest[1]]
        elif head == ("route", "replace"):
            self._route(rest, span)
        elif head == ("rule", "del"):
            priority = int(_pairs(rest)["priority"])
            self.rules = tuple(rule for rule in self.rules if rule.priority != priority)
        elif head == ("rule", "add"):
            self._rule(_pairs(rest), span)
        else:
            raise ValueError(f"{' '.join(words[:2])} is no command of these files")

    def _interface(self, name: str) -> Interface:
        return self.interfaces.setdefault(name, Interface(name))

    def _route(self, words: list[str], span: Span) -> None:
        kind = RouteKind.UNICAST
        if words[0] == "blackhole":
            kind, words = RouteKind.BLACKHOLE, words[1:]
        target = Prefix(Family.IPV4, 0, 0) if words[0] == "default" else prefix(words[0])
        parts: list[list[str]] = [[]]
        for word in words[1:]:
            if word == "nexthop":
                parts.append([])
            else:
                parts[-1].append(word)
        common = _pairs(parts[0])
        hops = [self._hop(_pairs(part)) for part in parts[1:]]
        if "via" in common or "dev" in common:
            hops.append(self._hop({key: common.pop(key) for key in ("via", "dev") if key in common}))
        table, metric = common.pop("table", "main"), int(common.pop("metric", "0"))
        if common:
            raise ValueError(f"{next(iter(common))} is not of these files")
        key = (target, table, metric)
        self.routes = [one for one in self.routes if (one.prefix, one.table, one.distance) != key]
        self.routes.append(Route(target, tuple(hops), table, metric, kind, span=span))

    def _hop(self, words: dict[str, str]) -> NextHop:
        gateway = address(words["via"])[1] if "via" in words else None
        port = self._interface(words["dev"]).name
        if words.keys() - {"via", "dev", "weight"}:
            raise ValueError("a next hop has via, dev and weight")
        return NextHop(gateway, port, int(words.get("weight", "1")))

    def _rule(self, words: dict[str, str], span: Span) -> None:
        mark = None
        if "fwmark" in words:
            value, mask = (int(part, 16) for part in words.pop("fwmark").split("/"))
            mark = MarkIn(Register.PACKET, IntegerSet.values(value), mask)
        shortest = words.pop("suppress_prefixlength", None)
        priority, table = int(words.pop("priority")), words.pop("lookup")
        if words:
            raise ValueError(f"{next(iter(words))} is not of these files")
        suppressed = None if shortest is None else int(shortest)
        rule = RoutingRule(Family.IPV4, priority, table, mark=mark, suppress_prefix_length=suppressed, span=span)
        self.rules = (*self.rules, rule)


def _pairs(words: Sequence[str]) -> dict[str, str]:
    if len(words) % 2:
        raise ValueError(f"{words[-1]} has no value")
    found = dict(zip(words[::2], words[1::2], strict=True))
    if len(found) * 2 != len(words):
        raise ValueError("a word stands twice")
    return found
