"""The services by name, and how one is started."""

from __future__ import annotations

from collections.abc import Callable

from compiler.simulator.applications.dns_server import DnsServer
from compiler.simulator.applications.forum_server import Forum
from compiler.simulator.applications.ftp_server import FtpServer
from compiler.simulator.applications.http_server import HttpServer
from compiler.simulator.applications.server_log import ServerLog, Settings
from compiler.simulator.applications.server_stream import ServerStream
from compiler.simulator.applications.tcp_services import Discard, Echo, Source
from compiler.simulator.applications.udp_services import Sink, UdpEcho
from compiler.simulator.sockets import Sockets, UdpReceiver

__all__ = ["SERVICES", "serve"]

_STREAM_SERVICES: dict[str, type[ServerStream]] = {
    "echo": Echo,
    "discard": Discard,
    "source": Source,
    "http": HttpServer,
    "forum": Forum,
    "ftp": FtpServer,
}
_DATAGRAM_SERVICES: dict[str, Callable[[Sockets, ServerLog, Settings], UdpReceiver]] = {
    "dns": DnsServer,
    "sink": Sink,
    "udp-echo": UdpEcho,
}
SERVICES = (*_STREAM_SERVICES, *_DATAGRAM_SERVICES)


def serve(sockets: Sockets, service: str, port: int, settings: Settings = ()) -> ServerLog:
    """Start a service on a host; its log fills as clients come.

    ValueError for an unknown service, a port that is taken, or settings that
    make no sense to it.
    """
    log = ServerLog(service, port)
    stream = _STREAM_SERVICES.get(service)
    if stream is not None:
        stream.check(settings)
        answering = stream.service(sockets, log, settings)
        log.stop = sockets.listen(port, lambda _: answering())
        return log
    datagram = _DATAGRAM_SERVICES.get(service)
    if datagram is None:
        raise ValueError(f"unknown service {service!r}: expected one of {', '.join(SERVICES)}")
    log.stop = sockets.udp(port, datagram(sockets, log, settings)).close
    return log
