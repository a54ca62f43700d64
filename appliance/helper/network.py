"""What applies addresses, routes, filter and balance: the network service's own code, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

__all__ = ["Network", "installed_network"]


class Network(Protocol):
    """``appliance.services.network.applying``."""

    def start(self) -> object:
        """After a boot: make hold what was confirmed last."""

    def apply(self, before: Path | None, after: Path | None, confirm_within: int) -> object:
        """Make ``after`` hold in place of ``before``, and undo it after so many seconds without ``confirm``."""

    def confirm(self) -> None:
        """Keep it."""

    def roll_back(self) -> None:
        """Undo it."""

    def told(self) -> str:
        """How the network stands: ``reading.NetworkStatus`` as JSON."""


def installed_network() -> Network:
    """The installed one; ImportError when the service is not there."""
    return cast("Network", import_module("appliance.services.network.applying"))
