"""The event loop as machine code, where numba is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

from compiler.simulator.forwarding import loop

__all__ = ["compiled_forward", "has_numba"]


def has_numba() -> bool:
    """Whether the loop can be compiled; ``GERBANG_NUMBA=0`` says no."""
    return os.environ.get("GERBANG_NUMBA", "1") != "0" and find_spec("numba") is not None


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
    compiled: Callable[..., Any] = njit(cache=_can_cache(), nogil=True)(loop.forward)
    return compiled


def _can_cache() -> bool:
    folder = os.path.dirname(os.path.abspath(__file__))
    beside = os.path.join(folder, "__pycache__")
    return bool(os.environ.get("NUMBA_CACHE_DIR")) or os.access(beside if os.path.isdir(beside) else folder, os.W_OK)
