"""The rules of a router as nft text: its own, or compiled from another dialect and proved equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from compiler.analysis.compilation import compile_tree
from compiler.deploy.linux.libnftables import Nftables
from compiler.dialects import read
from compiler.errors import CannotSay, GerbangError
from compiler.lowering.options import Deny, Fragments, Options
from compiler.policy.access_list import Device
from compiler.policy.network import Network
from compiler.policy.ruleset import Ruleset
from labs.kernel.routing import Unrealisable
from labs.observation import RuleCount
from labs.topology import Configuration

__all__ = ["FirewallText", "firewall_text", "rule_counts"]


class FirewallText(NamedTuple):
    """What nft is to load; with ``whole_packets_only`` it is not proved for later fragments."""

    text: str
    whole_packets_only: bool = False


def firewall_text(configuration: Configuration, interfaces: Mapping[str, str]) -> FirewallText:
    """What nft is to load. ``interfaces`` maps the device's names to Linux's.

    Unrealisable when the dialect asks for more than filters (NAT, marks,
    policy routing of other systems), or the compile or its proof fails.
    """
    if configuration.dialect == "nftables":
        renamed = [name for name, linux in interfaces.items() if name != linux]
        if renamed and configuration.text.strip():
            raise Unrealisable(f"Linux takes no interface of the name {renamed[0]!r}")
        return FirewallText(configuration.text)
    missing = next(_beyond_filters(configuration.network), "")
    if missing:
        raise Unrealisable(f"the kernel world has no {missing} of {configuration.dialect}")
    if not configuration.text.strip():
        return FirewallText("")
    return _compiled(configuration, interfaces)


def _compiled(configuration: Configuration, interfaces: Mapping[str, str]) -> FirewallText:
    try:
        # The simulator's reading is lenient; a compile wants every clause modelled.
        tree = read(configuration.text, str(configuration.path or "configuration"), dialect=configuration.dialect)
        _check_features(tree)
        if isinstance(tree, Device) and not tree.bindings:
            return FirewallText("")
        mapping = {name: linux for name, linux in interfaces.items() if name in _named(tree)}
        return _proved(tree, Options(interfaces=mapping, deny=_denial(tree)))
    except GerbangError as error:
        first = error.render().splitlines()
        raise Unrealisable(f"not compiled to nftables: {' '.join(line.strip() for line in first[:3])}") from error


def _proved(tree: Device | Ruleset, options: Options) -> FirewallText:
    """Exact where that can be said, else for whole packets, which is noted."""
    try:
        return FirewallText(compile_tree(tree, "nftables", options).text)
    except CannotSay:
        whole = replace(options, fragments=Fragments.REASSEMBLED)
        return FirewallText(compile_tree(tree, "nftables", whole).text, whole_packets_only=True)


def _denial(tree: Device | Ruleset) -> Deny:
    """A Cisco router answers what its lists deny (ICMP administratively prohibited); chains say for themselves."""
    return Deny.REJECT if isinstance(tree, Device) else Deny.DROP


def _check_features(tree: Device | Ruleset) -> None:
    if tree.features:
        feature = tree.features[0]
        raise Unrealisable(f"{feature.span}: {feature.text!r} is not compiled to nftables")


def _named(tree: Device | Ruleset) -> frozenset[str]:
    if isinstance(tree, Device):
        return frozenset(tree.interfaces) | {binding.interface for binding in tree.bindings}
    sets = (
        interfaces.names
        for chain in tree.chains
        for rule in chain.rules
        for interfaces in (rule.match.ingress, rule.match.egress)
        if interfaces is not None
    )
    return frozenset(name for names in sets for name in names)


def _beyond_filters(network: Network) -> Iterator[str]:
    if network.static_translations or network.dynamic_translations:
        yield "address translation"
    if network.route_maps or any(interface.policy for interface in network.interfaces):
        yield "policy routing"
    if any(not interface.unreachables for interface in network.interfaces):
        yield "'no ip unreachables'"


def rule_counts(node: str, configuration: Configuration, rules: Nftables) -> tuple[RuleCount, ...]:
    """Packets of each rule that counts, by its place in the configuration where that is known."""
    policy = configuration.policy
    if configuration.dialect != "nftables" or not isinstance(policy, Ruleset):
        return ()
    places = {chain.key: [str(rule.span) for rule in chain.rules if not rule.disabled] for chain in policy.chains}
    counts = []
    numbers: dict[tuple[str, str], int] = {}
    objects = rules.listing()
    sizes: dict[tuple[str, str], int] = {}
    listed = [one["rule"] for one in objects if "rule" in one]
    for rule in listed:
        key = (f"{rule['family']} {rule['table']}", rule["chain"])
        sizes[key] = sizes.get(key, 0) + 1
    for rule in listed:
        key = (f"{rule['family']} {rule['table']}", rule["chain"])
        number = numbers[key] = numbers.get(key, -1) + 1
        packets = _counter(rule["expr"])
        if packets is None:
            continue
        known = places.get(key, [])
        place = known[number] if len(known) == sizes[key] else f"{key[0]} {key[1]} rule {number + 1}"
        counts.append(RuleCount(node, place, packets))
    return tuple(counts)


def _counter(expressions: list[object]) -> int | None:
    for expression in expressions:
        if isinstance(expression, dict) and isinstance(expression.get("counter"), dict):
            return int(expression["counter"]["packets"])
    return None
