"""Which counts of datagrams a lab determines, so that two worlds must agree on them, and which are left to chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from compiler.addresses import format_address
from compiler.policy.network import Network
from compiler.policy.stateful import AddToSet, Counter, Hash, Limit, RandomNumber
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.engine import SECOND
from labs.observation import Observation
from labs.programs import program_feature
from labs.requests import addresses_of
from labs.topology import Fault, FaultKind, Lab, Node, Traffic, TrafficKind

__all__ = [
    "Moments",
    "answered_by_programs",
    "entangled",
    "finding_out",
    "hangs_on_ports",
    "is_determined",
    "left_out",
    "uncompared",
    "unsettled",
]

_CHANCE = (AddToSet, Counter, Hash, Limit, RandomNumber)
"""What a rule asks of chance, of the clock, or of the packets of others."""


_SAID = 6
"""Activities that a sentence names."""
_SLACK = SECOND // 2
"""What a busy machine may be late by."""


class Moments(NamedTuple):
    """From one moment until before another, nanoseconds."""

    begin: int
    end: int

    def touch(self, record: ConnectionRecord) -> bool:
        """Whether a connection was there then, or was tried."""
        return record.started < self.end and (record.ended is None or record.ended >= self.begin)


def finding_out(lab: Lab) -> tuple[Moments, ...]:
    """When a watch may be finding out what has broken or mended: what is there meanwhile goes either way."""
    watches = [node.balance.watch for node in lab.nodes if node.balance is not None]
    longest = max(
        (one.interval * max(one.misses, one.replies) + one.timeout + _SLACK for one in watches if one is not None),
        default=0,
    )
    return tuple(Moments(moment, moment + longest) for moment in _turns(lab.faults)) if longest else ()


def _turns(faults: tuple[Fault, ...]) -> Iterator[int]:
    for fault in faults:
        yield fault.at
        if fault.kind is FaultKind.LINK_FLAP:
            for turn in range(fault.count):
                yield from (begins := fault.at + turn * (fault.duration + fault.interval), begins + fault.duration)


def unsettled(lab: Lab, observation: Observation) -> tuple[str, ...]:
    """How many connections of each activity were there while a watch was finding out: ``web 4 of 90``."""
    windows = finding_out(lab)
    found = []
    for outcome in observation.outcomes:
        count = sum(any(one.touch(record) for one in windows) for record in outcome.connections)
        if count:
            found.append(f"{outcome.traffic} {count:,} of {len(outcome.connections):,}")
    return tuple(found)


def entangled(outcome: Outcome) -> frozenset[int]:
    """The visits of a forum's reader whose answers hang on time: by index.

    A browser has one cookie. Where a slow line makes one visit last into the
    next, time decides which of the two logs the other out, and what the next
    one after them is told.
    """
    visits = sorted(outcome.connections, key=lambda visit: (visit.started, visit.index))
    found, until, last = set(), -1, -1
    was_entangled = False
    for visit in visits:
        overlaps = visit.started < until
        if overlaps:
            found |= {last, visit.index}
        if was_entangled or visit.failure is not None:
            found.add(visit.index)
        was_entangled = overlaps or visit.failure is not None
        until = max(until, visit.ended if visit.ended is not None else 1 << 62)
        last = visit.index
    return frozenset(found)


def hangs_on_ports(lab: Lab, traffic: Traffic) -> bool:
    """Whether a router may deal the activity's connections out by source ports that its host chooses by chance.

    By a hash of ports (``pcc``, nftables' ``jhash``), or by a route with several next hops that hashes them.
    """
    return not traffic.source_ports and any(
        _routes_by_ports(node.configuration.network) or _hashes_source_ports(node.configuration.policy)
        for node in lab.nodes
        if node.configuration is not None
    )


def left_out(lab: Lab, left: Observation, right: Observation) -> tuple[str, ...]:
    """What is not compared though it is there: sentences that go on from "not compared"."""
    skipped = {feature for observation in (left, right) for feature, _ in observation.lacks}
    by_ports = [one.name for one in lab.traffic if hangs_on_ports(lab, one) and f"traffic {one.name}" not in skipped]
    found = [f"the lines of {_listed(by_ports)}: ports decide, and hosts choose them"] if by_ports else []
    visits = []
    for traffic in lab.traffic:
        one, other = left.outcome(traffic.name), right.outcome(traffic.name)
        if traffic.kind is TrafficKind.FORUM and one is not None and other is not None:
            hanging = entangled(one) | entangled(other)
            visits += [f"{traffic.name} {len(hanging):,} of {len(one.connections):,}"] if hanging else []
    for place, names in _grouped(answered_by_programs(lab, left, right)).items():
        what = f"as whom {_listed(names)} were seen and what they were told"
        found.append(f"{what}: {place} answers in one world, and what stands for it in the other")
    found += [f"the answers of visits that came while another lasted: {_listed(visits)}"] if visits else []
    return tuple(found)


def answered_by_programs(lab: Lab, left: Observation, right: Observation) -> dict[str, str]:
    """Activities that a real program answers in one world and a stand-in in the other, each with that program.

    Whether they come about is the network's matter and the same; what they are told is not.
    """
    lacks = [{feature for feature, _ in observation.lacks} for observation in (left, right)]
    found = {}
    for traffic in lab.traffic:
        for node in lab.nodes:
            if traffic.server != node.name and not _goes_to(traffic, node):
                continue
            for service in node.services:
                feature = program_feature(node.name, service.stands_for)
                if service.stands_for and service.port == traffic.port and len({feature in one for one in lacks}) == 2:
                    found[traffic.name] = feature
    return found


def _goes_to(traffic: Traffic, node: Node) -> bool:
    return any(format_address(address, family.width) == traffic.server for family, address in addresses_of(node))


def _grouped(pairs: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, place in pairs.items():
        found.setdefault(place, []).append(name)
    return found


def _listed(words: list[str]) -> str:
    return ", ".join(words[:_SAID]) + (f" and {len(words) - _SAID:,} more" if len(words) > _SAID else "")


def _routes_by_ports(network: Network) -> bool:
    return network.multipath_policy == "l4" and any(len(route.next_hops) > 1 for route in network.routes)


def _hashes_source_ports(policy: object) -> bool:
    return any(isinstance(part, Hash) and "source_port" in part.fields for part in _parts(policy))


def is_determined(lab: Lab, traffic: Traffic) -> bool:
    """Whether the lab says how many datagrams or echoes are sent, and which of them arrive.

    Not so where the number is drawn or ended by time, where a link has a rate
    (and so a queue that overflows) or loses at random, where something breaks,
    and where a rule counts, limits or draws lots.
    """
    if traffic.kind is TrafficKind.PING:
        return True
    is_given = traffic.kind is TrafficKind.UDP and traffic.arrivals == "constant" and traffic.duration is None
    return is_given and not lab.faults and not _has_losses(lab) and not _has_chance(lab)


def uncompared(lab: Lab, left: Observation, right: Observation) -> tuple[str, ...]:
    """The counts that differ between the worlds and need not agree: ``flow 52 | 58 of 100``."""
    found = []
    for traffic in lab.traffic:
        one, other = left.outcome(traffic.name), right.outcome(traffic.name)
        if traffic.kind is not TrafficKind.UDP or one is None or other is None or is_determined(lab, traffic):
            continue
        if (one.sent, one.received) != (other.sent, other.received):
            of = f"{one.sent:,}" if one.sent == other.sent else f"{one.sent:,} | {other.sent:,}"
            found.append(f"{traffic.name} {one.received:,} | {other.received:,} of {of}")
    return tuple(found)


def _has_losses(lab: Lab) -> bool:
    return any(way.rate is not None or way.loss for link in lab.links for way in (link.up, link.down))


def _has_chance(lab: Lab) -> bool:
    policies = (node.configuration.policy for node in lab.nodes if node.configuration is not None)
    return any(isinstance(part, _CHANCE) for policy in policies for part in _parts(policy))


def _parts(value: object) -> Iterator[object]:
    """A description and all that it is made of."""
    yield value
    if isinstance(value, tuple):
        for one in value:
            yield from _parts(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
