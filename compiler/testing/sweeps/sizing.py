"""How many items to hand out at once: enough to pay for the way there and back, few enough to flow.

Handing out a chunk and getting it back was measured (tests/benchmarks/sweep.py,
a machine with three times more to do than processors) at 0.4 ms with processes
and 13 ms with a cluster. With a tenth of a second for a chunk, and the next one
waiting beside it, workers check for 92 to 97 % of their time.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.testing.sweeps.result import Result

__all__ = ["Sizing"]

TARGET = 0.1
"""Seconds that a chunk is to take."""
MOST = 4096
"""Items in one chunk."""


class Sizing:
    """Learns from each chunk how long an item takes, and sets the size of the next. Begins with single items."""

    def __init__(self) -> None:
        self._mean = 0.0
        self.size = 1

    def learn(self, results: Sequence[Result]) -> None:
        """A chunk came back."""
        if not results:
            return
        mean = sum(result.seconds for result in results) / len(results)
        self._mean = mean if not self._mean else (3 * self._mean + mean) / 4
        wanted = int(TARGET / self._mean) if self._mean > 0 else MOST
        # Not much more at once than before: the first items may have been the easy ones.
        self.size = max(1, min(wanted, 4 * self.size, MOST))

    def next_size(self, left: int | None, slots: int) -> int:
        """Items of the next chunk. Of the last of them (``left``, where that is known) each slot gets some."""
        if left is None or not slots:
            return self.size
        return max(1, min(self.size, left // (2 * slots)))
