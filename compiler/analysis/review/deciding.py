"""Which lines of the new configuration decide the packets that change their verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.equivalence.contexts import OTHER
from compiler.analysis.findings.lints.quoting import quoted
from compiler.analysis.review.outcome import DecidingLine
from compiler.analysis.traffic.difference import ChangedPackets
from compiler.dialects.interface_names import in_full
from compiler.policy.access_list import Device
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.policy.ruleset import Ruleset
from compiler.semantics.machine import Context, Stage, Step
from compiler.source import Span
from compiler.symbolic.deciding import decided, permits

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.symbolic.space import PacketSpace

__all__ = ["deciding_lines", "example"]

_RULES = 3
"""Rules in which the packets of one line are told."""


class _Part(NamedTuple):
    """Packets that one step decides; ``step`` is None for what the list does in the end, ``stage`` for no list."""

    stage: Stage | None
    step: Step | None
    packets: BDDFunction


def deciding_lines(found: ChangedPackets, new: Device | Ruleset) -> Iterator[DecidingLine]:
    """Each line of the new tree that decides some of the packets, with these."""
    from compiler.symbolic.describe import describe
    from compiler.symbolic.space import space

    family_space = space(found.view.context.family)
    parts = _denying(found, family_space) if found.newly == "denied" else _permitting(found, family_space)
    for part in parts:
        if not part.packets.satisfiable():
            continue
        span, did = _place(part, found, new)
        matches, whole = describe(family_space.as_it_came(part.packets), family_space, _RULES)
        if found.view.context.noninitial:
            matches = tuple(match._replace(noninitial=True) for match in matches)
        packet = format_packet(example(part.packets, family_space, found.view.context))
        text = quoted(new.lines, span)
        yield DecidingLine(span, text, did, found.newly, found.view.where, matches, whole, packet)


def example(packets: BDDFunction, family_space: PacketSpace, context: Context) -> Packet:
    """A packet that a person would choose; where any interface will do, it names none."""
    from compiler.symbolic.witness import plainest_packet

    packet = plainest_packet(packets, family_space, context)
    ingress, egress = ("" if name == OTHER else name for name in (packet.ingress, packet.egress))
    return packet._replace(ingress=ingress, egress=egress)


def _denying(found: ChangedPackets, space: PacketSpace) -> Iterator[_Part]:
    """The first stage that stops a packet decides."""
    rest = found.packets
    for stage in found.view.right:
        passed = space.empty
        for step, hit in decided(stage, rest, space):
            if permits(stage, step):
                passed = passed | hit
            else:
                yield _Part(stage, step, hit)
        rest = passed


def _permitting(found: ChangedPackets, space: PacketSpace) -> Iterator[_Part]:
    """Every stage lets the packets pass; to be named are those whose older self did not, else the last."""
    from compiler.symbolic.evaluate import passing

    before = {stage.name: stage for stage in found.view.left}
    rest = found.packets
    for stage in found.view.right:
        old = before.get(stage.name)
        stopped = found.packets & ~passing(old, found.packets, space) if old is not None else space.empty
        yield from (_Part(stage, step, hit) for step, hit in decided(stage, stopped, space))
        rest = rest & ~stopped
    if found.view.right:
        last = found.view.right[-1]
        yield from (_Part(last, step, hit) for step, hit in decided(last, rest, space))
    else:
        yield _Part(None, None, rest)


def _place(part: _Part, found: ChangedPackets, new: Device | Ruleset) -> tuple[Span, str]:
    """Where to look, and what happens there, in a word or two."""
    verdict = "permits" if found.newly == "permitted" else "denies"
    if part.stage is None:
        return _interface_line(found, new), f"{verdict}: no list looks at them any more"
    if part.step is not None and (said := _span(part.step)) is not None:
        return said, verdict
    why = (part.step.why if part.step is not None else part.stage.default_why) or "what the list does in the end"
    last = max((span for step in part.stage.steps if (span := _span(step)) is not None), default=None)
    last = last or _ends(new).get(part.stage.name)
    if last is None:
        return _interface_line(found, new), f"{verdict}: {why}, in {part.stage.name}"
    return last, f"{verdict} after this line: {why}, in {part.stage.name}"


def _span(step: Step) -> Span | None:
    return step.origin.span if step.origin is not None and step.origin.span.line else None


def _ends(new: Device | Ruleset) -> Mapping[str, Span]:
    """The last line of each list of a router, by the name of its stage: in some contexts no line of it matters."""
    if not isinstance(new, Device):
        return {}
    return {f"list {one.name}": one.entries[-1].span for one in new.lists if one.entries}


def _interface_line(found: ChangedPackets, new: Device | Ruleset) -> Span:
    """The heading of the interface, where the text has one; else the top of the file."""
    for name in (found.view.context.ingress, found.view.context.egress):
        for number, line in enumerate(new.lines, 1):
            words = line.split()
            if name and words[:1] == ["interface"] and in_full(" ".join(words[1:]), new) == name:
                return Span(new.source, number, 1, len(line) + 1)
    return Span(new.source, 1)
