"""What became of one activity of a lab: the same record from the simulator and from the kernel."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.simulator.sockets import Endpoint, Failure

__all__ = ["ConnectionRecord", "Outcome"]


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One connection, exchange or echo. Times are nanoseconds since the lab began; None: never happened.

    ``seen_as`` is the client's end as the server saw it, after all
    translations; it is None where nothing reached the server. ``transferred``
    are octets of payload that arrived at whoever was to receive them.
    """

    index: int
    client: Endpoint
    server: Endpoint
    started: int
    connected: int | None = None
    ended: int | None = None
    transferred: int = 0
    failure: Failure | None = None
    seen_as: Endpoint | None = None
    detail: str = ""
    """What the protocol said: ``220 ready``, ``NXDOMAIN``, a hop's address."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All connections of one traffic entry.

    ``samples`` are pairs of moment and octets received in all, at most one
    each sampling period: what throughput plots are drawn from.
    """

    traffic: str
    connections: tuple[ConnectionRecord, ...]
    samples: tuple[tuple[int, int], ...] = ()
    sent: int = 0
    """Datagrams or echoes sent, for traffic without connections."""
    received: int = 0
    """Of those, how many arrived (were answered, for echoes)."""
    delays: tuple[int, ...] = ()
    """One-way delays (round trips for echoes) in the order of arrival, nanoseconds."""

    @property
    def transferred(self) -> int:
        """Octets of payload of all connections."""
        return sum(connection.transferred for connection in self.connections)

    @property
    def failures(self) -> tuple[ConnectionRecord, ...]:
        """The connections that failed."""
        return tuple(connection for connection in self.connections if connection.failure is not None)
