"""``gerbang appliance helper``: the helper as a process, from its start to its end."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import pwd
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.contract.programs import RUN, STATE
from appliance.helper.actions import Actions
from appliance.helper.admission import Admission
from appliance.helper.catalogue import Catalogue, installed_catalogue
from appliance.helper.network import Network, installed_network
from appliance.helper.packages import take_away
from appliance.helper.server import Bounds, Server, listening_socket
from appliance.supervisor.choosing import supervisor_of_this_machine
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from appliance.supervisor.systemd import SystemdSupervisor
from compiler.errors import GerbangError, UsageError

__all__ = ["HelperSettings", "serve"]

NETWORK_WITHIN = 60.0
"""Seconds for the network to be applied at the start; less than TimeoutStartSec of the unit."""
journal = logging.getLogger("gerbang.helper")


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperSettings:
    """Where the helper has its things. The defaults are those of the units in ``templates/systemd``."""

    socket: Path = Path("/run/gerbang-helper/helper.sock")
    user: str = "gerbang"
    """The daemon's user: it may ask, and nobody else but root."""
    group: str = "gerbang"
    """Who reaches the socket's folder; empty leaves the group as it is."""
    generations: Path = Path("/var/lib/gerbang")
    """The daemon's folder in which ``generations/`` lies."""
    store: Path = Path("/var/lib/gerbang-helper")
    """Copies of generations, root's own."""
    run: Path = RUN
    state: Path = STATE


def serve(
    settings: HelperSettings,
    *,
    catalogue: Catalogue | None = None,
    network: Callable[[], Network] = installed_network,
    bounds: Bounds | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT, then stop the programs, the ones that require others first; the exit code.

    Where systemd runs the programs go on. Raises UsageError when the
    daemon's user or group is not there, or another helper runs;
    SupervisionFailed when the supervisor cannot start.
    """
    try:
        allowed = frozenset({0, pwd.getpwnam(settings.user).pw_uid})
    except KeyError:
        raise UsageError(f"there is no user {settings.user}; adduser --system --group {settings.user}") from None
    privileged = os.geteuid() == 0
    if not privileged:
        journal.warning("the helper does not run as root: programs run as its own user")
    known = installed_catalogue() if catalogue is None else catalogue
    places = Places(settings.run, settings.state)
    settings.store.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _alone(settings.store / ".lock"):
        take_away()
        try:
            listening = listening_socket(settings.socket, settings.group)
        except KeyError:
            raise UsageError(f"there is no group {settings.group}") from None
        except OSError as error:
            raise UsageError(f"{settings.socket}: {error.strerror or error}") from None
        with listening:
            supervisor = supervisor_of_this_machine(places, known.programs)
            try:
                actions = Actions(
                    catalogue=known,
                    supervisor=supervisor,
                    admission=Admission(settings.generations, settings.store / "generations"),
                    places=places,
                    privileged=privileged,
                    network=network,
                )
                resume = partial(_resume, supervisor, network)
                asyncio.run(_until_told(Server(actions.do, allowed, bounds, keeper=actions), listening, resume))
            finally:
                settings.socket.unlink(missing_ok=True)
                supervisor.close()
    return 0


async def _until_told(server: Server, listening: socket.socket, resume: Callable[[Callable[[], object]], None]) -> None:
    told, holds = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for what in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(what, told.set)
    # What was wanted is started again beside answering: a program that hangs must not keep the daemon waiting.
    threading.Thread(
        target=resume, args=(partial(loop.call_soon_threadsafe, holds.set),), name="gerbang-resume", daemon=True
    ).start()
    ready = asyncio.create_task(_ready(holds))
    await server.serve(listening, told)
    ready.cancel()
    _tell_systemd("STOPPING=1")


async def _ready(holds: asyncio.Event) -> None:
    """At a boot nothing of ours is up before the filter is; but a network that hangs must not keep it down for good."""
    try:
        await asyncio.wait_for(holds.wait(), NETWORK_WITHIN)
    except TimeoutError:
        journal.error("network: not applied within %g s; the rest starts without it", NETWORK_WITHIN)
    _tell_systemd("READY=1")
    journal.info("ready")


def _resume(
    supervisor: SystemdSupervisor | OwnSupervisor, network: Callable[[], Network], holds: Callable[[], object]
) -> None:
    """The network as it was confirmed last, which is then told, and the programs that were wanted."""
    try:
        network().start()
    except ImportError:
        journal.info("the network service is not installed")
    except (GerbangError, OSError) as error:
        journal.error("network: %s", error)
    finally:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            holds()
    for failure in supervisor.resume():
        journal.error("%s", failure)


def _tell_systemd(text: str) -> None:
    """sd_notify(3)."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.sendto(text.encode(), f"\0{path[1:]}" if path.startswith("@") else path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One helper at a time."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another helper runs: it has {path}") from None
        yield
    finally:
        os.close(handle)
