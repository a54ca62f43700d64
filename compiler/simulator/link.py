"""Links: two directions, each a queue that drains at a rate and a delay behind it.

A frame is one event a hop: when it is sent, the moment at which the wire is
free again is known, and with it the moment of its arrival ("busy until").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappush
from random import Random
from typing import TYPE_CHECKING

from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import ETHERNET, Frame

if TYPE_CHECKING:
    from compiler.simulator.node import Port

__all__ = ["Direction", "Link", "Wire"]

_BITS = 8 * SECOND


@dataclass(frozen=True, slots=True)
class Wire:
    """One direction of a link, described.

    ``rate`` is in bits a second (None: frames take no time to send), ``delay``
    in nanoseconds. ``queue`` is how many frames may wait behind the one being
    sent, ``queue_octets`` how many octets (None: no limit); a frame that finds
    no room is dropped at the tail. ``loss`` is the probability that a frame
    is lost on the way.
    """

    rate: int | None = None
    delay: int = 0
    queue: int | None = 100
    queue_octets: int | None = None
    loss: float = 0.0


Tap = Callable[[int, Frame], None]
"""Called with the moment at which the frame begins to be sent, and the frame: copy what you keep."""


class Direction:
    """One way of a link, from a port to its peer.

    ``send`` is replaced by what the wire needs, so that a plain wire costs nothing for what it lacks.
    """

    __slots__ = (
        "_arrive",
        "_busy_until",
        "_engine",
        "_random",
        "_taps",
        "_times",
        "_waiting",
        "_waiting_octets",
        "drops_down",
        "drops_loss",
        "drops_queue",
        "frames",
        "is_up",
        "octets",
        "on_drop",
        "peer",
        "send",
        "wire",
    )

    def __init__(self, engine: Engine, peer: Port, wire: Wire, random: Random) -> None:
        self._engine = engine
        self.peer = peer
        self._arrive = peer.receive
        self.wire = wire
        self._random = random
        self._times: dict[int, int] = {}
        """How long a frame is being sent, in ns, by its size; worked out once for each."""
        self._busy_until = 0
        self._waiting: deque[tuple[int, int]] = deque()
        """When each waiting frame begins to be sent, and its octets."""
        self._waiting_octets = 0
        self._taps: tuple[Tap, ...] = ()
        self.is_up = True
        self.frames = 0
        """Frames accepted."""
        self.octets = 0
        """Octets accepted, Ethernet headers included."""
        self.drops_queue = 0
        self.drops_loss = 0
        self.drops_down = 0
        self.on_drop: Callable[[Frame, str], None] | None = None
        self.send: Callable[[Frame], None] = self._send
        self._choose()

    def tap(self, tap: Tap) -> None:
        """Have ``tap`` see every frame that the queue accepts."""
        self._taps += (tap,)
        self._choose()

    def set_up(self, is_up: bool) -> None:
        """Cut the direction, or mend it. What was waiting or on its way when it was cut is lost."""
        if self.is_up and not is_up:
            for frame in self._engine.forget(self._arrive):
                self._drop(frame, "link down")
            self._waiting.clear()
            self._waiting_octets = 0
            self._busy_until = self._engine.now
        self.is_up = is_up
        self._choose()

    def set_wire(self, wire: Wire) -> None:
        """Other figures from now on; frames already accepted arrive as planned."""
        self.wire = wire
        self._times = {}
        self._choose()

    @property
    def waiting(self) -> int:
        """Frames that wait now behind the one being sent."""
        self._leave(self._engine.now)
        return len(self._waiting)

    # -- ways of sending ---------------------------------------------------------

    def _choose(self) -> None:
        plain = self.is_up and not self._taps and not self.wire.loss
        if not plain:
            self.send = self._send
        elif self.wire.rate is None:
            self.send = self._send_at_once
        elif self.wire.queue is None and self.wire.queue_octets is None:
            self.send = self._unbounded()
        elif self.wire.queue is not None and self.wire.queue_octets is None:
            self.send = self._bounded(self.wire.queue)
        else:
            self.send = self._send

    def _send_at_once(self, frame: Frame) -> None:
        self.frames += 1
        self.octets += frame.size + ETHERNET
        engine = self._engine
        heappush(engine.heap, (engine.now + self.wire.delay, engine.order(), self._arrive, frame))

    # The two that most links need are closures: what does not change is at hand without a look into self.

    def _unbounded(self) -> Callable[[Frame], None]:
        engine, delay, times, arrive = self._engine, self.wire.delay, self._times, self._arrive
        heap, order, push = engine.heap, engine.order, heappush

        def send(frame: Frame) -> None:
            size = frame.size
            self.frames += 1
            self.octets += size + ETHERNET
            now = engine.now
            start = self._busy_until
            if start < now:  # noqa: PLR1730  # max() is a call
                start = now
            try:
                end = start + times[size]
            except KeyError:
                end = start + self._sending_time(size)
            self._busy_until = end
            push(heap, (end + delay, order(), arrive, frame))

        return send

    def _bounded(self, queue: int) -> Callable[[Frame], None]:
        engine, delay, times, arrive = self._engine, self.wire.delay, self._times, self._arrive
        heap, order, push, waiting = engine.heap, engine.order, heappush, self._waiting

        def send(frame: Frame) -> None:
            size = frame.size
            now = engine.now
            start = self._busy_until
            if start > now:
                if len(waiting) >= queue:
                    self._leave(now)
                    if len(waiting) >= queue:
                        self._drop(frame, "queue full")
                        return
                waiting.append((start, size + ETHERNET))
                self._waiting_octets += size + ETHERNET
            else:
                start = now
                if waiting:
                    waiting.clear()
                    self._waiting_octets = 0
            self.frames += 1
            self.octets += size + ETHERNET
            try:
                end = start + times[size]
            except KeyError:
                end = start + self._sending_time(size)
            self._busy_until = end
            push(heap, (end + delay, order(), arrive, frame))

        return send

    def _send(self, frame: Frame) -> None:
        wire, engine = self.wire, self._engine
        if not self.is_up:
            self._drop(frame, "link down")
            return
        size = frame.size + ETHERNET
        now = engine.now
        start = now
        end = now
        if wire.rate is not None:
            self._leave(now)
            if self._busy_until > now:
                start = self._busy_until
                full = wire.queue is not None and len(self._waiting) >= wire.queue
                if full or (wire.queue_octets is not None and self._waiting_octets + size > wire.queue_octets):
                    self._drop(frame, "queue full")
                    return
                self._waiting.append((start, size))
                self._waiting_octets += size
            self._busy_until = end = start + self._sending_time(frame.size)
        self.frames += 1
        self.octets += size
        for tap in self._taps:
            tap(start, frame)
        if wire.loss and self._random.random() < wire.loss:
            self._drop(frame, "lost on the link")
            return
        heappush(engine.heap, (end + wire.delay, engine.order(), self._arrive, frame))

    def _sending_time(self, size: int) -> int:
        time = self._times.get(size)
        if time is None:
            time = self._times[size] = -(-(size + ETHERNET) * _BITS // self.wire.rate)  # type: ignore[operator]
        return time

    def _leave(self, now: int) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            self._waiting_octets -= waiting.popleft()[1]

    def _drop(self, frame: Frame, reason: str) -> None:
        if reason == "queue full":
            self.drops_queue += 1
        elif reason == "link down":
            self.drops_down += 1
        else:
            self.drops_loss += 1
        if self.on_drop is not None:
            self.on_drop(frame, reason)


class Link:
    """A named link between two ports. ``forward`` runs from the first end to the second."""

    __slots__ = ("backward", "forward", "name")

    def __init__(self, engine: Engine, name: str, ends: tuple[Port, Port], wires: tuple[Wire, Wire], seed: str) -> None:
        self.name = name
        self.forward = Direction(engine, ends[1], wires[0], Random(f"{seed}/{name}/forward"))
        self.backward = Direction(engine, ends[0], wires[1], Random(f"{seed}/{name}/backward"))
        ends[0].attach(self.forward)
        ends[1].attach(self.backward)

    def set_up(self, is_up: bool, *, forward: bool = True, backward: bool = True) -> None:
        """Cut or mend it; one way only if asked. The ports notice the carrier when both ways change."""
        if forward:
            self.forward.set_up(is_up)
        if backward:
            self.backward.set_up(is_up)
        if forward and backward:
            self.forward.peer.carrier_changed(is_up)
            self.backward.peer.carrier_changed(is_up)
