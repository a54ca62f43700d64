"""Whether a filter lets those in who look after the appliance: decided for all their packets, by sets.

The question is put to the nft text itself, read back: for each management
network, is there an address of the appliance to which TCP comes in, to the
ports of SSH and of the appliance, from every host, from any port, with any flags?
"""

from __future__ import annotations

from collections.abc import Iterator

from netaddr import IPNetwork

from appliance.contract.components import Severity
from appliance.services.network.kinds import network
from appliance.services.network.model import ManagementNetwork, NetworkDescription, Settings
from appliance.services.network.rules import Problem, connected
from compiler.addresses import AddressSet
from compiler.analysis.equivalence.comparison import one_hop
from compiler.dialects.nftables.reader import read as read_nftables
from compiler.fields import TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4
from compiler.policy.packet import Path
from compiler.policy.packet_text import format_packet
from compiler.policy.ruleset import Rule
from compiler.semantics.decision import decide
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context, Machine
from compiler.symbolic.evaluate import passing
from compiler.symbolic.space import space
from compiler.symbolic.witness import plainest_packet

__all__ = ["lockouts"]

_NEW = "network.management"


def lockouts(whole: NetworkDescription, rules: str) -> Iterator[Problem]:
    """An error for each management network of which some packet is dropped, with such a packet and who drops it."""
    if not rules:
        return
    if not whole.management:
        text = "no management network is declared: nobody checks that this filter does not lock you out"
        yield Problem(_NEW, Severity.WARNING, text, {})
        return
    firewall = machine(read_nftables(rules, "filter.nft"))
    for one in whole.management:
        yield from _of(one, whole, firewall)


def _of(one: ManagementNetwork, whole: NetworkDescription, firewall: Machine) -> Iterator[Problem]:
    """One address of the appliance that all of them reach is enough; those of the interface come first."""
    wanted = network(one.network)
    own = [(interface.name, found.ip) for interface, found in connected(whole) if found.version == wanted.version]
    own.sort(key=lambda named: named[0] != one.interface)
    family = Family.IPV4 if wanted.version == 4 else Family.IPV6
    context = Context(family, Path.INPUT, one.interface, "", False)
    sources = _hosts(wanted, [int(address) for _, address in own])
    stopped = [_stopped(firewall, context, sources, int(address), whole.settings) for _, address in own]
    if not stopped or any(found is None for found in stopped):
        return
    packet, by = next(found for found in stopped if found is not None)
    yield Problem(
        f"{_NEW}/{one.name}",
        Severity.ERROR,
        "the filter would lock out {network} on {interface}: {packet} is dropped by {by}",
        {"network": one.network, "interface": one.interface, "packet": packet, "by": by},
    )


def _hosts(wanted: IPNetwork, own: list[int]) -> AddressSet:
    """Who may sit there: not the appliance itself, nor the network's own number and broadcast.

    Packets that claim to come from those are forged, and are rightly dropped.
    """
    width = 32 if wanted.version == 4 else 128
    without = set(own)
    if wanted.version == 4 and wanted.prefixlen < 31:
        without |= {wanted.first, wanted.last}
    low, ranges = wanted.first, []
    for value in sorted(one for one in without if wanted.first <= one <= wanted.last):
        if low < value:
            ranges.append((low, value - 1))
        low = value + 1
    if low <= wanted.last:
        ranges.append((low, wanted.last))
    return AddressSet.of(width, tuple(ranges))


def _stopped(
    firewall: Machine, context: Context, sources: AddressSet, address: int, settings: Settings
) -> tuple[str, str] | None:
    """A packet to this address that does not come in, and what drops it; None when all do."""
    match = layer4(
        Match(
            source=sources,
            destination=AddressSet.of(sources.width, ((address, address),)),
            protocol=IntegerSet.values(TCP),
            destination_port=IntegerSet.values(settings.ssh_port, settings.tls_port),
        )
    )
    stages = firewall.stages(context)
    packets = space(context.family)
    region = packets.encode(match._replace(family=None, noninitial=None)) & packets.possible
    left = asked = region & one_hop(stages, context.family)
    for stage in stages:
        left = passing(stage, left, packets)
    stopped = asked & ~left
    if not stopped.satisfiable():
        return None
    packet = plainest_packet(stopped, packets, context)
    decision = decide(stages, packet)
    origin = decision.step.origin if decision.step is not None else None
    by = origin.comment if isinstance(origin, Rule) else ""
    return format_packet(packet), by or decision.why or str(decision.span)
