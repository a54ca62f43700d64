"""What a lab says must hold, and whether it did: a vocabulary, and a verdict for each assertion.

Each word is a function of the lab, the observation and the arguments. A
verdict's message names the target, the reason, and the record that shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from fnmatch import fnmatchcase
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.placed import quantities
from labs.observation import Observation
from labs.topology import Assertion, Lab
from labs.words import commands, connections, devices, figures, properties
from labs.words.word import ArgumentKind, Arguments, Value, Word

__all__ = ["VOCABULARY", "Verdict", "VerdictState", "captured_links", "judge", "judge_all", "say"]

_OF_THE_RUN = connections.WORDS | figures.WORDS | devices.WORDS | commands.WORDS

VOCABULARY: dict[str, Word] = {
    name: properties.asked_too(name, word) for name, word in _OF_THE_RUN.items()
} | properties.WORDS
"""Every word by its name."""


_ALWAYS_LACKS = {"kernel": (("drops", "the kernel does not tell what it dropped, and why"),)}


class VerdictState(Enum):
    """How an assertion went."""

    HELD = "held"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(NamedTuple):
    """One assertion and how it went. ``message`` says what was found, or why it was skipped."""

    assertion: Assertion
    state: VerdictState
    message: str


def judge_all(lab: Lab, observation: Observation) -> tuple[Verdict, ...]:
    """A verdict for each assertion of the lab, in their order."""
    return tuple(judge(lab, observation, assertion) for assertion in lab.assertions)


def judge(lab: Lab, observation: Observation, assertion: Assertion) -> Verdict:
    """The verdict; skipped where the world lacks what the assertion needs."""
    if observation.world not in assertion.worlds:
        only = " and ".join(sorted(assertion.worlds))
        return Verdict(assertion, VerdictState.SKIPPED, f"asked of the {only} only")
    word = VOCABULARY[assertion.word]
    arguments = Arguments(dict(assertion.arguments))
    for feature, reason in (*observation.lacks, *_ALWAYS_LACKS.get(observation.world, ())):
        if feature in word.needs | assertion.needs or _is_target(feature, arguments):
            return Verdict(assertion, VerdictState.SKIPPED, f"the {observation.world} has no {feature}: {reason}")
    try:
        judged = word.judge(lab, observation, arguments)
    except UsageError as error:  # a name that only the network's model tells apart
        raise UsageError(f"{assertion.span}: {error}") from error
    if judged.unknown:
        return Verdict(assertion, VerdictState.SKIPPED, judged.message)
    return Verdict(assertion, VerdictState.HELD if judged.held else VerdictState.FAILED, judged.message)


def captured_links(lab: Lab) -> tuple[str, ...]:
    """The links whose captures assertions look at."""
    found = (str(value) for one in lab.assertions if one.word == "captured" for _, value in one.arguments[:1])
    return tuple(dict.fromkeys(found))


def _is_target(feature: str, arguments: Arguments) -> bool:
    """Whether what a world lacks (``traffic web``, ``node router``) is what the assertion is about."""
    kind, _, name = feature.partition(" ")
    if kind not in ("traffic", "node") or not name:
        return False
    pattern = arguments.text(kind)
    return fnmatchcase(name, pattern) if kind == "traffic" else name == pattern


def say(assertion: Assertion) -> str:
    """The assertion on one line, without its figures' units: ``connected ftp-*``."""
    word = VOCABULARY.get(assertion.word)
    main = word.main if word else ""
    values = dict(assertion.arguments)
    first = values.pop(main, "")
    target = " ".join(first) if isinstance(first, tuple) else str(first)
    more = [_argument(name, value, word) for name, value in values.items()]
    return " ".join(part for part in (assertion.word, target, *more) if part)


def _argument(name: str, value: Value, word: Word | None) -> str:
    kind = word.parameters[name].kind if word and name in word.parameters else ArgumentKind.TEXT
    if isinstance(value, tuple):
        text = ",".join(value)
    elif isinstance(value, str):
        text = value
    else:
        text = _SHOWN[kind](value) if kind in _SHOWN else str(value)
    return f"{name.replace('_', ' ')} {text}"


_SHOWN: dict[ArgumentKind, Callable[[int | float], str]] = {
    ArgumentKind.DURATION: quantities.format_duration,
    ArgumentKind.RATE: quantities.format_rate,
    ArgumentKind.OCTETS: quantities.format_octets,
    ArgumentKind.SHARE: lambda share: f"{share:g}",
}
