"""One loop for all nodes: what is readable, what is writable, what is due."""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from types import TracebackType
from typing import Self

from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Cancel

__all__ = ["ERRORS", "READABLE", "WRITABLE", "Loop", "Ready"]

READABLE = select.EPOLLIN | select.EPOLLRDHUP
WRITABLE = select.EPOLLOUT
ERRORS = select.EPOLLERR | select.EPOLLHUP

_MONOTONIC, _NONBLOCK, _ABSOLUTE = 1, os.O_NONBLOCK, 1
_BATCH = 256
_BREATH = 4
_EVENTS_BETWEEN_TIMERS = 64

Ready = Callable[[int], object]


class Loop:
    """Calls back on file descriptors and at moments: nanoseconds since ``start``.

    epoll(7) waits in milliseconds; a timerfd wakes it to the microsecond.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = self._libc.timerfd_create(_MONOTONIC, _NONBLOCK | os.O_CLOEXEC)
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._poll = select.epoll()
        self._poll.register(self._timer, select.EPOLLIN)
        self._ready: dict[int, tuple[socket.socket, Ready]] = {}
        self._heap: list[tuple[int, int, list[Callable[[], object] | None]]] = []
        self._order = count().__next__
        self._armed = 0
        self._origin = time.monotonic_ns()
        self._is_stopped = False
        self._breath = 0

    def start(self) -> None:
        """It is moment 0 now."""
        self._origin = time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since the start."""
        return time.monotonic_ns() - self._origin

    def at(self, moment: int, action: Callable[[], object]) -> Cancel:
        """Call ``action`` once at that moment, or soon after."""
        entry: list[Callable[[], object] | None] = [action]
        heappush(self._heap, (moment, self._order(), entry))

        def cancel() -> None:
            entry[0] = None

        return cancel

    def after(self, delay: int, action: Callable[[], object]) -> Cancel:
        """Call ``action`` once, ``delay`` from now."""
        return self.at(self.now() + max(0, delay), action)

    def watch(self, one: socket.socket, events: int, ready: Ready) -> None:
        """Call ``ready`` with the events of a socket, from now on; again to change the events."""
        descriptor = one.fileno()
        if descriptor in self._ready:
            self._poll.modify(descriptor, events)
        else:
            self._poll.register(descriptor, events)
        self._ready[descriptor] = (one, ready)

    def drop(self, one: socket.socket) -> None:
        """Watch it no more, and close it; a second time does nothing."""
        if one.fileno() < 0:
            return
        if self._ready.pop(one.fileno(), None) is not None:
            self._poll.unregister(one.fileno())
        one.close()

    def breathe(self) -> None:
        """After a packet has been sent: let the kernel's own threads work now and then.

        They share the processor with this one, and a queue between two
        namespaces holds a thousand frames (net.core.netdev_max_backlog).
        """
        self._breath += 1
        if not self._breath % _BREATH:
            os.sched_yield()

    def stop(self) -> None:
        """Leave :meth:`run` soon."""
        self._is_stopped = True

    def run(self, until: int) -> None:
        """Work until that moment, or until stopped."""
        self._is_stopped = False
        cancel = self.at(until, self.stop)
        while not self._is_stopped:
            self._arm()
            for descriptor, events in self._poll.poll(-1, _BATCH):
                watched = self._ready.get(descriptor)
                if watched is not None:
                    watched[1](events)
                elif descriptor == self._timer:
                    self._read_timer()
            self._ring()
        cancel()

    def close(self) -> None:
        """Close the sockets that are still watched, and what the loop itself holds; a second time does nothing."""
        for one, _ in list(self._ready.values()):
            one.close()
        if self._timer >= 0:
            self._poll.close()
            os.close(self._timer)
            self._timer = -1
        self._ready.clear()
        self._heap.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ring(self) -> None:
        """What is due now; what becomes due meanwhile waits for the descriptors to be looked at."""
        now = self.now()
        heap = self._heap
        for _ in range(max(len(heap), _EVENTS_BETWEEN_TIMERS)):
            if not heap or heap[0][0] > now or self._is_stopped:
                return
            action = heappop(heap)[2][0]
            if action is not None:
                action()

    def _arm(self) -> None:
        while self._heap and self._heap[0][2][0] is None:
            heappop(self._heap)
        due = self._heap[0][0] + self._origin if self._heap else 0
        if due != self._armed:
            self._armed = due
            seconds, nanoseconds = divmod(due, SECOND)
            setting = struct.pack("=4q", 0, 0, seconds, nanoseconds)
            if self._libc.timerfd_settime(self._timer, _ABSOLUTE, setting, None):
                raise OSError(ctypes.get_errno(), "timerfd_settime")

    def _read_timer(self) -> None:
        self._armed = 0
        try:
            os.read(self._timer, 8)
        except BlockingIOError:
            return
