"""From a lab to the network model that properties are about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compiler.errors import InputErrors
from compiler.policy.access_list import Device
from compiler.policy.network import Interface, InterfaceAddress
from compiler.policy.ruleset import Ruleset
from compiler.testing.networks.model import Cable, HostEnd, NetworkModel, PortName, RouterEnd
from labs.topology import Configuration, Lab, Node, NodeKind

__all__ = ["model_of"]

_ENDS = (NodeKind.HOST, NodeKind.SERVER)


def model_of(lab: Lab) -> NetworkModel:
    """The lab's nodes and links as a network model; its traffic, faults and losses are left out.

    A host with several ports is an end for each: the first by its own name,
    the others as ``host.port``. Nodes and links that start down are dead. Of a
    virtual RouterOS the configuration that it begins with counts.
    """
    mtu = {(end.node, end.interface): link.mtu for link in lab.links for end in link.ends}
    ends = {node.name: tuple(_ends(node)) for node in lab.nodes if node.kind in _ENDS}
    names = {(node, end.port): end.name for node, several in ends.items() for end in several}
    cables = []
    for link in lab.links:
        left, right = (PortName(names.get((end.node, end.interface), end.node), end.interface) for end in link.ends)
        cables.append(Cable(link.name, (left, right), link.up.rate, link.up.delay))
    dead = {node.name for node in lab.nodes if not node.is_up} | {link.name for link in lab.links if not link.is_up}
    return NetworkModel(
        tuple(end for several in ends.values() for end in several),
        tuple(_router(node, mtu) for node in lab.nodes if node.configuration is not None),
        tuple(node.name for node in lab.nodes if node.kind is NodeKind.SWITCH),
        tuple(cables),
        source=lab.source or lab.name,
        dead=frozenset(dead),
        clock=lab.clock,
        repeats=_command(lab),
    )


def _ends(node: Node) -> list[HostEnd]:
    found = []
    for number, port in enumerate(node.interfaces):
        own = tuple(InterfaceAddress(*one[1:]) for one in node.addresses if one.interface == port)
        gateways = tuple(
            (family, gateway)
            for family, gateway in node.gateways
            if len(node.interfaces) == 1 or any(_near(one, gateway) for one in own if one.family is family)
        )
        found.append(HostEnd(f"{node.name}.{port}" if number else node.name, own, gateways, port))
    return found


def _near(one: InterfaceAddress, address: int) -> bool:
    shift = one.family.width - one.length
    return one.address >> shift == address >> shift


def _router(node: Node, mtu: dict[tuple[str, str], int]) -> RouterEnd:
    configuration = node.configuration
    assert configuration is not None
    network = configuration.network
    known = {one.name for one in network.interfaces}
    interfaces = tuple(
        replace(one, mtu=min(one.mtu, mtu.get((node.name, one.name), one.mtu))) for one in network.interfaces
    )
    interfaces += tuple(Interface(name) for name in node.interfaces if name not in known)
    tree, beyond = _readable(configuration)
    watch = None
    if node.balance is not None and node.balance.watch is not None:
        watch = node.balance.plan, node.balance.watch
    return RouterEnd(node.name, replace(network, interfaces=interfaces), tree, configuration.policy, beyond, watch)


def _readable(configuration: Configuration) -> tuple[Device | Ruleset | None, str]:
    """What proofs can read of a configuration, else why they cannot."""
    from compiler.dialects import read

    policy, network = configuration.policy, configuration.network
    if policy is None:
        return None, ""
    if network.static_translations or network.dynamic_translations:
        return None, f"{policy.source} translates addresses"
    try:
        return read(configuration.text, policy.source, dialect=configuration.dialect), ""
    except InputErrors as beyond:
        return None, str(beyond.errors[0])


def _command(lab: Lab) -> tuple[str, ...]:
    where = lab.source or str(lab.folder)
    path = Path(where)
    place = str(path.parent) if path.name == "lab.yaml" else where
    settings = tuple(word for name, value in lab.settings for word in ("--set", f"{name}={value}"))
    return ("gerbang", "lab", "trace", place, *(("--variant", lab.variant) if lab.variant else ()), *settings)
