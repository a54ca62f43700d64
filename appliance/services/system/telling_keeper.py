"""The machine's keeping of program data, told to who waits for it, and ended when he cancels."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass

from appliance.contract.context import Progress
from appliance.contract.program_data import DataKeeper
from appliance.language import _

__all__ = ["TellingKeeper"]

_EVERY = 8 << 20
"""Bytes between two tellings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingKeeper:
    """Implements DataKeeper."""

    keeper: DataKeeper
    tell: Callable[[Progress], None]

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        """Raises Cancelled too."""
        with closing(self.keeper.take_data(name)) as chunks:
            yield from self._told(name, chunks)

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Raises Cancelled too."""
        self.keeper.check_data(name, self._told(name, chunks))

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None:
        """Raises Cancelled too."""
        self.keeper.put_data(name, self._told(name, chunks))

    def _told(self, name: str, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
        octets, told = 0, -_EVERY
        for chunk in chunks:
            octets += len(chunk)
            if octets - told >= _EVERY:
                told = octets
                self.tell(Progress(done=octets >> 20, total=0, doing=_("MiB of {name}").format(name=name)))
            yield chunk
