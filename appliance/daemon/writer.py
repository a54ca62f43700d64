"""The writer's thread: changes one after the other, those that wait together in one transaction (group commit).

What a change costs most is the wait for the disk. Changes that have queued up
meanwhile are made one after the other in one transaction, each in a savepoint
of its own, so that one that is refused is undone alone. Nobody is answered
before the transaction is kept (Gray and Reuter, Transaction Processing, 9.4.6,
"Group Commit").
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any, TypeVar

from appliance.daemon.lanes import Lane, Outcome, Turn, answer
from appliance.store.engine import Store, TogetherFailed

__all__ = ["WriterLane"]

Result = TypeVar("Result")
MOST = 64
"""Changes of one transaction."""
LONGEST = 0.05
"""Seconds after which one takes no more changes: the first of them waits for all."""


class WriterLane(Lane):
    """The queue of all that changes the store."""

    def __init__(self, store: Store, longest: int) -> None:
        super().__init__("writer", 1, longest)
        self._store = store

    async def share(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result; its transaction may be shared with others that wait. Raises TooMany."""
        result: Result = await self._wait(function, arguments, shares=True)
        return result

    def _work(self) -> None:
        following: Turn | None = None
        while (turn := following or self._turns.get()) is not None:
            following = None
            if self._closed:
                answer([self._dropped(turn)])
            elif turn.shares and not self._turns.empty():
                following = self._together(turn)
            else:
                answer([turn.take()])

    def _together(self, first: Turn) -> Turn | None:
        """Make a transaction of this change and those behind it; answers the turn after them, if it was taken out."""
        taken: list[Turn] = []
        outcomes: list[Outcome] = []
        turn: Turn | None = first
        until = time.monotonic() + LONGEST
        try:
            with self._store.together():
                while turn is not None and turn.shares:
                    taken.append(turn)
                    outcomes.append(turn.take())
                    if isinstance(outcomes[-1].error, TogetherFailed):
                        raise outcomes[-1].error
                    turn = None
                    if len(taken) >= MOST or time.monotonic() >= until or (turn := self._next()) is None:
                        break
        except Exception as error:
            # Those that were refused for a reason of their own keep it; for the others nothing is done.
            refused = {id(one.turn): one for one in outcomes if one.error is not None and one.error is not error}
            # Without a transaction nobody was taken: the first waits all the same.
            outcomes = [refused.get(id(one)) or Outcome(one, None, error) for one in taken or [first]]
        answer(outcomes)
        return turn if turn is not None and not turn.shares else None

    def _next(self) -> Turn | None:
        try:
            turn = self._turns.get_nowait()
        except Empty:
            return None
        if turn is None:
            self._turns.put(None)  # the end: after this transaction
        return turn
