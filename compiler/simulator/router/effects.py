"""What rules change, each as a function of the packet in transit; False ends the rule as if it had not matched."""

from __future__ import annotations

from collections.abc import Callable

from compiler.errors import UsageError
from compiler.fields import TCP
from compiler.policy.stateful import (
    AddToSet,
    AssignHelper,
    ChangeField,
    ClampSegment,
    Effect,
    MarkValue,
    Numbered,
    Register,
    SetMark,
    SkipFirewall,
    State,
    Untrack,
)
from compiler.simulator.router.conditions import Test, read_mark
from compiler.simulator.router.connections import SYN
from compiler.simulator.router.memory import Memory, numbers
from compiler.simulator.router.transit import Transit

__all__ = ["effect"]

_IPV4_AND_TCP, _IPV6_AND_TCP = 40, 60
"""Octets of headers without options, which the MSS does not count (RFC 6691)."""


def effect(change: Effect, memory: Memory, mtu: Callable[[str], int]) -> Test:
    """The change as a function; ``mtu`` tells that of an interface. Translations are the NAT station's."""
    if isinstance(change, SetMark):
        return _set_mark(change, memory)
    if isinstance(change, Untrack):
        return _untrack
    if isinstance(change, SkipFirewall):
        return _skip
    if isinstance(change, ChangeField):
        return _change_field(change)
    if isinstance(change, ClampSegment):
        return lambda transit: _clamp(transit, change, mtu)
    if isinstance(change, AddToSet):
        return _add(change, memory)
    if isinstance(change, AssignHelper):
        return lambda transit: _assign(transit, change.name)
    raise UsageError(f"an effect that the simulator does not know: {change!r}")


def _set_mark(change: SetMark, memory: Memory) -> Test:
    register, mask = change.register, change.mask
    value = _value(change.value, memory)

    def run(transit: Transit) -> bool:
        new = value(transit)
        if new is None:
            return False
        if isinstance(new, int):
            old = read_mark(transit, register)
            new = ((old if isinstance(old, int) else 0) & ~mask & 0xFFFFFFFF) ^ new
        if register is Register.PACKET:
            transit.mark = new
        elif register is Register.ROUTING:
            transit.routing_mark = str(new)
        elif transit.connection is not None:
            transit.connection.mark = new
        return True

    return run


def _value(value: int | str | MarkValue | Numbered, memory: Memory) -> Callable[[Transit], int | str | None]:
    if isinstance(value, (int, str)):
        return lambda transit: value
    if isinstance(value, MarkValue):

        def taken(transit: Transit) -> int | None:
            mark = read_mark(transit, value.register)
            # Without a connection nft stops the rule (NFT_BREAK).
            return (mark & value.mask) ^ value.flip if isinstance(mark, int) else None

        return taken
    source = numbers(value.number, memory)

    def drawn(transit: Transit) -> int | None:
        number = source.draw(transit.datagram)
        if not value.table:
            return number
        return next((mapped for numbered, mapped in value.table if numbered.contains(number)), None)

    return drawn


def _untrack(transit: Transit) -> bool:
    if transit.state is None:
        transit.state = State.UNTRACKED
    return True


def _skip(transit: Transit) -> bool:
    if transit.connection is not None:
        transit.connection.skips = True
    return True


def _change_field(change: ChangeField) -> Test:
    field, value, mask = change.field, change.value, change.mask

    def run(transit: Transit) -> bool:
        old = getattr(transit.datagram, field)
        new = old + value if change.step else (old & ~mask) | value
        setattr(transit.datagram, field, max(0, min(255, new)))
        return True

    return run


def _clamp(transit: Transit, change: ClampSegment, mtu: Callable[[str], int]) -> bool:
    datagram = transit.datagram
    if datagram.protocol != TCP or not datagram.tcp_flags & SYN:
        return True
    headers = _IPV4_AND_TCP if datagram.family == 4 else _IPV6_AND_TCP
    size = change.size if change.size is not None else mtu(transit.egress) - headers
    datagram.tcp_options = _with_segment(datagram.tcp_options, size)
    return True


def _with_segment(options: bytes, size: int) -> bytes:
    """The options with the MSS lowered to ``size`` where it is higher (kind 2, RFC 9293 3.2)."""
    position = 0
    while position < len(options) and options[position]:
        if options[position] == 1:
            position += 1
            continue
        length = options[position + 1] if position + 1 < len(options) else 0
        if options[position] == 2 and length == 4:
            old = int.from_bytes(options[position + 2 : position + 4], "big")
            return options[: position + 2] + min(old, size).to_bytes(2, "big") + options[position + 4 :]
        if length < 2:
            break
        position += length
    return options


def _add(change: AddToSet, memory: Memory) -> Test:
    members = memory.address_set(change.table, change.name)

    def run(transit: Transit) -> bool:
        address = getattr(transit.datagram, change.field)
        if change.remove:
            members.remove(address)
        else:
            members.add(address, change.timeout, refresh=change.refresh)
        return True

    return run


def _assign(transit: Transit, name: str) -> bool:
    connection = transit.connection
    if connection is not None and "confirmed" not in connection.status and connection.tcp is not None:
        connection.helper = name
    return True
