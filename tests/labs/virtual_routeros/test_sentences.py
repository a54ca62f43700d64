"""Words and sentences, in all five sizes and any pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routeros_api.base_api import decode_length
from routeros_api.base_api import encode_length as library_length

from labs.virtual_routeros.sentences import (
    LONGEST,
    BadLength,
    Decoder,
    encode_length,
    encode_sentence,
    encode_word,
)

_words = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6)

_SIZES = [(0x7F, 1), (0x80, 2), (0x3FFF, 2), (0x4000, 3), (0x1FFFFF, 3), (0x200000, 4), (0xFFFFFFF, 4), (0x10000000, 5)]


@given(st.lists(_words, max_size=5), st.lists(st.integers(0, 2000), max_size=12))
def test_any_splitting_gives_the_same_sentences(sentences: list[list[bytes]], cuts: list[int]) -> None:
    stream = b"".join(encode_sentence(words) for words in sentences)
    decoder, found = Decoder(), []
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in pairwise(places):
        found += decoder.feed(stream[start:end])
    assert found == [tuple(words) for words in sentences]
    assert decoder.is_between_sentences


@given(_words)
def test_octet_by_octet(words: list[bytes]) -> None:
    decoder = Decoder()
    stream = encode_sentence(words)
    for octet in stream[:-1]:
        assert decoder.feed(bytes([octet])) == []
        assert not decoder.is_between_sentences
    assert decoder.feed(stream[-1:]) == [tuple(words)]


@given(st.integers(0, LONGEST))
def test_lengths_are_those_of_the_library(length: int) -> None:
    encoded = encode_length(length)
    assert encoded == library_length(length)
    waiting = bytearray(encoded)
    assert decode_length(lambda count: bytes([waiting.pop(0)])) == length
    assert not waiting


@pytest.mark.parametrize(("length", "octets"), _SIZES)
def test_each_size_at_its_bounds(length: int, octets: int) -> None:
    assert len(encode_length(length)) == octets


@pytest.mark.parametrize("length", [0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000])
def test_a_long_word_comes_whole(length: int) -> None:
    word = b"x" * length
    stream = encode_sentence([b"/a", word])
    decoder = Decoder()
    middle = len(stream) // 2
    assert decoder.feed(stream[:middle]) == []
    assert decoder.feed(stream[middle:]) == [(b"/a", word)]


def test_the_five_octet_form_is_read_for_short_words_too() -> None:
    assert Decoder().feed(b"\xf0\x00\x00\x00\x02/a\x00") == [(b"/a",)]


def test_empty_sentences_are_ignored() -> None:
    assert Decoder().feed(b"\x00\x00\x02/a\x00\x00") == [(b"/a",)]


@pytest.mark.parametrize("first", [0xF8, 0xFF])
def test_control_octets_are_refused(first: int) -> None:
    with pytest.raises(BadLength, match="control octet"):
        Decoder().feed(bytes([first]))


def test_a_word_that_nobody_would_send_is_refused_at_its_length() -> None:
    with pytest.raises(BadLength, match="longer than 1000"):
        Decoder(most=1000).feed(encode_length(1001))


@pytest.mark.parametrize("length", [-1, LONGEST + 1])
def test_lengths_without_a_form(length: int) -> None:
    with pytest.raises(BadLength):
        encode_length(length)


def test_an_empty_word_cannot_stand_inside() -> None:
    with pytest.raises(ValueError, match="empty word"):
        encode_sentence([b"/a", b""])
    assert encode_word(b"") == b"\x00"
