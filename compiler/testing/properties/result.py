"""What became of each property of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from compiler.source import Span
from compiler.testing.answer import Answer

__all__ = ["Result", "Status", "exit_code", "summary"]


class Status(Enum):
    """How it went; the value is the word that people see."""

    HELD = "held"
    FAILED = "FAILED"
    BROKEN = "BROKEN"
    """It could not be decided: wrong use or wrong input."""
    SKIPPED = "skipped"


class Result(NamedTuple):
    """One property. ``span`` is where it is written; ``answer`` is None where a test said it without our words."""

    span: Span
    name: str
    status: Status
    answer: Answer | None = None
    because: str = ""
    error: str = ""
    """Why it is broken, or what a test says that failed without our words."""
    seconds: float = 0.0

    @property
    def sureness(self) -> str:
        """``proved``, ``tested``, ``observed``, or nothing."""
        return self.answer.sureness.value if self.answer is not None else ""

    @property
    def is_plain_test(self) -> bool:
        """Whether a test passed or failed without any of our words: of a policy it says nothing."""
        return self.answer is None and self.status in (Status.HELD, Status.FAILED)

    @property
    def word(self) -> str:
        """How it went, for people; only a property holds."""
        return "passed" if self.is_plain_test and self.status is Status.HELD else self.status.value

    def details(self) -> list[str]:
        """For a failure: why the property is there, and what shows that it does not hold."""
        if self.status in (Status.HELD, Status.SKIPPED):
            return []
        lines = [f"because: {self.because}"] if self.because else []
        if self.answer is not None:
            lines += [line.removeprefix("  ") for line in self.answer.lines()[1:]]
        return lines + self.error.splitlines()

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "file": self.span.source,
            "line": self.span.line,
            "name": self.name,
            "status": self.word.lower(),
            "because": self.because,
            "error": self.error,
            "seconds": round(self.seconds, 6),
            "answer": self.answer.as_json() if self.answer is not None else None,
        }


def exit_code(results: Sequence[Result]) -> int:
    """2 when one is broken, else 1 when one failed, else 0."""
    found = {one.status for one in results}
    return 2 if Status.BROKEN in found else int(Status.FAILED in found)


def summary(results: Sequence[Result]) -> str:
    """``12 properties: 11 held (10 proved, 1 tested), 1 FAILED; 2 tests without a property: 2 passed``."""
    tests = [one for one in results if one.is_plain_test]
    asked = [one for one in results if not one.is_plain_test]
    told = [_of_properties(asked)] if asked or not tests else ["no property"]
    if tests:
        counts = Counter(one.word for one in tests)
        parts = ", ".join(f"{counts[word]} {word}" for word in ("passed", "FAILED") if counts[word])
        told.append(f"{len(tests)} test{'' if len(tests) == 1 else 's'} without a property: {parts}")
    return "; ".join(told)


def _of_properties(results: Sequence[Result]) -> str:
    counts = Counter(one.status for one in results)
    sure = Counter(one.sureness for one in results if one.status is Status.HELD and one.sureness)
    parts = []
    for status in Status:
        if counts[status]:
            how = ", ".join(f"{sure[word]} {word}" for word in ("proved", "tested", "observed") if sure[word])
            more = f" ({how})" if how and status is Status.HELD else ""
            parts.append(f"{counts[status]} {status.value}{more}")
    count = len(results)
    return f"{count} propert{'y' if count == 1 else 'ies'}: {', '.join(parts)}"
