"""The device's tables against the wanted ones: which steps lead from one to the other.

Rows with a key (addresses, lists, tables, clients) are matched by it; rules and
routes, which may be equal, by what they say. Rows that stay keep their ids, and
with them counters and whatever points to them. Nothing foreign is touched but

- what stands in the way, where the user allows it, and what of that comes back
  (:mod:`compiler.deploy.routeros.before`).

A row of somebody else that is as wanted is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.before import is_satisfied, key_of
from compiler.deploy.routeros.foreign import users_of
from compiler.deploy.routeros.menus import Menu, Row, Values, menus_of, settled
from compiler.deploy.routeros.ordering import order_steps
from compiler.deploy.routeros.steps import Step, Verb, changes_of
from compiler.deploy.routeros.wanted import Wanted

__all__ = ["Tables", "difference", "remaining_difference"]

Tables = Mapping[Menu, tuple[Row, ...]]
"""The rows of each menu of a device."""


def difference(tables: Tables, wanted: Wanted, version: int) -> tuple[Step, ...]:
    """The steps in the order of doing. Raises DeployError where a foreign row uses what would go."""
    added: list[Step] = []
    removed: list[Step] = []
    for menu in menus_of(version):
        steps = list(_steps(menu, tables[menu], wanted))
        added += [step for step in steps if step.verb is not Verb.REMOVE]
        removed[:0] = [step for step in steps if step.verb is Verb.REMOVE]
    _want_unused(tables, removed)
    # Marks of the old way go before the tables that they look in.
    return (*added, *removed)


def remaining_difference(tables: Tables, wanted: Wanted, version: int) -> tuple[str, ...]:
    """What is not as wanted after all, one line each."""
    try:
        return tuple(str(step.change()) for step in difference(tables, wanted, version))
    except DeployError as error:
        return (str(error),)


def _steps(menu: Menu, rows: Sequence[Row], wanted: Wanted) -> Iterator[Step]:
    if menu.is_settings:
        yield from _settings(menu, rows, wanted.settings.get(menu, {}))
    elif menu.key:
        yield from _keyed(menu, rows, wanted)
    elif menu.is_ordered:
        yield from order_steps(menu, [row for row in rows if not row.is_dynamic], wanted.rows[menu])
    else:
        yield from _routes(menu, [row for row in rows if row.is_ours], wanted.rows[menu])


def _settings(menu: Menu, rows: Sequence[Row], wanted: Values) -> Iterator[Step]:
    held = rows[0].values if rows else {}
    given = {name: value for name, value in wanted.items() if held.get(name, "") != value}
    if given:
        yield Step(Verb.SET, menu, values=given, before={name: held.get(name, "") for name in given})


# -- rows with a key ----------------------------------------------------------------------------------


def _keyed(menu: Menu, rows: Sequence[Row], wanted: Wanted) -> Iterator[Step]:
    held = {key_of(menu, row.values): row for row in rows if not row.is_dynamic}
    chosen = set()
    for number, values in enumerate(wanted.rows[menu]):
        row = held.get(key_of(menu, values))
        if row is None:
            yield Step(Verb.ADD, menu, values=values, number=number)
            continue
        chosen.add(row.id)
        if is_satisfied(menu, row, values):
            continue
        given = changes_of(menu, row.values, values)
        if given:
            yield Step(Verb.SET, menu, row.id, given, row.values, number)
    for values in wanted.restored.get(menu, ()):
        row = held.get(key_of(menu, values))
        if row is None:
            yield Step(Verb.ADD, menu, values=values)
        elif row.is_ours and row.id not in chosen:
            chosen.add(row.id)
            gone = {name: menu.defaults.get(name, "") for name in row.values if name not in values}
            back = {name: text for name, text in values.items() if row.values.get(name, "") != text}
            yield Step(Verb.SET, menu, row.id, {**back, **gone}, row.values)
    for row in rows:
        if row.is_dynamic or row.id in chosen:
            continue
        if row.is_ours or (menu, key_of(menu, row.values)) in wanted.replaced:
            yield Step(Verb.REMOVE, menu, row.id, before=row.values)


# -- routes -------------------------------------------------------------------------------------------


def _routes(menu: Menu, held: list[Row], wanted: Sequence[Values]) -> Iterator[Step]:
    """Equal ones stay; then those that differ in the comment alone; the others go and come."""
    ours = tuple(held)
    missing = list(enumerate(wanted))
    for same in (_alike, _alike_but_comment):
        for number, values in tuple(missing):
            row = next((row for row in held if same(row.values, values)), None)
            if row is not None:
                held.remove(row)
                missing.remove((number, values))
                given = changes_of(menu, row.values, values)
                if given:
                    yield Step(Verb.SET, menu, row.id, given, row.values, number)
    lent = _lent(ours, missing)
    for number, values in missing:
        yield Step(Verb.ADD, menu, values={**values, **lent.get(number, {})}, number=number)
    for row in held:
        yield Step(Verb.REMOVE, menu, row.id, before=row.values)


def _lent(held: Sequence[Row], missing: Sequence[tuple[int, Values]]) -> dict[int, Values]:
    """The gateway that a lease has given to our other routes of the same uplink."""
    live = {
        row.values["comment"].partition(", gateway of ")[2].partition(" ")[0]: row.values
        for row in held
        if "gateway of " in row.values["comment"] and "disabled" not in row.values
    }
    found: dict[int, Values] = {}
    for number, values in missing:
        name = values.get("comment", "").partition(", gateway of ")[2].partition(" ")[0]
        if name in live:
            found[number] = {"gateway": live[name].get("gateway", ""), "disabled": "no"}
    return found


def _alike(held: Values, wanted: Values) -> bool:
    return settled(held) == settled(wanted)


def _alike_but_comment(held: Values, wanted: Values) -> bool:
    left, right = dict(settled(held)), dict(settled(wanted))
    left.pop("comment", None)
    right.pop("comment", None)
    return left == right


# -- what may not go ----------------------------------------------------------------------------------


def _want_unused(tables: Tables, removed: Sequence[Step]) -> None:
    """A name that goes and comes back is another thing to a router: what used it would stay broken."""
    for step in removed:
        name = step.before.get("name", "")
        users = users_of(step.menu, name, tables) if name else ()
        if users:
            raise DeployError(
                f"{step.menu.name}: {name} would go, and {users[0]}, which is not of the balance, uses it. "
                "Change that first; nothing was changed."
            )
