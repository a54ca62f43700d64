"""The last act: an uplink dies and is mended, while connections live and new ones are opened all the time."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from compiler.fields import TCP, Family
from compiler.rehearsal.flows import Flow, ipv4
from compiler.rehearsal.options import Failing, RehearsalOptions
from compiler.rehearsal.result import FailureSeen
from compiler.rehearsal.scene import Line, Scene
from compiler.rehearsal.streams import BEAT_PORT, Beat, serve_beats
from compiler.rehearsal.watcher import Watcher
from compiler.rehearsal.world import World, client_addresses, server_addresses
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.router.routes import checked
from compiler.simulator.sockets import Endpoint

__all__ = ["play_failure"]

_BEATS, _MOST_BEATS, _LEAST_BEATS = 8, 24, 3
"""Long-lived connections for each uplink: fewer where there are many uplinks."""
_PERIOD = 4 * SECOND
_EVERY = 250 * MILLISECOND
"""Between two new connections."""
_PATIENCE = 3 * SECOND
"""A first packet without an answer for so long is lost."""
_EARLIEST, _PHASES = 12 * SECOND, 10
"""The failure comes within one period of gateway checks, at a moment that the seed chooses."""
_WATCHED = {"routeros": 45 * SECOND, "routeros6": 60 * SECOND, "linux": 30 * SECOND}
_AFTER = 40 * SECOND
_LATE = 13 * SECOND
"""Before the repair: what is lost from then on is taken to be lost for ever."""
_LOOKS = 50 * MILLISECOND
_GAP = 10 * SECOND
_CLIENTS = 40
_SERVERS = 200


class _Stage(NamedTuple):
    """A world with everything running, and the moments of the play."""

    world: World
    line: Line
    beats: list[tuple[Beat, Flow]]
    flows: list[Flow]
    fails: int
    mended: int
    ends: int
    noticed: list[int]
    """When the router's own check or watcher knew of the death; empty while it does not."""


def play_failure(scene: Scene, failing: Failing, options: RehearsalOptions) -> FailureSeen:
    """One uplink, one way to die."""
    stage = _stage(scene, failing, options)
    world, engine = stage.world, stage.world.engine
    engine.run(stage.fails)
    astray = set(world.observer.astray)
    living = [one for one in stage.beats if one[0].answered_at is not None and one[0].failed_at is None]
    own = [beat for beat, flow in living if flow.uplinks[0] == stage.line.interface]
    others = [beat for beat, flow in living if flow.uplinks[0] != stage.line.interface]
    world.break_(stage.line.name, failing.way)
    engine.run(stage.mended)
    kept = [beat for beat in own if _is_kept(beat, stage)]
    reset = [beat for beat in own if beat.was_reset]
    silent = [beat for beat in own if beat not in kept and beat not in reset]
    others_lost = sum(not _is_kept(beat, stage) for beat in others)
    world.mend(stage.line.name, failing.way)
    engine.run(stage.ends)
    detected = _detected(stage)
    until = stage.mended if detected is None else stage.fails + detected
    tried = _between(stage, stage.fails, until)
    before = _between(stage, 0, stage.fails - _PATIENCE)
    late = _between(stage, stage.mended - _LATE, stage.mended - _PATIENCE)
    return FailureSeen(
        failing.uplink,
        failing.way,
        detected,
        stage.noticed[0] - stage.fails if stage.noticed else None,
        any(flow.first_uplink == stage.line.interface and flow.opened is not None for flow in before),
        _part(sum(not _is_answered(flow) for flow in before), len(before)),
        len(tried),
        sum(_is_lost(flow, stage) for flow in tried),
        _part(sum(_is_lost(flow, stage) for flow in late), len(late)),
        len(own),
        len(kept),
        len(reset),
        len(silent),
        sum(beat.failed_at is None and (beat.answered_at or 0) > stage.mended for beat in silent),
        len(others),
        others_lost,
        _returned(stage),
        len(world.observer.astray - astray),
        stage.mended - stage.fails,
    )


def _part(count: int, total: int) -> Fraction:
    return Fraction(count, max(total, 1))


def _between(stage: _Stage, first: int, end: int) -> list[Flow]:
    """New connections that began in that time."""
    return [flow for flow in stage.flows if first <= flow.started < end]


def _stage(scene: Scene, failing: Failing, options: RehearsalOptions) -> _Stage:
    line = next(one for one in scene.lines if one.name == failing.uplink)
    hosts = min(_BEATS, max(_MOST_BEATS // len(scene.lines), _LEAST_BEATS)) * len(scene.lines)
    clients = client_addresses(scene, (hosts + _CLIENTS) * len(scene.insides))
    seed = f"{options.seed}/{failing.uplink}/{failing.way.value}"
    world = World(scene, seed, clients, hosts)
    addresses = server_addresses(scene, world.random, _SERVERS)
    serve_beats(world.add_server(addresses[:hosts]))
    watcher = None
    if scene.plan is not None and scene.network.dialect == "linux":
        watcher = Watcher(world.engine, world.router, scene.plan, leases=scene.leases)
    fails = _EARLIEST + world.random.randrange(_PHASES * 1000) * MILLISECOND
    old = "6" if scene.network.dialect == "routeros" and scene.network.version == 6 else ""
    mended = fails + _WATCHED[scene.network.dialect + old]
    stage = _Stage(world, line, [], [], fails, mended, mended + _AFTER, [])
    world.engine.at(fails + 1, _look, (stage, watcher))
    for number, host in enumerate(world.hosts):
        beat = Beat(world.engine, host, Endpoint(Family.IPV4, addresses[number], BEAT_PORT), _PERIOD)
        flow = Flow(ipv4(TCP, 0, 0, 0, 0), 0, 0)
        stage.beats.append((beat, flow))
        world.engine.at(SECOND + number * 20 * MILLISECOND, _begin, (world, beat, flow))
    _plan_new(stage, addresses[hosts:])
    return stage


def _look(told: tuple[_Stage, Watcher | None]) -> None:
    """Look, again and again, whether the router knows of the death."""
    stage, watcher = told
    router, interface, now = stage.world.router, stage.line.interface, stage.world.engine.now
    if now >= stage.mended:
        return
    if watcher is not None:
        knows = not watcher.health.lines[stage.line.name].alive
    else:
        knows = not router.routes.works(interface) or any(
            found is not None
            and found[0] == interface
            and hop.address is not None
            and not router.checks.answers(route.check_gateway, interface, hop.address)
            for route, hop in checked(router.network.routes)
            for found in (router.routes.resolved(route, hop),)
        )
    if knows:
        stage.noticed.append(now - 1)  # the first look comes right behind the failure
    else:
        stage.world.engine.after(_LOOKS, _look, told)


def _begin(told: tuple[World, Beat, Flow]) -> None:
    world, beat, flow = told
    beat.begin()
    assert beat.stream is not None
    local, remote = beat.stream.local, beat.stream.remote
    flow.wanted = ipv4(TCP, local.address, remote.address, local.port, remote.port)
    world.observer.flows[flow.wanted] = flow


def _plan_new(stage: _Stage, servers: list[int]) -> None:
    """A new connection of some client to some server, four times a second; each client's ports go up."""
    world = stage.world
    inside = world.scene.insides[0]
    crowd, random = world.crowds[inside.interface], world.random
    askers = world.askers[inside.interface]
    for number, moment in enumerate(range(2 * SECOND, stage.ends - _PATIENCE, _EVERY)):
        wanted = ipv4(TCP, random.choice(askers), random.choice(servers), 33000 + number, 443)
        flow = Flow(wanted, 300, 1000)
        stage.flows.append(flow)
        world.observer.flows[wanted] = flow
        flow.started = moment
        world.engine.at(moment, crowd.open, flow)


def _is_kept(beat: Beat, stage: _Stage) -> bool:
    """Answered within the last beats before the repair."""
    return beat.failed_at is None and (beat.answered_at or 0) > stage.mended - 2 * _PERIOD


def _is_answered(flow: Flow) -> bool:
    return flow.opened is not None and flow.opened <= flow.started + _PATIENCE


def _is_lost(flow: Flow, stage: _Stage) -> bool:
    """Nobody answered in time, and it is the dead uplink's doing: it went by it, or nowhere."""
    return not _is_answered(flow) and flow.first_uplink in ("", stage.line.interface)


def _detected(stage: _Stage) -> int | None:
    """From the failure to the first new connection after which none was lost before the repair; None for never."""
    during = _between(stage, stage.fails, stage.mended - _PATIENCE)
    lost = [flow.started for flow in during if _is_lost(flow, stage)]
    if not lost:
        return 0
    after = [flow.started for flow in during if flow.started > lost[-1]]
    if not after or after[-1] - lost[-1] < 5 * SECOND:
        return None
    saved = after[0] - stage.fails
    # Where few go by the uplink none may be lost for a while although nobody knows yet.
    return max(saved, min(stage.noticed[0] - stage.fails, saved + _GAP)) if stage.noticed else saved


def _returned(stage: _Stage) -> int | None:
    """From the repair to the first new connection that the uplink carried."""
    for flow in stage.flows:
        if flow.started >= stage.mended and flow.first_uplink == stage.line.interface and flow.opened is not None:
            return flow.started - stage.mended
    return None
