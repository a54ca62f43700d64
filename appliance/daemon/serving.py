"""The daemon as a process: opens the store, listens, serves until a signal, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn

from appliance.contract.service import Service, all_services
from appliance.daemon.app import build
from appliance.daemon.first_start import demonstration_password, first_administrator, load_examples
from appliance.daemon.parts import Parts
from appliance.daemon.peers import PeerProtocol
from appliance.daemon.ports import MachinePorts
from appliance.daemon.run_settings import RunSettings, Tls, local_zone
from appliance.daemon.sockets import ServedCertificate, keep_renewed, listening_port, listening_socket, remove_socket
from appliance.daemon.throttle import peer_key
from appliance.gate import Gate, allow_more_files
from appliance.store.engine import Store
from appliance.store.failures import StoreBusy, StoreFault
from appliance.store.migrate import make_at_once, upgrade
from appliance.store.owner import own_folder
from appliance.store.seal import HeadFile, key_of
from compiler.errors import UsageError

__all__ = ["serve", "serve_demo"]

STOP_SECONDS = 5
RENEW_SECONDS = 30.0
"""Between two looks whether the certificate was renewed."""
logger = logging.getLogger("gerbang.daemon")


class _Server(uvicorn.Server):
    """Signals are ours: there are two servers in the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing."""
        yield


class _TlsServer(_Server):
    """Its connections come through a gate: strangers may reach it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. The lifespan is the other server's."""
        config, context = self.config, self.config.ssl
        protocol: Any = config.http_protocol_class
        assert context is not None
        make = partial(protocol, config=config, server_state=self.server_state, app_state=self.lifespan.state)

        def alive(place: str) -> int:
            return sum(getattr(one, "place", "") == place for one in self.server_state.connections)

        gates = [Gate(one, make, context, place_of=peer_key, alive=alive) for one in sockets or ()]
        self.servers = cast("list[asyncio.base_events.Server]", gates)
        self.started = True


def serve(settings: RunSettings, services: Sequence[Service] | None = None) -> int:
    """Serve until SIGTERM; answers the exit code. Without ``services`` those that are installed. Raises UsageError and
    StoreFault for what an administrator mends."""
    _prepare()
    os.umask(0o027)
    try:
        settings.state.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the state folder {settings.state}: {error.strerror}") from None
    services = tuple(all_services()) if services is None else tuple(services)
    try:
        return _serve_with_store(settings, services)
    except StoreBusy:
        raise
    except StoreFault:
        _take_back(settings, services)
        raise


def _take_back(settings: RunSettings, services: tuple[Service, ...]) -> None:
    """What was interrupted or nobody has confirmed in time, though there is no store: who could confirm it may be cut
    off. The journal keeps what the audit log is owed of it."""
    ports = MachinePorts(services, settings.state, settings.helper)
    try:
        ports.recover()
    finally:
        ports.close()


def _serve_with_store(settings: RunSettings, services: tuple[Service, ...]) -> int:
    store = Store(settings.store_url)
    try:
        store.own()
        release = own_folder(settings.state)
    except BaseException:
        store.close()
        raise
    try:
        upgrade(store, services, settings.state / "backups")
        secret = key_of(settings.state)
        head = HeadFile(settings.state, secret)
        try:
            parts = Parts(
                store,
                services,
                zone=settings.zone,
                secret=secret,
                state_folder=settings.state,
                note=head.note,
                helper=settings.helper,
            )
            parts.read_zone()
            parts.read_log(head.read())
            if password := first_administrator(parts.runner, settings.state):
                print(f"first start: log in as admin with the one-time password {password}", flush=True)
            return _listen(parts, settings.socket, settings.tls, doors=settings.doors)
        finally:
            head.close()
    finally:
        store.close()
        release()


def serve_demo(path: Path | None = None) -> int:
    """Serve sample data from memory until a signal, or until who started us is gone; without a path the socket is in
    a folder of its own."""
    _prepare()
    services = tuple(all_services())
    with tempfile.TemporaryDirectory(prefix="gerbang-demo-") as folder:
        store = Store("sqlite://")
        try:
            kept = demonstration_password()
            make_at_once(store, services)
            parts = _demonstration(store, services, Path(folder), kept)
            return _listen(parts, path or Path(folder) / "api.sock", None, with_parent=True)
        finally:
            store.close()


def _demonstration(store: Store, services: tuple[Service, ...], folder: Path, kept: Callable[[], str]) -> Parts:
    parts = Parts(store, services, zone=local_zone(), secret=os.urandom(32), state_folder=folder)
    # It would be of sample data, whose daemons do not run.
    parts.timed = False
    for account in load_examples(parts.runner, services, kept()):
        print(f"account {account.name} {account.password} {','.join(account.roles)}")
    return parts


def _prepare() -> None:
    allow_more_files()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # It warns of every malformed request, which strangers can send as fast as they like.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    for talkative in ("alembic", "weasyprint"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _listen(
    parts: Parts, path: Path, tls: Tls | None, *, with_parent: bool = False, doors: frozenset[int] = frozenset()
) -> int:
    served = ServedCertificate(tls.certificate, tls.key) if tls is not None else None
    # The command line runs without the collector; a process of months does not. What is here now, stays.
    gc.freeze()
    gc.enable()
    own = listening_socket(path)
    inode = path.lstat().st_ino
    try:
        port = listening_port(tls.address, tls.port) if tls is not None else None
        try:
            asyncio.run(_serve(parts, own, port, served, path, with_parent=with_parent, doors=doors))
        finally:
            if port is not None:
                port.close()
    finally:
        own.close()
        remove_socket(path, inode)
    return 1 if parts.lost else 0


async def _serve(
    parts: Parts,
    own: socket.socket,
    port: socket.socket | None,
    served: ServedCertificate | None,
    path: Path,
    *,
    with_parent: bool,
    doors: frozenset[int],
) -> None:
    app = build(parts)
    common: dict[str, Any] = {
        "http": partial(PeerProtocol, doors=doors),
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        # Who is at the other end is what the socket says, not a header.
        "proxy_headers": False,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }
    servers = [_Server(uvicorn.Config(app, lifespan="on", **common))]
    sockets = [own]
    if port is not None and served is not None:
        config = uvicorn.Config(app, lifespan="off", **common)
        config.load()
        config.ssl = served.context
        servers.append(_TlsServer(config))
        sockets.append(port)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        _notify("STOPPING=1")
        parts.hub.close()
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    parts.on_loss = partial(_soon, loop, stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    beside = [asyncio.create_task(_watch_parent(stop))] if with_parent else []
    if served is not None:
        beside.append(asyncio.create_task(keep_renewed(served, logger, RENEW_SECONDS)))
    running = [asyncio.create_task(one.serve(sockets=[at])) for one, at in zip(servers, sockets, strict=True)]
    while not all(one.started for one in servers):
        await asyncio.sleep(0.005)
        if any(one.done() for one in running):
            break
    else:
        print(f"ready {path}", flush=True)
        _notify("READY=1")
    await asyncio.gather(*running)
    for one_beside in beside:
        one_beside.cancel()


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)


async def _watch_parent(stop: Callable[[], None]) -> None:
    """Stop when the pipe that is our standard input ends, or when whoever started us is gone."""
    parent, loop, ended = os.getppid(), asyncio.get_running_loop(), asyncio.Event()
    if _is_pipe(0):
        loop.add_reader(0, lambda: None if os.read(0, 4096) else ended.set())
    while not ended.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 1.0)
    loop.remove_reader(0)
    stop()


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _notify(state: str) -> None:
    """Tell systemd (sd_notify(3)), if it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
        telling.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        telling.send(state.encode())
