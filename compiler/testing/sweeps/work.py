"""What happens in a worker, be it a process of ours or one of a cluster: a chunk of items becomes their results.

The check comes as pickled octets, which are unpickled once in a process, so
that what it has read and remembers serves every chunk.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from functools import lru_cache
from multiprocessing import connection, parent_process
from typing import NamedTuple

from compiler.testing.sweeps.judging import Check, judge
from compiler.testing.sweeps.memory import Memory
from compiler.testing.sweeps.result import Result

__all__ = ["Order", "begin", "prepared", "work"]


class Order(NamedTuple):
    """The same for every chunk of a sweep. ``hard``: whether a check that hangs may take its process with it."""

    check: bytes
    timeout: float | None = None
    hard: bool = False


_ALONE = threading.Lock()
"""A cluster's worker may have several threads; the sets of packets of a process are for one at a time."""

_MEMORY = Memory()


def work(order: Order, items: tuple[object, ...]) -> list[Result]:
    """The results of the items, in their order."""
    check = _check(order.check)
    found = []
    for item in items:
        with _ALONE:
            found.append(judge(item, check, timeout=order.timeout, hard=order.hard))
            _MEMORY.tidy()
    return found


def prepared(order: Order) -> bool:
    """Whether a worker can do this at all: it has our packages, and the check's. Raises what unpickling raises."""
    return callable(_check(order.check))


def begin() -> None:
    """In a new process of ours: Ctrl-C is for the one who sweeps, and without it nobody stays behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, name="leave with parent", daemon=True).start()


def _leave_with_parent() -> None:
    """A parent that was killed cannot call its workers back: they see its end of a pipe close."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@lru_cache(maxsize=4)
def _check(pickled: bytes) -> Check:
    check: Check = pickle.loads(pickled)
    return check
