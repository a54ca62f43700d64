"""Values under a mask, counted before they are built."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.dialects.nftables.datatypes import DATATYPES
from compiler.dialects.nftables.patterns import MOST_PIECES, TooManyPieces, other_values, pattern
from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors, Unmodelled

ADDRESS, PORT = DATATYPES["ipv4_addr"], DATATYPES["inet_service"]


def text_of(condition: str) -> str:
    return f"table ip t {{\n chain c {{\n {condition} drop\n }}\n}}\n"


def odd_addresses(count: int) -> str:
    chance = random.Random(7)
    return ", ".join(".".join(str(chance.getrandbits(8) & 85) for _ in range(4)) for _ in range(count))


@given(
    mask=st.integers(0, 0xFFFFFFFF),
    values=st.lists(st.integers(0, 0xFFFFFFFF), max_size=6),
    address=st.integers(0, 0xFFFFFFFF),
    inside=st.booleans(),
)
def test_the_others_are_what_no_value_is(mask, values, address, inside):
    values = tuple(value & mask if inside else value for value in values)
    expected = any(address & mask == value for value in values)
    assert pattern(ADDRESS, mask, values).contains(address) is expected
    others = other_values(ADDRESS, mask, values)
    assert others.contains(address) is not expected
    assert len(others.wildcards) <= mask.bit_count() * max(len(values), 1)


@given(mask=st.integers(0, 0xFFFF), values=st.lists(st.integers(0, 0xFFFF), max_size=3), port=st.integers(0, 0xFFFF))
def test_ports_under_a_mask(mask, values, port):
    expected = any(port & mask == value for value in values)
    assert pattern(PORT, mask, tuple(values)).contains(port) is expected
    assert other_values(PORT, mask, tuple(values)).contains(port) is not expected


def test_a_condition_of_too_many_pieces_is_refused_by_its_clause():
    with pytest.raises(InputErrors, match=f"more than {MOST_PIECES:,} wildcards") as caught:
        read(text_of(f"ip saddr & 85.85.85.85 != {{ {odd_addresses(300)} }}"), "text")
    (error,) = caught.value.errors
    assert isinstance(error, Unmodelled)
    assert error.text[error.span.column - 1 :].startswith("& 85.85.85.85 !=")
    with pytest.raises(TooManyPieces):
        pattern(ADDRESS, 0x0000FFFF, tuple(range(MOST_PIECES + 1)))


def test_prefixes_are_ranges_and_may_be_many():
    networks = tuple(number * number << 8 for number in range(4 * MOST_PIECES))
    for find in (pattern, other_values):
        found = find(ADDRESS, 0xFFFFFF00, networks)
        assert not found.wildcards
        assert found.contains(networks[77]) is (find is pattern)


def test_two_conditions_of_many_pieces_are_counted_together():
    first = f"ip saddr & 85.85.85.85 != {{ {odd_addresses(20)} }}"
    second = first.replace("85.85.85.85", "85.85.85.21")
    assert read(text_of(first), "text").chains[0].rules[0].match.source is not None
    with pytest.raises(InputErrors, match="together stand for more than"):
        read(text_of(f"{first} {second}"), "text")
