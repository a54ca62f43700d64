"""Arithmetic on marks is one mask and one flip; numbers that several rules share are counted as one would count."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.dialects.nftables.mark_expressions import read_mark_expression
from compiler.dialects.nftables.numbers import drawn_conditions
from compiler.dialects.nftables.tokens import tokenise
from compiler.errors import SyntaxFault, Unmodelled
from compiler.integers import IntegerSet
from compiler.policy.stateful import Counter, Hash, NumberIn, Register

MARKS = st.integers(0, 0xFFFFFFFF) | st.sampled_from([0, 1, 0xFF, 0x100, 0xFFFFFFFF])
REGISTERS = {"mark": Register.PACKET, "meta mark": Register.PACKET, "ct mark": Register.CONNECTION}
SIGNS = {"&": ("&", "and"), "^": ("^", "xor"), "|": ("|", "or")}
NUMBERS = MARKS.map(lambda number: (hex(number), str(number)))

chains = st.recursive(
    st.sampled_from(list(REGISTERS)).map(lambda word: (word, "x")),
    lambda inner: st.builds(
        lambda left, sign, word, number, bracket: (
            f"({left[0]}) {SIGNS[sign][word]} {number[0]}" if bracket else f"{left[0]} {SIGNS[sign][word]} {number[0]}",
            f"({left[1]}) {sign} {number[1]}" if bracket else f"{left[1]} {sign} {number[1]}",
        ),
        inner,
        st.sampled_from(list(SIGNS)),
        st.integers(0, 1),
        NUMBERS,
        st.booleans(),
    ),
    max_leaves=5,
)
"""Texts of nft, and the same for Python, whose operators bind alike."""


def expression(text: str):
    cursor, _ = tokenise(text + "\n", "text")
    found = read_mark_expression(cursor)
    assert cursor.words[cursor.position] == "\n"
    return found


@given(chains, MARKS)
def test_an_expression_is_what_its_arithmetic_says(chain, mark):
    text, python = chain
    found = expression(text)
    assert found.register in REGISTERS.values()
    assert found.value(mark) == eval(python, {"x": mark})
    assert (mark & found.mask) ^ found.flip == found.value(mark)


@given(st.lists(st.tuples(st.sampled_from(list(SIGNS)), MARKS), max_size=5), MARKS)
def test_constants_are_folded(parts, first):
    text = str(first) + "".join(f" {sign} {number:#x}" for sign, number in parts)
    assert expression(text) == (None, 0, eval(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ct mark << 8", Unmodelled),
        ("ct mark | meta mark", Unmodelled),
        ("1 | mark", Unmodelled),
        ("ct mark & 0x1ffffffff", SyntaxFault),
        ("(ct mark & 1", SyntaxFault),
        ("ct mark & 1-2", SyntaxFault),
        ("ct state", SyntaxFault),
    ],
)
def test_other_expressions_are_refused(text, kind):
    with pytest.raises(kind):
        expression(text)


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
def test_nft_sends_the_same_mask_and_flip_to_the_kernel():
    texts = [
        f"meta mark {a} 0x{x:x} {b} 0x{y:x} {c} 0x{z:x}"
        for number, (a, b, c) in enumerate((a, b, c) for a in "&|^" for b in "&|^" for c in "&|^")
        for x, y, z in [(0xFF0F ^ number, 0x30F1 + number, 0x1F8 << number % 5)]
    ]
    rules = "\n".join(f"meta mark set {text}" for text in texts)
    done = subprocess.run(
        ("unshare", "-rn", "nft", "--debug=netlink", "-c", "-f", "-"),
        input=f"table ip t {{\n chain c {{\n type filter hook forward priority 0\n{rules}\n }}\n}}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    blocks = re.findall(r"meta load mark => reg 1 \](.*?)meta set mark with reg 1", done.stdout, re.S)
    assert len(blocks) == len(texts)
    for text, block in zip(texts, blocks, strict=True):
        for mark in (0, 0xFFFFFFFF, 0x12345678):
            value = mark
            for mask, flip in re.findall(r"reg 1 & (0x\w+) \) \^ (0x\w+)", block):
                value = value & int(mask, 16) ^ int(flip, 16)
            assert expression(text).value(mark) == value, text


@st.composite
def partitions(draw: st.DrawFn) -> tuple[Counter, list[IntegerSet]]:
    """A counter, and disjoint sets of its numbers."""
    modulus, offset = draw(st.integers(1, 12)), draw(st.integers(0, 100))
    owners = draw(st.lists(st.integers(0, 4), min_size=modulus, max_size=modulus))
    parts = [IntegerSet.values(*(offset + n for n, owner in enumerate(owners) if owner == part)) for part in range(4)]
    return Counter(modulus, offset), draw(st.permutations(parts))


@given(partitions())
def test_counters_of_several_rules_choose_as_one_counter_would(chosen):
    number, parts = chosen
    conditions = drawn_conditions(number, parts)
    assert conditions is not None
    counts = [0] * len(parts)
    for packet in range(3 * number.modulus):
        one = packet % number.modulus + number.offset
        expected = next((place for place, part in enumerate(parts) if part.contains(one)), None)
        taken = None
        for place, condition in enumerate(conditions):
            if condition is not None:
                drawn = counts[place] % condition.number.modulus + condition.number.offset
                counts[place] += 1
                if not condition.values.contains(drawn):
                    continue
            taken = place
            break
        assert taken == expected


def test_numbers_that_never_come_out_never_hold():
    number = Counter(2, 4)
    parts = [IntegerSet.values(4, 5), IntegerSet.values(9)]
    assert drawn_conditions(number, parts) == [None, NumberIn(number, IntegerSet(()))]


def test_a_hash_without_a_seed_is_computed_once():
    unseeded = Hash(("source",), 3)
    zero, one, two = (IntegerSet.values(number) for number in range(3))
    assert drawn_conditions(unseeded, [zero, one, two]) is None
    assert drawn_conditions(unseeded._replace(modulus=2), [zero, one]) == [
        NumberIn(unseeded._replace(modulus=2), zero),
        None,
    ]
    seeded = unseeded._replace(seed=7)
    assert drawn_conditions(seeded, [zero, one]) == [NumberIn(seeded, zero), NumberIn(seeded, one)]
