"""``recovers``: connections begun some time after a fault work, and so long after it is mended. In virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.placed.quantities import format_duration
from compiler.policy.packet_text import format_packet
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.testing.answer import Answer, Hop, Sureness, Witness
from compiler.testing.dynamic.asked import Asked
from compiler.testing.dynamic.connections import Planned, drawn_connections, openable
from compiler.testing.dynamic.paths import hops_of, lost_because
from compiler.testing.dynamic.returning import is_answer
from compiler.testing.dynamic.world import Journey, NetworkWorld
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.refuting import while_dead

__all__ = ["Fault", "ask_recovery", "check_fault"]

_WARM = 15 * SECOND
"""What gateway checks and watchers get before anything is asked: RouterOS checks each 10 s."""
_MARGIN = SECOND
_LEAST_APART = 10 * MILLISECOND
_AFTERMATH = 4 * SECOND


class Fault(NamedTuple):
    """What dies: nodes, cables, and lines of ports without a cable. ``silent``: both ends go on seeing a carrier."""

    names: tuple[str, ...]
    silent: bool = False

    def __str__(self) -> str:
        return " and ".join(self.names) + (", in silence" if self.silent else "")


class _Begun(NamedTuple):
    """A connection, the moment after the beginning of its act in ns, and its first packet's way."""

    planned: Planned
    since: int
    journey: Journey

    @property
    def works(self) -> bool:
        """Whether it was answered."""
        answer = self.journey.answer
        return answer is not None and is_answer(self.planned.pair, self.planned.packet, answer)


class _Act(NamedTuple):
    name: str
    begun: tuple[_Begun, ...]

    def wrong(self, within: int) -> _Begun | None:
        """The first that had to work and did not."""
        return next((one for one in self.begun if one.since >= within and not one.works), None)

    @property
    def settled(self) -> int:
        """When, after the beginning of the act, the last connection began that did not work."""
        return max((one.since for one in self.begun if not one.works), default=0)


def check_fault(model: NetworkModel, fault: Fault) -> None:
    """That it is about something. Raises UsageError."""
    cabled = {end for cable in model.cables for end in cable.ends}
    lines = [str(port) for port in model.addresses() if port not in cabled]
    links = [*(cable.name for cable in model.cables), *lines]
    known = links if fault.silent else [*links, *model.names]
    for name in fault.names:
        if name not in known:
            raise UsageError(
                f"nothing called {name!r} can die{' in silence' if fault.silent else ''}: there are {', '.join(known)}"
            )
    if not fault.names:
        raise UsageError("a fault needs the name of what dies")


def ask_recovery(asked: Asked, fault: Fault, within: int) -> Answer:
    """Three acts: all is well, the fault, and all is well again. Raises UsageError."""
    check_fault(asked.model, fault)
    pairs = openable(asked.question, asked.headers, asked.beginnings)
    told = []
    for dead in asked.dead_sets:
        if dead & set(fault.names):
            continue
        planned = drawn_connections(asked.headers, pairs, 3 * asked.connections, dead, asked.seed)
        if len(planned) < 3:
            raise UsageError(f"{asked.question}: there are only {len(planned)} connections to tell it by")
        acts, _ = _play(asked, fault, within, planned, dead)
        for number, act in enumerate(acts):
            wrong = act.wrong(within if number else 0)
            if wrong is not None:
                return _failed(asked, fault, within, planned, dead, (number, act.begun.index(wrong)))
        if _used(acts[0], fault) and not _used(acts[2], fault):
            said = f"{fault} is not used again after it is mended{while_dead(dead)}"
            return Answer(asked.question, False, Sureness.TESTED, "connections in the simulator", said)
        told.append(max(acts[1:], key=lambda act: act.settled))
    if not told:
        raise UsageError(f"{asked.question}: what dies is dead already")
    slowest = max(told, key=lambda act: act.settled)
    latest = format_duration(slowest.settled) if slowest.settled else "none"
    decided = f"{3 * asked.connections * len(told):,} connections in the simulator, in virtual time"
    return Answer(asked.question, True, Sureness.TESTED, decided, f"the last to fail after it: {latest}")


def _used(act: _Act, fault: Fault) -> bool:
    return any(one.journey.crosses(name) for one in act.begun for name in fault.names)


def _play(
    asked: Asked, fault: Fault, within: int, planned: Sequence[Planned], dead: frozenset[str], *, tracing: bool = False
) -> tuple[list[_Act], NetworkWorld]:
    world = NetworkWorld(asked.model, dead, seed=asked.seed, tracing=tracing)
    world.run(_WARM)
    # Connections of their own for each act: what a router remembers of one must not help the next.
    acts = [_act(world, "before the fault", planned[::3], 0)]
    _set(world, fault, is_dead=True)
    acts.append(_act(world, "after the fault", planned[1::3], within))
    _set(world, fault, is_dead=False)
    acts.append(_act(world, "after it is mended", planned[2::3], within))
    return acts, world


def _act(world: NetworkWorld, name: str, planned: Sequence[Planned], within: int) -> _Act:
    """Connections at even distances, the first at once; about half of them begin when all must be well."""
    begun = []
    apart = max((2 * within + _MARGIN) // max(len(planned), 1), _LEAST_APART)
    started = world.engine.now
    for one in planned:
        journey = world.begin(one.sender, one.packet, answered=True)
        begun.append(_Begun(one, world.engine.now - started, journey))
        world.run(apart)
    world.run(_AFTERMATH)
    return _Act(name, tuple(begun))


def _set(world: NetworkWorld, fault: Fault, *, is_dead: bool) -> None:
    for name in fault.names:
        if fault.silent:
            world.set_silent(name, is_dead)
        else:
            world.set_up(name, not is_dead)


def _failed(
    asked: Asked, fault: Fault, within: int, planned: Sequence[Planned], dead: frozenset[str], place: tuple[int, int]
) -> Answer:
    """The same again, followed."""
    acts, world = _play(asked, fault, within, planned, dead, tracing=True)
    act = acts[place[0]]
    wrong = act.begun[place[1]]
    journey, answer = wrong.journey, wrong.journey.answer
    hops = hops_of(world, journey, wrong.planned.sender)
    if answer is None:
        why = f"does not arrive: {lost_because(world, journey) or 'lost on the way'}"
    else:
        why = f"is not answered: {lost_because(world, answer) or 'the answer is lost on the way'}"
        hops += (Hop(f"{hops[-1].node} answers {format_packet(answer.sent)}"), *hops_of(world, answer, "")[1:])
    moment = f"{format_duration(wrong.since)} {act.name}" if place[0] else act.name
    failed = sum(not one.works for one in act.begun if one.since >= (within if place[0] else 0))
    said = f"a connection begun {moment} {why} ({failed:,} such){while_dead(dead)}"
    witness = Witness(format_packet(wrong.planned.packet), hops)
    return Answer(asked.question, False, Sureness.TESTED, "connections in the simulator", said, witness)
