"""What a process that checks thousands of items must forget now and then: the sets of packets of former items."""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["Memory"]

MOST = 256 << 20
"""Octets that a process may grow by before it forgets."""


class Memory:
    """Watches the size of this process. Where the system does not tell it (outside Linux) nothing is forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._base = _resident()

    def tidy(self) -> bool:
        """Between two items: forget all sets if the process has grown too much. Whether it did."""
        now = _resident()
        if now - self._base < self._most:
            return False
        module = sys.modules.get("compiler.symbolic.space")
        if module is not None:
            gc.collect()  # sets in reference cycles are held until then
            module.forget_sets()
        self._base = _resident()
        return True


def _resident() -> int:
    """Octets of memory that this process holds (proc(5), statm)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
