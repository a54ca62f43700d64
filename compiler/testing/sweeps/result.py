"""What became of one item of a sweep: plain data, so that it goes through pipes, sockets and journals as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

__all__ = ["Cause", "Outcome", "Result"]


class Outcome(Enum):
    """How it went."""

    HELD = "held"
    FAILED = "failed"
    """A property does not hold: a finding."""
    BROKEN = "broken"
    """Nobody knows: the check raised an error, took too long, or took its process with it."""


class Cause(NamedTuple):
    """One thing that is wrong."""

    reason: str
    """In words without the item's particulars: what several items may have in common."""
    said: tuple[str, ...] = ()
    """In full, for a person: the packet, its way, the command that repeats it."""


@dataclass(frozen=True, slots=True)
class Result:
    """One item's result. Two sweeps of the same items differ in ``seconds``, ``number`` and ``resumed`` at most."""

    identity: str
    outcome: Outcome
    causes: tuple[Cause, ...] = ()
    """Why it did not hold: one for each property that failed, or the one error."""
    answers: tuple[Mapping[str, Any], ...] = ()
    """What the properties answered: :meth:`compiler.testing.answer.Answer.as_json`."""
    value: Any = None
    """What else the check returned, as JSON holds it."""
    weight: int = 0
    digest: str = ""
    seconds: float = 0.0
    """Wall time of the check, in its process."""
    number: int = -1
    """The item's place in the order of the items, from 0."""
    resumed: bool = False
    """Whether an earlier run found it."""

    @property
    def held(self) -> bool:
        """Whether all is well."""
        return self.outcome is Outcome.HELD

    @property
    def substance(self) -> Result:
        """The result without what differs from run to run."""
        return replace(self, seconds=0.0, number=-1, resumed=False)

    def lines(self) -> list[str]:
        """For a person."""
        word = self.outcome.value
        head = f"{self.identity}: {word if self.held else word.upper()}"
        if self.value is not None:
            head += f" {self.value}"
        return [head, *(f"  {line}" for cause in self.causes for line in cause.said)]

    def as_json(self) -> dict[str, Any]:
        """Plain data; what is empty is left out."""
        every: dict[str, Any] = {
            "identity": self.identity,
            "number": self.number,
            "outcome": self.outcome.value,
            "causes": [{"reason": cause.reason, "said": list(cause.said)} for cause in self.causes],
            "answers": list(self.answers),
            "value": self.value,
            "weight": self.weight,
            "digest": self.digest,
            "seconds": round(self.seconds, 6),
            "resumed": self.resumed,
        }
        always = ("identity", "number", "outcome", "seconds")
        return {key: one for key, one in every.items() if key in always or _says_something(key, one)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Result:
        """The result that ``as_json`` wrote. Raises KeyError, TypeError, ValueError for anything else."""
        return Result(
            identity=str(data["identity"]),
            outcome=Outcome(data["outcome"]),
            causes=tuple(Cause(str(one["reason"]), tuple(one["said"])) for one in data.get("causes", ())),
            answers=tuple(data.get("answers", ())),
            value=data.get("value"),
            weight=int(data.get("weight", 0)),
            digest=str(data.get("digest", "")),
            seconds=float(data["seconds"]),
            number=int(data["number"]),
            resumed=bool(data.get("resumed", False)),
        )


def _says_something(key: str, one: object) -> bool:
    return one is not None if key == "value" else bool(one)
