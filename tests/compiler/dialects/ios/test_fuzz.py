"""Mutated configurations: read, or refused with a place; never anything else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.dialects.ios.reader import read
from compiler.dialects.ios.writer import write
from compiler.errors import CannotSay, InputErrors

CORPUS = Path(__file__).parents[3] / "corpus" / "ios"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.*")) if path.name != "README.md"]
WORDS = sorted(
    {word for text in TEXTS for word in text.split()} | {"", "-1", "999999999999", "\x00", "٣", "::", "1.2.3.4/", "²"}
)


def survives(text):
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for unmodelled in ("refuse", "bound"):
        device, errors = outcome(lambda mode=unmodelled: read(text, "fuzz", unmodelled=mode), InputErrors)
        if device is None:
            assert errors.render()
            for error in errors.errors:
                assert 1 <= error.span.line <= len(lines)
                assert error.span.column >= 1
            continue
        written, refusals = outcome(lambda found=device: write(found), CannotSay)
        if written is None:
            assert refusals.refusals
            continue
        again = read(written, "written")
        assert [found.name for found in again.lists] == [found.name for found in device.lists]


def outcome(action, error):
    """``(result, None)`` or ``(None, the error)``; any other exception is a failure."""
    try:
        return action(), None
    except error as raised:
        return None, raised


edits = st.tuples(
    st.sampled_from(["word", "drop", "swap", "cut", "join"]), st.integers(0, 10**6), st.sampled_from(WORDS)
)


def mutate(text, steps):
    lines = text.split("\n")
    for kind, place, word in steps:
        at = place % len(lines)
        words = lines[at].split(" ")
        which = place // len(lines) % len(words)
        if kind == "word":
            words[which] = word
        elif kind == "drop":
            del words[which]
        elif kind == "swap":
            other = (place * 7 + 1) % len(lines)
            lines[at], lines[other] = lines[other], lines[at]
            continue
        elif kind == "cut":
            words = [lines[at][: place // len(lines) % (len(lines[at]) + 1)]]
        else:
            words = [" ".join(words) + " " + lines[(at + 1) % len(lines)].strip()]
        lines[at] = " ".join(words)
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TEXTS), st.lists(edits, min_size=1, max_size=6))
def test_mutated_configurations(text, steps):
    survives(mutate(text, steps))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text):
    survives(text)


HEADERS = [
    "ip access-list extended A",
    "ip access-list standard A",
    "ipv6 access-list A",
    "object-group network A",
    "object-group service A",
    "object-group v6-network A",
    "time-range A",
    "interface e0",
    "Extended IP access list A",
    "IPv6 access list A",
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(HEADERS),
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=5),
)
def test_words_in_blocks(header, lines):
    survives("\n ".join([header, *lines]))


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(st.sampled_from(TEXTS), st.lists(edits, min_size=1, max_size=12))
def test_ten_thousand_mutations(text, steps):
    survives(mutate(text, steps))
