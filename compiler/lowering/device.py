"""A whole device: every list a chain, one dispatcher for each hook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from compiler.errors import Refusal, UsageError
from compiler.fields import Family
from compiler.lowering.lists import asks_ttl, fragment_chain, is_fragment_sensitive, list_chains
from compiler.lowering.options import Deny, Fragments, Options
from compiler.lowering.placement import Place, places, table
from compiler.policy.access_list import AccessList, Binding, Clause, Device, Direction
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict

__all__ = ["Lowered", "chain_name", "chain_names", "lower_device", "select_lists", "translations"]

_TRANSLATES = {
    Family.IPV4: re.compile(r"ip nat\b|(?!ipv?6).*\b(nat|masquerade|snat|dnat|redirect|netmap)\b"),
    Family.IPV6: re.compile(r"ipv6 nat\b|(?!ip ).*\b(nat|masquerade|snat|dnat|redirect|netmap)\b"),
}
_FORWARDED = InterfaceSet(frozenset({""}), negated=True)
"""Packets that came in by some interface: not the router's own."""


class Lowered(NamedTuple):
    """Chains for a target, what it has no place for, and what the user should know."""

    ruleset: Ruleset
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


class _Called(NamedTuple):
    """A bound list at one place."""

    binding: Binding
    access_list: AccessList
    place: Place


def chain_name(list_name: str) -> str:
    """The chain of a list: ``acl-101``; characters outside ``[A-Za-z0-9_.-]`` become ``_``."""
    return "acl-" + re.sub(r"[^A-Za-z0-9_.-]", "_", list_name)


def select_lists(device: Device, options: Options) -> tuple[tuple[AccessList, ...], tuple[str, ...]]:
    """The lists to compile, and notes about those left out.

    Lists that only another feature uses (access-class, route-map, NAT …) are no
    packet filters between interfaces and are left out unless asked for.
    """
    if options.lists:
        unknown = [name for name in options.lists if device.find(name) is None]
        if unknown:
            have = ", ".join(sorted({access_list.name for access_list in device.lists})) or "none"
            raise UsageError(f"{device.source}: no list {', '.join(unknown)}; it has {have}")
        return tuple(one for one in device.lists if one.name in options.lists), ()
    bound = {(binding.access_list, binding.family) for binding in device.bindings}
    purposes: dict[str, list[str]] = {}
    for use in device.uses:
        purposes.setdefault(use.access_list, []).append(use.purpose)
    selected, notes = [], []
    for access_list in device.lists:
        if (access_list.name, access_list.family) not in bound and access_list.name in purposes:
            used = ", ".join(sorted(set(purposes[access_list.name])))
            notes.append(f"list {access_list.name} is not compiled: only {used} uses it (--list takes it in)")
        else:
            selected.append(access_list)
    return tuple(selected), tuple(notes)


def lower_device(device: Device, target: str, options: Options) -> Lowered:
    """Chains for ``target`` (``nftables`` or ``routeros``). Raises UsageError for unmapped interfaces."""
    lists, notes = select_lists(device, options)
    refusals: list[Refusal] = []
    called = tuple(_called(device, lists, target, options, refusals))
    times = {time_range.name: time_range for time_range in device.time_ranges}
    names = chain_names(lists)
    chains: list[Chain] = []
    for access_list in lists:
        groups = dict.fromkeys(call.place.group for call in called if call.access_list is access_list)
        if not groups:  # bound nowhere: at the place where an in-list would be
            groups = {places(target, Direction.IN, options.placement)[0].group: None}
        for group in groups:
            fragments = _sees_fragments(access_list, called, group, options)
            if target == "routeros" and access_list.family is Family.IPV6:
                # Its IPv6 rules cannot ask for fragments: exact is refused, whole packets need no such chain.
                fragments = fragments and options.fragments is not Fragments.REASSEMBLED
            home = table(target, access_list.family, group)
            name = names[(access_list.name, access_list.family)]
            chains += list_chains(access_list, home, name, times, options.deny, fragments=fragments)
    chains += _dispatchers(called, names, target, options)
    ruleset = Ruleset(source=device.source, dialect=target, chains=tuple(chains))
    return Lowered(ruleset, tuple(refusals), notes)


def _sees_fragments(access_list: AccessList, called: tuple[_Called, ...], group: str, options: Options) -> bool:
    """Whether the chain needs its fragment half: a place that calls it sees fragments, or nothing calls it."""
    mine = [call.place for call in called if call.access_list is access_list and call.place.group == group]
    if not mine or options.fragments is Fragments.UNTRACKED:
        return True
    return any(place.before_defragmentation for place in mine)


def _called(
    device: Device, lists: tuple[AccessList, ...], target: str, options: Options, refusals: list[Refusal]
) -> Iterator[_Called]:
    unmapped = []
    by_key = {(access_list.name, access_list.family): access_list for access_list in lists}
    for binding in device.bindings:
        access_list = by_key.get((binding.access_list, binding.family))
        if access_list is None or not access_list.entries:
            continue  # an undefined or empty list permits everything
        if binding.interface not in options.interfaces:
            unmapped.append(binding.interface)
            continue
        translated = bool(translations(device, binding.family))
        for place in places(target, binding.direction, options.placement, translated=translated):
            refusals.extend(_misplaced(device, binding, access_list, place, options))
            yield _Called(binding, access_list, place)
    if unmapped:
        wanted = " ".join(f"--interface {name}=NAME" for name in dict.fromkeys(unmapped))
        raise UsageError(f"{device.source}: lists are bound to interfaces: say their names on {target}: {wanted}")


def _misplaced(
    device: Device, binding: Binding, access_list: AccessList, place: Place, options: Options
) -> Iterator[Refusal]:
    what = f"list {access_list.name} {binding.direction.value} on {binding.interface}"
    if not place.before_defragmentation and options.fragments is Fragments.EXACT and is_fragment_sensitive(access_list):
        yield Refusal(
            what,
            "it looks at layer 4, and its only place on the target comes after reassembly, so non-initial fragments "
            "cannot be decided as IOS does; say --fragments untracked (nothing on the target reassembles) or "
            "--fragments reassembled (the claim is then about whole packets)",
            binding.span,
        )
    translated = translations(device, binding.family)
    if translated and not place.sees_ios_addresses:
        yield Refusal(
            what,
            f"the source translates addresses ({translated[0].text}), and the list's place on the target "
            "sees other addresses than on IOS",
            binding.span,
        )
    if translated and not place.before_defragmentation and options.fragments is Fragments.UNTRACKED:
        yield Refusal(what, "address translation tracks connections: --fragments untracked cannot hold", binding.span)
    if place.hook is Hook.INPUT and options.fragments is Fragments.UNTRACKED and is_fragment_sensitive(access_list):
        yield Refusal(
            what, "Linux puts packets to itself together before its input hook: use --place early", binding.span
        )
    if asks_ttl(access_list) and place.wire_ttl != (binding.direction is Direction.IN):
        yield Refusal(what, "it looks at the TTL, which its place on the target sees already lowered", binding.span)
    if place.group == "raw" and options.deny is Deny.REJECT:
        yield Refusal(
            what, "RouterOS raw cannot answer what it denies: use --deny drop or --place filter", binding.span
        )


def translations(device: Device, family: Family) -> tuple[Clause, ...]:
    """The lines of the source that translate addresses of the family."""
    return tuple(clause for clause in device.features if _TRANSLATES[family].match(clause.text))


def chain_names(lists: tuple[AccessList, ...]) -> dict[tuple[str, Family], str]:
    """A name for each list, such that its chain for fragments has a name of its own too."""
    names: dict[tuple[str, Family], str] = {}
    taken: set[tuple[str, Family]] = set()
    for access_list in lists:
        base = name = chain_name(access_list.name)
        number = 2
        while {(name, access_list.family), (fragment_chain(name), access_list.family)} & taken:
            name = f"{base}_{number}"
            number += 1
        taken |= {(name, access_list.family), (fragment_chain(name), access_list.family)}
        names[(access_list.name, access_list.family)] = name
    return names


def _dispatchers(
    called: tuple[_Called, ...], names: dict[tuple[str, Family], str], target: str, options: Options
) -> Iterator[Chain]:
    """The base chains: first every in-list by ingress, then every out-list by egress."""
    bases: dict[tuple[str, Place], list[_Called]] = {}
    for call in called:
        home = table(target, call.access_list.family, call.place.group)
        bases.setdefault((home, call.place), []).append(call)
    for (home, place), calls in bases.items():
        rules = []
        for call in sorted(calls, key=lambda call: call.binding.direction is Direction.OUT):
            interface = InterfaceSet.only(options.interfaces[call.binding.interface])
            inward = call.binding.direction is Direction.IN
            match = Match(ingress=interface) if inward else Match(egress=interface)
            if place.hook is Hook.POSTROUTING:
                match = match._replace(ingress=_FORWARDED)
            name = names[(call.access_list.name, call.access_list.family)]
            comment = f"{call.binding.interface} {call.binding.direction.value}"
            rules.append(Rule(match, Verdict.JUMP, name, comment=comment, span=call.binding.span))
        yield Chain(
            home,
            place.chain,
            tuple(rules),
            frozenset({calls[0].access_list.family}),
            place.hook,
            place.priority,
            Verdict.ACCEPT,
        )
