"""What an application has given to TCP to send: octets, and lengths of octets that nobody looks at."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

__all__ = ["SendBuffer"]

_start = itemgetter(0)


class SendBuffer:
    """Octets at absolute places. Only real ones are kept; what lies between them is zeros."""

    __slots__ = ("end", "pieces")

    def __init__(self, start: int) -> None:
        self.end = start
        """The place behind the last octet."""
        self.pieces: list[tuple[int, bytes]] = []
        """Real octets and where they begin. While there are none, all that :meth:`read` gives is None."""

    def append(self, data: bytes) -> None:
        """Octets at the end."""
        if data:
            self.pieces.append((self.end, data))
            self.end += len(data)

    def append_zeros(self, octets: int) -> None:
        """So many zeros at the end. ValueError for a negative number."""
        if octets < 0:
            raise ValueError(f"{octets} octets cannot be sent")
        self.end += octets

    def read(self, start: int, end: int) -> bytes | None:
        """The octets from ``start`` to before ``end``; None when there are only zeros that were never made."""
        if not self.pieces:
            return None
        first = max(0, bisect_right(self.pieces, start, key=_start) - 1)
        made: list[bytes] = []
        place = start
        for piece_start, data in self.pieces[first:]:
            if piece_start >= end:
                break
            if piece_start + len(data) <= place:
                continue
            made.append(bytes(max(0, piece_start - place)))
            part = data[max(0, place - piece_start) : end - piece_start]
            made.append(part)
            place = max(place, piece_start) + len(part)
        if not made:
            return None
        made.append(bytes(end - place))
        return b"".join(made)

    def release(self, before: int) -> None:
        """Nothing before this place is needed any more."""
        pieces = self.pieces
        if pieces:
            done = 0
            while done < len(pieces) and pieces[done][0] + len(pieces[done][1]) <= before:
                done += 1
            if done:
                del pieces[:done]
