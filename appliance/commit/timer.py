"""What takes an unconfirmed generation back while we live; after our death ``recover`` does, from the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable

from appliance.commit.clock import Clock

__all__ = ["Timer"]


class Timer:
    """One alarm, set anew or cleared. Its thread does not keep the process alive."""

    def __init__(self, ring: Callable[[], None], clock: Clock) -> None:
        self._ring = ring
        self._clock = clock
        self._lock = threading.Lock()
        self._called_off = threading.Event()
        self._closed = False

    def set(self, seconds: float) -> None:
        """Ring in so many seconds of the clock, and not when it was set to before. Not once it is closed."""
        with self._lock:
            self._called_off.set()
            if not self._closed:
                self._called_off = threading.Event()
                threading.Thread(
                    target=self._wait, args=(seconds, self._called_off), name="gerbang-timer", daemon=True
                ).start()

    def clear(self) -> None:
        """Do not ring."""
        with self._lock:
            self._called_off.set()

    def close(self) -> None:
        """Never ring again: also what rings just now sets it no more."""
        with self._lock:
            self._closed = True
            self._called_off.set()

    def _wait(self, seconds: float, called_off: threading.Event) -> None:
        if self._clock.passes(seconds, called_off):
            self._ring()
