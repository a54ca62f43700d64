"""What is wrong with an intent though every word of it can be read."""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from math import gcd

from compiler.addresses import AddressSet, Wildcard
from compiler.placed.addresses import show, show_prefix
from compiler.placed.complaints import Complaints
from compiler.policy.balance import MOST_UPLINKS, Balance, Method, Uplink
from compiler.policy.network import InterfaceAddress, Prefix
from compiler.source import Span

__all__ = ["MOST_ROUTED", "MOST_SLOTS", "check", "network_of"]

MOST_SLOTS = 128
"""Slots of one cycle: weights are divided by what they have in common, then summed. RouterOS wants a rule for each."""

MOST_ROUTED = 24
"""Classes with a table of their own: six bits of Linux's marks number them, after those of uplinks."""


def network_of(address: InterfaceAddress) -> Prefix:
    """The network that an interface's address lies in."""
    shift = address.family.width - address.length
    return Prefix(address.family, address.address >> shift << shift, address.length)


def check(balance: Balance, complaints: Complaints, *, all_networks: bool = True) -> None:
    """Complain about what cannot work. ``all_networks``: whether all networks of the text could be read."""
    count = len(balance.uplinks)
    if balance.uplinks and not 2 <= count <= MOST_UPLINKS:
        where = balance.uplinks[MOST_UPLINKS if count > MOST_UPLINKS else 0].span
        complaints.error(f"{count} uplink{'s' if count > 1 else ''}: expected two to {MOST_UPLINKS}", where)
    _interfaces(balance, complaints)
    _networks(balance, complaints)
    for uplink in balance.uplinks:
        _gateway(uplink, balance, complaints)
    _targets(balance, complaints)
    _classes(balance, complaints)
    _forwards(balance, complaints, all_networks)


def _interfaces(balance: Balance, complaints: Complaints) -> None:
    taken: dict[str, str] = {}
    for what, one in [("network", one) for one in balance.networks] + [("uplink", one) for one in balance.uplinks]:
        if not one.interface:
            continue
        if one.interface in taken and not (what == "network" and taken[one.interface].startswith("network")):
            complaints.error(f"interface {one.interface!r} is already that of {taken[one.interface]}", one.span)
        taken.setdefault(one.interface, f"{what} {one.name!r}")


def _own(balance: Balance) -> list[tuple[str, InterfaceAddress, Span]]:
    found = [(f"network {one.name!r}", one.address, one.span) for one in balance.networks]
    return found + [(f"uplink {one.name!r}", one.address, one.span) for one in balance.uplinks if one.address]


def _networks(balance: Balance, complaints: Complaints) -> None:
    for (first, left, _), (second, right, span) in combinations(_own(balance), 2):
        one, other = network_of(left), network_of(right)
        if one.contains(other.value) or other.contains(one.value):
            complaints.error(f"{second}: {show_prefix(other)} overlaps {show_prefix(one)} of {first}", span)


def _gateway(uplink: Uplink, balance: Balance, complaints: Complaints) -> None:
    if uplink.gateway is None or uplink.address is None:
        return
    family, gateway = uplink.address.family, uplink.gateway
    network = network_of(uplink.address)
    owner = next((what for what, address, _ in _own(balance) if address.address == gateway), "")
    if owner:
        complaints.error(
            f"uplink {uplink.name!r}: the gateway {show(family, gateway)} is the router's own address ({owner})",
            uplink.span,
        )
    elif not network.contains(gateway):
        complaints.error(
            f"uplink {uplink.name!r}: the gateway {show(family, gateway)} lies outside {show_prefix(network)}",
            uplink.span,
        )
    elif network.length < 31 and gateway - network.value in (0, (1 << (32 - network.length)) - 1):
        complaints.error(f"uplink {uplink.name!r}: the gateway {show(family, gateway)} is no host's", uplink.span)


def _targets(balance: Balance, complaints: Complaints) -> None:
    """Probes and name servers each go by one uplink: the route to a host is one."""
    owners: dict[int, tuple[str, str]] = {}
    locals_ = [network.prefix for network in balance.networks]
    for uplink in balance.uplinks:
        for what, hosts in (("probe", uplink.probes), ("name server", uplink.name_servers)):
            for host in hosts:
                other = owners.setdefault(host, (uplink.name, what))
                text = show(locals_[0].family, host) if locals_ else str(host)
                if other[0] != uplink.name:
                    why = f"uplink {uplink.name!r}: the {what} {text} is the {other[1]} of uplink {other[0]!r} too"
                    complaints.error(f"{why}; a host can be reached by one of them only", uplink.span)
                for beyond in balance.uplinks:
                    if beyond is uplink or beyond.address is None or host == beyond.address.address:
                        continue
                    if network_of(beyond.address).contains(host):
                        which = "is the gateway" if host == beyond.gateway else "lies in the network"
                        why = f"uplink {uplink.name!r}: the {what} {text} {which} of uplink {beyond.name!r}"
                        complaints.error(f"{why}, which reaches it without this one", uplink.span)
                if any(network.contains(host) for network in locals_):
                    complaints.error(f"uplink {uplink.name!r}: the {what} {text} is a host inside", uplink.span)
                if any(address.address == host for _, address, _ in _own(balance)):
                    complaints.error(
                        f"uplink {uplink.name!r}: the {what} {text} is the router's own address", uplink.span
                    )
        if len(set(uplink.probes)) != len(uplink.probes):
            complaints.error(f"uplink {uplink.name!r}: a probe stands twice", uplink.span)
        if uplink.gateway in uplink.probes:
            complaints.error(
                f"uplink {uplink.name!r}: the gateway is its own probe; without 'probes' it is asked anyhow",
                uplink.span,
            )


def _classes(balance: Balance, complaints: Complaints) -> None:
    routed = [one for one in balance.classes if one.method in (Method.ECMP, Method.FAILOVER)]
    if len(routed) > MOST_ROUTED:
        why = f"{len(routed)} classes by ecmp or failover: at most {MOST_ROUTED}, for each has a table and a mark"
        complaints.error(why, routed[MOST_ROUTED].span)
    weights = {uplink.name: uplink.weight for uplink in balance.uplinks}
    for one in balance.classes:
        chosen = [weights[name] for name in one.uplinks]
        slots = sum(chosen) // reduce(gcd, chosen, 0) if chosen else 0
        if one.method in (Method.NTH, Method.PCC, Method.ECMP) and slots > MOST_SLOTS:
            complaints.error(f"weights that make {slots} slots: at most {MOST_SLOTS}; round them", one.span)
        sets = [(name, AddressSet.of(32, wildcards=[_wildcard(part) for part in parts])) for name, parts in one.members]
        for (left, some), (right, others) in combinations(sets, 2):
            both = some.intersection(others)
            if not both.is_empty:
                where = show(balance.networks[0].address.family, both.ranges[0][0]) if both.ranges else "addresses"
                complaints.error(f"members: {where} is a member of both {left!r} and {right!r}", one.span)


def _wildcard(prefix: Prefix) -> Wildcard:
    return Wildcard.prefix(prefix.value, prefix.length, prefix.family.width)


def _forwards(balance: Balance, complaints: Complaints, all_networks: bool) -> None:
    own = {address.address for _, address, _ in _own(balance)}
    for index, one in enumerate(balance.forwards):
        if one.host in own:
            complaints.error("a port forward to the router itself: what is for the router arrives anyhow", one.span)
        elif (
            all_networks
            and not any(network.prefix.contains(one.host) for network in balance.networks)
            and not any(inside.contains(one.host) for inside in balance.inside)
        ):
            complaints.error("a port forward to a host that is in none of the networks", one.span)
        for other in balance.forwards[:index]:
            same = one.protocol == other.protocol and set(one.uplinks) & set(other.uplinks)
            if same and one.ports[0] <= other.ports[1] and other.ports[0] <= one.ports[1]:
                complaints.error(f"these ports are forwarded in line {other.span.line} already", one.span)
