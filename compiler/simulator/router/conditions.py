"""What rules ask of the router's memory, each as a function of the packet in transit."""

from __future__ import annotations

from collections.abc import Callable

from compiler.errors import UsageError
from compiler.policy.stateful import (
    Condition,
    DirectionIs,
    HelperIs,
    InSet,
    LengthIn,
    Limit,
    LocalAddress,
    MarkIn,
    MarkNamed,
    NumberIn,
    Register,
    State,
    StateIn,
    StatusIs,
)
from compiler.simulator.router.memory import Bucket, Memory, numbers
from compiler.simulator.router.transit import Transit

__all__ = ["Test", "condition", "read_mark"]

Test = Callable[[Transit], bool]


def condition(asked: Condition, memory: Memory) -> Test:
    """The condition as a test; conditions that count (numbers, limits) count from now."""
    if isinstance(asked, (MarkIn, MarkNamed)):
        return _mark(asked)
    if isinstance(asked, NumberIn):
        source = numbers(asked.number, memory)
        return lambda transit: asked.values.contains(source.draw(transit.datagram))
    if isinstance(asked, Limit):
        bucket = Bucket(asked, memory.engine)
        return lambda transit: bucket.holds(transit.datagram)
    if isinstance(asked, LocalAddress):
        return lambda transit: _local(transit, asked, memory)
    if isinstance(asked, InSet):
        members = memory.address_set(asked.table, asked.name)
        return lambda transit: (getattr(transit.datagram, asked.field) in members) != asked.negated
    return _of_packet(asked)


def _of_packet(asked: Condition) -> Test:
    """Conditions that need nothing but the packet and its connection."""
    if isinstance(asked, StateIn):
        states = asked.states | {None} if State.INVALID in asked.states else asked.states
        # A packet that tracking has not seen yet is invalid, too (nft_ct_get_eval).
        return lambda transit: transit.state in states
    if isinstance(asked, StatusIs):
        return lambda transit: _status(transit, asked)
    if isinstance(asked, DirectionIs):
        return lambda transit: transit.connection is not None and transit.is_reply != asked.original
    if isinstance(asked, LengthIn):
        return lambda transit: asked.values.contains(transit.datagram.size)
    if isinstance(asked, HelperIs):
        return lambda transit: (_helper(transit) == asked.name) != asked.negated
    raise UsageError(f"a condition that the simulator does not know: {asked!r}")


def _status(transit: Transit, asked: StatusIs) -> bool:
    if transit.connection is None:
        return False
    return bool(transit.connection.status & asked.bits) != asked.negated


def read_mark(transit: Transit, register: Register) -> int | str | None:
    """The mark in a register; None where there is no connection to have one."""
    if register is Register.PACKET:
        return transit.mark
    if register is Register.ROUTING:
        return transit.routing_mark
    return None if transit.connection is None else transit.connection.mark


def _mark(asked: MarkIn | MarkNamed) -> Test:
    if isinstance(asked, MarkIn):
        values, mask, register = asked.values, asked.mask, asked.register

        def numbered(transit: Transit) -> bool:
            mark = read_mark(transit, register)
            return isinstance(mark, int) and values.contains(mark & mask)

        return numbered
    name, negated = asked.name, asked.negated
    # A packet without a connection has no connection mark in RouterOS.
    return lambda transit: ((read_mark(transit, asked.register) or "") == name) != negated


def _local(transit: Transit, asked: LocalAddress, memory: Memory) -> bool:
    datagram = transit.datagram
    kind = memory.routes.kind(datagram.family, getattr(datagram, asked.field))
    return (kind in asked.kinds) != asked.negated


def _helper(transit: Transit) -> str:
    """Only a connection that was expected has one: that of its master (nft_ct_get_eval, NFT_CT_HELPER)."""
    connection = transit.connection
    return connection.master.helper if connection is not None and connection.master is not None else ""
