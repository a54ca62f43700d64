"""The plan -> a RouterOS script, complete, for version 6 or 7. It may be imported again at any time.

Rows are found by the owner in their comments: the script takes away what an
earlier one left, then adds its own. Nothing foreign is touched but what would
stand in the way: the same address on an interface, a DHCP client there.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.balancing.interface_names import names_refused_by_routeros
from compiler.balancing.places_of_names import places
from compiler.balancing.plan import Plan, port_of
from compiler.balancing.routeros_mangle import HOSTS, LISTS_LAN, LISTS_WAN, LOCAL, list_name, mangle
from compiler.balancing.routeros_routes import gateway_comment, routes
from compiler.balancing.routeros_words import (
    OWNER,
    Section,
    comment,
    prefixes_text,
    protocol_text,
    quoted,
    row,
)
from compiler.dialects.routeros.quoting import quote
from compiler.errors import CannotSay, Refusal
from compiler.fields import Family
from compiler.placed.addresses import show
from compiler.policy.balance import Addressing, Method, Uplink
from compiler.policy.network import InterfaceAddress
from compiler.rendering import render

__all__ = ["write_routeros"]


def write_routeros(plan: Plan, version: int) -> str:
    """The script. Raises CannotSay for what RouterOS has no words for."""
    refusals = tuple(_refusals(plan, version))
    if refusals:
        raise CannotSay(f"RouterOS {version}", refusals)
    sections = tuple(section for section in _sections(plan, version) if section.lines)
    menus = dict.fromkeys(section.menu for section in sections if section.menu not in ("ip dns", "system identity"))
    return render(
        "routeros/balance.rsc.j2",
        title=plan.balance.name or "router",
        source=plan.balance.source,
        places=places(plan.balance),
        version=version,
        owner=OWNER,
        cleared=tuple(reversed(menus)),
        sections=sections,
    )


def _refusals(plan: Plan, version: int) -> Iterator[Refusal]:
    yield from names_refused_by_routeros(plan)
    for uplink in plan.balance.uplinks:
        if uplink.addressing is Addressing.DHCP and not uplink.probes:
            for one in plan.balance.classes:
                if one.method is Method.ECMP and uplink.name in one.uplinks:
                    yield Refusal(f"ecmp by {uplink.name}", "its gateway comes by DHCP: give it 'probes'", one.span)
    for table in plan.tables if version == 7 else ():
        if len(set(table.weights)) > 1:
            # MikroTik documents one route for each next hop and says nothing of weights, or of equal routes.
            what = f"ecmp with the weights {', '.join(map(str, table.weights))}"
            why = "nothing says that version 7 weighs routes: 'method: pcc' with 'fields: both-addresses' does the same"
            yield Refusal(what, f"{why} by a hash that does", table.span)


def _sections(plan: Plan, version: int) -> Iterator[Section]:
    balance = plan.balance
    yield Section("system identity", "", (f"set name={quote(balance.name)}",) if balance.name else ())
    yield Section("interface pppoe-client", "PPPoE", tuple(map(_pppoe, _by(plan, Addressing.PPPOE))))
    yield Section("interface list", "which interfaces are inside, which lead out", tuple(_lists(plan)))
    yield Section("interface list member", "", tuple(_members(plan)))
    yield Section("ip address", "the router's own addresses", tuple(_addresses(plan)))
    yield Section("ip dns", "name servers", tuple(_dns(plan)))
    if version == 7:
        tables = (row(comment(one.name), name=one.name).replace("add ", "add fib ", 1) for one in plan.tables)
        yield Section("routing table", "a table for each mark", tuple(tables))
    yield Section("ip firewall address-list", "addresses that rules name", tuple(_address_lists(plan)))
    yield Section("ip firewall mangle", "marks", tuple(mangle(plan)))
    yield Section("ip firewall nat", "translations", tuple(_nat(plan)))
    yield Section(
        "ip firewall filter", "no names for the world, stray connections, the short way", tuple(_filter(plan))
    )
    yield Section("ip route", "defaults of the tables, probes", tuple(routes(plan, version)))
    # A lease looks for the routes that wait for it in the moment when it comes.
    yield Section("ip dhcp-client", "leases", tuple(_leases(plan)))


def _by(plan: Plan, kind: Addressing) -> list[Uplink]:
    return [uplink for uplink in plan.balance.uplinks if uplink.addressing is kind]


def _pppoe(uplink: Uplink) -> str:
    words = {"name": port_of(uplink), "interface": uplink.interface, "user": uplink.user, "password": uplink.password}
    own = {"add_default_route": "no", "use_peer_dns": "no", "disabled": "no"}
    return row(comment(uplink.name), **words, **own)


def _lists(plan: Plan) -> Iterator[str]:
    yield row(comment("inside"), name=LISTS_LAN)
    yield row(comment("uplinks"), name=LISTS_WAN)


def _members(plan: Plan) -> Iterator[str]:
    inside = {network.interface: network for network in reversed(plan.balance.networks)}
    for network in reversed(inside.values()):
        yield row(comment(network.name), list=LISTS_LAN, interface=network.interface)
    for uplink in plan.balance.uplinks:
        yield row(comment(uplink.name), list=LISTS_WAN, interface=port_of(uplink))


def _addresses(plan: Plan) -> Iterator[str]:
    for one in plan.balance.ends:
        if one.address is not None:
            text = _address(one.address)
            yield f'remove [find where address="{text}"]'
            yield row(comment(one.name), address=text, interface=one.interface)


def _address(address: InterfaceAddress) -> str:
    return f"{show(address.family, address.address)}/{address.length}"


def _leases(plan: Plan) -> Iterator[str]:
    """The lease's gateway goes into the routes that wait for it, and leaves them with it."""
    for uplink in _by(plan, Addressing.DHCP):
        found = f'[/ip route find where comment~"{gateway_comment(uplink)}"]'
        bound = f'/ip route set {found} gateway=$"gateway-address" disabled=no'
        script = f":if ($bound=1) do={{{bound}}} else={{/ip route set {found} disabled=yes}}"
        words = {"interface": uplink.interface, "add_default_route": "no", "use_peer_dns": "no", "script": script}
        yield f"remove [find where interface={quoted(uplink.interface)}]"
        yield row(comment(uplink.name), **words, disabled="no")


def _dns(plan: Plan) -> Iterator[str]:
    balance = plan.balance
    servers = dict.fromkeys(
        (*(one for uplink in balance.uplinks for one in uplink.name_servers), *balance.name_servers)
    )
    if servers:
        texts = ",".join(show(Family.IPV4, server) for server in servers)
        yield f"set servers={texts} allow-remote-requests={'yes' if balance.serves_names else 'no'}"


def _address_lists(plan: Plan) -> Iterator[str]:
    for prefix in plan.local:
        note = comment("without an uplink")
        yield row(note, list=LOCAL, address=prefixes_text(prefix))
    for host in plan.hosts:
        note = comment(f"by {host.uplink}")
        yield row(note, list=HOSTS, address=show(Family.IPV4, host.host))
    shared = {rule.group or rule.key: rule for rule in reversed(plan.rules)}
    for rule in reversed(shared.values()):
        for end, parts in (("from", rule.selection.sources), ("to", rule.selection.destinations)):
            for prefix in parts if len(parts) > 1 else ():
                note = comment(rule.key)
                yield row(note, list=list_name(rule, end), address=prefixes_text(prefix))


def _nat(plan: Plan) -> Iterator[str]:
    for number, forward in enumerate(plan.balance.forwards, 1):
        low, high = forward.ports
        for name in forward.uplinks:
            yield row(
                comment(f"forward-{number}"),
                chain="dstnat",
                in_interface=port_of(plan.balance.uplink(name)),
                protocol=protocol_text(forward.protocol),
                dst_port=low if low == high else f"{low}-{high}",
                action="dst-nat",
                to_addresses=show(Family.IPV4, forward.host),
                to_ports=forward.port or None,
            )
    for uplink in plan.balance.uplinks:
        yield row(comment(uplink.name), chain="srcnat", out_interface=port_of(uplink), action="masquerade")


def _filter(plan: Plan) -> Iterator[str]:
    """Established TCP that leaves by another uplink than its own has the wrong address: a reset lets it start anew.

    A resolver that anybody may ask answers floods with forged sources: uplinks may not ask it.
    """
    if plan.balance.serves_names:
        for protocol in ("udp", "tcp"):
            yield row(
                comment(f"no names for the world, {protocol}"),
                chain="input",
                in_interface_list=LISTS_WAN,
                protocol=protocol,
                dst_port=53,
                action="drop",
            )
    for mark in plan.marks:
        uplink = plan.balance.uplink(mark.uplink)
        yield row(
            comment(f"{mark.name} astray"),
            chain="forward",
            in_interface_list=LISTS_LAN,
            out_interface_list=LISTS_WAN,
            out_interface=f"!{port_of(uplink)}",
            protocol="tcp",
            connection_state="established",
            connection_mark=mark.name,
            action="reject",
            reject_with="tcp-reset",
        )
    if plan.balance.fasttrack:
        words = {"chain": "forward", "connection_state": "established,related", "connection_mark": "no-mark"}
        note = comment("connections without a mark")
        yield row(note, **words, action="fasttrack-connection")
        yield row(note, **words, action="accept")
