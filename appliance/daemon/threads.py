"""The threads beside the event loop: one writer, a few readers, a few for passwords and for looks at the machine."""

from __future__ import annotations

from appliance.daemon.lanes import Lane
from appliance.daemon.writer import WriterLane
from appliance.store.engine import Store

__all__ = ["Lane", "Threads"]

OF_MACHINE = frozenset({"machine", "network"})
"""Services whose queries ask the machine."""


class Threads:
    """All lanes of the daemon."""

    def __init__(self, store: Store, readers: int = 3) -> None:
        self.writer = WriterLane(store, 1000)
        self.readers = Lane("reader", readers, 1000)
        # Each takes 46 MiB and a core for 0.1 s.
        self.passwords = Lane("password", 2, 32)
        # Of who has been here before: strangers who guess from many places at once fill the other.
        self.known_passwords = Lane("known-password", 1, 32)
        self.documents = Lane("document", 2, 64)
        # Each holds a snapshot open until it is written down, which may take minutes.
        self.exports = Lane("export", 3, 32)
        # The root helper may hang: whoever asks the machine does not wait in front of those who ask the store.
        self.machine = Lane("machine", 3, 64)
        self.watch = Lane("watch", 1, 2)

    def of_queries(self, service: str) -> Lane:
        """Where the queries of a service run."""
        return self.machine if service in OF_MACHINE else self.readers

    def close(self) -> None:
        """Let what runs end."""
        passwords = (self.passwords, self.known_passwords)
        beside = (self.readers, *passwords, self.documents, self.exports, self.machine, self.watch)
        for lane in (*beside, self.writer):
            lane.close()
