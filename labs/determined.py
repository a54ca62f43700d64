"""Which counts of datagrams a lab determines, so that two worlds must agree on them, and which are left to chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from compiler.policy.stateful import AddToSet, Counter, Hash, Limit, RandomNumber
from labs.observation import Observation
from labs.topology import Lab, Traffic, TrafficKind

__all__ = ["is_determined", "uncompared"]

_CHANCE = (AddToSet, Counter, Hash, Limit, RandomNumber)
"""What a rule asks of chance, of the clock, or of the packets of others."""


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
