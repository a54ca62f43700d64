"""What a virtual router does wrong on request: lost connections, delays, traps.

Sentences are counted over all sessions from the moment a fault is planned, so
that a test can lose the connection at each sentence of a deploy in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from labs.virtual_routeros.sentences import Sentence

__all__ = ["Cut", "Faults", "Moment"]


class Moment(Enum):
    """When, around a sentence, the connection is lost."""

    BEFORE = "before"
    """The sentence has come and is not carried out."""
    AFTER = "after"
    """It is carried out and nothing is answered."""
    MIDWAY = "midway"
    """It is carried out and half of the answer's octets are sent."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Lose the connection at the sentence of that number, from 1. ``resets`` sends a RST in place of a FIN."""

    sentence: int
    moment: Moment = Moment.BEFORE
    resets: bool = False


class Faults:
    """The faults of one server. Each cut happens once."""

    def __init__(self) -> None:
        self.delay = 0.0
        """Seconds before each answer."""
        self.is_deaf = False
        """New connections are closed at once."""
        self.seen = 0
        """Sentences received since the last fault was planned."""
        self._cut: Cut | None = None
        self._traps: list[tuple[Callable[[Sentence], bool], str, int]] = []

    def cut(self, cut: Cut | None) -> None:
        """Plan a cut (or none), and count from here."""
        self.seen = 0
        self._cut = cut

    def trap(self, message: str, when: Callable[[Sentence], bool], times: int = 1) -> None:
        """Answer the next ``times`` sentences for which ``when`` holds by a ``!trap``; they are not carried out."""
        self._traps.append((when, message, times))

    def count(self) -> Cut | None:
        """Count a sentence; the cut that is due at it."""
        self.seen += 1
        cut = self._cut
        if cut is None or cut.sentence != self.seen:
            return None
        self._cut = None
        return cut

    def refusal(self, sentence: Sentence) -> str | None:
        """The message of the trap that is planned for this sentence."""
        for index, (when, message, times) in enumerate(self._traps):
            if when(sentence):
                self._traps[index : index + 1] = [(when, message, times - 1)] if times > 1 else []
                return message
        return None
