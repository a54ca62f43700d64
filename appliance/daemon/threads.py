"""The threads beside the event loop: one writer, a few readers, a few for passwords."""

from __future__ import annotations

from appliance.daemon.lanes import Lane
from appliance.daemon.writer import WriterLane
from appliance.store.engine import Store

__all__ = ["Lane", "Threads"]


class Threads:
    """All lanes of the daemon."""

    def __init__(self, store: Store, readers: int = 3) -> None:
        self.writer = WriterLane(store, 1000)
        self.readers = Lane("reader", readers, 1000)
        # Each takes 46 MiB and a core for 0.1 s.
        self.passwords = Lane("password", 2, 32)
        self.documents = Lane("document", 2, 64)

    def close(self) -> None:
        """Let what runs end."""
        for lane in (self.readers, self.passwords, self.documents, self.writer):
            lane.close()
