"""What a whole sweep found: how many held, and the others by their reason, each with its simplest case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from compiler.testing.sweeps.result import Cause, Outcome, Result

__all__ = ["Group", "Summary"]


class Group(NamedTuple):
    """Items that failed or broke for one reason."""

    outcome: Outcome
    reason: str
    number: int
    """How many."""
    simplest: Result
    """The one that changes least (its weight); of these the one with the shortest way and packet."""
    cause: Cause
    """What is wrong with that one."""
    rank: tuple[int, int, int, str]


class Summary:
    """Counts results as they come; holds one for each reason."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(Outcome, 0)
        self.resumed = 0
        self.seconds = 0.0
        """Of all checks together, those of earlier runs left out."""
        self._groups: dict[tuple[Outcome, str], Group] = {}

    def add(self, result: Result) -> None:
        """One more."""
        self.counts[result.outcome] += 1
        if result.resumed:
            self.resumed += 1
        else:
            self.seconds += result.seconds
        for number, cause in enumerate(result.causes):
            key = result.outcome, cause.reason
            one = Group(*key, 1, result, cause, _simplicity(result, number))
            held = self._groups.get(key)
            if held is not None:
                one = min(held, one, key=lambda group: group.rank)._replace(number=held.number + 1)
            self._groups[key] = one

    @property
    def total(self) -> int:
        """All items."""
        return sum(self.counts.values())

    @property
    def holds(self) -> bool:
        """Whether everything held: of nothing at all that is no."""
        return self.total > 0 and self.counts[Outcome.HELD] == self.total

    def groups(self) -> tuple[Group, ...]:
        """Findings before broken ones, the most frequent reason first."""
        order = list(Outcome)
        return tuple(sorted(self._groups.values(), key=lambda one: (order.index(one.outcome), -one.number, one.reason)))

    def lines(self) -> Iterator[str]:
        """For a person."""
        parts = [
            f"{count:,} {outcome.value}"
            for outcome, count in self.counts.items()
            if count or outcome is not Outcome.BROKEN
        ]
        earlier = f" ({self.resumed:,} by an earlier run)" if self.resumed else ""
        yield f"{self.total:,} {'item' if self.total == 1 else 'items'}{earlier}: {', '.join(parts)}"
        for group in self.groups():
            yield f"{group.number:,} {group.outcome.value}: {group.reason}"
            yield f"  {'for example' if group.number > 1 else 'it is'} {group.simplest.identity}"
            yield from (f"    {line}" for line in group.cause.said)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "summary": {outcome.value: count for outcome, count in self.counts.items()},
            "resumed": self.resumed,
            "seconds": round(self.seconds, 3),
            "groups": [
                {
                    "outcome": group.outcome.value,
                    "reason": group.reason,
                    "number": group.number,
                    "simplest": group.simplest.as_json(),
                }
                for group in self.groups()
            ],
        }


def _simplicity(result: Result, number: int) -> tuple[int, int, int, str]:
    """Less changed, then a shorter way, then a shorter packet (or text), then by name: the same in every run."""
    wrong = [answer for answer in result.answers if not answer["held"]]
    witness = wrong[number]["witness"] if number < len(wrong) else None
    if witness is None:
        return result.weight, 0, sum(map(len, result.causes[number].said)), result.identity
    return result.weight, len(witness["path"]), len(witness["packet"]), result.identity
