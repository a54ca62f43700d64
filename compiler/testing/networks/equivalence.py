"""Whether two networks deliver the same packets between the same hosts: in sets, for all pairs at once.

A packet of a pair arrives whatever way it takes, or by some ways only (where
equal routes share the traffic), or never. Networks are equivalent where all
packets fare alike, under each failure of a part that both have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from compiler.errors import UsageError
from compiler.policy.packet import Path
from compiler.policy.packet_text import format_packet
from compiler.semantics.machine import Context
from compiler.testing.answer import Answer, Hop, Sureness, Witness
from compiler.testing.headers import Headers
from compiler.testing.networks.claims import Begin, begins, gathered, is_there
from compiler.testing.networks.deciding import Field
from compiler.testing.networks.flows import Arrival, BeyondSets
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.refuting import way

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["ask_same_deliveries"]


class _Fate(NamedTuple):
    """What becomes of the packets between the hosts of a network: two sets, which may share packets."""

    arrives: BDDFunction
    fails: BDDFunction
    arrivals: tuple[Arrival, ...]

    def difference(self, other: _Fate) -> BDDFunction:
        return (self.arrives ^ other.arrives) | (self.fails ^ other.fails)


def ask_same_deliveries(
    here: NetworkModel, there: NetworkModel, headers: Headers, failures: tuple[frozenset[str], ...], question: str
) -> Answer:
    """Whether every packet between two hosts fares alike. UsageError for other hosts, addresses, or no such packet."""
    _refuse_others(here, there)
    ours, theirs = Field(here), Field(there)
    groups = gathered(begins(headers, here.hosts, here.hosts))
    if not any(ours.asks(headers, group) for group in groups):
        raise UsageError(f"{question}: there is no such packet, so nothing was asked")
    asked = tuple(dead for dead in failures if dead - here.dead <= _parts(there))
    for dead in asked:
        for group in groups:
            begin = group._replace(dead=dead)
            left, right = _fate(ours, headers, begin, question), _fate(theirs, headers, begin, question)
            different = left.difference(right)
            if different.satisfiable():
                return _refuted(question, (ours, theirs), (left, right), begin, different)
    pairs = len(here.hosts) * (len(here.hosts) - 1)
    decided = f"over all packets, {pairs:,} pairs of hosts" + (f", {len(asked):,} failures" if len(asked) > 1 else "")
    return Answer(question, True, Sureness.PROVED, decided)


def _parts(model: NetworkModel) -> frozenset[str]:
    return frozenset((*model.names, *(cable.name for cable in model.cables)))


def _refuse_others(here: NetworkModel, there: NetworkModel) -> None:
    ours, theirs = ({host.name: host.addresses for host in model.hosts} for model in (here, there))
    only = sorted(set(ours) ^ set(theirs))
    if only:
        raise UsageError(f"only one of the two networks has {', '.join(only)}: compare networks with the same hosts")
    for name, addresses in ours.items():
        if set(addresses) != set(theirs[name]):
            raise UsageError(f"{name} has other addresses in the other network, so no packet is in both")


def _fate(field: Field, headers: Headers, begin: Begin, question: str) -> _Fate:
    try:
        arrivals = field.arrivals(headers, begin)
    except BeyondSets as beyond:
        raise UsageError(f"{question}: {field.model.source}: only sets can compare networks, and {beyond}") from beyond
    arrived = failed = field.ground(begin.family).space.empty
    for arrival in arrivals:
        if any(is_there(begin._replace(destinations=(place,)), arrival) for place in begin.destinations or ()):
            arrived = arrived | arrival.region
        else:
            failed = failed | arrival.region
    return _Fate(arrived, failed, arrivals)


def _refuted(
    question: str, fields: tuple[Field, Field], fates: tuple[_Fate, _Fate], begin: Begin, different: BDDFunction
) -> Answer:
    from compiler.symbolic.witness import plainest_packet
    from compiler.testing.dynamic.trying import exactly

    space = fields[0].ground(begin.family).space
    context = Context(begin.family, Path.FORWARD, "", "", begin.noninitial)
    packet = plainest_packet(different, space, context)
    one = space.encode(exactly(packet))
    hops: list[Hop] = []
    told = []
    for field, fate, name in zip(fields, fates, ("this network", "the other"), strict=True):
        ends = [arrival for arrival in fate.arrivals if (arrival.region & one).satisfiable()]
        told.append(f"{name}: {' or '.join(dict.fromkeys(_told(arrival) for arrival in ends)) or 'not sent'}")
        for arrival in ends[:1]:
            hops += _named(name, way(field.flows(begin), begin, arrival, packet))
    dead = f"; while {', '.join(sorted(begin.dead))} dead" if begin.dead else ""
    witness = Witness(format_packet(packet), tuple(hops))
    return Answer(question, False, Sureness.PROVED, "over all packets", "; ".join(told) + dead, witness)


def _told(arrival: Arrival) -> str:
    return f"{arrival.end.value} ({arrival.why})" if arrival.why else arrival.end.value


def _named(name: str, path: tuple[Hop, ...]) -> Iterator[Hop]:
    for number, hop in enumerate(path):
        yield hop._replace(node=f"{name}: {hop.node}") if number == 0 else hop
