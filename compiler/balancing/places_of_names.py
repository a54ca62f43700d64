"""Where in the intent the names stand that rows and rules have in their comments; told once, at the head of a text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from compiler.policy.balance import Balance
from compiler.source import Span

__all__ = ["places"]


def places(balance: Balance) -> tuple[str, ...]:
    """``exception-1 (two.yaml:23)`` for each thing that has a place."""
    return tuple(f"{name} ({PurePath(span.source).name}:{span.line})" for name, span in _named(balance) if span.line)


def _named(balance: Balance) -> Iterator[tuple[str, Span]]:
    yield from ((one.name, one.span) for one in balance.ends)
    yield from ((f"class-{one.name}", one.span) for one in balance.classes)
    yield from ((f"exception-{number}", one.span) for number, one in enumerate(balance.exceptions, 1))
    yield from ((f"forward-{number}", one.span) for number, one in enumerate(balance.forwards, 1))
