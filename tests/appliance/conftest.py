"""How all consoles and workbenches are driven: Pilot waits only for widgets that can still answer. And a collection."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot, WaitForScreenTimeout
from textual.widget import Widget


@pytest.fixture(autouse=True, scope="session")
def _pilot_waits_for_the_living() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pilot, "_wait_for_screen", _wait_for_screen)
        yield


async def _wait_for_screen(pilot: Pilot[Any], timeout: float = 30.0) -> bool:
    """What Pilot's own does, but a widget removed before its turn is not waited for.

    Textual 8 counts every widget it could send to. One that is removed in the
    meantime (a toast that goes, a form that is laid out anew) drops what was in
    its queue, the count stays above zero, and the test ends after 30 seconds.
    """
    app = pilot.app
    try:
        waiting = {app, *app.screen.walk_children(with_self=True)}
    except Exception:
        return False
    waiting = {one for one in waiting if one.call_later(lambda one=one: waiting.discard(one))}
    until = asyncio.get_running_loop().time() + timeout
    while waiting:
        if app._exception_event.is_set():
            return False
        waiting -= {one for one in waiting if one._closing or (isinstance(one, Widget) and not one.is_attached)}
        if asyncio.get_running_loop().time() > until:
            raise WaitForScreenTimeout(f"Timed out while waiting for {waiting}")
        await asyncio.sleep(0.001)
    return True


@pytest.fixture
def collected() -> Iterator[None]:
    """httpcore2 leaves the socket of a connection that was refused to the collector: while who passes its warning over
    is not over himself, which Python 3.13 would not see to."""
    yield
    gc.collect()
