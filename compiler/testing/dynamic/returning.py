"""Whether answers come back: in sets where every device is stateless, else packet by packet with what answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.testing.answer import Answer, Hop, Sureness, Witness
from compiler.testing.dynamic.answers import answers_to
from compiler.testing.dynamic.candidates import candidates, doors, region_of
from compiler.testing.dynamic.needles import needles
from compiler.testing.dynamic.paths import command_for, end_of, hops_of, lost_because
from compiler.testing.dynamic.trying import MOST, MOST_RULES, Sender, senders, shrunk
from compiler.testing.dynamic.world import Journey, NetworkWorld
from compiler.testing.headers import Headers
from compiler.testing.networks.claims import Begin, Claim, missing
from compiler.testing.networks.deciding import Field
from compiler.testing.networks.ends import Beyond
from compiler.testing.networks.flows import BeyondSets, End
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.refuting import refuted, while_dead

__all__ = ["Exchange", "ask_returning", "exchange", "is_answer"]

_FEWEST = 12


class Exchange(NamedTuple):
    """A packet and what answered it. ``question`` has not arrived, or ``answer`` has perhaps not."""

    question: Journey
    answer: Journey | None
    works: bool


def exchange(world: NetworkWorld, sender: Sender, packet: Packet, begin: Begin) -> Exchange:
    """Send the packet; if it comes to the other end, have it answered."""
    question = world.send(sender, packet)
    if not _reached(begin, question):
        return Exchange(question, None, works=False)
    answer = world.answer(question)
    return Exchange(question, answer, is_answer(begin, packet, answer))


def _reached(begin: Begin, journey: Journey) -> bool:
    there = begin.destination
    if journey.arrived is None or there is None:
        return False
    return journey.arrived in there.ports if isinstance(there, Beyond) else journey.arrived.node == there.name


def is_answer(begin: Begin, packet: Packet, answer: Journey) -> bool:
    """Whether it came to who asked, from the address and port that he asked."""
    heard = answer.heard
    if answer.arrived is None or heard is None:
        return False
    home = begin.source
    if not (answer.arrived in home.ports if isinstance(home, Beyond) else answer.arrived.node == home.name):
        return False
    ends = heard.source, heard.source_port, heard.destination, heard.destination_port
    return ends == (packet.destination, packet.destination_port, packet.source, packet.source_port)


def ask_returning(model: NetworkModel, question: str, headers: Headers, beginnings: Sequence[Begin]) -> Answer:
    """Whether every packet arrives, and every answer comes back. UsageError when there is nothing to ask.

    The beginnings are in their order: what is dead is said in them.
    """
    whole = [begin for begin in beginnings if not begin.noninitial]
    field = Field(model)
    if not any(field.asks(headers, begin) for begin in whole):
        raise UsageError(f"{question}: there is no such packet, so nothing was asked")
    cases, tried, reason = len(whole), 0, ""
    for begin in whole:
        try:
            failed = _in_sets(field, question, headers, begin)
        except BeyondSets as beyond:
            reason = reason or str(beyond)
            count, failed = _tried_all(model, question, headers, begin, cases)
            tried += count
        if failed is not None:
            return failed
    if not reason:
        return Answer(question, True, Sureness.PROVED, f"over all packets and their answers, in {cases:,} cases")
    decided = f"{tried:,} packets and their answers in the simulator, {cases:,} cases; not proved, as {reason}"
    return Answer(question, True, Sureness.TESTED, decided)


def _in_sets(field: Field, question: str, headers: Headers, begin: Begin) -> Answer | None:
    """What speaks against it. Raises BeyondSets."""
    assert begin.destinations is not None
    for end in (*begin.sources, *begin.destinations):
        if doors(field.model, end, begin.family):
            raise BeyondSets(f"a router translates addresses to those of {end.name}")
    # What is dead asks nothing, and so waits for no answer.
    alive = tuple(one for one in begin.sources if isinstance(one, Beyond) or one.name not in begin.dead)
    if not alive:
        return None
    back = begin._replace(sources=begin.destinations, destinations=alive)
    begin = begin._replace(sources=alive)
    ways = ((begin, headers, "does not arrive"), (back, answers_to(headers), "is an answer, and does not come back"))
    found = []
    # A way that no set can follow leaves the other undecided too: the answer may be a translated one.
    for one, several, said in ways:
        claim = Claim(question, missing(several), said)
        found.append((one, claim, field.refutation(several, one, claim)))
    for one, claim, seen in found:
        if seen is not None:
            return refuted(claim, seen[0], one, seen[1], one.dead)
    return None


# -- tried -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trial:
    model: NetworkModel
    question: str
    begin: Begin
    dead: frozenset[str]

    def fails(self, sender: Sender, packet: Packet) -> bool:
        """Whether no answer comes back."""
        return self.against(sender, packet) is not None

    def against(self, sender: Sender, packet: Packet) -> Packet | None:
        """The packet, to whichever address is known, when by none of the addresses an answer comes back."""
        ways = [packet, *(packet._replace(destination=door) for door in self.doors())]
        for one in ways:
            if exchange(NetworkWorld(self.model, self.dead), sender, one, self.begin).works:
                return None
        return ways[min(1, len(ways) - 1)]

    def refuted(self, sender: Sender, packet: Packet) -> Answer:
        """The exchange once more, and followed."""
        world = NetworkWorld(self.model, self.dead, tracing=True)
        seen = exchange(world, sender, packet, self.begin)
        hops = hops_of(world, seen.question, sender)
        if seen.answer is None:
            said = f"does not arrive: {_told(world, seen.question)}"
        else:
            said = f"the answer does not reach the sender: {_told(world, seen.answer)}"
            hops += (Hop(f"{hops[-1].node} answers {format_packet(seen.answer.sent)}"),)
            hops += hops_of(world, seen.answer, "")[1:]
        witness = Witness(format_packet(packet), hops, command_for(self.model, sender, packet, self.dead))
        said += while_dead(self.dead)
        return Answer(self.question, False, Sureness.TESTED, "this packet in the simulator", said, witness)

    def doors(self) -> tuple[int, ...]:
        """What people call the other end by."""
        return doors(self.model, self.begin.destination, self.begin.family)


def _told(world: NetworkWorld, journey: Journey) -> str:
    if end_of(journey) is End.DELIVERED and journey.arrived is not None and journey.heard is not None:
        return f"{journey.arrived.node} got it as {format_packet(journey.heard.packet())}"
    return lost_because(world, journey) or end_of(journey).value


def _tried_all(
    model: NetworkModel, question: str, headers: Headers, begin: Begin, cases: int
) -> tuple[int, Answer | None]:
    pairs, count = tuple(begin.pairs()), 0
    most = max(MOST // (cases * max(len(pairs), 1)), _FEWEST)
    for pair in pairs:
        more, failed = _tried(_Trial(model, question, pair, pair.dead | model.dead), headers, most)
        count += more
        if failed is not None:
            return count, failed
    return count, None


def _tried(trial: _Trial, headers: Headers, most: int) -> tuple[int, Answer | None]:
    begin, count = trial.begin, 0
    region = region_of(headers, begin.source, begin.destination, begin.family, opening=True)
    refuting = needles(trial.model, region, begin.family, begin.destination, trial.doors(), stops=True)
    first = [one.region for one in islice(refuting, max(MOST_RULES * most // MOST, _FEWEST))]
    for packet in candidates(trial.model, region, begin.family, most, first=first):
        for sender in senders(begin, trial.dead):
            count += 1
            wrong = trial.against(sender, packet)
            if wrong is not None:
                plain = shrunk(trial.model, region, begin, packet, partial(trial.fails, sender))
                return count, trial.refuted(sender, trial.against(sender, plain) or wrong)
    return count, None
