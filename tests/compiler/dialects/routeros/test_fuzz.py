"""Bad input: an error of ours, or a tree; never anything else."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from compiler.dialects.routeros.network import read_network
from compiler.dialects.routeros.reader import read
from compiler.errors import GerbangError

CORPUS = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "corpus" / "routeros"
TEXTS = [path.read_text("utf-8") for path in sorted(CORPUS.rglob("*.rsc"))]
PIECES = ['"', "\\", "[", "]", "{", "}", "(", ")", "$x", ";", "=", "!", "\n", "\\\n", "#", "/", ":if", " ", "\x00", "é"]
PIECES += ["find", "where", "add", "set 0", "remove 99", "[find]", "chain=x", "*1", "-1", "65536", "::/200", "\ud800"]


def mutated(text, dice):
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(text) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            text = text[:place] + dice.choice(PIECES) + text[place:]
        elif kind == 1:
            text = text[:place] + text[place + dice.randint(1, 12) :]
        elif kind == 2:
            lines = text.split("\n")
            dice.shuffle(lines)
            text = "\n".join(lines[: dice.randint(1, len(lines))])
        else:
            words = text.split(" ")
            words[dice.randrange(len(words))] = dice.choice(words)
            text = " ".join(words)
    return text


class Rendered(Exception):
    """The error could be shown."""


def rendered(text, mode):
    try:
        if mode == "network":
            read_network(text, "fuzz")
        else:
            read(text, "fuzz", unmodelled=mode)
    except GerbangError as error:
        raise Rendered(error.render()) from None


def attempt(seed, count):
    dice = random.Random(seed)
    for _ in range(count):
        text = mutated(dice.choice(TEXTS), dice)
        for mode in ("refuse", "bound", "simulate", "network"):
            with suppress(Rendered):
                rendered(text, mode)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_texts(seed):
    attempt(seed, 150)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_mutated_texts(seed):
    attempt(seed, 1000)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "add x=" + "(" * 100_000,
        "/ip firewall filter\n" + "add x=[\n" * 20_000,
        '/ip firewall filter\nset [find comment~"' + "a*" * 100 + '"] chain=x',
        "/ip firewall filter\nset [find " + "!" * 100_000 + "disabled] chain=x",
        "/ip firewall filter\nset [find " + "(" * 100_000 + "] chain=x",
        "\\" * 100_000,
        '"' + "\\\n" * 100_000,
        "/" * 100_000,
        "a " * 100_000,
        "/ip firewall filter add chain=x " + "dst-port=1," * 50_000,
    ],
)
def test_long_nonsense_ends(text):
    for mode in ("refuse", "simulate", "network"):
        with suppress(Rendered):
            rendered(text, mode)
