"""The event loop as machine code, where numba is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from compiler.simulator.forwarding import loop
from compiler.simulator.machine_code import can_keep_code

__all__ = ["compiled_forward"]


@cache
def compiled_forward() -> Callable[..., int]:
    """:func:`loop.forward`, compiled. Only where numba is.

    Machine code is kept beside the source, in ``__pycache__``, or in
    NUMBA_CACHE_DIR; where neither can be written each process compiles it anew
    (some seconds).
    """
    from numba import njit
    from numba.extending import register_jitable

    for helper in loop.HELPERS:
        register_jitable(helper)
    compiled: Callable[..., Any] = njit(cache=can_keep_code(__file__), nogil=True)(loop.forward)
    return compiled
