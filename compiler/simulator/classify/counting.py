"""Packets from a capture or by chance through a list or a device, counted by verdict and by deciding line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.decision import Decision
from compiler.semantics.machine import Context, ListName, Machine
from compiler.simulator.classify.classifier import Chosen, Classifier
from compiler.simulator.classify.columns import PacketColumns
from compiler.simulator.classify.engines import EngineName

__all__ = ["Count", "Place", "Report", "Source", "count_decisions"]

_PIECE = 1 << 20


class Place(NamedTuple):
    """A list by name, or else the way between two interfaces (empty: any other)."""

    list_name: str = ""
    ingress: str = ""
    egress: str = ""


class Source(NamedTuple):
    """A capture's path, or how many random packets of which family (0: that of the list)."""

    capture: str | None
    random: int = 0
    seed: int = 1
    family: int = 0


class Count(NamedTuple):
    """One decision, and how many packets it took."""

    family: Family
    decision: Decision
    packets: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was decided, how fast, and by what. Times are in seconds.

    ``ignored`` says why packets of the capture were not decided, and how many.
    """

    about: str
    packets: int
    counts: tuple[Count, ...]
    ignored: tuple[tuple[str, int], ...]
    seconds: float
    built: float
    compiled: float
    workers: int
    engines: tuple[Chosen, ...]

    @property
    def permitted(self) -> int:
        """Packets that pass."""
        return sum(count.packets for count in self.counts if count.decision.passes)

    @property
    def rate(self) -> float:
        """Packets decided in a second; 0 when there are none."""
        return self.packets / self.seconds if self.seconds else 0.0

    def lines(self, source: Sequence[str], top: int) -> Iterator[str]:
        """For a person; ``source`` are the lines of the configuration."""
        yield f"{self.about}: {self.packets:,} packet{'' if self.packets == 1 else 's'}"
        for word, number in (("permitted", self.permitted), ("denied", self.packets - self.permitted)):
            yield f"  {word:9} {number:>14,} {_share(number, self.packets)}"
        for reason, number in self.ignored:
            yield f"  not decided: {number:,} {reason}"
        if self.counts:
            yield "decided by:"
        for count in self.counts[:top]:
            yield f"  {count.packets:>14,} {_share(count.packets, self.packets)}  {_said(count, source)}"
        if len(self.counts) > top:
            more = sum(count.packets for count in self.counts[top:])
            yield f"  {more:>14,} {_share(more, self.packets)}  … by {len(self.counts) - top:,} more"
        cores = "one core" if self.workers == 1 else f"{self.workers} threads"
        yield (
            f"rate: {self.rate / 1e6:,.1f} million packets a second on {cores} ({self.seconds:.3f} s;"
            f" tables built in {self.built:.3f} s, code made ready in {self.compiled:.3f} s)"
        )
        for chosen in dict.fromkeys(one for one in self.engines if one.rules and not one.noninitial):
            yield f"engine of {chosen.stage}: {chosen.engine}; {chosen.why}"

    def as_json(self, source: Sequence[str]) -> dict[str, object]:
        """Plain data, with every decision."""
        return {
            "about": self.about,
            "packets": self.packets,
            "permitted": self.permitted,
            "denied": self.packets - self.permitted,
            "ignored": dict(self.ignored),
            "decisions": [
                {
                    "family": count.family.value,
                    "verdict": "permitted" if count.decision.passes else "denied",
                    "packets": count.packets,
                    "stage": count.decision.stage,
                    "file": count.decision.span.source,
                    "line": count.decision.span.line,
                    "text": _text(count.decision, source),
                    "why": count.decision.why,
                }
                for count in self.counts
            ],
            "seconds": self.seconds,
            "built_seconds": self.built,
            "compiled_seconds": self.compiled,
            "packets_per_second": self.rate,
            "threads": self.workers,
            "engines": [chosen._asdict() for chosen in self.engines],
        }


def count_decisions(
    machine: Machine, place: Place, source: Source, *, engine: EngineName = "auto", workers: int = 1
) -> Report:
    """Decide all packets of the source.

    Raises UsageError for a list or interface that the machine has not, and
    InputError for captures that cannot be read.
    """
    place = _settled(machine, place)
    families = _families(machine, place)
    counter = _Counter(machine, place, engine, workers)
    ignored: list[tuple[str, int]] = []
    if source.capture is None:
        family = Family(source.family) if source.family else min(families)
        if family not in families:
            raise UsageError(f"{machine.source}: no list {place.list_name!r} for IPv{family.value}")
        for piece in _drawn(counter.stages(family), place, family, source):
            counter.add(piece)
        about = f"{_name(place, machine)}, drawn with seed {source.seed}"
    else:
        from compiler.simulator.classify.decoding import read_capture

        capture = read_capture(source.capture)
        for part in capture.parts:
            if part.packets.family in families:
                counter.add(part.packets)
            else:
                ignored.append(
                    (f"of IPv{part.packets.family.value}, for which there is no such list", part.packets.size)
                )
        ignored += [
            ("are no IP", capture.not_ip),
            ("have a malformed header", capture.malformed),
            ("end before the fields that lists ask for", capture.cut_short),
        ]
        about = f"{_name(place, machine)}, {source.capture} ({capture.frames:,} frames)"
    return counter.report(about, tuple((reason, number) for reason, number in ignored if number))


def _settled(machine: Machine, place: Place) -> Place:
    """The place, with the only list of a machine where none is named. UsageError where that is not one."""
    names = sorted({name.name for name in machine.lists()})
    if place.list_name:
        if place.list_name not in names:
            raise UsageError(f"{machine.source} has no list {place.list_name}; it has {', '.join(names) or 'none'}")
        return place
    if place.ingress or place.egress:
        known = machine.interfaces()
        for name in (place.ingress, place.egress):
            # A rule of a firewall may hold on every interface; a list of a router never does.
            if name and name not in known and machine.dialect == "ios":
                raise UsageError(f"{machine.source} has no list on {name}; it has lists on {', '.join(sorted(known))}")
        return place
    if machine.dialect != "ios" and machine.is_placed():
        return place
    if len(names) != 1:
        have = ", ".join(names) or "none"
        raise UsageError(f"{machine.source}: which list? It has {have} (--list, or --in and --out)")
    return place._replace(list_name=names[0])


def _families(machine: Machine, place: Place) -> set[Family]:
    if not place.list_name:
        return set(Family)
    return {name.family for name in machine.lists() if name.name == place.list_name}


def _name(place: Place, machine: Machine) -> str:
    if place.list_name:
        return f"list {place.list_name}"
    return f"{machine.source}, {place.ingress or 'anywhere'} to {place.egress or 'anywhere'}"


def _drawn(stages: tuple[object, ...], place: Place, family: Family, source: Source) -> Iterator[PacketColumns]:
    from compiler.simulator.classify.drawing import Drawing
    from compiler.simulator.classify.flattening import Half

    drawing = Drawing(stages, Half(family, False, place.ingress, place.egress), source.seed)  # type: ignore[arg-type]
    for start in range(0, source.random, _PIECE):
        yield drawing.draw(min(_PIECE, source.random - start))


class _Counter:
    """A classifier for each family that comes, and what it has decided."""

    def __init__(self, machine: Machine, place: Place, engine: EngineName, workers: int) -> None:
        self._machine = machine
        self._place = place
        self._engine: EngineName = engine
        self._workers = workers
        self._classifiers: dict[Family, Classifier] = {}
        self._counted: dict[Family, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._seconds = self._built = self._compiled = 0.0

    def stages(self, family: Family) -> tuple[object, ...]:
        """What whole packets of the family go through."""
        if self._place.list_name:
            return self._machine.list_stages(self._list(family), noninitial=False)
        return self._machine.stages(self._context(family))

    def add(self, packets: PacketColumns) -> None:
        """Decide and count some packets."""
        classifier = self._classifiers.get(packets.family) or self._make(packets.family)
        start = time.perf_counter()
        found = classifier.classify(packets, workers=self._workers)
        self._seconds += time.perf_counter() - start
        self._counted[packets.family] += np.bincount(found.decision, minlength=len(classifier.decisions))

    def report(self, about: str, ignored: tuple[tuple[str, int], ...]) -> Report:
        """All of it, the busiest decisions first."""
        counts = [
            Count(family, self._classifiers[family].decision(number), int(counted[number]))
            for family, counted in self._counted.items()
            for number in np.flatnonzero(counted).tolist()
        ]
        counts.sort(key=lambda count: -count.packets)
        engines = tuple(chosen for one in self._classifiers.values() for chosen in one.chosen)
        total = sum(count.packets for count in counts)
        times = (self._seconds, self._built, self._compiled)
        return Report(about, total, tuple(counts), ignored, *times, self._workers, engines)

    def _make(self, family: Family) -> Classifier:
        start = time.perf_counter()
        if self._place.list_name:
            classifier = Classifier.of_list(self._machine, self._list(family), self._engine)
        else:
            classifier = Classifier.of_device(self._machine, self._context(family), self._engine)
        built = time.perf_counter()
        classifier.warm()
        self._built += built - start
        self._compiled += time.perf_counter() - built
        self._classifiers[family] = classifier
        self._counted[family] = np.zeros(len(classifier.decisions), dtype=np.int64)
        return classifier

    def _list(self, family: Family) -> ListName:
        return next(
            name for name in self._machine.lists() if name.name == self._place.list_name and name.family is family
        )

    def _context(self, family: Family) -> Context:
        return Context(family, Path.FORWARD, self._place.ingress, self._place.egress, False)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:5.1f} %"


def _said(count: Count, source: Sequence[str]) -> str:
    span = count.decision.span
    text = _text(count.decision, source)
    return f"{span.source}:{span.line}: {text}" if span.line else text


def _text(decision: Decision, source: Sequence[str]) -> str:
    from compiler.analysis.findings.lints.quoting import quoted

    return (quoted(source, decision.span) if decision.span.line else "") or decision.why
