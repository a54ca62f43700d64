"""nft rules through libnftables (libnftables(3)), in the namespace where it is made."""

from __future__ import annotations

import ctypes
import json
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

__all__ = ["Nftables", "NftablesError", "is_installed"]

_LIBRARY = "libnftables.so.1"
_OUTPUT_STATELESS, _OUTPUT_JSON = 1 << 2, 1 << 4  # nftables/libnftables.h
_OUTPUT_NUMBERS = 1 << 7 | 1 << 8 | 1 << 9
"""Protocols, priorities and symbols as numbers."""


class NftablesError(Exception):
    """What nft says about rules that it refuses."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_LIBRARY)
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_free.argtypes = [ctypes.c_void_p]
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
        getattr(library, name).restype = ctypes.c_char_p
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    library.nft_ctx_add_include_path.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library


def is_installed() -> bool:
    """Whether the library is there (Debian: libnftables1)."""
    try:
        _library()
    except OSError:
        return False
    return True


class Nftables:
    """One context of the library. Make it inside a namespace: its socket stays there."""

    def __init__(self, include: str = "") -> None:
        self._context = _library().nft_ctx_new(0)
        if not self._context:
            raise NftablesError("libnftables cannot start")
        _library().nft_ctx_buffer_output(self._context)
        _library().nft_ctx_buffer_error(self._context)
        if include:
            _library().nft_ctx_add_include_path(self._context, include.encode())

    def run(self, text: str) -> str:
        """Run commands, all or none. NftablesError with nft's words when it refuses."""
        failed = _library().nft_run_cmd_from_buffer(self._context, text.encode())
        output = (_library().nft_ctx_get_output_buffer(self._context) or b"").decode()
        error = (_library().nft_ctx_get_error_buffer(self._context) or b"").decode().strip()
        if failed:
            raise NftablesError(error or "nft refuses the rules")
        return output

    def table(self, family: str, name: str) -> str:
        """``nft list table`` without counts, in nft's own spelling; empty when there is no such table."""
        _library().nft_ctx_output_set_flags(self._context, _OUTPUT_STATELESS | _OUTPUT_NUMBERS)
        try:
            if f"table {family} {name}" not in self.run("list tables").split("\n"):
                return ""
            return self.run(f"list table {family} {name}")
        finally:
            _library().nft_ctx_output_set_flags(self._context, 0)

    def listing(self) -> list[dict[str, Any]]:
        """The objects of ``nft -j list ruleset`` (libnftables-json(5))."""
        _library().nft_ctx_output_set_flags(self._context, _OUTPUT_JSON)
        try:
            text = self.run("list ruleset")
        finally:
            _library().nft_ctx_output_set_flags(self._context, 0)
        objects: list[dict[str, Any]] = json.loads(text)["nftables"] if text else []
        return objects

    def close(self) -> None:
        """Free the context; a second time does nothing."""
        if self._context:
            _library().nft_ctx_free(self._context)
            self._context = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
