"""UDP services: a sink that measures, and an echo (RFC 862) that measures too."""

from __future__ import annotations

from compiler.simulator.applications.datagram import Stamp, unpack
from compiler.simulator.applications.server_log import Flow, ServerLog, Settings
from compiler.simulator.sockets import Endpoint, Failure, Sockets, UdpSocket

__all__ = ["Sink", "UdpEcho"]


class Sink:
    """Keeps account of each flow: what came, how late, in which order."""

    def __init__(self, sockets: Sockets, log: ServerLog, settings: Settings) -> None:
        self._sockets = sockets
        self._log = log

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """Account for one datagram; what has no stamp belongs to the flow of its sender."""
        stamp = unpack(data)
        name = f"udp {stamp.flow:08x}" if stamp is not None else f"{remote.address:x} {remote.port}"
        flow = self._log.flows.get(name)
        now = self._sockets.now()
        if flow is None:
            seen = self._log.saw(now, remote, Endpoint(remote.family, 0, socket.port), name)
            flow = self._log.flows[name] = Flow(seen)
        flow.seen.octets += octets
        flow.meter.count(now, octets)
        _account(flow, stamp, now)

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """The sender is gone: nothing to do."""


class UdpEcho(Sink):
    """A sink that sends everything back."""

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """Account for it and send it back."""
        super().received(socket, remote, data, octets)
        socket.send(remote, data, octets)


def _account(flow: Flow, stamp: Stamp | None, now: int) -> None:
    number = stamp.number if stamp is not None else len(flow.numbers)
    if number in flow.numbers:
        flow.repeated += 1
        return
    flow.numbers.add(number)
    if number < flow.highest:
        flow.late += 1
    flow.highest = max(flow.highest, number)
    if stamp is not None:
        flow.delays.append(now - stamp.moment)
