"""Records made by hand."""

from compiler.addresses import parse_address
from compiler.fields import Family
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.sockets import Endpoint, Failure, FailureKind

SECOND = 1_000_000_000


def endpoint(text):
    """An IPv4 end from ``10.0.0.2:80``."""
    address, _, port = text.partition(":")
    return Endpoint(Family.IPV4, parse_address(address)[0], int(port or 0))


def record(index=0, client="10.0.0.2:1024", server="192.0.2.9:80", *, at=1, kind=None, seen_as=None, **more):
    """A connection that came about after a millisecond, or failed as ``kind`` says."""
    started = int(at * SECOND)
    failure = None if kind is None else Failure(FailureKind(kind), **more.pop("said", {}))
    values = {"connected": None if failure else started + 1_000_000, "ended": started + 2_000_000} | more
    seen = endpoint(seen_as) if seen_as else None
    return ConnectionRecord(index, endpoint(client), endpoint(server), started, failure=failure, seen_as=seen, **values)


def outcome(traffic, *records, **more):
    """What became of an activity."""
    return Outcome(traffic, tuple(records), **more)
