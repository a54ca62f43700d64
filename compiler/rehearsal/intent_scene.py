"""The scene of an intent: its plan, written for a target and read back, so that what runs is what would be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.balancing.ip_batch import write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.plan import Plan, make_plan, port_of
from compiler.balancing.reading import read_balance
from compiler.balancing.routeros import write_routeros
from compiler.balancing.routeros_routes import gateway_comment
from compiler.balancing.view import view_linux, view_routeros
from compiler.balancing.wanted_routes import Lease, routes_for
from compiler.errors import UsageError
from compiler.policy.balance import Addressing, Uplink
from compiler.policy.network import Interface, Network, NextHop, Prefix, Route
from compiler.rehearsal.leases import leased
from compiler.rehearsal.scene import DOWNLOAD, UPLOAD, Forward, Inside, Line, Scene, assumed_of

__all__ = ["intent_scene"]


def intent_scene(text: str, source: str, target: str) -> Scene:
    """Read, plan, write, read back. Raises InputErrors, CannotSay, and UsageError for an unknown target."""
    plan = make_plan(read_balance(text, source))
    if target == "linux":
        view = view_linux(write_nftables(plan), write_batch(plan), "written")
    elif target in ("routeros6", "routeros7"):
        view = view_routeros(write_routeros(plan, int(target[-1])), "written.rsc")
    else:
        raise UsageError(f"unknown target {target!r}: expected routeros6, routeros7 or linux")
    lines = tuple(_line(uplink) for uplink in plan.balance.uplinks)
    insides = tuple(
        Inside(one.interface, one.address.address, one.prefix, tuple(_named(plan, one.prefix, one.address.address)))
        for one in plan.balance.networks
    )
    leases = {
        uplink.name: Lease(line.gateways[0] if line.gateways else None, line.addresses[0])
        for uplink, line in zip(plan.balance.uplinks, lines, strict=True)
        if uplink.addressing is not Addressing.STATIC
    }
    network = _with_leases(view.network, plan, lines)
    if target == "linux" and leases:  # the hook of the DHCP client sets them
        network = replace(network, routes=routes_for(plan, [line.name for line in lines], leases))
    forwards, notes = tuple(_forwards(plan)), tuple(_notes(plan, lines))
    return Scene(source, target, network, view.ruleset, lines, insides, forwards, plan, notes, leases)


def _line(uplink: Uplink) -> Line:
    address, gateway = uplink.address, uplink.gateway
    if uplink.addressing is not Addressing.STATIC or address is None:
        address, gateway = leased(uplink.number, alone=uplink.addressing is Addressing.PPPOE)
    return Line(
        uplink.name,
        port_of(uplink),
        (address,),
        () if gateway is None else (gateway,),
        uplink.weight,
        uplink.download or DOWNLOAD,
        uplink.upload or UPLOAD,
        has_rates=bool(uplink.download and uplink.upload),
        answers_for_all=gateway is None,
        is_dialled=uplink.addressing is Addressing.PPPOE,
    )


def _with_leases(network: Network, plan: Plan, lines: tuple[Line, ...]) -> Network:
    """What DHCP and PPPoE would do: addresses, and the gateway in the routes that wait for it."""
    changed = network
    for uplink, line in zip(plan.balance.uplinks, lines, strict=True):
        if uplink.addressing is Addressing.STATIC:
            continue
        rest = tuple(port for port in changed.interfaces if port.name != line.interface)
        before = changed.interface(line.interface) or Interface(line.interface)
        changed = replace(changed, interfaces=(*rest, replace(before, addresses=line.addresses)))
        if uplink.addressing is Addressing.DHCP:
            comment = gateway_comment(uplink)
            routes = tuple(_given(route, line.gateways[0], comment) for route in changed.routes)
            changed = replace(changed, routes=routes)
    return changed


def _given(route: Route, gateway: int, comment: str) -> Route:
    if not route.comment.partition(" (")[0].endswith(comment):
        return route
    return replace(route, enabled=True, next_hops=(NextHop(gateway),))


def _named(plan: Plan, prefix: Prefix, own: int) -> Iterator[int]:
    """One host of each source that a rule names, so that no rule goes without traffic."""
    found: dict[int, None] = {}
    for rule in plan.rules:
        for source in rule.selection.sources:
            if source.length > prefix.length and prefix.contains(source.value):
                host = source.value + (source.length < 31)
                if host != own:
                    found[host] = None
    hosts = {forward.host for forward in plan.balance.forwards}
    return iter([host for host in found if host not in hosts])


def _forwards(plan: Plan) -> Iterator[Forward]:
    for one in plan.balance.forwards:
        for name in one.uplinks:
            port = port_of(plan.balance.uplink(name))
            yield Forward(port, one.protocol, one.ports[0], one.host, one.port or one.ports[0])


def _notes(plan: Plan, lines: tuple[Line, ...]) -> Iterator[str]:
    yield from assumed_of(lines)
    changing = [uplink.name for uplink in plan.balance.uplinks if uplink.addressing is not Addressing.STATIC]
    if changing:
        yield f"{', '.join(changing)}: an address out of 100.64.0.0/10 stands for the one that the ISP would give"
