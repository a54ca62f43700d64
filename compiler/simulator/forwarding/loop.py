"""The event loop, in the part of Python that numba compiles (:mod:`compiling`); as it is, it runs on lists.

A link hands its frames over in the order in which it accepted them, so the
heap holds one entry for each link that has frames under way: the moment and
the order of its first one. A frame's order is given when it is sent, as
:class:`compiler.simulator.engine.Engine` gives it when an event is asked for.
"""

from __future__ import annotations

from collections.abc import MutableSequence

import numpy as np

__all__ = [
    "DELIVERED",
    "DONE",
    "DROPPED_LOSS",
    "DROPPED_NO_ROUTE",
    "DROPPED_QUEUE",
    "DROPPED_TTL",
    "HELPERS",
    "HERE",
    "HOST",
    "LATEST",
    "NOWHERE",
    "ROUTER",
    "SWITCH",
    "TOO_BIG",
    "TOO_LATE",
    "forward",
]

Column = MutableSequence[int]
"""A list; compiled, an array of integers."""

HOST, ROUTER, SWITCH = 0, 1, 2
NOWHERE, HERE = -1, -2
"""In the table of next links: no route; the packet is at its destination."""
DELIVERED, DROPPED_QUEUE, DROPPED_LOSS, DROPPED_NO_ROUTE, DROPPED_TTL = 0, 1, 2, 3, 4
DONE, TOO_BIG, TOO_LATE = 0, 1, 2

# What a link has, one after another in ``links``.
RATE, DELAY, LIMIT, LIMIT_OCTETS, MTU, TARGET, LOSS, IS_LIMITED = 0, 1, 2, 3, 4, 5, 6, 7
LINK_FIELDS = 8
# What a link remembers, in ``state``; slots are -1 for none.
BUSY_UNTIL, FIRST, LAST, FIRST_WAITING, WAITING, WAITING_OCTETS = 0, 1, 2, 3, 4, 5
FRAMES, OCTETS, DROPS_QUEUE, DROPS_LOSS, LAST_SIZE, LAST_TIME = 6, 7, 8, 9, 10, 11
STATE_FIELDS = 12
# What is known of a packet under way, in ``flight``: one slot for each.
ARRIVAL, ORDER, START, NEXT, PACKET, SIZE, FLOW, TTL, HOPS, TOWARDS, LOST = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
FLIGHT_FIELDS = 11
# Flows.
SOURCE, DESTINATION, FIRST_TTL = 0, 1, 2
FLOW_FIELDS = 3

_BITS = 8_000_000_000
_OVERHEAD = 14
LATEST = 1 << 61
"""Moments beyond it (73 years) are refused, so that sums stay in 64 bits."""
# The Mersenne Twister's figures (Matsumoto and Nishimura 1998), the generator of Python's Random.
_WORDS, _SHIFT = 624, 397
_UPPER, _LOWER, _MATRIX, _ALL = 0x80000000, 0x7FFFFFFF, 0x9908B0DF, 0xFFFFFFFF
GENERATOR_WORDS = _WORDS + 1


def _next_word(generator: Column, base: int) -> int:
    """32 random bits of the generator that begins at ``base``: its words, then its place among them."""
    place = generator[base + _WORDS]
    if place >= _WORDS:
        for i in range(_WORDS):
            mixed = (generator[base + i] & _UPPER) | (generator[base + (i + 1) % _WORDS] & _LOWER)
            twisted = generator[base + (i + _SHIFT) % _WORDS] ^ (mixed >> 1)
            if mixed & 1:
                twisted ^= _MATRIX
            generator[base + i] = twisted
        place = 0
    word = generator[base + place]
    generator[base + _WORDS] = place + 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    word ^= word >> 18
    return word & _ALL


def _chance(generator: Column, base: int) -> float:
    """What ``Random.random`` would say next: 53 random bits."""
    high = _next_word(generator, base) >> 5
    low = _next_word(generator, base) >> 6
    return (high * 67108864.0 + low) / 9007199254740992.0


def _sift_up(times: Column, orders: Column, owners: Column, place: int) -> None:
    """Let the entry at ``place`` rise."""
    time, order, owner = times[place], orders[place], owners[place]
    while place > 0:
        above = (place - 1) >> 1
        if times[above] < time or (times[above] == time and orders[above] < order):
            break
        times[place], orders[place], owners[place] = times[above], orders[above], owners[above]
        place = above
    times[place], orders[place], owners[place] = time, order, owner


def _sift_down(times: Column, orders: Column, owners: Column, size: int) -> None:
    """Let the first entry sink."""
    time, order, owner = times[0], orders[0], owners[0]
    place = 0
    below = 1
    while below < size:
        least = times[below]
        other = below + 1
        if other < size:
            second = times[other]
            is_less = second < least
            if second == least:
                is_less = orders[other] < orders[below]
            below = other if is_less else below
            least = second if is_less else least
        if time < least or (time == least and order < orders[below]):
            break
        times[place], orders[place], owners[place] = least, orders[below], owners[below]
        place = below
        below = 2 * place + 1
    times[place], orders[place], owners[place] = time, order, owner


def _leave(state: Column, at: int, flight: Column, now: int) -> None:
    """Take from a link's queue the frames that have begun to be sent."""
    slot = state[at + FIRST_WAITING]
    while slot >= 0 and flight[slot + START] <= now:
        state[at + WAITING] -= 1
        state[at + WAITING_OCTETS] -= flight[slot + SIZE] + _OVERHEAD
        slot = flight[slot + NEXT]
    state[at + FIRST_WAITING] = slot


def _more_room(flight: Column, free: Column) -> tuple[Column, Column, int]:
    """Twice as many slots; the new ones are free."""
    slots = len(free)
    more = np.empty(2 * slots, np.int64)
    for i in range(slots):
        more[i] = (2 * slots - 1 - i) * FLIGHT_FIELDS
    return np.concatenate((flight, np.zeros_like(flight))), more, slots  # type: ignore[return-value]  # arrays here


HELPERS = (_next_word, _chance, _sift_up, _sift_down, _leave, _more_room)


def forward(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917  # a call for each step would cost as much as the step does
    sends: Column,
    sizes: Column,
    flow_of: Column,
    flows: Column,
    links: Column,
    losses: MutableSequence[float],
    generators: Column,
    kinds: Column,
    columns: int,
    next_links: Column,
    next_towards: Column,
    state: Column,
    flight: Column,
    free: Column,
    heap_times: Column,
    heap_orders: Column,
    heap_links: Column,
    ended: Column,
    reasons: Column,
    drop_links: Column,
    hops: Column,
    sequence: Column,
    counts: Column,
) -> int:
    """Let all packets go their way.

    ``counts`` gets the free slots, ended packets, events, the most packets under way, and the one at fault.

    Returns DONE, TOO_BIG or TOO_LATE.
    """
    packets = len(sends)
    unfree = len(free)
    sent = 0
    over = 0
    order = 0
    events = 0
    most = 0
    heap_size = 0
    while True:
        # -- which event is next: sends were asked for before the run, so they come first among equals --
        if sent < packets and (heap_size == 0 or sends[sent] <= heap_times[0]):
            now = sends[sent]
            if unfree == 0:
                # Only compiled: uncompiled, there is a slot for each packet from the start.
                flight, free, unfree = _more_room(flight, free)
            unfree -= 1
            slot = free[unfree]
            most = max(most, len(free) - unfree)
            flow = flow_of[sent] * FLOW_FIELDS
            flight[slot + PACKET] = sent
            flight[slot + SIZE] = sizes[sent]
            flight[slot + FLOW] = flow
            flight[slot + TTL] = flows[flow + FIRST_TTL]
            flight[slot + HOPS] = 0
            flight[slot + TOWARDS] = 0
            flight[slot + LOST] = 0
            node = flows[flow + SOURCE]
            came_by = -1
            sent += 1
        elif heap_size > 0:
            now = heap_times[0]
            came_by = heap_links[0]
            at = came_by * STATE_FIELDS
            slot = state[at + FIRST]
            following = flight[slot + NEXT]
            if state[at + FIRST_WAITING] == slot:
                state[at + WAITING] -= 1
                state[at + WAITING_OCTETS] -= flight[slot + SIZE] + _OVERHEAD
                state[at + FIRST_WAITING] = following
            state[at + FIRST] = following
            if following >= 0:
                heap_times[0] = flight[following + ARRIVAL]
                heap_orders[0] = flight[following + ORDER]
                _sift_down(heap_times, heap_orders, heap_links, heap_size)
            else:
                heap_size -= 1
                if heap_size > 0:
                    heap_times[0] = heap_times[heap_size]
                    heap_orders[0] = heap_orders[heap_size]
                    heap_links[0] = heap_links[heap_size]
                    _sift_down(heap_times, heap_orders, heap_links, heap_size)
            if flight[slot + LOST]:
                free[unfree] = slot
                unfree += 1
                continue
            node = links[came_by * LINK_FIELDS + TARGET]
            flight[slot + HOPS] += 1
        else:
            break
        events += 1

        # -- what the node does with it --
        flow = flight[slot + FLOW]
        kind = kinds[node]
        reason = -1
        waits = False
        drop_link = came_by
        column = flight[slot + TOWARDS] if kind == SWITCH else flows[flow + DESTINATION]
        link = next_links[node * columns + column]
        if link == HERE:
            reason = DELIVERED
            drop_link = -1
        elif link < 0 or (kind == HOST and came_by >= 0):
            reason = DROPPED_NO_ROUTE
        elif kind != SWITCH:
            flight[slot + TOWARDS] = next_towards[node * columns + column]
            if came_by >= 0:
                if flight[slot + TTL] <= 1:
                    reason = DROPPED_TTL
                flight[slot + TTL] -= 1

        # -- and the link, as Direction.send --
        if reason < 0:
            figures = link * LINK_FIELDS
            at = link * STATE_FIELDS
            payload = flight[slot + SIZE]
            if payload > links[figures + MTU]:
                counts[4] = flight[slot + PACKET]
                return TOO_BIG
            size = payload + _OVERHEAD
            rate = links[figures + RATE]
            start = now
            end = now
            if rate > 0:
                if state[at + BUSY_UNTIL] > now:
                    start = state[at + BUSY_UNTIL]
                if links[figures + IS_LIMITED]:
                    _leave(state, at, flight, now)
                    waits = start > now
                    if waits and (
                        state[at + WAITING] >= links[figures + LIMIT]
                        or state[at + WAITING_OCTETS] + size > links[figures + LIMIT_OCTETS]
                    ):
                        reason = DROPPED_QUEUE
                        state[at + DROPS_QUEUE] += 1
                        drop_link = link
                if reason < 0:
                    if state[at + LAST_SIZE] != size:
                        state[at + LAST_SIZE] = size
                        state[at + LAST_TIME] = -(-size * _BITS // rate)
                    end = start + state[at + LAST_TIME]
                    if end > LATEST:
                        counts[4] = flight[slot + PACKET]
                        return TOO_LATE
                    state[at + BUSY_UNTIL] = end
            if reason < 0:
                state[at + FRAMES] += 1
                state[at + OCTETS] += size
                threshold = losses[link]
                goes = True
                if threshold > 0.0 and _chance(generators, links[figures + LOSS]) < threshold:
                    state[at + DROPS_LOSS] += 1
                    reason = DROPPED_LOSS
                    drop_link = link
                    flight[slot + LOST] = 1
                    goes = waits  # it holds its place in the queue until it would begin to be sent
                if goes:
                    if waits:
                        state[at + WAITING] += 1
                        state[at + WAITING_OCTETS] += size
                        if state[at + FIRST_WAITING] < 0:
                            state[at + FIRST_WAITING] = slot
                    arrival = end + links[figures + DELAY]
                    flight[slot + ARRIVAL] = arrival
                    flight[slot + ORDER] = order
                    flight[slot + START] = start
                    flight[slot + NEXT] = -1
                    if state[at + FIRST] < 0:
                        state[at + FIRST] = slot
                        heap_times[heap_size] = arrival
                        heap_orders[heap_size] = order
                        heap_links[heap_size] = link
                        _sift_up(heap_times, heap_orders, heap_links, heap_size)
                        heap_size += 1
                    else:
                        flight[state[at + LAST] + NEXT] = slot
                        if state[at + FIRST_WAITING] < 0 and waits:
                            state[at + FIRST_WAITING] = slot
                    state[at + LAST] = slot
                    order += 1

        # -- the end of its way --
        if reason >= 0:
            packet = flight[slot + PACKET]
            ended[packet] = now
            reasons[packet] = reason
            drop_links[packet] = drop_link
            hops[packet] = flight[slot + HOPS]
            sequence[over] = packet
            over += 1
            if reason != DROPPED_LOSS or not waits:
                free[unfree] = slot
                unfree += 1
    counts[0] = unfree
    counts[1] = over
    counts[2] = events
    counts[3] = most
    return DONE
