"""Whether loops can be compiled to machine code (numba, the extra "speed"), and whether that can be kept."""

from __future__ import annotations

import os
from importlib.util import find_spec

__all__ = ["can_keep_code", "has_numba"]


def has_numba() -> bool:
    """Whether numba is there; ``GERBANG_NUMBA=0`` says no."""
    return os.environ.get("GERBANG_NUMBA", "1") != "0" and find_spec("numba") is not None


def can_keep_code(module_file: str) -> bool:
    """Whether compiled code of a module can be kept, in its ``__pycache__`` or in NUMBA_CACHE_DIR: never at home."""
    folder = os.path.dirname(os.path.abspath(module_file))
    beside = os.path.join(folder, "__pycache__")
    return bool(os.environ.get("NUMBA_CACHE_DIR")) or os.access(beside if os.path.isdir(beside) else folder, os.W_OK)
