"""A Dask cluster as a crew: the same executor interface, with workers that may be anywhere.

A worker that dies loses nothing: the scheduler gives its chunks to others, and
tells us only when a chunk has taken several workers with it. The workers need
this distribution, of the same version, and the module of the check; what
items and checks hold is sent to them. Several threads in a worker bring
nothing: start them with ``--nthreads 1``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from compiler.errors import UsageError

__all__ = ["Cluster"]

_CONNECT = 10.0
"""Seconds for the scheduler to answer, and for a first worker to be there."""
_COUNTED = 2.0
"""Seconds after which the workers are counted again: they come and go."""
_DESERTED = 60.0
"""Seconds without any worker after which none is waited for: a nanny gives up on a worker that dies as it begins."""


class Cluster:
    """The workers of a scheduler at ``tcp://host:port`` (or ``tls://``, by Dask's own configuration)."""

    lives = 1
    hard = False

    def __init__(self, where: str | Executor) -> None:
        self._own = _connected(where) if isinstance(where, str) else None
        executor: Any = where
        if self._own is not None:
            executor = self._own.get_executor()
        self._executor = executor
        self._client = executor._client
        from distributed.scheduler import KilledWorker

        self.lost: tuple[type[BaseException], ...] = (KilledWorker,)
        self._slots, self._counted = 1, 0.0
        self._peopled = time.monotonic()

    def slots(self) -> int:
        """Workers, not their threads: in one process the checks wait for one another."""
        now = time.monotonic()
        if now >= self._counted + _COUNTED:
            self._slots, self._counted = max(len(self._client.nthreads()), 1), now
        return self._slots

    def submit(self, task: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        # Not pure: the same chunk handed out again is to be done again.
        future: Future[Any] = self._executor.submit(task, *arguments, pure=False)
        return future

    def renew(self) -> bool:
        """The cluster's nannies start workers anew; there is nothing to do here."""
        return True

    def is_deserted(self) -> bool:
        now = time.monotonic()
        if self._client.nthreads():
            self._peopled = now
        return now >= self._peopled + _DESERTED

    def leave(self, *, clean: bool) -> None:
        if self._own is not None:
            self._executor.shutdown(wait=clean)
            self._own.close()


def _connected(address: str) -> Any:  # noqa: ANN401 distributed's client has no types
    try:
        import distributed
    except ImportError as error:
        raise UsageError("a cluster needs the package distributed: pip install gerbang[cluster]") from error
    client_of: Any = distributed.Client
    try:
        client = client_of(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"no cluster answers at {address!r}: {error}") from error
    try:
        client.wait_for_workers(1, timeout=_CONNECT)
    except TimeoutError as error:
        client.close()
        raise UsageError(f"the cluster at {address} has no workers") from error
    return client
