"""Routes for RouterOS 6 and 7: hosts by one uplink, recursive or checked defaults, tables.

Probes make a default recursive: its gateway is the probed host, which a route
of scope 10 reaches by the uplink (MikroTik, "IP Routing", nexthop lookup); so an
ISP that is dead behind a living modem is found out too. Each probe has a route
of its own: the uplink is dead when none answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.balancing.plan import LineTable, Plan, port_of
from compiler.balancing.routeros_words import comment, row
from compiler.fields import Family
from compiler.placed.addresses import show
from compiler.policy.balance import Addressing, Uplink

__all__ = ["gateway_comment", "routes"]

_TARGET_SCOPE = 11
_LAST = 254
"""The distance of what is taken when nothing else is alive."""


def gateway_comment(uplink: Uplink) -> str:
    """What the comments of routes have that a DHCP lease gives their gateway to."""
    return f"gateway of {uplink.name} by lease"


def routes(plan: Plan, version: int) -> Iterator[str]:
    """The rows of ``/ip route``."""
    for host in plan.hosts:
        uplink = plan.balance.uplink(host.uplink)
        what = "probe" if host.is_probe else "name server"
        yield _row(uplink, f"{what} by {uplink.name}", dst_address=f"{_text(host.host)}/32", scope=10)
    main = LineTable("main", 0, plan.main)
    for table in (main, *plan.tables):
        yield from _shared(plan, table, version) if table.weights else _ordered(plan, table, version)


def _ordered(plan: Plan, table: LineTable, version: int) -> Iterator[str]:
    distance = 1
    for name in table.uplinks:
        uplink = plan.balance.uplink(name)
        for probe in uplink.probes or (None,):
            yield _default(uplink, table, version, distance, probe)
            distance += 1
    if table.strict:
        gone = {"type": "blackhole"} if version == 6 else {"blackhole": "yes"}
        words = {"dst_address": "0.0.0.0/0", _where(version): table.name, "distance": _LAST, **gone}
        yield row(comment(f"{table.name}, or not at all"), **words)


def _shared(plan: Plan, table: LineTable, version: int) -> Iterator[str]:
    """ECMP: in version 6 one row that names gateways as often as they weigh, in version 7 as many rows."""
    chosen = [plan.balance.uplink(name) for name in table.uplinks]
    pairs = [uplink for uplink, weight in zip(chosen, table.weights, strict=True) for _ in range(weight)]
    if version == 6:
        gateways = ",".join(_gateway(uplink, _first_probe(uplink)) for uplink in pairs)
        words = {"dst_address": "0.0.0.0/0", "routing_mark": table.name, "gateway": gateways, "distance": 1}
        check = {"target_scope": _TARGET_SCOPE, "check_gateway": "ping"}
        yield row(comment(f"{table.name}, shared"), **words, **check)
    else:
        for uplink in pairs:
            yield _default(uplink, table, version, 1, _first_probe(uplink))


def _first_probe(uplink: Uplink) -> int | None:
    return uplink.probes[0] if uplink.probes else None


def _default(uplink: Uplink, table: LineTable, version: int, distance: int, probe: int | None) -> str:
    words: dict[str, object] = {"dst_address": "0.0.0.0/0", "distance": distance}
    if table.name != "main":
        words[_where(version)] = table.name
    if probe is not None or uplink.addressing is not Addressing.PPPOE:
        words["check_gateway"] = "ping"  # a PPPoE interface goes down by itself (LCP echo)
    if probe is not None:
        words |= {"target_scope": _TARGET_SCOPE, "gateway": _text(probe)}
        return row(comment(f"{table.name} by {uplink.name}, if {_text(probe)} answers"), **words)
    return _row(uplink, f"{table.name} by {uplink.name}", **words)


def _row(uplink: Uplink, what: str, **words: object) -> str:
    """A route whose gateway is the uplink's. One that DHCP gives its gateway waits for the lease."""
    if uplink.addressing is Addressing.DHCP:
        what, words = f"{what}, {gateway_comment(uplink)}", {**words, "disabled": "yes"}
    return row(comment(what), gateway=_gateway(uplink, None), **words)


def _gateway(uplink: Uplink, probe: int | None) -> str:
    if probe is not None:
        return _text(probe)
    return port_of(uplink) if uplink.gateway is None else _text(uplink.gateway)


def _where(version: int) -> str:
    return "routing_mark" if version == 6 else "routing_table"


def _text(address: int) -> str:
    return show(Family.IPV4, address)
