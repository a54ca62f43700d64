"""One packet through a network, for a person who wants to see what becomes of it."""

from __future__ import annotations

from collections.abc import Collection

from compiler.errors import UsageError
from compiler.policy.packet_text import format_packet, parse_packet
from compiler.testing.answer import Answer, Sureness
from compiler.testing.dynamic.paths import sender_of, witness_of
from compiler.testing.networks.flows import End
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.segments import Segments

__all__ = ["follow"]


def follow(model: NetworkModel, sender: str, text: str, dead: Collection[str] = ()) -> Answer:
    """Whether the packet arrives anywhere while those nodes and cables are dead too, with its way.

    Raises UsageError and InputErrors.
    """
    parts = (*model.names, *(cable.name for cable in model.cables))
    for name in dead:
        if name not in parts:
            raise UsageError(f"no node or cable is called {name!r}; there are {', '.join(parts) or 'none'}")
    try:
        place = sender_of(model, sender)
    except KeyError:
        segments = Segments(model)
        outside = [str(port) for port in model.addresses() if segments.is_outside(port)]
        known = ", ".join([*(host.name for host in model.hosts), *outside]) or "none"
        raise UsageError(f"{sender!r} is no sender; there are {known}") from None
    packet = parse_packet(text)
    witness, arrival = witness_of(model, model.dead | frozenset(dead), place, packet)
    held = arrival.end is End.DELIVERED
    where = f"it comes to {arrival.port}" if held else arrival.why or arrival.end.value
    question = f"follow: {format_packet(packet)} from {sender}"
    return Answer(question, held, Sureness.TESTED, "this packet in the simulator", where, witness._replace(command=""))
