"""The daemon's listening sockets: its own UNIX socket for its group, and a TCP port for TLS."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import stat
from logging import Logger
from pathlib import Path

from compiler.errors import UsageError

__all__ = ["ServedCertificate", "keep_renewed", "listening_port", "listening_socket", "remove_socket", "tls_context"]

BACKLOG = 512


def listening_socket(path: Path) -> socket.socket:
    """A socket of mode 0660 in a folder of mode 0750, made if it is not there.

    One that a dead daemon left is replaced; raises UsageError while a living one
    answers, or when the path is something else.
    """
    if len(os.fsencode(path)) > 107:
        raise UsageError(f"{path}: the path of a socket has at most 107 bytes (unix(7))")
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _remove_stale(path)
        made = socket.socket(socket.AF_UNIX)
        # No moment at which others could connect: the mode is there when the name is.
        before = os.umask(0o117)
        try:
            made.bind(os.fspath(path))
        finally:
            os.umask(before)
        made.listen(BACKLOG)
    except OSError as error:
        raise UsageError(f"cannot listen on {path}: {error.strerror}") from None
    return made


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(f"{path} is there and is no socket")
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(2)
        try:
            asking.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.ETIMEDOUT} and not isinstance(error, TimeoutError):
                raise
    raise UsageError(f"a daemon answers on {path} already")


def remove_socket(path: Path, inode: int) -> None:
    """Take the name away, if it still names the socket with this inode."""
    try:
        if path.lstat().st_ino == inode:
            path.unlink()
    except OSError:
        return


def listening_port(address: str, port: int) -> socket.socket:
    """A TCP socket; raises UsageError."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot listen on {address} port {port}: {error}") from None
    return made


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or later with this certificate; raises UsageError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{certificate}, {key}: no certificate with its key: {error}") from None


class ServedCertificate:
    """The certificate of a port. ``context`` is what its connections are made with; raises UsageError."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = certificate
        self._key = key
        self._seen = self._stamps()
        self.context = tls_context(certificate, key)

    def renew(self) -> bool:
        """Take the files as they are now for connections to come; whether they have changed since the last look.

        Raises UsageError for files that are no certificate with its key, once: the
        old one is served on until they change again.
        """
        if (now := self._stamps()) == self._seen:
            return False
        self._seen = now
        tls_context(self.certificate, self._key)
        _load(self.context, self.certificate, self._key)  # they may have changed again
        return True

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self.certificate, self._key))


async def keep_renewed(served: ServedCertificate, log: Logger, every: float) -> None:
    """Serve a certificate that was renewed, without a new start. ``every`` is in seconds."""
    while True:
        await asyncio.sleep(every)
        try:
            if await asyncio.to_thread(served.renew):
                log.info("%s was renewed, and is served from now on", served.certificate)
        except UsageError as error:
            log.error("the renewed certificate is not served: %s", error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
