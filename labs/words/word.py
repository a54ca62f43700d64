"""What a word of the assertions is, and what its function is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import NamedTuple

from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from labs.observation import Observation
from labs.topology import Lab

__all__ = ["ArgumentKind", "Arguments", "Judged", "Parameter", "Value", "Word", "matching", "within"]

Value = str | int | float | tuple[str, ...]


class ArgumentKind(Enum):
    """What an argument is, and with it how a lab file writes it."""

    TRAFFIC = "the name of an activity, or a pattern such as ftp-*"
    LINK = "the name of a link"
    NODE = "the name of a node"
    DURATION = "a time"
    RATE = "a rate"
    OCTETS = "a size"
    SHARE = "a share"
    INTEGER = "a whole number"
    TEXT = "a text"
    EXPRESSION = "a regular expression"
    ADDRESSES = "addresses, networks or Cisco wildcards ('172.16.6.0 0.0.0.252')"
    LINKS = "names of links"
    TEXTS = "names"
    FAILURES = "how many may fail, such as 1 or {failures: 1}"


class Parameter(NamedTuple):
    """An argument that a word takes. ``choices`` are the texts that are allowed (empty: any)."""

    kind: ArgumentKind
    required: bool = False
    choices: tuple[str, ...] = ()


class Judged(NamedTuple):
    """Whether it held, and what was found. ``unknown``: this world cannot tell, and ``message`` says why."""

    held: bool
    message: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one assertion."""

    values: Mapping[str, Value]

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else str(value)

    def integer(self, name: str) -> int | None:
        """A whole number, nanoseconds, octets or bits a second; None when it is not given."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    def number(self, name: str) -> float | None:
        """A share; None when it is not given."""
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Several texts."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else (str(value),)


Judge = Callable[[Lab, Observation, Arguments], Judged]


@dataclass(frozen=True, slots=True)
class Word:
    """One word. A plain value stands for the argument ``main``; without the features of ``needs`` it is skipped."""

    about: str
    main: str
    parameters: Mapping[str, Parameter]
    judge: Judge
    needs: frozenset[str] = field(default=frozenset())


def matching(observation: Observation, pattern: str) -> tuple[Outcome, ...]:
    """The outcomes of the activities that the pattern names."""
    return tuple(outcome for outcome in observation.outcomes if fnmatchcase(outcome.traffic, pattern))


def within(record: ConnectionRecord, arguments: Arguments) -> bool:
    """Whether the connection began in the time that ``after`` and ``before`` leave."""
    after, before = arguments.integer("after"), arguments.integer("before")
    return (after is None or record.started >= after) and (before is None or record.started < before)
