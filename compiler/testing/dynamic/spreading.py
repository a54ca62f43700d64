"""``balanced`` and ``sticky``: connections opened through the simulated network, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from compiler.addresses import format_address
from compiler.errors import UsageError
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.testing.answer import Answer, Sureness, Witness
from compiler.testing.dynamic.asked import Asked
from compiler.testing.dynamic.choices import Choosing, choosing_of
from compiler.testing.dynamic.connections import (
    Opened,
    Planned,
    check_lines,
    drawn_connections,
    in_region,
    open_all,
    openable,
)
from compiler.testing.dynamic.paths import command_for, hops_of
from compiler.testing.dynamic.shares import astray, chance_bound, uneven
from compiler.testing.dynamic.world import NetworkWorld
from compiler.testing.networks.claims import Begin
from compiler.testing.networks.refuting import while_dead

__all__ = ["ask_balance", "ask_stickiness", "fields_of"]

_FIELDS = ("source", "destination", "protocol", "source_port", "destination_port")
_AGAIN = 8
"""Connections that have one key, of ``sticky``."""


def ask_balance(asked: Asked, lines: Mapping[str, int], within: float | None) -> Answer:
    """Whether the lines that are alive share the connections by their weights. Raises UsageError."""
    check_lines(asked.model, tuple(lines))
    if len(lines) < 2 or min(lines.values()) < 1:
        raise UsageError(f"{asked.question}: name two lines or more, with weights of 1 or more")
    pairs = openable(asked.question, asked.headers, asked.beginnings)
    said = ""
    count = 0
    for dead in asked.dead_sets:
        alive = {line: weight for line, weight in lines.items() if line not in dead}
        if not alive:
            continue
        planned = _planned(asked, pairs, dead)
        opened = open_all(NetworkWorld(asked.model, dead, seed=asked.seed), planned)
        count += len(opened)
        said, wrong = _judged(asked, opened, alive, within)
        if wrong is not None:
            decided = f"{len(opened):,} connections in the simulator"
            witness = _witness(asked, planned, opened.index(wrong), dead)
            return Answer(asked.question, False, Sureness.TESTED, decided, said + while_dead(dead), witness)
    return Answer(asked.question, True, Sureness.TESTED, f"{count:,} connections in the simulator; {said}")


def _planned(asked: Asked, pairs: Sequence[Begin], dead: frozenset[str]) -> list[Planned]:
    """Whole rounds, where routers choose in turn."""
    turns = choosing_of(asked.model.routers).turns
    number = -(-asked.connections // turns) * turns
    planned = drawn_connections(asked.headers, pairs, number, dead, asked.seed)
    if len(planned) < number:  # the set has no more: whole rounds of what there is
        planned = planned[: len(planned) // turns * turns] or planned
    return planned


def _judged(
    asked: Asked, opened: Sequence[Opened], lines: Mapping[str, int], within: float | None
) -> tuple[str, Opened | None]:
    """What was counted, and a connection that shows what is wrong, if anything is."""
    names = tuple(lines)
    gone = [one for one in opened if not one.line(names)]
    if gone:
        return f"{len(gone):,} of {len(opened):,} connections went by none of {', '.join(names)}", gone[0]
    crossed = {crossing.enters.node for one in opened for crossing in one.journey.crossings}
    choosing = choosing_of(one for one in asked.model.routers if one.name in crossed)
    counts = Counter(one.line(names) for one in opened)
    parts = uneven(counts, lines)
    bounds = [_bound(choosing, opened, part.due, within) for part in parts]
    shown = ", ".join(f"{line} {counts[line]:,} ({counts[line] / len(opened):.1%})" for line in lines)
    worst, bound = max(zip(parts, bounds, strict=True), key=lambda one: one[0].off - one[1][0])
    said = f"{shown}: {worst.line} is {worst.off:.1%} off its due; {bound[1]}"
    if worst.off <= bound[0] + 1e-12:
        return said, None
    fullest = max(parts, key=lambda part: part.part - part.due).line
    return said, next(one for one in opened if one.line(names) == fullest)


def _bound(choosing: Choosing, opened: Sequence[Opened], due: float, within: float | None) -> tuple[float, str]:
    """How far off is right, and why."""
    limit = within or 0.0
    if choosing.is_exact:
        return limit, f"chosen {choosing}: exact" + (f", within {limit:.1%}" if limit else "")
    keys: list[object] = list(range(len(opened)))
    if not choosing.by_chance:
        keys = [choosing.key(one.planned.packet) for one in opened]
    chance = chance_bound(keys, due)
    how = f"chosen {choosing}, {len(set(keys)):,} distinct keys: chance explains {chance:.1%}"
    if within is not None and chance > limit:
        how += f", more than {limit:.1%}"
    return max(limit, chance), how


# -- sticky ------------------------------------------------------------------------------------


def fields_of(key: str) -> tuple[str, ...]:
    """``source, destination port``. Raises UsageError for what is no field of a connection."""
    words = key.replace(" and ", ",").replace("-", "_").split(",")
    names = tuple(word.strip().replace(" ", "_") for word in words if word.strip())
    for name in names:
        if name not in _FIELDS:
            raise UsageError(f"{name!r} is no key of connections; there are {', '.join(_FIELDS)}")
    if not names:
        raise UsageError(f"a key is one or more of {', '.join(_FIELDS)}")
    return names


def ask_stickiness(asked: Asked, key: str, lines: Sequence[str]) -> Answer:
    """Whether connections that agree in the key leave by one line, and show one address. Raises UsageError."""
    check_lines(asked.model, lines)
    fields = fields_of(key)
    pairs = openable(asked.question, asked.headers, asked.beginnings)
    count, keys = 0, 0
    for dead in asked.dead_sets:
        planned = _with_keys(asked, pairs, fields, dead)
        opened = open_all(NetworkWorld(asked.model, dead, seed=asked.seed), planned)
        arrived = [one for one in opened if one.shown is not None]
        if not arrived:
            witness = _witness(asked, planned, 0, dead)
            said = f"none of {len(opened):,} connections arrived{while_dead(dead)}"
            return Answer(asked.question, False, Sureness.TESTED, "connections in the simulator", said, witness)
        if not lines and all(one.shown == one.planned.packet.source for one in arrived):
            raise UsageError(f"{asked.question}: no address is translated on the way: say which lines there are")
        count += len(arrived)
        keys += len({_key(one.planned.packet, fields) for one in arrived})
        wrong = _moved(arrived, fields, lines)
        if wrong is not None:
            said = f"{_way(wrong[0], lines)}, and {_way(wrong[1], lines)}{while_dead(dead)}"
            witness = _witness(asked, planned, opened.index(wrong[1]), dead)
            decided = f"{len(opened):,} connections in the simulator"
            return Answer(asked.question, False, Sureness.TESTED, decided, said, witness)
    decided = f"{count:,} connections with {keys:,} keys in the simulator"
    return Answer(asked.question, True, Sureness.TESTED, decided)


def _key(packet: Packet, fields: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(getattr(packet, name) for name in fields)


def _with_keys(asked: Asked, pairs: Sequence[Begin], fields: tuple[str, ...], dead: frozenset[str]) -> list[Planned]:
    """Connections by rounds: in each every key once, with all else drawn anew."""
    drawn = drawn_connections(asked.headers, pairs, asked.connections, dead, asked.seed)
    number = max(len(drawn) // _AGAIN, 1)
    found: dict[Packet, Planned] = {one.packet: one for one in drawn[:number]}
    firsts = list(found.values())
    for count, one in enumerate(drawn[number:]):
        # An address of the sender's goes with the sender.
        own = [first for first in firsts if first.pair == one.pair] if "source" in fields else firsts
        if not own:
            continue
        first = own[count % len(own)]
        packet = one.packet._replace(**{name: getattr(first.packet, name) for name in fields})
        planned = one._replace(packet=packet, sender=first.sender if "source" in fields else one.sender)
        same_family = packet.family is first.packet.family
        if same_family and packet not in found and in_region(asked.headers, planned):
            found[packet] = planned
    return list(found.values())


def _moved(arrived: Sequence[Opened], fields: tuple[str, ...], lines: Sequence[str]) -> tuple[Opened, Opened] | None:
    """Two connections with one key that went different ways."""
    moved = astray((_key(one.planned.packet, fields), (one.line(lines), one.shown)) for one in arrived)
    for key, (first, second, *_) in moved.items():
        own = [one for one in arrived if _key(one.planned.packet, fields) == key]
        found = [next(one for one in own if (one.line(lines), one.shown) == way) for way in (first, second)]
        return found[0], found[1]
    return None


def _way(one: Opened, lines: Sequence[str]) -> str:
    packet = one.planned.packet
    line = one.line(lines)
    by = f"by {line}" if line else ""
    as_whom = f"as {format_address(one.shown, packet.family.width)}" if one.shown is not None else ""
    return " ".join(part for part in (format_packet(packet), "goes", by, as_whom) if part)


def _witness(asked: Asked, planned: Sequence[Planned], number: int, dead: frozenset[str]) -> Witness:
    """One of the connections, followed, after all that went before it."""
    world = NetworkWorld(asked.model, dead, seed=asked.seed, tracing=True)
    opened = open_all(world, planned[: number + 1])
    one = opened[number]
    command = command_for(asked.model, one.planned.sender, one.planned.packet, dead) if number == 0 else ""
    return Witness(format_packet(one.planned.packet), hops_of(world, one.journey, one.planned.sender), command)
