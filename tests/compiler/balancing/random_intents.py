"""Random intents, by seed: what the public strategy draws, with a plan."""

from __future__ import annotations

from random import Random

from compiler.balancing.plan import Plan, make_plan
from compiler.balancing.reading import read_balance
from compiler.errors import GerbangError
from compiler.testing.strategies.intent_text import CLIENTS, LANS, METHODS, intent_text

__all__ = ["CLIENTS", "LANS", "SERVERS", "random_plan"]

SERVERS = (
    "198.51.100.9",
    "198.51.100.77",
    "203.0.113.5",
    "203.0.113.200",
    "100.64.3.4",
    "8.8.8.8",
    "9.9.9.9",
    "1.0.0.1",
)


def random_plan(seed: str, methods: tuple[str, ...] = METHODS) -> tuple[str, Plan]:
    """An intent that its reader takes, and its plan; those that it refuses are passed over."""
    for attempt in range(1000):
        text = intent_text(Random(f"{seed}/{attempt}").choice, methods)
        try:
            return text, make_plan(read_balance(text, "random.yaml"))
        except GerbangError:
            continue
    raise AssertionError("no intent was readable")
