"""Who has logged in by which browser: a random cookie names the session, the token of the daemon stays here."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

__all__ = ["Browser", "Browsers"]


@dataclass(slots=True, eq=False)
class Browser:
    """One browser that has logged in. ``token`` is the daemon's, never sent to the browser."""

    token: str
    person: str
    form_key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """Stands in each form, so that no other site can send it (with SameSite=Strict, and the Origin)."""
    seen: float = field(default_factory=time.monotonic)
    consoles: int = 0
    deliveries: set[str] = field(default_factory=set)
    """Downloads that its consoles have offered."""


class Browsers:
    """All of them; the longest unseen makes room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_digest: OrderedDict[bytes, Browser] = OrderedDict()

    def add(self, browser: Browser) -> str:
        """Remember it; the cookie's value."""
        value = secrets.token_urlsafe(32)
        self._by_digest[_digest(value)] = browser
        while len(self._by_digest) > self._most:
            self._by_digest.popitem(last=False)
        return value

    def find(self, value: str | None) -> Browser | None:
        """The browser of a cookie."""
        browser = self._by_digest.get(_digest(value)) if value else None
        if browser is not None and value:
            browser.seen = time.monotonic()
            self._by_digest.move_to_end(_digest(value))
        return browser

    def drop(self, value: str | None) -> Browser | None:
        """Forget it."""
        return self._by_digest.pop(_digest(value), None) if value else None


def _digest(value: str) -> bytes:
    """Looked up by its hash, so that the time of the look-up tells nothing of the value."""
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()
