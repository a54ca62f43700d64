"""Following the daemon's events: screens look again, people are told, and a lost connection comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from appliance.console.door import Failure, Unreachable
from appliance.console.shell import ServiceScreen, opened_screens
from appliance.contract.refusals import Refused
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.app import ConsoleApp

__all__ = ["listen"]

RETRY = 1.0
"""Seconds before the next attempt."""


async def listen(console: ConsoleApp) -> None:
    """Until the session ends. After a gap all screens look again, because events were missed."""
    state, missed = console.state, False
    while True:
        asked = False
        try:
            # Who is cancelled while a screen looks ends the stream too, and leaves it to nobody.
            async with aclosing(console.door.transport.events()) as events:
                async for event in events:
                    missed = missed or (asked and not event)
                    if not asked:
                        asked = True
                        await _learn_waiting(console)
                    if not state.connected:
                        state.connected = True
                        console.tell(_("Connected again."))
                    if missed:
                        missed = False
                        _pass_on(console, {"service": "", "kind": "missed", "subject": ""})
                    if event:
                        _take(console, event)
        except Unreachable:
            if state.connected:
                state.connected = False
                console.tell(_("The connection to the daemon is lost. Trying again."), "warning")
        except Failure as error:
            # 401: the next request asks for the password, and starts this anew.
            if error.status == 401:
                return
        missed = True
        await asyncio.sleep(RETRY)


async def _learn_waiting(console: ConsoleApp) -> None:
    """Whether a commit waits for its confirmation: it may have begun before this session, or while nobody listened."""
    if console.state.access.may("machine", "status"):
        with suppress(Refused):
            answer = await console.door.call("machine", "status")
            console.state.learn_waiting(float(answer.get("remaining") or 0))


def _take(console: ConsoleApp, event: Mapping[str, Any]) -> None:
    notice = console.state.learn_event(event)
    if notice is not None:
        severity = "warning" if notice.urgent else "information"
        console.tell(notice.template, severity, stays=notice.urgent, **notice.values)
    _pass_on(console, event)


def _pass_on(console: ConsoleApp, event: Mapping[str, Any]) -> None:
    for screen in opened_screens(console):
        if isinstance(screen, ServiceScreen):
            # A fault of one screen must not end the following of events.
            screen.told({**event, "service": screen.service} if event.get("kind") == "missed" else event)
