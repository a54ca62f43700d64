"""When all lines are read: what they say together, and drafts into values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from compiler.addresses import format_address
from compiler.dialects.ios.interfaces import interface_name
from compiler.dialects.ios.network_maps import finish_maps
from compiler.dialects.ios.network_state import Given, InterfaceDraft, NetworkState
from compiler.policy.network import DynamicTranslation, Interface, InterfaceAddress, Network, RouteMap
from compiler.source import Span

__all__ = ["finish_network"]

MTU = 1500
"""The MTU of an interface that says none."""


def finish_network(state: NetworkState) -> Network:
    """The network; what does not fit together is kept among ``state.errors``."""
    policies = {draft.policy for draft in state.ports.values() if draft.policy}
    translations = {draft.route_map for draft in state.dynamics.values() if draft.route_map}
    maps = finish_maps(state, policies, translations)
    _check_addresses(state)
    _check_routes(state)
    _check_names(state, [found for found in maps if found.name in policies | translations], translations)
    return Network(
        state.source,
        "ios",
        state.hostname,
        interfaces=tuple(_interface(state, draft) for draft in state.ports.values()),
        routes=tuple(state.routes.values()),
        route_maps=maps,
        static_translations=tuple(state.statics.values()),
        dynamic_translations=tuple(_dynamics(state)),
        name_servers=tuple(state.name_servers),
        multipath_policy=state.multipath_policy,
        skipped_lines=state.skipped,
        lines=tuple(state.lines),
    )


def _parent(state: NetworkState, name: str) -> InterfaceDraft | None:
    """The interface that a subinterface stands on."""
    above, dot, _ = name.rpartition(".")
    return state.ports.get(above) if dot else None


def _enabled(state: NetworkState, draft: InterfaceDraft) -> bool:
    """Whether the interface is up: a subinterface goes down with the interface under it."""
    parent = _parent(state, draft.name)
    return draft.enabled and (parent is None or parent.enabled)


def _interface(state: NetworkState, draft: InterfaceDraft) -> Interface:
    if draft.secondaries and draft.primary is None:
        _at(state, draft.secondaries[0].span, f"{draft.name} has a secondary address and no primary one")
    parent = _parent(state, draft.name)
    mtu = draft.mtu or (parent.mtu if parent is not None else None)
    most = mtu or MTU
    if draft.ip_mtu is not None and draft.ip_mtu > most and not draft.name.startswith("Tunnel"):
        _at(state, draft.ip_mtu_span, f"{draft.ip_mtu} is above the MTU of {draft.name}, which is {most}")
    return Interface(
        draft.name,
        tuple(given.address for given in draft.given()),
        _enabled(state, draft),
        draft.ip_mtu or most,
        draft.nat,
        draft.policy,
        draft.unreachables,
        draft.comment,
        draft.span,
    )


def _at(state: NetworkState, span: Span, message: str) -> None:
    """Keep an error of a place that is known already."""
    text = state.lines[span.line - 1]
    index = len(text[: span.column - 1].split())
    state.fault_at(span, message, index, max(len(text[span.column - 1 : span.end - 1].split()), 1))


# -- addresses --------------------------------------------------------------------------


def _check_addresses(state: NetworkState) -> None:
    """Two interfaces that are up may not share a network (IOS: "overlaps with")."""
    seen: list[tuple[Given, str]] = []
    for draft in state.ports.values():
        if not _enabled(state, draft):
            continue
        seen += [(given, draft.name) for given in draft.given()]
    seen.sort(key=lambda one: one[0].span.line)
    # Networks of one family that overlap are neighbours by their first address, shorter prefix first.
    ordered = sorted(seen, key=lambda one: (one[0].address.family, _first(one[0].address), one[0].address.length))
    open_networks: list[tuple[Given, str]] = []
    for given, name in ordered:
        address = given.address
        open_networks = [one for one in open_networks if _holds(one[0].address, address)]
        for other, interface in open_networks:
            if interface != name:
                _overlap(state, (given, name), (other, interface))
                break
        open_networks.append((given, name))


def _first(address: InterfaceAddress) -> int:
    shift = address.family.width - address.length
    return address.address >> shift << shift


def _holds(outer: InterfaceAddress, inner: InterfaceAddress) -> bool:
    if outer.family is not inner.family:
        return False
    shift = outer.family.width - outer.length
    return outer.address >> shift == inner.address >> shift


def _overlap(state: NetworkState, one: tuple[Given, str], other: tuple[Given, str]) -> None:
    """The error stands at the later of the two."""
    (first, interface), (later, _) = sorted((one, other), key=lambda found: found[0].span.line)
    address = later.address
    network = f"{format_address(_first(address), address.family.width)}/{address.length}"
    _at(state, later.span, f"{network} overlaps with {interface} (line {first.span.line})")


def _check_routes(state: NetworkState) -> None:
    """A next hop is another router."""
    own = {
        (given.address.family, given.address.address): draft.name
        for draft in state.ports.values()
        for given in draft.given()
    }
    for route in state.routes.values():
        for hop in route.next_hops:
            name = own.get((route.prefix.family, hop.address)) if hop.address is not None else None
            if name is not None:
                text = format_address(hop.address or 0, route.prefix.family.width)
                words = state.lines[route.span.line - 1].split()
                at = next((index for index, word in enumerate(words) if word.lower() == text), 0)
                state.fault_at(route.span, f"the next hop {text} is this router's own address, of {name}", at)


# -- names ------------------------------------------------------------------------------


def _check_names(state: NetworkState, maps: Iterable[RouteMap], translations: set[str]) -> None:
    """Each interface and route map that is named is there."""
    for route in state.routes.values():
        for hop in route.next_hops:
            _check_interface(state, hop.interface, route.span)
    for static in state.statics.values():
        _check_interface(state, static.interface, static.span)
    for dynamic in state.dynamics.values():
        _check_interface(state, dynamic.interface, dynamic.span)
        if dynamic.route_map and dynamic.route_map not in state.maps:
            _unknown(state, "route map", dynamic.route_map, state.maps, dynamic.span)
    for draft in state.ports.values():
        if draft.policy and draft.policy not in state.maps:
            _unknown(state, "route map", draft.policy, state.maps, draft.policy_span)
    for found in maps:
        for sequence, entry in state.maps[found.name].entries.items():
            shown = next(one for one in found.entries if one.sequence == sequence)
            for name in (*shown.egress, *shown.interfaces, *shown.default_interfaces):
                for line in entry.lines:
                    if _place(line.words, name)[1]:
                        _check_interface(state, name, Span(state.source, line.number))


def _check_interface(state: NetworkState, name: str, span: Span) -> None:
    if not name or name in state.ports or name == "Null0":
        return
    _unknown(state, "interface", name, state.ports, span)


def _unknown(state: NetworkState, kind: str, name: str, known: Iterable[str], span: Span) -> None:
    near = get_close_matches(name, list(known), 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    state.fault_at(span, f"there is no {kind} {name}{hint}", *_place(state.lines[span.line - 1].split(), name))


def _place(words: list[str], name: str) -> tuple[int, int]:
    """The words that name it: number of the first, and how many; none when it is not there."""
    for index in range(len(words) - 1, -1, -1):
        if words[index] == name or interface_name(words[index]) == name:
            return index, 1
        if index + 1 < len(words) and interface_name(words[index] + words[index + 1]) == name:
            return index, 2
    return 0, 0


def _dynamics(state: NetworkState) -> Iterator[DynamicTranslation]:
    for draft in state.dynamics.values():
        pool = state.pools.get(draft.pool)
        if draft.pool and pool is None:
            _unknown(state, "pool", draft.pool, state.pools, draft.span)
        yield DynamicTranslation(
            draft.access_list,
            draft.route_map,
            pool.addresses if pool is not None else None,
            draft.interface,
            draft.overload,
            draft.span,
        )
