"""Words and sentences of the RouterOS API.

::

    sentence = {word} empty word
    word     = length octets
    length   = 1 octet below 0x80, else 2 to 5 octets that begin with the bits 10, 110, 1110 or 11110000

Source: MikroTik documentation, "API" (protocol). A first octet from 0xF8 on
is a control octet, for which nothing has been laid down.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["LONGEST", "BadLength", "Decoder", "Sentence", "encode_length", "encode_sentence", "encode_word"]

Sentence = tuple[bytes, ...]
"""Words, without the empty one at the end."""

LONGEST = (1 << 32) - 1
"""Octets of the longest word that can be written."""

_FORMS = ((0x80, 0x00, 1), (0x4000, 0x8000, 2), (0x20_0000, 0xC0_0000, 3), (0x1000_0000, 0xE000_0000, 4))
"""First length that is too large, prefix, octets."""
_FIRST_CONTROL = 0xF8
_MOST = 1 << 24
"""A longer word than any configuration has: a client that announces one is not speaking this protocol."""


class BadLength(ValueError):
    """A length that cannot be written, or octets that are none."""


def encode_length(length: int) -> bytes:
    """The shortest form of a length. Raises BadLength for what no form holds."""
    if not 0 <= length <= LONGEST:
        raise BadLength(f"a word of {length} octets cannot be written")
    for bound, prefix, size in _FORMS:
        if length < bound:
            return (length | prefix).to_bytes(size, "big")
    return b"\xf0" + length.to_bytes(4, "big")


def encode_word(word: bytes) -> bytes:
    """A word with its length."""
    return encode_length(len(word)) + word


def encode_sentence(words: Iterable[bytes]) -> bytes:
    """A sentence with its end. ValueError for an empty word: that would end it early."""
    parts = [encode_word(word) for word in words]
    if b"\x00" in parts:
        raise ValueError("an empty word ends a sentence: it cannot stand inside")
    return b"".join(parts) + b"\x00"


class Decoder:
    """Octets in pieces of any size -> sentences. ``most`` bounds the octets of one word."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._waiting = bytearray()
        self._words: list[bytes] = []

    @property
    def is_between_sentences(self) -> bool:
        """Whether nothing of a sentence has come that is not complete."""
        return not self._waiting and not self._words

    def feed(self, octets: bytes) -> list[Sentence]:
        """The sentences that are complete now; empty ones are ignored, as the router ignores them.

        Raises BadLength for control octets and words longer than ``most``; the stream is of no use after that.
        """
        self._waiting += octets
        found: list[Sentence] = []
        position = 0
        while (word := self._word(position)) is not None:
            start, position = word
            if start == position:
                if self._words:
                    found.append(tuple(self._words))
                    self._words = []
            else:
                self._words.append(bytes(self._waiting[start:position]))
        del self._waiting[:position]
        return found

    def _word(self, position: int) -> tuple[int, int] | None:
        """Where the content of the word at ``position`` starts and ends, or None until it is all there."""
        waiting = self._waiting
        if position >= len(waiting):
            return None
        first = waiting[position]
        if first >= _FIRST_CONTROL:
            raise BadLength(f"{first:#04x} is a control octet: expected the length of a word")
        size = 1 if first < 0x80 else 2 if first < 0xC0 else 3 if first < 0xE0 else 4 if first < 0xF0 else 5
        start = position + size
        if start > len(waiting):
            return None
        written = int.from_bytes(waiting[position:start], "big")
        prefix = 0xF0_0000_0000 if size == 5 else _FORMS[size - 1][1]
        length = written - prefix
        if length > min(self._most, LONGEST):
            raise BadLength(f"a word of {length} octets is longer than {self._most}")
        end = start + length
        return (start, end) if end <= len(waiting) else None
