"""What is known of the lines' health, what can happen to it, and what is to be done: values only.

:mod:`compiler.balancing.liveness` is the machine. All times are nanoseconds of
a clock that only goes forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from compiler.balancing.forgetting import Flush
from compiler.balancing.wanted_routes import Lease

__all__ = [
    "Answered",
    "Carrier",
    "Event",
    "Health",
    "Leased",
    "LineHealth",
    "Probe",
    "ProbeHealth",
    "Probing",
    "Refused",
    "Step",
    "Tick",
    "Turn",
]

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Probing:
    """How lines are asked. Times in nanoseconds.

    ``every_probe``: alive only while all of its hosts answer; else while any does.
    A death adds 1000 to the penalty; above ``suppress`` an uplink that answers
    again still waits until the penalty is below ``reuse``; ``half_life`` 0 turns
    damping off. The penalty is never above ``most``.
    """

    interval: int = _SECOND
    timeout: int = _SECOND
    misses: int = 3
    replies: int = 2
    every_probe: bool = False
    half_life: int = 60 * _SECOND
    suppress: float = 2500.0
    reuse: float = 1000.0
    most: float = 4000.0


class Probe(NamedTuple):
    """One question: an ICMP echo to ``host`` out of ``uplink``. ``sequence`` counts from 1 for each host."""

    uplink: str
    host: int
    sequence: int


class Tick(NamedTuple):
    """Time has passed."""

    now: int


class Answered(NamedTuple):
    """An echo reply came. Those that come too late, or twice, count for nothing."""

    now: int
    probe: Probe


class Refused(NamedTuple):
    """The probe could not leave, or an ICMP error came: a miss that needs no waiting."""

    now: int
    probe: Probe


class Carrier(NamedTuple):
    """The uplink's interface has lost its carrier, was taken down, or has come back."""

    now: int
    uplink: str
    up: bool


class Leased(NamedTuple):
    """DHCP or PPPoE gave a lease, renewed it, or (None) lost it."""

    now: int
    uplink: str
    lease: Lease | None


Event = Tick | Answered | Refused | Carrier | Leased


@dataclass(frozen=True, slots=True)
class ProbeHealth:
    """What is known of one host. ``waiting`` are sequence numbers without answer, and when each was sent."""

    host: int
    answers: bool
    misses: int = 0
    replies: int = 0
    sent: int = 0
    following: int = 0
    """When the next probe is due."""
    waiting: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class LineHealth:
    """What is known of one uplink."""

    alive: bool
    carrier: bool = True
    lease: Lease | None = None
    probes: tuple[ProbeHealth, ...] = ()
    penalty: float = 0.0
    penalised: int = 0
    """When the penalty was as it stands here."""
    damped: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """The whole state. ``used`` are the uplinks that routes go by, in their order."""

    now: int
    lines: Mapping[str, LineHealth] = field(default_factory=dict)
    used: tuple[str, ...] = ()

    @property
    def alive(self) -> tuple[str, ...]:
        """The uplinks that are alive."""
        return tuple(name for name, line in self.lines.items() if line.alive)

    @property
    def leases(self) -> dict[str, Lease]:
        """The leases that are held."""
        return {name: line.lease for name, line in self.lines.items() if line.lease is not None}


class Turn(NamedTuple):
    """An uplink that died or came back, and why."""

    uplink: str
    alive: bool
    why: str


class Step(NamedTuple):
    """What to do: first the routes (where ``reroute``), then the flushes, then the probes; call again at ``wake``."""

    health: Health
    send: tuple[Probe, ...] = ()
    turns: tuple[Turn, ...] = ()
    reroute: bool = False
    """Whether ``routes_for(plan, health.used, health.leases)`` may have changed."""
    flushes: tuple[Flush, ...] = ()
    wake: int = 0
