"""The clients by activity, and how one is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from compiler.simulator.applications.bulk_clients import Connect, Download, Upload
from compiler.simulator.applications.dns_client import DnsClient
from compiler.simulator.applications.forum_client import ForumUser, Visit
from compiler.simulator.applications.ftp_client import FtpClient
from compiler.simulator.applications.http_client import HttpClient
from compiler.simulator.applications.probes import Hop, Ping, Trace
from compiler.simulator.applications.request import Activity, Request
from compiler.simulator.applications.running import Attempt, Running
from compiler.simulator.applications.udp_client import UdpFlow
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Sockets

__all__ = ["CLIENTS", "start"]

CLIENTS: dict[Activity, Callable[[Running, int], Attempt]] = {
    Activity.CONNECT: Connect,
    Activity.DOWNLOAD: Download,
    Activity.UPLOAD: Upload,
    Activity.HTTP: HttpClient,
    Activity.FTP: FtpClient,
    Activity.DNS: DnsClient,
    Activity.PING: Ping,
    Activity.TRACEROUTE: Hop,
    Activity.UDP: UdpFlow,
    Activity.FORUM: Visit,
}

_REPEATS = frozenset({Activity.DNS, Activity.PING})
"""Where ``count`` multiplies the attempts."""


def start(sockets: Sockets, request: Request) -> Running:
    """Have the host do it, from ``request.start`` on (or now, where that is past)."""
    if request.activity is Activity.TRACEROUTE:
        return Trace(sockets, request, Hop, request.count)
    if request.activity is Activity.FORUM:
        return ForumUser(sockets, request, Visit, request.connections)
    if request.activity is Activity.PING and request.interval is None:
        request = replace(request, interval=SECOND)  # ping(8)
    total = request.connections * (request.count if request.activity in _REPEATS else 1)
    return Running(sockets, request, CLIENTS[request.activity], total)
