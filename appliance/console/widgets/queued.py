"""Keys that wait in the queues of widgets: what is done when all of them have been taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.message_pump import MessagePump
from textual.widget import Widget

__all__ = ["when_entered"]


def when_entered(entries: Sequence[Widget], do: Callable[[], None]) -> None:
    """Do it when the keys that these widgets have been sent before now are entered.

    A letter is entered by the widget itself; a key with a binding (Backspace)
    climbs from widget to widget up to the application, which acts upon it. Each
    queue keeps its order, so what climbs behind the keys comes after them.
    """
    left = len(entries)

    def climb(ways: list[MessagePump]) -> None:
        nonlocal left
        if ways:
            ways[0].call_later(climb, ways[1:])
            return
        left -= 1
        if left == 0:
            do()

    for one in entries:
        climb([one, *one.ancestors])
    if not entries:
        do()
