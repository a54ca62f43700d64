"""The assertions of a lab file: words with their arguments, checked against the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from compiler.placed import quantities
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue, kind_of
from labs.assertions import VOCABULARY
from labs.reading.expansion import expand
from labs.topology import Assertion
from labs.words.connections import address_set
from labs.words.properties import NEEDED, OF_THE_RUN
from labs.words.word import ArgumentKind, Parameter, Value, Word

__all__ = ["Names", "read_assertions"]

_BOUNDS = {
    **dict.fromkeys(("throughput", "delay", "loss"), frozenset({"at_least", "at_most"})),
    "hops": frozenset({"through", "exactly"}),
    "said": frozenset({"contains", "matches"}),
}
"""Words that say nothing until one of these is given."""
_WORLDS = frozenset({"simulator", "kernel"})

Names = Mapping[ArgumentKind, frozenset[str]]
"""The names that there are: activities, links, nodes."""


def read_assertions(value: PlacedValue | None, names: Names, complaints: Complaints) -> tuple[Assertion, ...]:
    """All assertions in their order."""
    return tuple(
        assertion
        for item in as_items(value)
        for (copy,) in expand((item,), complaints)
        for assertion in _assertion(copy, names, complaints)
    )


def _assertion(value: PlacedValue, names: Names, complaints: Complaints) -> Iterator[Assertion]:
    """``{WORD: TARGET}``, ``{WORD: {…}, needs: [delay], worlds: [simulator]}``."""
    if not isinstance(value, PlacedMapping):
        complaints.error(
            f"expected a word with its target, such as {{connected: web}}, not {kind_of(value)}", value.span
        )
        return
    fields = Fields(value, "an assertion", complaints)
    needs, worlds = _words(fields, "needs"), _words(fields, "worlds")
    for world in worlds - _WORLDS:
        complaints.error(f"unknown world {world!r}{near(world, _WORLDS)}", fields.place("worlds"))
    found = [(key, entry) for key, entry in value.entries if key.text not in ("needs", "worlds")]
    for key, _ in found[1:]:
        complaints.error(f"a second word {key.text!r}: each assertion has one", key.span)
    if not found:
        complaints.error("an assertion needs a word", value.span)
        return
    key, entry = found[0]
    word = VOCABULARY.get(key.text)
    if word is None:
        complaints.error(f"unknown word {key.text!r}{near(key.text, VOCABULARY)}", key.span)
        return
    arguments = _arguments(key, entry, word, names, complaints)
    yield Assertion(key.text, tuple(arguments.items()), frozenset(needs), frozenset(worlds) or _WORLDS, key.span)


def _words(fields: Fields, key: str) -> set[str]:
    return {text for item in as_items(fields.take(key)) if (text := parse(item, str, fields.complaints)) is not None}


def _arguments(
    key: PlacedScalar, entry: PlacedValue, word: Word, names: Names, complaints: Complaints
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if not isinstance(entry, PlacedMapping):
        value = _argument(entry, word.parameters[word.main], names, complaints)
        if value is not None:
            found[word.main] = value
        entry = PlacedMapping((), entry.span)
        given = {word.main}
    else:
        given = set()
    fields = Fields(entry, key.text, complaints)
    for name, parameter in word.parameters.items():
        place = fields.take(name)
        if place is not None:
            given.add(name)
            value = _argument(place, parameter, names, complaints)
            if value is not None:
                found[name] = value
        elif parameter.required and name not in given:
            complaints.error(f"{key.text} needs {name!r}: {parameter.kind.value}", key.span)
    fields.done()
    bounds = _BOUNDS.get(key.text)
    if bounds and not bounds & given:
        complaints.error(f"{key.text} holds whatever happens without {_one_of(bounds)}", key.span)
    if key.text in NEEDED:
        _check_either(key, given, complaints)
    if key.text == "connected_only" and len({"to", "except"} & given) != 1:
        complaints.error("connected_only needs either 'to' or 'except'", key.span)
    return found


def _check_either(key: PlacedScalar, given: set[str], complaints: Complaints) -> None:
    """A word about the run or, with ``from``, about the network: each needs its own arguments."""
    of_the_run, of_the_network = NEEDED[key.text]
    asked = "from" in given
    for name in of_the_network if asked else of_the_run:
        if name not in given:
            needs = f"{key.text} with 'from'" if asked else key.text
            complaints.error(f"{needs} needs {name!r}" + ("" if asked else ", or 'from' and 'to'"), key.span)
    more = {"to", "service", "key", "fault", "carrier", "under", "among"}
    if key.text == "sticky":
        more.add("links")
    for name in sorted(given & (OF_THE_RUN if asked else more)):
        why = "asks the network, and not" if asked else "without 'from' looks at"
        complaints.error(f"{key.text} {why} the run: {name!r} says nothing there", key.span)


def _argument(value: PlacedValue, parameter: Parameter, names: Names, complaints: Complaints) -> Value | None:
    kind = parameter.kind
    if kind is ArgumentKind.FAILURES:
        return _failures(value, complaints)
    if kind in (ArgumentKind.ADDRESSES, ArgumentKind.LINKS, ArgumentKind.TEXTS):
        texts = [(item, parse(item, str, complaints)) for item in as_items(value)]
        for item, text in texts:
            if text is not None:
                _check(kind, text, item, names, complaints)
        if not texts:
            complaints.error(f"expected {kind.value}", value.span)
        return tuple(text for _, text in texts if text is not None)
    reader = _READERS.get(kind)
    if reader is not None:
        return parse(value, reader, complaints)
    text = parse(value, str, complaints)
    if text is None:
        return None
    if parameter.choices and text not in parameter.choices:
        complaints.error(f"{text!r} is not known here{near(text, parameter.choices)}", value.span)
    _check(kind, text, value, names, complaints)
    return text


def _failures(value: PlacedValue, complaints: Complaints) -> int | None:
    """``1`` or ``{failures: 1}``."""
    if not isinstance(value, PlacedMapping):
        return parse(value, _integer, complaints)
    fields = Fields(value, "under", complaints)
    found = fields.integer("failures", 1)
    fields.done()
    return found


def _check(kind: ArgumentKind, text: str, place: PlacedValue, names: Names, complaints: Complaints) -> None:
    """That a name names something, and an address is one."""
    if kind is ArgumentKind.ADDRESSES:
        try:
            address_set((text,), 32)  # of whatever family: what is no address is told
        except ValueError as error:
            complaints.error(str(error), place.span)
        return
    known = names.get(ArgumentKind.LINK if kind is ArgumentKind.LINKS else kind)
    if known is None:
        return
    if kind is ArgumentKind.TRAFFIC:
        if not any(fnmatchcase(name, text) for name in known):
            complaints.error(f"no activity is called {text!r}{near(text, known)}", place.span)
    elif text not in known:
        complaints.error(f"unknown {kind.value.rpartition(' ')[2]} {text!r}{near(text, known)}", place.span)


def _one_of(words: frozenset[str]) -> str:
    return " or ".join(repr(word) for word in sorted(words))


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r}: expected a whole number")
    return int(text)


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error.msg}") from None
    return text


_READERS: dict[ArgumentKind, Callable[[str], Value]] = {
    ArgumentKind.DURATION: quantities.duration,
    ArgumentKind.RATE: quantities.rate,
    ArgumentKind.OCTETS: quantities.octets,
    ArgumentKind.SHARE: quantities.share,
    ArgumentKind.INTEGER: _integer,
    ArgumentKind.EXPRESSION: _expression,
}
