"""The watcher of Linux in the simulator: it asks by each line, and changes routes and connections as it is told.

The decisions are those of :mod:`compiler.balancing.liveness`, which the daemon
on a real router makes too. Needs nothing of the rest of the rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from compiler.balancing.line_health import Answered, Carrier, Event, Health, Probe, Probing, Refused, Step, Tick, Turn
from compiler.balancing.liveness import Watch
from compiler.balancing.plan import Plan, port_of
from compiler.balancing.wanted_routes import Lease, routes_for
from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND, Engine
from compiler.simulator.router.device import Router
from compiler.simulator.router.routes import Asked
from compiler.simulator.sockets import EchoAnswer

__all__ = ["Watcher"]

_LOOKS = 50 * MILLISECOND
"""How often carriers are looked at. (The kernel tells its changes at once.)"""
_IDENTIFIER = 0x6762
"""The ICMP identifier of the probes of the first uplink."""


_DEFAULTS = Probing()


class Watcher:
    """Begins to watch when it is made. ``turns`` are the deaths and returns so far, with their moments in ns."""

    def __init__(
        self,
        engine: Engine,
        router: Router,
        plan: Plan,
        probing: Probing = _DEFAULTS,
        leases: Mapping[str, Lease] | None = None,
        on_turn: Callable[[int, Turn], None] | None = None,
    ) -> None:
        self.turns: list[tuple[int, Turn]] = []
        self._engine = engine
        self._router = router
        self._plan = plan
        self._watch = Watch(plan, probing)
        self._timeout = probing.timeout
        self._on_turn = on_turn
        self._ports = {uplink.name: port_of(uplink) for uplink in plan.balance.uplinks}
        self._numbers = {uplink.name: uplink.number for uplink in plan.balance.uplinks}
        ours = {(route.prefix, route.table) for route in routes_for(plan, self._ports, leases or {})}
        self._others = tuple(route for route in router.network.routes if (route.prefix, route.table) not in ours)
        """Routes that are none of the plan's: they stay."""
        self._carriers = {name: self._carrier(name) for name in self._ports}
        self._wake: int | None = None
        self._is_stopped = False
        down = [name for name, is_up in self._carriers.items() if not is_up]
        step = self._watch.begin(engine.now, down, leases)
        self._health = step.health
        self._act(step)
        engine.after(_LOOKS, self._look)

    @property
    def health(self) -> Health:
        """What is known of the lines."""
        return self._health

    def stop(self) -> None:
        """Watch no more."""
        self._is_stopped = True

    # -- what happens ----------------------------------------------------------------------

    def _carrier(self, name: str) -> bool:
        return self._router.routes.works(self._ports[name])

    def _look(self, _: object) -> None:
        if self._is_stopped:
            return
        for name, before in self._carriers.items():
            is_up = self._carrier(name)
            if is_up != before:
                self._carriers[name] = is_up
                self._take(Carrier(self._engine.now, name, is_up))
        self._engine.after(_LOOKS, self._look)

    def _tick(self, due: int) -> None:
        if due == self._wake and not self._is_stopped:
            self._take(Tick(self._engine.now))

    def _take(self, event: Event) -> None:
        if not self._is_stopped:
            self._act(self._watch.take(self._health, event))

    # -- what is to be done ------------------------------------------------------------------

    def _act(self, step: Step) -> None:
        """Routes first: a connection that is forgotten begins anew with the next packet, and must go the new way."""
        self._health = step.health
        if step.reroute:
            routes = routes_for(self._plan, step.health.used, step.health.leases)
            self._router.reroute(replace(self._router.network, routes=(*routes, *self._others)))
        for flush in step.flushes:
            connections = self._router.memory.connections
            for one in connections.all():
                if flush.takes(int(one.mark or 0), one.reply.destination):
                    connections.remove(one)
        for turn in step.turns:
            self.turns.append((self._engine.now, turn))
            if self._on_turn is not None:
                self._on_turn(self._engine.now, turn)
        for probe in step.send:
            self._engine.after(0, self._ask, probe)
        self._wake = step.wake
        self._engine.at(max(step.wake, self._engine.now), self._tick, step.wake)

    def _ask(self, probe: Probe) -> None:
        """One echo request. One that would leave by another line does not count (the daemon binds to its interface)."""
        way = self._router.routes.find(Asked(Family.IPV4, 0, probe.host))
        if way.interface != self._ports[probe.uplink]:
            self._take(Refused(self._engine.now, probe))
            return

        def heard(answer: EchoAnswer) -> None:
            event = Answered if answer.failure is None else Refused
            self._take(event(self._engine.now, probe))

        identifier = _IDENTIFIER + self._numbers[probe.uplink]
        sequence = probe.sequence & 0xFFFF
        cancel = self._router.stack.echo(Family.IPV4, probe.host, heard, identifier=identifier, sequence=sequence)
        self._engine.after(self._timeout + 1, lambda _: cancel())
