"""From what stands to what shall stand: steps in a safe order.

A filter that comes is there before the addresses and routes that it guards;
one that goes, goes after them. What of others went with a change of ours (the
kernel takes secondary addresses with the first one, and routes with the last
address) is put back; nothing of others is ever taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from netaddr import IPNetwork

from appliance.services.network.kernel import NetworkKernel, read_setting, write_setting
from appliance.services.network.state import TABLES, Address, Held, Route, Target, is_ours
from compiler.deploy.deployment import Action, Change, DeployError
from compiler.deploy.linux.changes import steps as balance_steps
from compiler.deploy.linux.kernel import Refusal
from compiler.deploy.linux.state import TABLE as BALANCE_TABLE

__all__ = ["Step", "bring", "put_back", "steps"]


Group = tuple[str, str]
"""An interface and one of its networks."""
_ANY_ORDER = "IPv6"
_ROUNDS = 5
"""Each round mends what the one before it made the kernel drop."""


class Step(NamedTuple):
    """One change, and how it is done. ``mends``: it puts back what is others', and may fail."""

    change: Change
    do: Callable[[NetworkKernel], None]
    mends: bool = False


def steps(kernel: NetworkKernel, target: Target) -> tuple[Step, ...]:
    """All changes. DeployError where somebody else's route stands in the place of one of ours."""
    held = kernel.held()
    filters = tuple(_tables(kernel, held, target))
    brings = any(target.tables) or bool(target.balance.table)
    come, go = _address_steps(held, target)
    return (
        *_settings(target),
        *(filters if brings else ()),
        *_links(held, target, up=True),
        *come,
        *_routes_that_come(held, target),
        *_balance(kernel, target),
        *_routes_that_go(held, target),
        *go,
        *_links(held, target, up=False),
        *(() if brings else filters),
    )


def bring(kernel: NetworkKernel, target: Target, after: Callable[[int], None] = lambda number: None) -> int:
    """Make it so, and see that it is; how many changes that took.

    DeployError at the first thing that the kernel refuses, or when it does not
    keep what it was given. ``after`` sees the number of each change that is done.
    """
    number = 0
    beyond: set[Change] = set()
    for _ in range(_ROUNDS):
        found = [step for step in steps(kernel, target) if step.change not in beyond]
        if not found:
            return number
        for step in found:
            try:
                step.do(kernel)
            except (Refusal, OSError) as error:
                if step.mends:  # what it stood on is gone, as was wished
                    beyond.add(step.change)
                    continue
                raise DeployError(f"{step.change}: the kernel says: {error}") from error
            number += 1
            after(number)
    raise DeployError(f"read back, the kernel differs: {steps(kernel, target)[0].change}")


def put_back(kernel: NetworkKernel, target: Target) -> None:
    """Make it so, as far as the kernel lets us: what it refuses stops nothing else. DeployError for what is left."""
    refused: list[str] = []
    for _ in range(_ROUNDS):
        found = steps(kernel, target)
        if not found:
            return
        refused.clear()
        for step in found:
            try:
                step.do(kernel)
            except (Refusal, OSError) as error:
                refused.append(f"{step.change}: {error}")
    left = [step for step in steps(kernel, target) if not step.mends]
    if left:
        raise DeployError(f"putting back what was there before: {(refused or [str(left[0].change)])[0]}")


def _settings(target: Target) -> Iterator[Step]:
    for name, value in target.settings:
        before = read_setting(name)
        if before is not None and before != value:
            change = Change(Action.CHANGE, "sysctl", f"net.{name.replace('/', '.')}={value}", before)
            yield Step(change, partial(_set, name, value))


def _set(name: str, value: str, kernel: NetworkKernel) -> None:
    write_setting(name, value)


def _links(held: Held, target: Target, *, up: bool) -> Iterator[Step]:
    stand = {one.name: one for one in held.links}
    for link in target.links:
        now = stand.get(link.name)
        if link.up == up and (now is None or now.up != up or link.mtu not in (0, now.mtu)):
            words = f"{'up' if up else 'down'}{f' mtu {link.mtu}' if link.mtu else ''}"
            before = "absent" if now is None else f"{'up' if now.up else 'down'} mtu {now.mtu}"
            yield Step(
                Change(Action.CHANGE, f"interface {link.name}", words, before),
                partial(NetworkKernel.set_link, link=link),
            )


# -- addresses ----------------------------------------------------------------------------------------


def _address_steps(held: Held, target: Target) -> tuple[list[Step], list[Step]]:
    """What is done before routes come, and after routes went.

    The order of IPv4 addresses in one network tells which is the first; a later
    one that shall be first makes the others go and come again.
    """
    come: list[Step] = []
    go: list[Step] = []
    others = {(one.interface, one.text) for one in held.addresses if not is_ours(one)}
    wanted = [one for one in target.addresses if is_ours(one) and (one.interface, one.text) not in others]
    stand = [one for one in held.addresses if is_ours(one)]
    late = _out_of_order(stand, wanted, {_group(one) for one in held.addresses if not is_ours(one)})
    for group in dict.fromkeys(_group(one) for one in (*wanted, *stand)):
        have = [one for one in stand if _group(one) == group]
        want = [one for one in wanted if _group(one) == group]
        ordered = have and have[0].version == 4
        same = _common(have, want) if ordered and not (target.exact and group in late) else 0
        gone = have[same:] if ordered else [one for one in have if one not in want]
        new = want[same:] if ordered or not have else [one for one in want if one not in have]
        (come if ordered and new else go).extend(_removal(one) for one in reversed(gone))
        come.extend(_addition(one) for one in new)
    lost = [one for one in target.addresses if not is_ours(one) and (one.interface, one.text) not in others]
    come.extend(_addition(one)._replace(mends=True) for one in lost)
    return come, go


def _out_of_order(stand: list[Address], wanted: list[Address], shared: set[Group]) -> set[Group]:
    """IPv4 networks that must go and come again for all to stand in the order that is wanted.

    The kernel puts the first address of a network behind the first ones of the
    others. Where somebody else has an address too, nothing is moved.
    """
    late: set[Group] = set()
    here, there = (
        [one for one in dict.fromkeys(map(_group, part)) if one[1] != _ANY_ORDER and one not in shared]
        for part in (stand, wanted)
    )
    for interface in {one for one, _ in there}:
        have, want = ([one for one in part if one[0] == interface] for part in (here, there))
        last = -1
        for number, group in enumerate(want):
            if group not in have or have.index(group) < last:
                late.update(want[number:])
                break
            last = have.index(group)
    return late


def _group(one: Address) -> Group:
    return one.interface, str(IPNetwork(one.text).cidr) if one.version == 4 else _ANY_ORDER


def _common(have: list[Address], want: list[Address]) -> int:
    return next(
        (number for number, (left, right) in enumerate(zip(have, want, strict=False)) if left.text != right.text),
        min(len(have), len(want)),
    )


def _addition(one: Address) -> Step:
    return Step(Change(Action.ADD, "address", str(one)), partial(NetworkKernel.add_address, one=one))


def _removal(one: Address) -> Step:
    return Step(Change(Action.REMOVE, "address", str(one)), partial(NetworkKernel.remove_address, one=one))


# -- routes -------------------------------------------------------------------------------------------


def _routes_that_come(held: Held, target: Target) -> Iterator[Step]:
    stand: dict[tuple[str, int], list[Route]] = {}
    for route in held.routes:
        stand.setdefault(route.key, []).append(route)
    for route in target.routes:
        there = stand.get(route.key, [])
        if any(one.leads_as(route) for one in there):
            continue
        mine = [one for one in there if is_ours(one)]
        if not is_ours(route):
            if not there:
                yield _set_route(route, None)._replace(mends=True)
        elif mine:
            yield _set_route(route, mine[0])
        elif there:
            raise DeployError(
                f"the main table has the route {there[0]} of somebody else, where {route} should be; remove it first"
            )
        else:
            yield _set_route(route, None)


def _set_route(route: Route, before: Route | None) -> Step:
    change = Change(
        Action.ADD if before is None else Action.CHANGE, "main table", str(route), "" if before is None else str(before)
    )
    return Step(change, partial(NetworkKernel.set_route, route=route, replace=before is not None))


def _routes_that_go(held: Held, target: Target) -> Iterator[Step]:
    kept = {route.key for route in target.routes if is_ours(route)}
    for route in held.routes:
        if is_ours(route) and route.key not in kept:
            change = Change(Action.REMOVE, "main table", str(route))
            yield Step(change, partial(NetworkKernel.remove_route, route=route))


# -- nft and the balance ------------------------------------------------------------------------------


def _tables(kernel: NetworkKernel, held: Held, target: Target) -> Iterator[Step]:
    """Filter and balance in one transaction; a table that is as it should be keeps its counts."""
    text, said = "", []
    for (family, name), now, wanted, counted in zip(TABLES, held.tables, target.tables, target.counted, strict=True):
        if now != wanted:
            text += f"table {family} {name}\ndelete table {family} {name}\n{counted or wanted}"
            said.append(f"table {family} {name}, {wanted.count(chr(10))} lines")
    now = kernel.balance.nft.table("ip", BALANCE_TABLE)
    if now != target.balance.table:
        text += f"table ip {BALANCE_TABLE}\ndelete table ip {BALANCE_TABLE}\n{target.balance.table}"
        said.append(f"table ip {BALANCE_TABLE}, {target.balance.table.count(chr(10))} lines")
    if text:
        yield Step(Change(Action.CHANGE, "nft", "; ".join(said)), partial(NetworkKernel.load, text=text))


def _balance(kernel: NetworkKernel, target: Target) -> Iterator[Step]:
    """Its addresses, routes and rules; the balance's own settings and table are among ours."""
    held = kernel.balance.held(())
    for step in balance_steps(held, target.balance._replace(settings=())):
        if step.change.where != "nft":
            yield Step(step.change, partial(_in_balance, step.do))


def _in_balance(do: Callable[..., None], kernel: NetworkKernel) -> None:
    do(kernel.balance)
