"""The first act: the workload with all lines well. Who went where, under which mark, and what was broken."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from compiler.rehearsal.flows import Flow
from compiler.rehearsal.options import RehearsalOptions
from compiler.rehearsal.result import ClassShare, Stickiness, UplinkShare, jain
from compiler.rehearsal.scene import Scene
from compiler.rehearsal.wishes import class_shares, wish_of
from compiler.rehearsal.workload import plan_flows, spacing
from compiler.rehearsal.world import World, client_addresses, server_addresses
from compiler.simulator.engine import SECOND
from compiler.simulator.router.connections import Tuple

__all__ = ["SharesSeen", "play_workload", "seen_of"]

SERVERS = 60
_BEGIN = SECOND
_AFTERMATH = 8 * SECOND


class SharesSeen(NamedTuple):
    """Figures of the workload."""

    uplinks: tuple[UplinkShare, ...]
    classes: tuple[ClassShare, ...]
    marks: bool
    repeated: int
    unmarked: int
    remarked: int
    moved: int
    unfinished: int
    reasons: tuple[tuple[str, int], ...]
    fairness: Fraction
    stickiness: Stickiness


def play_workload(scene: Scene, options: RehearsalOptions) -> tuple[World, list[Flow]]:
    """Run it to its end. The world lives on."""
    clients = client_addresses(scene, options.clients)
    world = World(scene, options.seed, clients)
    servers = server_addresses(scene, world.random, SERVERS)
    planned = list(plan_flows(scene, world.random, clients, servers, options.connections, options.repeated))
    flows = [flow for _, flow in planned]
    gap = spacing(scene, flows)
    for number, (inside, flow) in enumerate(planned):
        world.observer.flows[flow.wanted] = flow
        world.engine.at(_BEGIN + number * gap, world.crowds[inside.interface].open, flow)
    world.engine.run(_BEGIN + len(flows) * gap + _AFTERMATH)
    return world, flows


def seen_of(world: World, flows: list[Flow]) -> SharesSeen:
    """The figures."""
    scene, observer = world.scene, world.observer
    none = world.router.memory.no_mark
    left = [flow for flow in flows if flow.uplinks]
    marks = any(mark != none for flow in left for mark in flow.marks)
    unmarked = {flow.wanted for flow in left if flow.marks[0] == none} if marks else set()
    uplinks = []
    for line in scene.lines:
        own = [flow for flow in left if flow.first_uplink == line.interface]
        part = Fraction(len(own), len(left)) if left else Fraction(0)
        octets = observer.octets[line.interface]
        count = sum(flow.wanted in unmarked for flow in own)
        uplinks.append(UplinkShare(line.name, line.weight, len(own), part, octets, count))
    unfinished = [flow for flow in flows if flow.finished is None]
    return SharesSeen(
        tuple(uplinks),
        tuple(class_shares(scene.plan, flows)) if scene.plan is not None else (),
        marks,
        sum(flow.asks_twice for flow in flows),
        sum(_should_be_marked(scene, wanted) for wanted in unmarked),
        sum(len(flow.marks) > 1 for flow in left),
        sum(len(flow.uplinks) > 1 or len(flow.sources) > 1 for flow in left),
        len(unfinished),
        tuple(sorted(Counter(_reason(scene, flow) for flow in unfinished).items(), key=lambda one: (-one[1], one[0]))),
        jain([Fraction(observer.octets[line.interface], line.weight) for line in scene.lines]),
        _stickiness(left),
    )


def _should_be_marked(scene: Scene, wanted: Tuple) -> bool:
    return scene.plan is None or wish_of(scene.plan, wanted).is_marked


def _reason(scene: Scene, flow: Flow) -> str:
    if flow.reasons:
        return flow.reasons[0]
    if len(flow.uplinks) > 1:
        return "its packets left by two uplinks, and one address cannot answer for both"
    if flow.astray:
        line = scene.line(flow.first_uplink)
        owners = [other.name for other in scene.lines if other.owns(flow.sources[0])]
        whose = f"with the address of {owners[0]}" if owners else "without translation"
        return f"left by {line.name if line else flow.first_uplink} {whose}"
    return "no answer came back"


def _stickiness(flows: list[Flow]) -> Stickiness:
    shown: dict[tuple[int, int], list[int]] = {}
    for flow in flows:
        shown.setdefault((flow.wanted.source, flow.wanted.destination), []).append(flow.sources[0])
    again = {pair: set(sources) for pair, sources in shown.items() if len(sources) > 1}
    clients = {client for client, _ in again}
    unsteady = {client for (client, _), sources in again.items() if len(sources) > 1}
    most = max(map(len, again.values()), default=0)
    steady = sum(len(sources) == 1 for sources in again.values())
    return Stickiness(len(again), steady, most, len(clients), len(clients - unsteady))
