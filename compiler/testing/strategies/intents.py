"""Balance intents: as text, and as the value that is planned from."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from compiler.balancing.reading import read_balance
from compiler.errors import GerbangError
from compiler.policy.balance import Balance
from compiler.testing.strategies.intent_text import METHODS, intent_text

__all__ = ["balance_intents", "intent_texts"]


def intent_texts(
    methods: tuple[str, ...] = METHODS, *, uplinks: tuple[int, ...] = (2, 3, 4, 5)
) -> st.SearchStrategy[str]:
    """Intents that their reader takes; the simplest is failover between two lines."""
    return _readable(methods, uplinks).map(lambda found: found[0])


def balance_intents(
    methods: tuple[str, ...] = METHODS, *, uplinks: tuple[int, ...] = (2, 3, 4, 5)
) -> st.SearchStrategy[Balance]:
    """The same, read. ``methods`` and the numbers of ``uplinks`` stand in the order in which they should shrink."""
    return _readable(methods, uplinks).map(lambda found: found[1])


@st.composite
def _readable(draw: st.DrawFn, methods: tuple[str, ...], uplinks: tuple[int, ...]) -> tuple[str, Balance]:
    text = intent_text(lambda choices: draw(st.sampled_from(choices)), methods, uplinks=uplinks)
    try:
        return text, read_balance(text, "drawn")
    except GerbangError:
        assume(False)
        raise
