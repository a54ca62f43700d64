"""Lines out of a stream of octets (RFC 959, RFC 9112: CR LF; a bare LF is taken too)."""

from __future__ import annotations

__all__ = ["LONGEST_LINE", "LineBuffer"]

LONGEST_LINE = 8192
"""Octets; who sends a longer line is not speaking the protocol."""


class LineBuffer:
    """Octets that came and have not been taken as lines."""

    __slots__ = ("_octets",)

    def __init__(self) -> None:
        self._octets = bytearray()

    def add(self, data: bytes | None, octets: int) -> None:
        """More has come; None stands for zeros. ValueError when it cannot become a line any more."""
        # Zeros in place of a line are as wrong as a line without end: keep no more than shows it.
        self._octets += data if data is not None else bytes(min(octets, LONGEST_LINE + 1))
        if len(self._octets) > LONGEST_LINE and b"\n" not in self._octets:
            raise ValueError("a line without end")

    def take(self) -> str | None:
        """The next whole line without its end, or None."""
        end = self._octets.find(b"\n")
        if end < 0:
            return None
        line = self._octets[:end].rstrip(b"\r").decode("utf-8", "replace")
        del self._octets[: end + 1]
        return line

    def rest(self) -> bytes:
        """What came behind the lines taken so far; it is taken now."""
        rest = bytes(self._octets)
        self._octets.clear()
        return rest
