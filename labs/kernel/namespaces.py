"""Network namespaces that live as long as this process holds them open, and no longer."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import TracebackType
from typing import Self

from labs.kernel.netlink import Routing, open_routing

__all__ = ["Namespace"]

_CLONE_NEWNET = 0x40000000  # sched.h
_HERE = "/proc/thread-self/ns/net"


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


class Namespace:
    """A network namespace of its own, empty but for a loopback that is down.

    OSError when the process may not make one. Sockets that are made inside stay
    there; threads and processes come back out.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._routing: Routing | None = None
        home = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _checked(_libc().unshare(_CLONE_NEWNET), "a network namespace")
            try:
                self.descriptor = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
            finally:
                _checked(_libc().setns(home, _CLONE_NEWNET), "the way back")
        finally:
            os.close(home)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread in the namespace; what it opens meanwhile belongs there."""
        home = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _checked(_libc().setns(self.descriptor, _CLONE_NEWNET), f"into {self.name}")
            try:
                yield
            finally:
                _checked(_libc().setns(home, _CLONE_NEWNET), f"out of {self.name}")
        finally:
            os.close(home)

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket of the namespace that does not block."""
        with self.inside():
            made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    @property
    def routing(self) -> Routing:
        """pyroute2's IPRoute of the namespace: for one thread only."""
        if self._routing is None:
            with self.inside():
                self._routing = open_routing()
        return self._routing

    def close(self) -> None:
        """Let go; the kernel removes the namespace when no socket is left in it."""
        if self._routing is not None:
            self._routing.close()
            self._routing = None
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
