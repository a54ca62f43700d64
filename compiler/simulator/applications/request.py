"""What a client application is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random

from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.sockets import Endpoint

__all__ = ["Activity", "Arrivals", "Request", "token"]

Arrivals = Callable[[Random], Iterator[tuple[int, int]]]
"""Makes a generator of pairs: nanoseconds since the flow began, octets of payload."""


class Activity(Enum):
    """The kinds of clients."""

    CONNECT = "connect"
    """TCP handshakes, closed at once."""
    DOWNLOAD = "download"
    UPLOAD = "upload"
    HTTP = "http"
    FTP = "ftp"
    DNS = "dns"
    PING = "ping"
    TRACEROUTE = "traceroute"
    UDP = "udp"
    FORUM = "forum"


@dataclass(frozen=True, slots=True)
class Request:
    """One activity of a client. Times are nanoseconds, sizes octets.

    ``connections`` are opened one each ``interval`` (0: all at once; None: as is
    usual, echoes one a second, all else at once), or at ``moments`` after ``start``,
    one each, from ``source_ports`` in turn when there are any. ``count`` is the number of
    requests on one HTTP connection, of echoes of a ping, of hops of a traceroute at
    most, of times that a name is asked for. ``octets`` bounds a transfer, ``duration`` its time; a transfer with
    neither ends when the lab does. ``timeout`` is how long a client waits
    without progress. ``query`` is the path of HTTP, the file of FTP, or the name
    and type (``www.example.test AAAA``) of DNS. ``arrivals`` times datagrams.
    """

    traffic: str
    activity: Activity
    server: Endpoint
    start: int = 0
    duration: int | None = None
    octets: int | None = None
    connections: int = 1
    interval: int | None = None
    source_ports: tuple[int, ...] = ()
    count: int = 1
    size: int = 56
    mode: str = "passive"
    query: str = ""
    timeout: int = 10 * SECOND
    arrivals: Arrivals | None = None
    sample: int = 100 * MILLISECOND
    moments: tuple[int, ...] = ()


def token(traffic: str, index: int) -> str:
    """The word that a client sends along so that its connection is known at the server."""
    return f"{'_'.join(traffic.split())}#{index}"
