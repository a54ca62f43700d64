"""Parameters and braces: one lab file for many cases, one entry for many nodes.

``${name}`` stands for a parameter; ``$${`` for a plain ``${``. Braces are the
shell's: ``pc{1..100}``, ``{0..255..16}``, ``{a,b,c}``. Within one text several
braces multiply; the texts of one entry go side by side, so
``pc{1..3}`` with ``10.0.0.{11..13}/24`` makes three nodes, not nine.
Blocks after ``|`` are left alone, for they hold configurations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product

from compiler.placed.complaints import Complaints, near
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedSequence, PlacedValue
from compiler.source import Span

__all__ = ["expand", "expand_text", "has_braces", "substitute"]

MOST = 20_000
"""Copies of one entry."""

_PARAMETER = re.compile(r"\$?\$\{([^}]*)\}")
_BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)(?:\.\.([1-9]\d*))?|([^{}\s]*,[^{}\s]*))\}")


def substitute(value: PlacedValue, parameters: Mapping[str, str], complaints: Complaints) -> PlacedValue:
    """The tree with each ``${name}`` replaced; unknown names are errors."""
    if isinstance(value, PlacedScalar):
        if "${" not in value.text:
            return value
        text = _PARAMETER.sub(lambda match: _parameter(match, value.span, parameters, complaints), value.text)
        return PlacedScalar(text, value.span, value.literal, value.plain)
    if isinstance(value, PlacedSequence):
        return PlacedSequence(tuple(substitute(item, parameters, complaints) for item in value.items), value.span)
    entries = []
    for key, entry in value.entries:
        name = substitute(key, parameters, complaints)
        assert isinstance(name, PlacedScalar)
        entries.append((name, substitute(entry, parameters, complaints)))
    return PlacedMapping(tuple(entries), value.span)


def _parameter(match: re.Match[str], span: Span, parameters: Mapping[str, str], complaints: Complaints) -> str:
    if match[0].startswith("$$"):
        return match[0][1:]
    if match[1] not in parameters:
        complaints.error(f"unknown parameter {match[1]!r}{near(match[1], parameters)}", span)
        return ""
    return parameters[match[1]]


def has_braces(text: str) -> bool:
    """Whether the text stands for several."""
    return _BRACES.search(text) is not None


@lru_cache(maxsize=1024)
def expand_text(text: str) -> tuple[str, ...]:
    """All texts that the braces make, the last braces turning fastest."""
    choices: list[tuple[str, ...]] = []
    position = 0
    for match in _BRACES.finditer(text):
        choices.append((text[position : match.start()],))
        choices.append(tuple(_choices(match)))
        position = match.end()
    choices.append((text[position:],))
    total = 1
    for choice in choices:
        total *= len(choice)
    if total > MOST:
        raise ValueError(f"{text!r} stands for {total:,} texts; at most {MOST:,} are allowed")
    return tuple("".join(words) for words in product(*choices))


def _choices(match: re.Match[str]) -> Iterator[str]:
    first, last, step, words = match.groups()
    if words is not None:
        yield from words.split(",")
        return
    low, high, stride = int(first), int(last), int(step or 1)
    if abs(high - low) // stride >= MOST:
        raise ValueError(f"{match[0]!r} is more than {MOST:,} numbers")
    # Leading zeros are kept, as bash keeps them.
    padded = any(len(end) > 1 and end.startswith("0") for end in (first, last))
    width = max(len(first), len(last)) if padded else 0
    for number in range(low, high + 1, stride) if low <= high else range(low, high - 1, -stride):
        yield f"{number:0{width}}" if padded else str(number)


def expand(values: tuple[PlacedValue, ...], complaints: Complaints) -> list[tuple[PlacedValue, ...]]:
    """The copies of an entry (its parts, such as a name and a mapping), braces going side by side."""
    texts: list[tuple[int, Span, str]] = []
    for value in values:
        for scalar in _scalars(value):
            if scalar.literal or not has_braces(scalar.text):
                continue
            try:
                texts.append((len(expand_text(scalar.text)), scalar.span, scalar.text))
            except ValueError as error:
                complaints.error(str(error), scalar.span)
                return []
    if not texts:
        return [values]
    count, _, example = texts[0]
    for other, span, text in texts[1:]:
        if other != count:
            complaints.error(f"{text!r} stands for {other} texts, but {example!r} for {count}: expected as many", span)
            return []
    return [tuple(_pick(value, index) for value in values) for index in range(count)]


def _scalars(value: PlacedValue) -> Iterator[PlacedScalar]:
    if isinstance(value, PlacedScalar):
        yield value
    elif isinstance(value, PlacedSequence):
        for item in value.items:
            yield from _scalars(item)
    else:
        for key, entry in value.entries:
            yield key
            yield from _scalars(entry)


def _pick(value: PlacedValue, index: int) -> PlacedValue:
    if isinstance(value, PlacedScalar):
        if value.literal or not has_braces(value.text):
            return value
        return PlacedScalar(expand_text(value.text)[index], value.span, value.literal, value.plain)
    if isinstance(value, PlacedSequence):
        return PlacedSequence(tuple(_pick(item, index) for item in value.items), value.span)
    return PlacedMapping(
        tuple((_pick_key(key, index), _pick(entry, index)) for key, entry in value.entries), value.span
    )


def _pick_key(key: PlacedScalar, index: int) -> PlacedScalar:
    picked = _pick(key, index)
    assert isinstance(picked, PlacedScalar)
    return picked
