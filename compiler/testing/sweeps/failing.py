"""All sets of up to k dead cables and nodes of a network, each an item of its own.

``Verification.under`` walks the same sets and stops at the first that breaks
the property; a sweep tells of every one, on as many cores as there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import comb

from compiler.errors import UsageError
from compiler.testing.answer import Answer
from compiler.testing.networks.ends import destinations, places
from compiler.testing.networks.failures import failures, mortal
from compiler.testing.networks.model import NetworkModel
from compiler.testing.sweeps.items import content_of, fingerprint
from compiler.testing.sweeps.properties import Property, ask_network

__all__ = ["DeadParts", "FailureCheck", "FailureSets", "without"]


@dataclass(frozen=True, slots=True)
class DeadParts:
    """Names of cables and nodes that do not work."""

    names: frozenset[str]

    @property
    def identity(self) -> str:
        """The names, in their order."""
        return "without " + (", ".join(sorted(self.names)) or "nothing")

    @property
    def digest(self) -> str:
        """None: the names say all."""
        return ""

    @property
    def weight(self) -> int:
        """How many are dead: the fewest that break a property are shown."""
        return len(self.names)


class FailureSets:
    """Every set of up to ``most`` dead parts, the small ones first; ``among`` names parts, or patterns of them."""

    def __init__(self, model: NetworkModel, most: int, among: tuple[str, ...] = ()) -> None:
        if most < 0:
            raise UsageError(f"{most} failures: expected 0 or more")
        self._parts = mortal(model, among)
        self._most = most

    def __len__(self) -> int:
        return sum(comb(len(self._parts), count) for count in range(min(self._most, len(self._parts)) + 1))

    def __iter__(self) -> Iterator[DeadParts]:
        return map(DeadParts, failures(self._parts, self._most))


@dataclass(frozen=True, slots=True)
class FailureCheck:
    """Asks a network without its dead parts for all properties."""

    model: NetworkModel
    properties: tuple[Property, ...]

    def __post_init__(self) -> None:
        """Say wrong names once, not once for each item. Raises UsageError."""
        for one in self.properties:
            for end in one.arguments[:1]:
                places(self.model, end)
            for end in one.arguments[1:2]:
                destinations(self.model, end)
            if one.word in ("via", "avoids"):
                without(self.model, frozenset(one.arguments[2:3]))

    @property
    def question(self) -> str:
        """The network and the properties."""
        return f"{self.model.source}: {'; '.join(one.text for one in self.properties)}"

    @property
    def fingerprint(self) -> str:
        """Of the network and the properties."""
        return fingerprint(content_of(self.model), *(one.fingerprint for one in self.properties))

    def __call__(self, item: DeadParts) -> list[Answer]:
        """The answers."""
        verification = without(self.model, item.names).verify()
        return [ask_network(verification, one) for one in self.properties]


def without(model: NetworkModel, dead: frozenset[str]) -> NetworkModel:
    """The network while these do not work either. Raises UsageError for a name that it has not."""
    unknown = dead - {*model.names, *(cable.name for cable in model.cables)}
    if unknown:
        raise UsageError(f"no node or cable is called {', '.join(sorted(unknown))}")
    return replace(model, dead=model.dead | dead)
