"""Where the console finds the daemon, and where it keeps what its user chose. Imports the standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SOCKET", "Places", "config_folder"]

SOCKET = Path("/run/gerbang/api.sock")
"""Where the systemd unit's daemon listens."""


def config_folder() -> Path:
    """The user's own folder for Gerbang (XDG Base Directory Specification, ``XDG_CONFIG_HOME``)."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification: "All paths must be absolute; a relative one is ignored".
    root = Path(base) if base.startswith("/") else Path.home() / ".config"
    return root / "gerbang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """One of ``socket`` and ``url`` says where the daemon is."""

    socket: Path | None
    url: str = ""
    config: Path

    @classmethod
    def of(cls, *, socket: Path | None = None, url: str | None = None) -> Places:
        """What the options say, else ``GERBANG_SOCKET``, else where the unit puts it."""
        if url:
            return cls(socket=None, url=url, config=config_folder())
        chosen = socket or Path(os.environ.get("GERBANG_SOCKET") or SOCKET)
        return cls(socket=chosen, config=config_folder())

    @property
    def address(self) -> str:
        """For the user's eyes."""
        return self.url or str(self.socket)
