"""Properties as one line of text, for the command and for lists of them in files.

::

    reachable 10.1.0.0/16 10.2.0.2 tcp/80 list=OUTSIDE
    unreachable any 10.2.0.0/16 in=GigabitEthernet0/1
    permits 'tcp 10.1.0.2:1024 10.2.0.2:80'
    no_wider_than golden.cfg
    check error

Words and their order are those of :mod:`compiler.testing.policies` and of the
words about networks; what holds blanks is quoted as for a shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.placed.complaints import near
from compiler.placed.source_text import read_source
from compiler.testing.answer import Answer, PropertyFailed
from compiler.testing.networks.verification import Verification
from compiler.testing.policies import Policy
from compiler.testing.sweeps.items import fingerprint
from compiler.testing.sweeps.reading import ReadAs, policy_of

__all__ = ["Property", "ask_network", "ask_policy", "network_property", "policy_property"]


class _Form(NamedTuple):
    """How many arguments a word takes, and how they are called."""

    least: int
    most: int
    usage: str


_POLICY_WORDS: Mapping[str, _Form] = {
    "reachable": _Form(2, 3, "SOURCE DESTINATION [SERVICE]"),
    "unreachable": _Form(2, 3, "SOURCE DESTINATION [SERVICE]"),
    "isolated": _Form(2, 3, "LEFT RIGHT [SERVICE]"),
    "permits": _Form(1, 20, "PACKET"),
    "denies": _Form(1, 20, "PACKET"),
    "no_shadowed_rule": _Form(0, 0, ""),
    "equivalent_to": _Form(1, 1, "FILE"),
    "no_wider_than": _Form(1, 1, "FILE"),
    "check": _Form(0, 1, "[note|warning|error]"),
}

_NETWORK_WORDS: Mapping[str, _Form] = {
    "reachable": _Form(2, 3, "SOURCE DESTINATION [SERVICE]"),
    "unreachable": _Form(2, 3, "SOURCE DESTINATION [SERVICE]"),
    "isolated": _Form(2, 3, "LEFT RIGHT [SERVICE]"),
    "via": _Form(3, 4, "SOURCE DESTINATION NODE [SERVICE]"),
    "avoids": _Form(3, 4, "SOURCE DESTINATION NODE [SERVICE]"),
    "returns": _Form(2, 3, "SOURCE DESTINATION [SERVICE]"),
    "no_loop": _Form(0, 0, ""),
    "no_shadowed_rule": _Form(0, 0, ""),
}

_THROUGH = {"list": "list", "in": "ingress", "out": "egress"}
"""Which part of a device is asked about: the option's word, and the argument's name."""


@dataclass(frozen=True, slots=True)
class Property:
    """A word with its arguments. ``reference`` is the text of the file that it names: workers need not have it."""

    text: str
    word: str
    arguments: tuple[str, ...] = ()
    through: tuple[tuple[str, str], ...] = ()
    reference: str = ""

    @property
    def fingerprint(self) -> str:
        """Of the text, and of what stands in the file that it names."""
        return fingerprint(self.text, self.reference)


def policy_property(text: str) -> Property:
    """A property of one configuration. Raises UsageError for what is not understood, or names no file."""
    word, words = _split(text, _POLICY_WORDS)
    through = tuple(
        (_THROUGH[name], value)
        for name, equals, value in (one.partition("=") for one in words)
        if equals and name in _THROUGH and value
    )
    if word in ("permits", "denies"):  # a packet has in= and out= of its own
        through = tuple(pair for pair in through if pair[0] == "list")
        arguments: tuple[str, ...] = (" ".join(one for one in words if not one.startswith("list=")),)
        _counted(text, word, tuple(one for one in arguments if one), _POLICY_WORDS)
    else:
        arguments = tuple(one for one in words if one.partition("=")[0] not in _THROUGH)
        _counted(text, word, arguments, _POLICY_WORDS)
    reference = ""
    if word in ("equivalent_to", "no_wider_than"):
        reference = read_source(arguments[0]).text
    if word == "check" and arguments and arguments[0] not in ("note", "warning", "error"):
        raise UsageError(f"{text!r}: expected note, warning or error")
    if word in ("reachable", "unreachable", "isolated"):
        from compiler.testing.headers import packets

        packets(*arguments)  # said once, not once for each configuration
    return Property(text, word, arguments, through, reference)


def network_property(text: str) -> Property:
    """A property of a network. Raises UsageError for what is not understood."""
    word, words = _split(text, _NETWORK_WORDS)
    _counted(text, word, tuple(words), _NETWORK_WORDS)
    return Property(text, word, tuple(words))


def ask_policy(policy: Policy, asked: Property, how: ReadAs) -> Answer:
    """The answer, whether it holds or not. Raises what the words raise for wrong use."""
    if asked.word == "check":
        return _checked(policy, *asked.arguments)
    policy = policy.through(**dict(asked.through))
    arguments: tuple[str | Policy, ...] = asked.arguments
    if asked.reference:
        other = policy_of(asked.reference, asked.arguments[0], how)
        arguments = (other.through(**dict(asked.through)),)
    return _answer(policy, asked.word, arguments)


def ask_network(verification: Verification, asked: Property) -> Answer:
    """The answer, whether it holds or not. Raises what the words raise for wrong use."""
    return _answer(verification, asked.word, asked.arguments)


def _answer(subject: Policy | Verification, word: str, arguments: tuple[str | Policy, ...]) -> Answer:
    try:
        answer: Answer = getattr(subject, word)(*arguments)
    except PropertyFailed as failure:
        return failure.answer
    return answer


def _checked(policy: Policy, severity: str = "warning") -> Answer:
    """No finding of ``gerbang check`` that is as severe, or more."""
    from compiler.analysis.findings.check import Severity, check
    from compiler.testing.answer import DecidingRule, Hop, Sureness, Witness

    order = list(Severity)
    grave = [one for one in check(policy.tree) if order.index(one.severity) <= order.index(Severity(severity))]
    question = f"check {severity}: {policy.source}"
    if not grave:
        return Answer(question, True, Sureness.PROVED, "the lints of gerbang check")
    kinds = ", ".join(sorted({one.rule for one in grave}))
    rules = tuple(DecidingRule(one.span, "", f"{one.severity.value}: {one.message}") for one in grave)
    witness = Witness(
        "none is needed", (Hop(policy.source, rules=rules),), shlex.join(["gerbang", "check", policy.source])
    )
    return Answer(question, False, Sureness.PROVED, "the lints of gerbang check", kinds, witness)


def _split(text: str, known: Mapping[str, _Form]) -> tuple[str, list[str]]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from error
    if not words:
        raise UsageError("an empty property asks nothing")
    word = words[0].replace("-", "_")
    if word not in known:
        raise UsageError(f"no property is called {words[0]!r}{near(word, known)}")
    return word, words[1:]


def _counted(text: str, word: str, arguments: tuple[str, ...], known: Mapping[str, _Form]) -> None:
    form = known[word]
    if not form.least <= len(arguments) <= form.most:
        raise UsageError(f"{text!r}: expected {' '.join(part for part in (word, form.usage) if part)}")
