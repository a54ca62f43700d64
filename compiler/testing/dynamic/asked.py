"""What a question about many connections is about."""

from __future__ import annotations

from typing import NamedTuple

from compiler.testing.headers import Headers
from compiler.testing.networks.claims import Begin
from compiler.testing.networks.model import NetworkModel

__all__ = ["Asked"]


class Asked(NamedTuple):
    """What all these words are about: a question, its packets, its ends, what is dead, and how many are tried."""

    model: NetworkModel
    question: str
    headers: Headers
    beginnings: tuple[Begin, ...]
    dead_sets: tuple[frozenset[str], ...]
    connections: int
    seed: str = "1"
