"""The third act: long downloads with a real TCP, several together and then one alone."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.fields import TCP, Family
from compiler.rehearsal.flows import Flow, ipv4
from compiler.rehearsal.options import RehearsalOptions
from compiler.rehearsal.result import DownloadSeen
from compiler.rehearsal.scene import Scene
from compiler.rehearsal.streams import DOWNLOAD_PORT, Download, serve_downloads
from compiler.rehearsal.world import World, client_addresses, server_addresses
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.hosts.host import Host
from compiler.simulator.sockets import Endpoint

__all__ = ["play_downloads"]

_HOSTS = 4
_MOST = 1_000_000
"""Octets of one download."""
_PATIENCE = 60 * SECOND
_GAP = 50 * MILLISECOND


def play_downloads(scene: Scene, options: RehearsalOptions) -> Iterator[DownloadSeen]:
    """Four hosts at once (or as many as uplinks, if more), each from a server of its own; then the first alone."""
    hosts = max(_HOSTS, len(scene.lines))
    world = World(scene, options.seed, client_addresses(scene, 2 * hosts * len(scene.insides)), hosts)
    addresses = server_addresses(scene, world.random, len(world.hosts) + 1)
    server = world.add_server(addresses)
    best = max(line.download for line in scene.lines)
    serve_downloads(server, min(_MOST, best // 8 * 3))
    world.engine.run(SECOND)
    yield from _play(world, list(zip(world.hosts, addresses, strict=False)), together=True)
    yield from _play(world, [(host, addresses[-1]) for host in world.hosts[:1]], together=False)


def _play(world: World, pairs: list[tuple[Host, int]], *, together: bool) -> Iterator[DownloadSeen]:
    engine, running = world.engine, []
    for host, address in pairs:
        one = Download(engine, host, Endpoint(Family.IPV4, address, DOWNLOAD_PORT))
        local = one.stream.local
        flow = Flow(ipv4(TCP, local.address, address, local.port, DOWNLOAD_PORT), 0, 0)
        world.observer.flows[flow.wanted] = flow
        running.append((one, flow))
        engine.run(engine.now + _GAP)
    until = engine.now + _PATIENCE
    while engine.now < until and not all(one.is_over for one, _ in running):
        engine.run(engine.now + SECOND // 4)
    names = {line.interface: line.name for line in world.scene.lines}
    for one, flow in running:
        lasted = one.last - one.first
        rate = one.octets * 8 * SECOND // lasted if one.octets and lasted > 0 else 0
        client = format_address(flow.wanted.source, 32)
        yield DownloadSeen(client, names.get(flow.first_uplink, ""), one.octets, one.first, one.last, rate, together)
        one.stream.abort()
