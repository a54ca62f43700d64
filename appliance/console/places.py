"""Where the console finds the daemon, and where it keeps what its user chose. Cheap to import."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.client.addresses import Address, config_folder

__all__ = ["Places"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The daemon's address, and the user's folder."""

    address: Address
    config: Path
    authorities: Path | None = None
    """Whose certificates to believe, PEM; None: those of the system."""

    @classmethod
    def of(cls, *, socket: Path | None = None, url: str | None = None, authorities: Path | None = None) -> Places:
        """What the options say, else the environment (``GERBANG_CA`` for the authorities). Raises UsageError."""
        chosen = authorities or os.environ.get("GERBANG_CA") or None
        address = Address.of(socket, url)
        return cls(address=address, config=config_folder(), authorities=Path(chosen) if chosen else None)
