"""Networks and uplinks of the intent."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import AddressSet, Wildcard
from compiler.balancing.reading_words import interface, ipv4, ipv4_interface, ipv4_prefix, listed, name
from compiler.fields import Family
from compiler.placed import quantities
from compiler.placed.addresses import show, show_prefix
from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedScalar, PlacedValue
from compiler.policy.balance import Addressing, LocalNetwork, Uplink
from compiler.policy.network import Prefix

__all__ = ["MOST_WEIGHT", "inside", "read_network", "read_uplink"]

MOST_WEIGHT = 1000


def read_network(key: PlacedScalar, value: PlacedValue, complaints: Complaints) -> LocalNetwork | None:
    """``lan: {interface: ether3, address: 192.168.3.1/24}``."""
    fields = Fields(value, f"network {key.text!r}", complaints)
    own_name = parse(key, name, complaints)
    fields.required("interface")
    fields.required("address", "the router's own, such as 192.168.3.1/24")
    port = fields.get("interface", interface, "")
    address = fields.optional("address", ipv4_interface) if "address" in fields else None
    fields.done()
    if own_name is None or address is None or not port:
        return None
    return LocalNetwork(own_name, port, address, key.span)


def read_uplink(key: PlacedScalar, value: PlacedValue, number: int, complaints: Complaints) -> Uplink:
    """``isp1: {interface: ether1, address: 192.168.1.2/24, gateway: 192.168.1.1}``, or ``gateway: dhcp``, ``pppoe``."""
    fields = Fields(value, f"uplink {key.text!r}", complaints)
    parse(key, name, complaints)
    fields.required("interface")
    kind = Addressing.STATIC
    gateway = None
    text = fields.required("gateway", "an address, dhcp or pppoe")
    if text in (Addressing.DHCP.value, Addressing.PPPOE.value):
        kind = Addressing(text)
    elif text:
        gateway = fields.optional("gateway", ipv4)
    address = fields.optional("address", ipv4_interface)
    if kind is Addressing.STATIC and text and "address" not in fields:
        complaints.error(f"uplink {key.text!r} has no 'address', and its gateway gives it none", fields.span)
    if kind is not Addressing.STATIC and address is not None:
        complaints.error(f"uplink {key.text!r} has an address already, by {kind.value}", fields.place("address"))
    user, password = fields.text("user"), fields.text("password")
    if kind is Addressing.PPPOE and not user:
        complaints.error(f"uplink {key.text!r}: pppoe needs 'user' (and 'password')", fields.span)
    if kind is not Addressing.PPPOE and (user or password):
        complaints.error("user and password are of pppoe", fields.place("user" if user else "password"))
    found = Uplink(
        key.text,
        number,
        fields.get("interface", interface, ""),
        kind,
        address,
        gateway,
        fields.integer("weight", 1, 1, MOST_WEIGHT),
        fields.get("download", quantities.rate, 0),
        fields.get("upload", quantities.rate, 0),
        listed(fields.take("probes"), ipv4, complaints),
        listed(fields.take("dns"), ipv4, complaints),
        user,
        password,
        key.span,
    )
    fields.done()
    return found


def inside(value: PlacedValue | None, uplinks: tuple[Uplink, ...], complaints: Complaints) -> tuple[Prefix, ...]:
    """Further networks that no uplink is needed for: not everything, and nothing that an uplink is there to reach."""
    found: list[Prefix] = []
    for item in as_items(value):
        one = parse(item, ipv4_prefix, complaints)
        if one is None:
            continue
        found.append(one)
        if (
            AddressSet.of(32, wildcards=[Wildcard.prefix(net.value, net.length, 32) for net in found])
            .complement()
            .is_empty
        ):
            complaints.error("inside: with this the whole Internet is inside, and no uplink is needed", item.span)
            continue
        for uplink in uplinks:
            for what, host in _beyond(uplink):
                if one.contains(host):
                    told = f"{what} {show(Family.IPV4, host)} of uplink {uplink.name!r}"
                    complaints.error(f"inside: {show_prefix(one)} covers the {told}", item.span)
    return tuple(found)


def _beyond(uplink: Uplink) -> Iterator[tuple[str, int]]:
    """The hosts that only the uplink reaches."""
    if uplink.gateway is not None:
        yield "gateway", uplink.gateway
    yield from (("probe", host) for host in uplink.probes)
    yield from (("name server", host) for host in uplink.name_servers)
