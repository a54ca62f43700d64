"""Who has logged in by which browser: a random cookie names the session, the token of the daemon stays here."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.doors.web.process import ConsoleProcess

__all__ = ["Browser", "Browsers"]


@dataclass(slots=True, eq=False)
class Browser:
    """One browser that has come in. ``token`` is the daemon's, never sent to the browser; a visitor has none."""

    token: str
    person: str
    whose: str
    """Among those of one, the oldest make room: a person's browsers, or the visitors of one place."""
    form_key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """Stands in each form, so that no other site can send it (with SameSite=Strict, and the Origin)."""
    consoles: set[ConsoleProcess] = field(default_factory=set)
    """Those that run."""

    @property
    def visitor(self) -> bool:
        """Without a login."""
        return not self.token


class Browsers:
    """All of them; of who has the most the longest unseen makes room: nobody pushes out others by coming often.
    Visitors never push out who has logged in."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._people: OrderedDict[bytes, Browser] = OrderedDict()
        self._visitors: OrderedDict[bytes, Browser] = OrderedDict()

    def __len__(self) -> int:
        return len(self._people) + len(self._visitors)

    def add(self, browser: Browser) -> tuple[str, Browser | None]:
        """Remember it; the cookie's value, and the one that has made room."""
        value = secrets.token_urlsafe(32)
        among = self._visitors if browser.visitor else self._people
        among[_digest(value)] = browser
        return value, among.pop(_crowded(among)) if len(among) > self._most else None

    def find(self, value: str | None) -> Browser | None:
        """The browser of a cookie."""
        if not value:
            return None
        digest = _digest(value)
        for among in (self._people, self._visitors):
            if (browser := among.get(digest)) is not None:
                among.move_to_end(digest)
                return browser
        return None

    def drop(self, value: str | None) -> Browser | None:
        """Forget it."""
        if not value:
            return None
        digest = _digest(value)
        return self._people.pop(digest, None) or self._visitors.pop(digest, None)


def _crowded(among: OrderedDict[bytes, Browser]) -> bytes:
    """The longest unseen of whose there are the most."""
    counts = Counter(one.whose for one in among.values())
    most = max(counts.values())
    return next(digest for digest, one in among.items() if counts[one.whose] == most)


def _digest(value: str) -> bytes:
    """Looked up by its hash, so that the time of the look-up tells nothing of the value."""
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()
