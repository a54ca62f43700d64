"""One for everybody, one for porters."""

from __future__ import annotations

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.people import VISITOR
from tests.appliance.doors.lobby.model import Greeting, Welcome


@query(VISITOR)
def welcome(context: Context, greeting: Greeting) -> tuple[Welcome, ...]:
    """Be welcome."""
    return (Welcome(words="Selamat datang di lobi", guests=greeting.guests),)


@change("porter")
def ring(context: Context) -> None:
    """Ring the bell."""
    context.publish("changed", "bell")
