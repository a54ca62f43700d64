"""What a rehearsal found, as values; :mod:`compiler.rehearsal.report` makes text of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from compiler.rehearsal.options import WayToFail

__all__ = [
    "ClassPart",
    "ClassShare",
    "DownloadSeen",
    "FailureSeen",
    "IncomingSeen",
    "OwnSeen",
    "Rehearsal",
    "Stickiness",
    "UplinkShare",
    "jain",
]


@dataclass(frozen=True, slots=True)
class UplinkShare:
    """What one uplink carried of the workload. ``octets`` are of IP, both ways; ``unmarked`` left without a mark."""

    uplink: str
    weight: int
    connections: int
    share: Fraction
    """Of the connections that left by any uplink."""
    octets: int
    unmarked: int


@dataclass(frozen=True, slots=True)
class ClassPart:
    """One uplink's part of a class: ``count`` of the class's units, between ``low`` and ``high`` if all is well."""

    uplink: str
    count: int
    wanted: Fraction
    low: int
    high: int

    @property
    def holds(self) -> bool:
        """Whether it is within its bounds."""
        return self.low <= self.count <= self.high


@dataclass(frozen=True, slots=True)
class ClassShare:
    """How a class (or exception) of the intent was dealt out.

    ``unit`` is what is dealt: connections one by one, different hash keys, or
    pairs of addresses. ``wandering`` keys went by more than one uplink.
    """

    name: str
    method: str
    unit: str
    total: int
    parts: tuple[ClassPart, ...]
    wandering: int = 0

    @property
    def holds(self) -> bool:
        """Whether every part is within its bounds, and no key wandered."""
        return not self.wandering and all(part.holds for part in self.parts)


@dataclass(frozen=True, slots=True)
class Stickiness:
    """How many public addresses clients showed to one server. ``pairs`` of client and server met at least twice."""

    pairs: int
    steady: int
    """Pairs with one address: logins by address hold."""
    most: int
    """Addresses of the worst pair."""
    clients: int
    steady_clients: int
    """Clients that showed each server that they visited again one address only."""


@dataclass(frozen=True, slots=True)
class IncomingSeen:
    """New connections from an ISP: to the router itself, or to a host inside by a port forward."""

    uplink: str
    what: str
    asked: int
    answered: int
    elsewhere: int
    """Answers that left by another uplink, with an address that is not its own."""
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class OwnSeen:
    """Connections that the router opened itself, and the uplinks that they left by."""

    what: str
    asked: int
    answered: int
    uplinks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class DownloadSeen:
    """One long download by a real TCP. ``rate`` in bits a second, 0 where nothing came; times in ns."""

    client: str
    uplink: str
    octets: int
    began: int
    ended: int
    rate: int
    together: bool
    """Whether others ran at the same time."""


@dataclass(frozen=True, slots=True)
class FailureSeen:
    """One uplink's death. Times in nanoseconds since it, or since the repair for ``returned``; None for never."""

    uplink: str
    way: WayToFail
    detected: int | None
    """Until new connections were not lost any more; 0: none was."""
    noticed: int | None
    """Until the router's own check or watcher knew."""
    used: bool
    """Whether any connection was answered by the uplink before."""
    lost_before: Fraction
    """The part of new connections that were lost before the failure already."""
    attempts: int
    """New connections from the failure to its detection (or to the repair)."""
    failed: int
    """Of them, those that nobody answered."""
    lost_part: Fraction
    """The part of new connections that were still lost on it at the end."""
    established: int
    """Long-lived connections that were on the uplink."""
    kept: int
    reset: int
    """Told by a reset, so that the client can connect anew at once."""
    silent: int
    """Neither answered nor reset until the repair."""
    revived: int
    """Of the silent ones, those that went on after the repair."""
    others: int
    """Long-lived connections on other uplinks."""
    others_lost: int
    returned: int | None
    astray: int
    """Connections whose packets left by an uplink with another one's address."""
    watched: int
    """How long the failure lasted, in ns."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All figures. ``is_intent``: there are weights and classes to hold them against."""

    source: str
    target: str
    seed: str
    clients: int
    connections: int
    repeated: int
    is_intent: bool
    marks: bool
    """Whether the configuration marks connections at all."""
    uplinks: tuple[UplinkShare, ...]
    classes: tuple[ClassShare, ...]
    unmarked: int
    """Connections that left unmarked though others are marked, and no exception says so."""
    remarked: int
    """Connections whose mark changed while they lived."""
    moved: int
    """Connections whose packets left by more than one uplink, or from more than one address."""
    unfinished: int
    reasons: tuple[tuple[str, int], ...]
    """Why connections were not finished."""
    fairness: Fraction
    """Jain's index over the uplinks' octets, each divided by its weight."""
    stickiness: Stickiness
    incoming: tuple[IncomingSeen, ...] = ()
    own: tuple[OwnSeen, ...] = ()
    downloads: tuple[DownloadSeen, ...] = ()
    rates: tuple[tuple[str, int, int], ...] = ()
    """Uplink, and the bits a second that it has, down and up."""
    failures: tuple[FailureSeen, ...] = ()
    probed: tuple[str, ...] = ()
    """Uplinks that have probes beyond their gateway."""
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, one line each; what nobody asked of the configuration is not."""
        from compiler.rehearsal.verdicts import problems

        return tuple(problems(self))

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def lines(self) -> Iterator[str]:
        """The report, for people."""
        from compiler.rehearsal.report import report

        return report(self)

    def as_json(self) -> dict[str, object]:
        """The same for programs; fractions as decimals, times in seconds."""
        from compiler.rehearsal.verdicts import failure_verdict

        found: dict[str, Any] = _plain(asdict(self))
        for one, failure in zip(found["failures"], self.failures, strict=True):
            for name in ("detected", "noticed", "returned", "watched"):
                one[name] = None if one[name] is None else one[name] / 1e9
            one["verdict"] = failure_verdict(failure, self)
        found["problems"] = list(self.problems)
        found["holds"] = self.holds
        return found


def jain(amounts: list[Fraction]) -> Fraction:
    """R. Jain, D. Chiu, W. Hawe, DEC-TR-301 (1984): 1 when all have the same or nothing, 1/n when one has it all."""
    squares = sum((amount * amount for amount in amounts), Fraction(0))
    total = sum(amounts, Fraction(0))
    return Fraction(1) if not squares else total * total / (len(amounts) * squares)


def _plain(value: object) -> Any:  # noqa: ANN401  # what JSON has
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Fraction):
        return round(float(value), 6)
    return value.value if isinstance(value, Enum) else value
