"""A store that is away for a while, and what a commit is owed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.commit.journal import read_journal
from appliance.store.failures import StoreAway
from tests.appliance.daemon.house import House

__all__ = ["store_away", "wait_for", "wait_until_told"]


def wait_for(met: Callable[[], bool]) -> None:
    """A minute at most."""
    until = time.monotonic() + 60
    while not met():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def store_away(house: House) -> Iterator[None]:
    """Nothing can be written to it."""

    def away() -> Any:
        raise StoreAway("the server does not answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.store, "writing", away)
        yield


def wait_until_told(state: Path, lines: Callable[[], list[Any]]) -> None:
    """The audit log has its lines, and the journal knows that it has."""
    wait_for(lambda: bool(lines()))
    wait_for(lambda: not read_journal(state / "journal.json").owed)
