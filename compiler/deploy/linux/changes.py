"""From what stands to what is wanted: steps in a safe order, each a line of the plan and a call to the kernel.

Settings and addresses come first, then routes, each put in its place at once;
then the table of nft in one transaction, and rules last, for they are what
leads packets into tables. What goes, goes the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from compiler.deploy.deployment import Action, Change, DeployError
from compiler.deploy.linux import settings
from compiler.deploy.linux.kernel import Held, Kernel, Refusal
from compiler.deploy.linux.state import MAIN, TABLE, State

__all__ = ["Step", "carry_out", "route_steps", "steps"]


class Step(NamedTuple):
    """One change, and how it is done."""

    change: Change
    do: Callable[[Kernel], None]


def steps(held: Held, target: State) -> tuple[Step, ...]:
    """All changes. DeployError where somebody else's route stands in the place of one of ours."""
    return (
        *_settings(held, target),
        *_addresses_that_come(held, target),
        *_rules_that_go(held, target),
        *_routes(held, target),
        *_table(held, target),
        *_rules_that_come(held, target),
        *_routes_that_go(held, target),
        *_addresses_that_go(held, target),
    )


def route_steps(held: Held, target: State) -> tuple[Step, ...]:
    """Changes of routes alone: what comes before what goes. DeployError as for :func:`steps`."""
    return (*_routes(held, target), *_routes_that_go(held, target))


def carry_out(kernel: Kernel, found: tuple[Step, ...], after: Callable[[int], None] = lambda number: None) -> None:
    """Do them all. DeployError with the kernel's words at the first that it refuses; ``after`` sees each done."""
    for number, step in enumerate(found, 1):
        try:
            step.do(kernel)
        except (Refusal, OSError) as error:
            raise DeployError(f"{step.change}: the kernel says: {error}") from error
        after(number)


def _settings(held: Held, target: State) -> Iterator[Step]:
    stand = dict(held.ours.settings)
    for name, value in target.settings:
        before = stand.get(name)
        if before is None:
            continue  # this kernel does not have it
        if before != value:
            change = Change(Action.CHANGE, "sysctl", f"net.ipv4.{name.replace('/', '.')}={value}", before)
            yield Step(change, _setting(name, value))


def _setting(name: str, value: str) -> Callable[[Kernel], None]:
    return lambda kernel: settings.write(name, value)


def _addresses_that_come(held: Held, target: State) -> Iterator[Step]:
    stand = {*held.ours.addresses, *held.foreign_addresses}
    for one in target.addresses:
        if one not in stand:
            yield Step(Change(Action.ADD, "address", str(one)), partial(Kernel.add_address, one=one))


def _addresses_that_go(held: Held, target: State) -> Iterator[Step]:
    for one in held.ours.addresses:
        if one not in target.addresses:
            yield Step(Change(Action.REMOVE, "address", str(one)), partial(Kernel.remove_address, one=one))


def _routes(held: Held, target: State) -> Iterator[Step]:
    stand = {route.key: route for route in held.ours.routes}
    foreign = {route.key: route for route in held.foreign_routes}
    for route in target.routes:
        where = _where(route.table)
        other, mine = foreign.get(route.key), stand.get(route.key)
        if route in (mine, other):
            continue
        if mine is None and other is not None:
            raise DeployError(
                f"{where} has the route {other} of somebody else, where {route} should be; remove it first"
            )
        action = Action.ADD if mine is None else Action.CHANGE
        change = Change(action, where, str(route), "" if mine is None else str(mine))
        yield Step(change, partial(Kernel.set_route, route=route))


def _routes_that_go(held: Held, target: State) -> Iterator[Step]:
    kept = {route.key for route in target.routes}
    for route in held.ours.routes:
        if route.key not in kept:
            change = Change(Action.REMOVE, _where(route.table), str(route))
            yield Step(change, partial(Kernel.remove_route, route=route))


def _where(table: int) -> str:
    return "main table" if table == MAIN else f"table {table}"


def _table(held: Held, target: State) -> Iterator[Step]:
    before, after = held.ours.table, target.table
    if before == after:
        return
    action = Action.REMOVE if not after else Action.CHANGE if before else Action.ADD
    load = partial(Kernel.load, table=after)
    yield Step(Change(action, "nft", _said(before, after), f"{_rules(before)} rules" if before and after else ""), load)


def _said(before: str, after: str) -> str:
    if not before or not after:
        return f"table ip {TABLE}, {_rules(before or after)} rules"
    old, new = before.split("\n"), after.split("\n")
    gone, come = [line for line in old if line not in new], [line for line in new if line not in old]
    return f"table ip {TABLE}, {_rules(after)} rules: {len(come)} lines come, {len(gone)} go"


def _rules(table: str) -> int:
    """Lines two deep are rules, and what sets and helpers say of themselves: the former end in a comment."""
    return sum(" comment " in line for line in table.split("\n"))


def _rules_that_come(held: Held, target: State) -> Iterator[Step]:
    stand = {*held.ours.rules, *held.foreign_rules}
    for rule in target.rules:
        if rule not in stand:
            yield Step(Change(Action.ADD, "rule", str(rule)), partial(Kernel.add_rule, rule=rule))


def _rules_that_go(held: Held, target: State) -> Iterator[Step]:
    for rule in held.ours.rules:
        if rule not in target.rules:
            yield Step(Change(Action.REMOVE, "rule", str(rule)), partial(Kernel.remove_rule, rule=rule))
