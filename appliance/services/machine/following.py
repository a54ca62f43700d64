"""Work of the machine from a screen: begun, followed, and its outcome shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from appliance.console.door import Door
from appliance.console.told_screen import ToldScreen
from appliance.console.working import WorkScreen
from appliance.contract.refusals import Refused
from appliance.services.machine.shown import outcome_shown

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["carried", "over_a_new_connection", "worked"]


async def worked(pane: Pane, title: str, command: str, arguments: Any = None, door: Door | None = None) -> Any:
    """The work's result; None when it was refused, failed (which was said), or goes on. In a worker of the pane."""
    try:
        begun = await (door or pane.door).call(pane.service, command, arguments)
    except Refused as error:
        pane.shell.say_refused(error)
        return None
    return await pane.app.push_screen_wait(WorkScreen(pane, pane.reader.say(title), str(begun["work"])))


async def carried(pane: Pane, title: str, command: str, arguments: Any = None, door: Door | None = None) -> Any:
    """A commit, confirmation or rollback: its outcome, which the user has read, or None."""
    outcome = await worked(pane, title, command, arguments, door)
    if isinstance(outcome, dict):
        said = outcome_shown(outcome, pane.reader.translate)
        await pane.app.push_screen_wait(ToldScreen(pane.reader.say(title), said))
        return outcome
    return None


@asynccontextmanager
async def over_a_new_connection(pane: Pane) -> AsyncIterator[Door]:
    """A door to the same daemon, with the same session: it proves that one can come in again.

    The connections that the console has may outlive a filter that lets nobody
    in any more: they are established. Raises Unreachable at its first request.
    """
    transport = pane.shell.transport_anew()
    transport.token = pane.door.transport.token
    try:
        yield Door(transport, _not_here)
    finally:
        await transport.close()


async def _not_here() -> bool:
    """An expired session is asked for by the console's own door."""
    return False
