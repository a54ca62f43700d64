"""What a door gives to the console that it starts: a session, or the place of a visitor. Standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

__all__ = ["NOTHING", "Given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How this console begins, and ends."""

    token: str = field(default="", repr=False)
    """A session that the daemon knows already."""
    visitor: bool = False
    """Nobody logs in: only what is public is shown."""
    web: bool = False
    """It stands in a page of the web door: logging out ends it."""
    login: str = ""
    """Where the web door's login is: ``https://gate.example/login``."""

    @property
    def asks(self) -> bool:
        """Whether somebody has to log in."""
        return not (self.token or self.visitor)

    @classmethod
    def taken(cls, *, visitor: bool = False) -> Given:
        """From the environment, where nothing of it is left: what the console starts has no use for a token."""
        token, web = os.environ.pop("GERBANG_TOKEN", ""), os.environ.pop("GERBANG_WEB", "")
        login = os.environ.pop("GERBANG_LOGIN", "")
        return cls(token="" if visitor else token, visitor=visitor, web=bool(web), login=login)


NOTHING = Given()
"""A terminal of one's own."""
