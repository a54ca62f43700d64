"""What is to be rehearsed: how much traffic, and which failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

__all__ = ["Failing", "Progress", "RehearsalOptions", "WayToFail"]

Progress = Callable[[int, int], None]
"""Called now and then with the steps that are done, and all steps."""


class WayToFail(Enum):
    """How an uplink dies."""

    LINK = "link"
    """The cable to the modem: the router loses the carrier."""
    GATEWAY = "gateway"
    """The modem hangs: the carrier stays, nothing answers."""
    ISP = "isp"
    """The ISP behind the modem: the modem answers pings, nothing beyond it does."""


class Failing(NamedTuple):
    """An uplink and a way in which it fails. ``uplink`` is the intent's name, or the script's interface."""

    uplink: str
    way: WayToFail


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """``connections`` are short ones from inside; of ``repeated`` (0 to 1) the first answer is lost, so they ask twice.

    ``failures``: None for every way of every uplink. Raises ValueError for numbers that make no sense.
    """

    connections: int = 2000
    clients: int = 40
    repeated: float = 0.1
    failures: tuple[Failing, ...] | None = None
    seed: str = "1"
    downloads: bool = True
    """Whether long downloads are played too: they take the most time."""

    def __post_init__(self) -> None:
        if self.connections < 1 or self.clients < 1:
            raise ValueError("at least one connection and one client")
        if not 0 <= self.repeated <= 1:
            raise ValueError("the part of repeated connections is between 0 and 1")
