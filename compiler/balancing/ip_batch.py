"""Commands for ``ip -force -batch``: written from the plan, and read back into a network.

``-force`` goes on after errors: on a first load there is nothing yet to
delete. Rules are deleted by all that they say and by our protocol, for others
may have the same priority. The reader knows the commands that stand here and
no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compiler.balancing.linux_marks import HOSTS_TABLE, PROTOCOL, table_number
from compiler.balancing.plan import Plan
from compiler.balancing.wanted_routes import NO_LEASES, Lease, Leases, awaits_lease, routes_for, rules_for
from compiler.errors import InputErrors, SyntaxFault
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.placed.addresses import address, interface_address, prefix, show
from compiler.policy.network import Interface, Network, NextHop, Prefix, Route, RouteKind, RoutingRule
from compiler.policy.stateful import MarkIn, Register
from compiler.source import Span

__all__ = ["AWAITING", "read_batch", "write_batch"]

AWAITING = "#? "
"""Before a route whose gateway a lease must bring."""


def write_batch(plan: Plan, leases: Leases = NO_LEASES) -> str:
    """The text.

    Routes by a gateway that DHCP has not given yet stand behind :data:`AWAITING`,
    which ``ip`` takes for a comment; ``{NAME}`` is where the gateway of that
    uplink belongs. The watch sets them when the lease comes, or a hook by
    ``sed -n 's/^#? //; s/{NAME}/GATEWAY/p'``. PPPoE routes lead to the interface.
    """
    head = [
        f"# {plan.balance.name or 'router'}: tables and rules by Gerbang, from {plan.balance.source}.",
        "# Load with: ip -force -batch FILE (errors of deletions on a first load are of no account)",
    ]
    if any(awaits_lease(uplink, leases) for uplink in plan.balance.uplinks):
        head.append(
            f"# Lines that begin with {AWAITING.strip()} wait for the gateway of a lease, in place of {{NAME}}."
        )
    return "\n".join([*head, *_addresses(plan), *_routes(plan, leases), *_rules(plan)]) + "\n"


def _addresses(plan: Plan) -> Iterator[str]:
    for one in plan.balance.ends:
        if one.address is not None:
            text = f"{show(one.address.family, one.address.address)}/{one.address.length}"
            yield f"address replace {text} dev {one.interface}"


def _routes(plan: Plan, leases: Leases) -> Iterator[str]:
    names = [uplink.name for uplink in plan.balance.uplinks]
    awaited = {one.name: Lease(-one.number) for one in plan.balance.uplinks if awaits_lease(one, leases)}
    gateways = {-plan.balance.uplink(name).number: f"{{{name}}}" for name in awaited}
    at_hand = routes_for(plan, names, leases)
    later = [route for route in routes_for(plan, names, {**leases, **awaited}) if route not in at_hand]
    about = {str(table_number(one.number)): f"{one.name} ({one.span.source}:{one.span.line})" for one in plan.tables}
    about = {str(HOSTS_TABLE): "hosts that the router itself asks by one uplink", **about}
    for name in ("main", *about):
        if name != "main":
            yield f"# {about[name]}"
            yield f"route flush table {name}"
        for route in at_hand:
            if route.table == name:
                yield _route(route, gateways)
        for route in later:
            if route.table == name:
                yield f"{AWAITING}{_route(route, gateways)}"


def _route(route: Route, gateways: Mapping[int, str]) -> str:
    family, value, length = route.prefix
    words = ["route replace"]
    if route.kind is not RouteKind.UNICAST:
        words.append(route.kind.value)
    words.append(f"{show(family, value)}/{length}" if length else "default")
    ways = [_way(hop, gateways) for hop in route.next_hops]
    if len(ways) == 1:
        words += ways
    if route.distance:
        words.append(f"metric {route.distance}")
    if route.table != "main":
        words.append(f"table {route.table}")
    if len(ways) > 1:
        words += [f"nexthop {way} weight {hop.weight}" for way, hop in zip(ways, route.next_hops, strict=True)]
    return " ".join(words)


def _way(hop: NextHop, gateways: Mapping[int, str]) -> str:
    if hop.address is None:
        return f"dev {hop.interface}"
    return f"via {gateways.get(hop.address) or show(Family.IPV4, hop.address)} dev {hop.interface}"


def _rules(plan: Plan) -> Iterator[str]:
    for rule in rules_for(plan):
        mark, shortest = rule.mark, rule.suppress_prefix_length
        which = f" iif {rule.ingress}" if rule.ingress else ""
        which += f" fwmark 0x{mark.values.intervals[0][0]:x}/0x{mark.mask:x}" if isinstance(mark, MarkIn) else ""
        tail = "" if shortest is None else f" suppress_prefixlength {shortest}"
        said = f"priority {rule.priority}{which} lookup {rule.table}{tail} protocol {PROTOCOL}"
        yield f"rule del {said}"
        yield f"rule add {said}"


# -- reading ----------------------------------------------------------------------------


def read_batch(text: str, source: str) -> Network:
    """The network that the commands make. Raises InputErrors with every line that is none of ours."""
    reader = _Reader(source)
    for number, line in enumerate(text.split("\n"), 1):
        reader.awaiting = line.startswith(AWAITING)
        words = line.removeprefix(AWAITING).partition("#")[0].split()
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
        self.awaiting = False
        """Whether this line waits for a lease: its routes are not in force."""

    def line(self, words: list[str], span: Span, text: str) -> None:
        try:
            self._command(words, span)
        except (ValueError, KeyError, IndexError) as error:
            self.errors.append(SyntaxFault(f"not understood: {error}", span, text))

    def _command(self, words: list[str], span: Span) -> None:
        head, rest = tuple(words[:2]), words[2:]
        if self.awaiting and head != ("route", "replace"):
            raise ValueError("only routes wait for a lease")
        if head == ("address", "replace") and rest[1] == "dev" and len(rest) == 3:
            port = self._interface(rest[2])
            self.interfaces[port.name] = replace(port, addresses=(*port.addresses, interface_address(rest[0])))
        elif head == ("route", "flush") and rest[0] == "table":
            self.routes = [route for route in self.routes if route.table != rest[1]]
        elif head == ("route", "replace"):
            self._route(rest, span)
        elif head == ("rule", "del"):
            gone = _rule(_pairs(rest), span)
            self.rules = tuple(rule for rule in self.rules if replace(rule, span=span) != gone)
        elif head == ("rule", "add"):
            self.rules = (*self.rules, _rule(_pairs(rest), span))
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
        key = (target, table, metric, not self.awaiting)
        self.routes = [one for one in self.routes if (one.prefix, one.table, one.distance, one.enabled) != key]
        self.routes.append(Route(target, tuple(hops), table, metric, kind, enabled=not self.awaiting, span=span))

    def _hop(self, words: dict[str, str]) -> NextHop:
        gateway = None
        if "via" in words and not (self.awaiting and words["via"].startswith("{")):
            gateway = address(words["via"])[1]
        port = self._interface(words["dev"]).name
        if words.keys() - {"via", "dev", "weight"}:
            raise ValueError("a next hop has via, dev and weight")
        return NextHop(gateway, port, int(words.get("weight", "1")))


def _rule(words: dict[str, str], span: Span) -> RoutingRule:
    mark = None
    if "fwmark" in words:
        value, mask = (int(part, 16) for part in words.pop("fwmark").split("/"))
        mark = MarkIn(Register.PACKET, IntegerSet.values(value), mask)
    ingress = words.pop("iif", "")
    shortest = words.pop("suppress_prefixlength", None)
    priority, table = int(words.pop("priority")), words.pop("lookup")
    if words.pop("protocol", str(PROTOCOL)) != str(PROTOCOL):
        raise ValueError(f"rules of these files are of protocol {PROTOCOL}")
    if words:
        raise ValueError(f"{next(iter(words))} is not of these files")
    suppressed = None if shortest is None else int(shortest)
    return RoutingRule(
        Family.IPV4, priority, table, ingress=ingress, mark=mark, suppress_prefix_length=suppressed, span=span
    )


def _pairs(words: Sequence[str]) -> dict[str, str]:
    if len(words) % 2:
        raise ValueError(f"{words[-1]} has no value")
    found = dict(zip(words[::2], words[1::2], strict=True))
    if len(found) * 2 != len(words):
        raise ValueError("a word stands twice")
    return found
