"""Orphans come to us instead of to process 1, and are waited for, so that none stays behind as a zombie.

prctl(2), PR_SET_CHILD_SUBREAPER, since Linux 3.4.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from contextlib import suppress

from appliance.supervisor.processes import Process, processes

__all__ = ["Reaper", "adopt_orphans"]

_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37


def adopt_orphans(adopt: bool = True) -> bool:
    """Become the parent of all orphans below us, or stop being it; whether we were before. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    before = ctypes.c_int()
    if library.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0) or library.prctl(
        _PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "prctl: PR_SET_CHILD_SUBREAPER")
    return bool(before.value)


class Reaper:
    """Waits for children that have ended.

    Main processes and children that other code of this process has started
    are waited for by whoever started them; but a child that nobody has
    asked about for a minute is an orphan that came to us.
    """

    def __init__(self, patience: float = 60.0) -> None:
        self._patience = patience
        self._first_seen: dict[tuple[int, int], float] = {}

    def reap(self, ours: Callable[[Process], bool | None]) -> None:
        """Wait for those that ``ours`` knows as a program's; never for those of which it says False."""
        try:
            if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                self._first_seen.clear()
                return
        except ChildProcessError:
            return
        here, now = os.getpid(), time.monotonic()
        ended = {one: ours(one) for one in processes().values() if one.parent == here and one.ended}
        since = self._first_seen
        self._first_seen = {(one.number, one.started): since.get((one.number, one.started), now) for one in ended}
        for one, known in ended.items():
            waits = now - self._first_seen[one.number, one.started]
            if known or (known is None and waits >= self._patience):
                with suppress(ChildProcessError):
                    os.waitpid(one.number, os.WNOHANG)
