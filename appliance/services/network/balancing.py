"""The balance of the settings: compiled, proved, and held against the rest of the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from appliance.contract.components import Severity
from appliance.services.network.filtering import error_problems
from appliance.services.network.kinds import network
from appliance.services.network.model import NetworkDescription
from appliance.services.network.rules import Problem
from compiler.balancing.compilation import BalanceCompilation, compile_balance
from compiler.errors import GerbangError
from compiler.policy.balance import Addressing

__all__ = ["PLACE", "BalanceOutcome", "compile_intent"]

PLACE = "network.settings/balance"


class BalanceOutcome(NamedTuple):
    """The proved files, or None; and what is wrong."""

    done: BalanceCompilation | None
    problems: tuple[Problem, ...]


def compile_intent(whole: NetworkDescription) -> BalanceOutcome:
    """Nothing is raised; an empty intent is nothing."""
    if not whole.settings.balance:
        return BalanceOutcome(None, ())
    try:
        done = compile_balance(whole.settings.balance, PLACE, "linux")
    except GerbangError as error:
        return BalanceOutcome(None, tuple(error_problems(PLACE, error)))
    return BalanceOutcome(done, tuple(_around(whole, done)))


def _around(whole: NetworkDescription, done: BalanceCompilation) -> Iterator[Problem]:
    balance = done.plan.balance
    interfaces = {one.name: one for one in whole.interfaces}
    for name in [one.interface for one in balance.networks] + [one.interface for one in balance.uplinks]:
        own = interfaces.get(name)
        if own is None:
            text = "the balance uses {interface}, which is not described here: nobody sets it up"
            yield Problem(PLACE, Severity.WARNING, text, {"interface": name})
        elif not own.enabled:
            text = "the balance uses {interface}, which is not enabled"
            yield Problem(PLACE, Severity.ERROR, text, {"interface": name})
    for route in whole.routes:
        target = network(route.destination)
        if target.version == 4 and target.prefixlen == 0:
            text = "the balance makes the default routes of IPv4: this one would come before them, or in their place"
            yield Problem(f"network.routes/{route.name}", Severity.ERROR, text, {})
    if any(one.addressing is Addressing.PPPOE for one in balance.uplinks):
        text = "uplinks by PPPoE are dialled by another program, which is not part of the appliance"
        yield Problem(PLACE, Severity.WARNING, text, {})
