"""Which uplinks are alive: a pure machine that eats answers, silence, carriers and leases, and says what to do.

The daemon on Linux and the simulator's run the same machine. All times are
nanoseconds of a clock that only goes forward. :meth:`Watch.begin` makes the
first :class:`Step`, :meth:`Watch.take` every further one; a step holds the new
state, the probes to send now, the uplinks to route by, the connections to
forget, and when to call again at the latest.

How long a death takes to be seen: a line that falls silent right after an
answer is declared dead after ``misses`` intervals and a timeout at most, and
after one interval less at least. With the defaults, a second and three misses,
that is 3 to 4 s; with 100 ms (measured in the kernel) 390 to 400 ms. A lost
carrier or lease counts at once.

Flaps are damped as in RFC 2439: each death adds a penalty that halves with
time, and an uplink above the limit must wait for the penalty to fall.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from compiler.balancing.forgetting import Flush, after_address_change, after_death, after_return
from compiler.balancing.line_health import (
    Answered,
    Carrier,
    Event,
    Health,
    Leased,
    LineHealth,
    Probe,
    ProbeHealth,
    Probing,
    Refused,
    Step,
    Tick,
    Turn,
)
from compiler.balancing.plan import Plan
from compiler.balancing.wanted_routes import Lease, awaits_lease, routes_for
from compiler.policy.balance import Uplink

__all__ = [
    "Answered",
    "Carrier",
    "Event",
    "Flush",
    "Health",
    "Lease",
    "Leased",
    "LineHealth",
    "Probe",
    "ProbeHealth",
    "Probing",
    "Refused",
    "Step",
    "Tick",
    "Turn",
    "Watch",
    "routes_for",
]

_DEFAULTS = Probing()
_DEATH = 1000.0
"""The penalty of one death (RFC 2439 section 4.2 leaves the unit open; routers use 1000)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The machine for one plan."""

    plan: Plan
    probing: Probing = _DEFAULTS

    def begin(
        self, now: int, down: Iterable[str] = (), leases: Mapping[str, Lease] | None = None, dead: Iterable[str] = ()
    ) -> Step:
        """The first step. Lines are taken for alive until probes say otherwise: a restart must move nobody.

        ``down`` have no carrier; ``dead`` were dead when an earlier watch ended.
        """
        without, gone, held = frozenset(down), frozenset(dead), dict(leases or {})
        lines = {}
        for uplink in self.plan.balance.uplinks:
            ready = uplink.name not in without and not awaits_lease(uplink, held)
            alive = ready and uplink.name not in gone
            line = LineHealth(alive, uplink.name not in without, held.get(uplink.name))
            lines[uplink.name] = replace(line, probes=_fresh(uplink, line, now, answers=alive))
        return self._settle(Health(now, lines, self._used(lines)), now, reroute=True)

    def take(self, health: Health, event: Event) -> Step:
        """What an event makes of the state. Time never goes back: an older event counts as of now."""
        now = max(event.now, health.now)
        lines = dict(health.lines)
        flushes: list[Flush] = []
        changed = False
        if isinstance(event, Answered | Refused):
            line = lines.get(event.probe.uplink)
            if line is not None:
                good = isinstance(event, Answered)
                probes = tuple(self._heard(one, event.probe, good=good, now=now) for one in line.probes)
                lines[event.probe.uplink] = replace(line, probes=probes)
        elif isinstance(event, Carrier) and event.uplink in lines:
            line = lines[event.uplink]
            if line.carrier != event.up:
                fresh = replace(line, carrier=event.up)
                lines[event.uplink] = self._anew(event.uplink, fresh, now)
        elif isinstance(event, Leased) and event.uplink in lines:
            line = lines[event.uplink]
            changed = line.lease != event.lease
            if changed:
                lines[event.uplink] = self._leased(event, line, now, flushes)
        return self._settle(replace(health, now=now, lines=lines), now, reroute=changed, flushes=flushes)

    # -- events ---------------------------------------------------------------------------------

    def _leased(self, event: Leased, line: LineHealth, now: int, flushes: list[Flush]) -> LineHealth:
        """Another address makes old connections worthless; another gateway must first answer."""
        before, lease = line.lease or Lease(), event.lease or Lease()
        fresh = replace(line, lease=event.lease)
        old, new = before.address, lease.address
        if old is not None and new is not None and old.address != new.address:
            flushes.append(after_address_change(self.plan, event.uplink, old.address))
        if before.gateway == lease.gateway and event.lease is not None and line.lease is not None:
            return fresh
        return self._anew(event.uplink, fresh, now)

    def _anew(self, name: str, line: LineHealth, now: int) -> LineHealth:
        return replace(line, probes=_fresh(self.plan.balance.uplink(name), line, now, answers=False))

    def _heard(self, one: ProbeHealth, probe: Probe, *, good: bool, now: int) -> ProbeHealth:
        sent = next((at for number, at in one.waiting if number == probe.sequence), None)
        if one.host != probe.host or sent is None or (good and now > sent + self.probing.timeout):
            return one
        return self._count(replace(one, waiting=_without(one.waiting, probe.sequence)), good=good)

    def _count(self, one: ProbeHealth, *, good: bool) -> ProbeHealth:
        if good:
            replies = one.replies + 1
            return replace(one, misses=0, replies=replies, answers=one.answers or replies >= self.probing.replies)
        misses = one.misses + 1
        return replace(one, replies=0, misses=misses, answers=one.answers and misses < self.probing.misses)

    # -- time, and what follows -------------------------------------------------------------------

    def _settle(self, health: Health, now: int, *, reroute: bool, flushes: Iterable[Flush] = ()) -> Step:
        lines, turns, send = dict(health.lines), [], []
        for name, before in health.lines.items():
            line, asked = self._asked(name, before, now)
            send += asked
            line = self._judged(name, line, now)
            if line.alive != before.alive:
                turns.append(Turn(name, line.alive, self._why(name, line)))
            lines[name] = line
        used = self._used(lines)
        settled = Health(now, lines, used)
        forgotten = [*flushes]
        if used != health.used:
            leases = {name: line.lease for name, line in lines.items() if line.lease is not None}
            old = health.leases
            for name in health.used:
                if name not in used:
                    forgotten.append(after_death(self.plan, name, leases.get(name) or old.get(name)))
            for name in used:
                if name not in health.used:
                    forgotten += after_return(self.plan, name, leases.get(name))
        changed = reroute or used != health.used
        return Step(settled, tuple(send), tuple(turns), changed, tuple(forgotten), self._wake(lines, now))

    def _asked(self, name: str, line: LineHealth, now: int) -> tuple[LineHealth, list[Probe]]:
        """Silences that are over, and the probes that are due. Nobody asks by a line without carrier."""
        probes, send = [], []
        for one in line.probes:
            asked = one
            for number, sent in one.waiting:
                if sent + self.probing.timeout <= now:
                    asked = self._count(replace(asked, waiting=_without(asked.waiting, number)), good=False)
            if line.carrier and asked.following <= now:
                number = asked.sent + 1
                # Late callers ask once, not once for each interval that they slept through.
                passed = (now - asked.following) // self.probing.interval + 1
                following = asked.following + passed * self.probing.interval
                asked = replace(asked, sent=number, following=following, waiting=(*asked.waiting, (number, now)))
                send.append(Probe(name, one.host, number))
            probes.append(asked)
        return replace(line, probes=tuple(probes)), send

    def _answers(self, name: str, line: LineHealth) -> bool:
        leases = {} if line.lease is None else {name: line.lease}
        if not line.carrier or awaits_lease(self.plan.balance.uplink(name), leases):
            return False
        quorum = all if self.probing.every_probe else any
        return not line.probes or quorum(one.answers for one in line.probes)

    def _judged(self, name: str, line: LineHealth, now: int) -> LineHealth:
        answers = self._answers(name, line)
        if line.alive:
            if answers:
                return line
            penalty = min(self._penalty(line, now) + _DEATH, self.probing.most)
            damped = self.probing.half_life > 0 and penalty > self.probing.suppress
            return replace(line, alive=False, penalty=penalty, penalised=now, damped=damped)
        if line.damped and self._penalty(line, now) <= self.probing.reuse:
            line = replace(line, damped=False)
        return replace(line, alive=True) if answers and not line.damped else line

    def _penalty(self, line: LineHealth, now: int) -> float:
        if not self.probing.half_life:
            return 0.0
        return line.penalty * math.exp2((line.penalised - now) / self.probing.half_life)

    def _used(self, lines: Mapping[str, LineHealth]) -> tuple[str, ...]:
        """Who is alive; else who answers though damped; else who could carry something; else all."""
        choices = (
            [name for name, line in lines.items() if line.alive],
            [name for name, line in lines.items() if self._answers(name, line)],
            [name for name, line in lines.items() if line.carrier and self._may_carry(name, line)],
        )
        return next((tuple(choice) for choice in choices if choice), tuple(lines))

    def _may_carry(self, name: str, line: LineHealth) -> bool:
        return not awaits_lease(self.plan.balance.uplink(name), {} if line.lease is None else {name: line.lease})

    def _why(self, name: str, line: LineHealth) -> str:
        if line.alive:
            return "answers" if line.probes else "carrier is back"
        if not line.carrier:
            return "no carrier"
        if not self._may_carry(name, line):
            return "no lease"
        return "no answer, and often so: it must stay well for a while" if line.damped else "no answer"

    def _wake(self, lines: Mapping[str, LineHealth], now: int) -> int:
        times = [now + self.probing.interval]
        for line in lines.values():
            for one in line.probes:
                times += [sent + self.probing.timeout for _, sent in one.waiting]
                if line.carrier:
                    times.append(one.following)
        return max(min(times), now + 1)


def _without(waiting: tuple[tuple[int, int], ...], number: int) -> tuple[tuple[int, int], ...]:
    return tuple(one for one in waiting if one[0] != number)


def _fresh(uplink: Uplink, line: LineHealth, now: int, *, answers: bool) -> tuple[ProbeHealth, ...]:
    """The hosts to ask from now on: the probes, else the gateway. Their numbers go on, so that no old answer counts."""
    gateway = uplink.gateway if line.lease is None else line.lease.gateway
    hosts = uplink.probes or (() if gateway is None else (gateway,))
    sent = max((one.sent for one in line.probes), default=0)
    return tuple(ProbeHealth(host, answers, sent=sent, following=now) for host in hosts)
