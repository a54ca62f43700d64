"""What the door asks of the daemon itself: log in, log out, keep a file. All else is the console's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Daemon", "LoginRefused", "Unanswered"]


class LoginRefused(Exception):
    """The daemon says no: name or password is wrong, it is too early to try again. ``template`` is English."""

    def __init__(self, template: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(template)
        self.template = template
        self.values: Mapping[str, Any] = values or {}


class Unanswered(Exception):
    """The daemon cannot be reached."""


class Daemon(Protocol):
    """The daemon as the door sees it. ``peer`` is the browser's address, for the daemon's throttle."""

    async def log_in(self, name: str, password: str, peer: str) -> tuple[str, str]:
        """A token, and the person's name. Raises LoginRefused and Unanswered."""

    async def log_out(self, token: str) -> None:
        """End the session. Raises LoginRefused and Unanswered."""

    async def knows(self, token: str) -> bool:
        """Whether the session still is. Raises Unanswered."""

    async def public_services(self) -> Sequence[str]:
        """The titles of the services that have something for visitors. Raises Unanswered."""

    async def keep_file(self, token: str, name: str, kind: str, content: AsyncIterator[bytes]) -> Mapping[str, str]:
        """Keep an uploaded file; the answer has its number as ``file``. Raises LoginRefused and Unanswered."""

    async def close(self) -> None:
        """Give the connections back."""
