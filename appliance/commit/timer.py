"""What takes an unconfirmed generation back while we live; after our death ``recover`` does, from the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Timer"]


class Timer:
    """One alarm, set anew or cleared. Its thread does not keep the process alive."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._alarm: threading.Timer | None = None

    def set(self, seconds: float) -> None:
        """Ring in so many seconds, and not when it was set to before."""
        with self._lock:
            self._cancel()
            self._alarm = threading.Timer(seconds, self._ring)
            self._alarm.daemon = True
            self._alarm.start()

    def clear(self) -> None:
        """Do not ring."""
        with self._lock:
            self._cancel()

    def _cancel(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
