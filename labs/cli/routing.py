"""``gerbang lab router``: a virtual RouterOS on loopback, to try a deployment on without a device."""

from __future__ import annotations

import signal
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from tempfile import TemporaryDirectory
from threading import Event, Lock
from types import FrameType

from compiler.cli.output import note, write_whole
from compiler.errors import UsageError
from compiler.placed.source_text import read_source
from labs.boards import BEGINNING, device_of
from labs.topology import Board
from labs.virtual_routeros.certificate import self_signed
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.export import export
from labs.virtual_routeros.server import Server
from labs.virtual_routeros.traps import Trap

__all__ = ["Changes", "run"]

_HOST = "127.0.0.1"
"""Never another: it has no users to trust but those on this machine."""
_API, _API_TLS = 8728, 8729
_KEPT = (("system", "script"), ("system", "scheduler"))
"""Menus that an export holds beside what decides where packets go: a rollback that is still pending lies there."""


class Changes:
    """Tells of each change of a device's tables: what was added, which properties are others, what is gone."""

    def __init__(self, device: Device) -> None:
        self._lock = Lock()
        self._known = {(path, row.id): table.shown(row) for path, table in device.tables.items() for row in table.rows}
        device.listeners.append(self._changed)

    def _changed(self, path: tuple[str, ...], told: Mapping[str, str]) -> None:
        with self._lock:
            line = self._line(path, dict(told))
            if line:
                print(line, flush=True)

    def _line(self, path: tuple[str, ...], told: dict[str, str]) -> str:
        key = path, told.get(".id", "")
        menu = f"/{'/'.join(path)} {key[1]}".rstrip()
        before = self._known.get(key)
        if ".dead" in told:
            self._known.pop(key, None)
            return f"- {menu}"
        self._known[key] = told
        if before is None:
            return f"+ {menu} {_words(told)}"
        changed = {name: text for name, text in told.items() if before.get(name) != text}
        changed |= {f"!{name}": "" for name in before if name not in told}
        return f"~ {menu} {_words(changed)}" if changed else ""


def _words(row: Mapping[str, str]) -> str:
    return " ".join(f"{name}={text}" if text else name for name, text in row.items() if name != ".id")


def run(arguments: Namespace) -> int:
    """Serve until Ctrl-C (or a termination), then write the export. UsageError for what cannot be served."""
    board = Board(arguments.version, ((arguments.user, _password(arguments.password_file)),), _script(arguments.file))
    try:
        device = device_of(board, arguments.interfaces)
    except ValueError as error:
        raise UsageError(f"--version: {error}") from error
    except Trap as trap:
        raise UsageError(
            f"RouterOS {board.version} refuses it: {str(trap).replace(BEGINNING, arguments.file)}"
        ) from trap
    with ExitStack() as stack:
        stopping = stack.enter_context(_stopping())
        tls = None
        if arguments.tls:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="gerbang-router-")))
            try:
                tls, certificate = self_signed(folder, _HOST)
            except FileNotFoundError as error:
                raise UsageError(f"--tls: {error}") from error
            digest = sha256(PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
            note(f"certificate: {certificate} (while this runs)", f"trust it by: --tls --fingerprint {digest}")
        port = arguments.port if arguments.port is not None else _API_TLS if arguments.tls else _API
        try:
            server = Server(device, host=_HOST, port=port, tls=tls)
        except OSError as error:
            raise UsageError(f"cannot listen on {_HOST} port {port}: {error.strerror}") from error
        Changes(device)
        with server:
            host, port = server.address
            print(f"RouterOS {board.version} at {host}:{port}, user {arguments.user}", flush=True)
            note(f"interfaces {', '.join(arguments.interfaces)}; Ctrl-C ends it")
            stopping.wait()
    if arguments.export:
        with device.lock:
            write_whole(arguments.export, export(device, _KEPT).text)
        note(f"exported: {arguments.export}")
    return 0


@contextmanager
def _stopping() -> Iterator[Event]:
    """Set by Ctrl-C and by SIGTERM, so that an export is written after both."""
    event = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _script(name: str | None) -> str:
    return "" if name is None else read_source(name).text


def _password(name: str | None) -> str:
    """The first line of the file; without one the empty password that a new RouterOS has."""
    if name is None:
        return ""
    try:
        return Path(name).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--password-file: cannot read {name!r}: {error}") from error
