"""Broken texts give errors with a place, never a traceback, and never hang."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from compiler.dialects.nftables.reader import read
from compiler.errors import GerbangError, InputError, InputErrors
from tests.compiler.dialects.nftables.stateful_rulesets import RULESETS

CORPUS = Path(__file__).parents[3] / "corpus" / "nftables"
SEEDS = (*(path.read_text() for path in sorted(CORPUS.glob("**/*.nft"))), *RULESETS.values())
WORD_TEXT = """
{ } ( ) , ; = ! != == & | / - . : * @s $x # ip ip6 tcp saddr dport flags vmap map jump accept drop set add table
chain rule element ct state limit rate meta mark define undefine include comment log prefix reject with fib numgen
mod exthdr frag @th @nh 0 1 65536 -1 0x 1.2.3.4 10.0.0.0/99 ::1/129 a-b é
"""
WORDS = (*WORD_TEXT.split(), '"', "\\", "\n", "\0", "\t")


def mutated(chance: random.Random, text: str) -> str:
    pieces = text.split(" ") if chance.random() < 0.7 else list(text)
    for _ in range(chance.randrange(1, 5)):
        position = chance.randrange(len(pieces))
        action = chance.randrange(5)
        if action == 0:
            del pieces[position]
        elif action == 1:
            pieces.insert(position, chance.choice(WORDS))
        elif action == 2:
            pieces[position] = chance.choice(WORDS)
        elif action == 3:
            other = chance.randrange(len(pieces))
            pieces[position], pieces[other] = pieces[other], pieces[position]
        else:
            del pieces[position : position + chance.randrange(1, 40)]
        if not pieces:
            return ""
    return (" " if len(pieces[0]) != 1 or len(pieces) < 50 else "").join(pieces)


def check(text: str) -> None:
    for mode in ("refuse", "bound", "simulate"):
        errors = errors_of(text, mode)
        assert all(error.span.line >= 1 and error.span.column >= 1 and error.render() for error in errors)


def errors_of(text: str, mode: str) -> tuple[InputError, ...]:
    try:
        read(text, "mutated", unmodelled=mode)
    except InputErrors as caught:
        return caught.errors
    return ()


@pytest.mark.parametrize("seed", range(30))
def test_mutated_rulesets_give_only_our_errors(seed):
    assert len(SEEDS) > 5
    chance = random.Random(seed)
    for _ in range(30):
        check(mutated(chance, chance.choice(SEEDS)))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many_mutated_rulesets_give_only_our_errors(seed):
    chance = random.Random(seed)
    for _ in range(100):
        check(mutated(chance, chance.choice(SEEDS)))


def test_variables_that_double_do_not_hang():
    lines = ["define a0 = { 1, 2 }", *(f"define a{n} = {{ $a{n - 1}, $a{n - 1} }}" for n in range(1, 40))]
    with pytest.raises(InputErrors, match="five million words"):
        read("\n".join(lines) + "\ntable ip t { chain c { tcp dport $a39 drop\n } }", "text")


@pytest.mark.parametrize(
    "text",
    ["{" * 5000, "table ip t { chain c { tcp dport " + "{" * 5000, "jump {" * 3000, "meta mark set " + "(" * 5000],
)
def test_deep_brackets_are_an_error(text):
    with pytest.raises(GerbangError):
        read(text, "text")
    with pytest.raises(GerbangError):
        read(f"table ip t {{ chain c {{ {text}", "text")
    with pytest.raises(GerbangError):
        read(f"table ip t {{ chain c {{ {text}\n }} }}", "text", unmodelled="simulate")
    with pytest.raises(GerbangError):
        read(f"table ip t {{ chain c {{ {text} {'}' * 9000} }} }}", "text")
