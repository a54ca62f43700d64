"""One step of a deploy: a sentence to the device, and the line of the plan that tells of it."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from compiler.deploy.deployment import Action, Change
from compiler.deploy.routeros.menus import Menu, Values, settled

__all__ = ["Step", "Verb", "changes_of", "told"]

_NOTHING: Values = MappingProxyType({})
_HIDDEN = frozenset({"password", "source"})
"""A script of ours may hold rows of others, with their passwords."""


class Verb(Enum):
    """What is said to the device."""

    ADD = "add"
    SET = "set"
    MOVE = "move"
    REMOVE = "remove"


class Step(NamedTuple):
    """One change. ``number`` counts the menu's wanted rows from 0, -1 for none of them.

    A row is added or moved before the row with id ``anchor``, or before the one
    that was added as wanted row ``anchor_number``, or to the end.
    """

    verb: Verb
    menu: Menu
    id: str = ""
    values: Values = _NOTHING
    """What is given."""
    before: Values = _NOTHING
    """What the row has now."""
    number: int = -1
    anchor: str = ""
    anchor_number: int = -1

    def change(self) -> Change:
        """The line of the plan."""
        where = self.menu.name
        match self.verb:
            case Verb.ADD:
                return Change(Action.ADD, where, told(self.menu, self.values))
            case Verb.REMOVE:
                return Change(Action.REMOVE, where, told(self.menu, self.before))
            case Verb.MOVE:
                return Change(Action.MOVE, where, told(self.menu, self.before), "at another place")
            case Verb.SET:
                kept = {name: self.before.get(name, "") for name in self.values}
                row = {} if self.menu.is_settings else {**self.before, **self.values}
                what = told(self.menu, {**self.values, "comment": row.get("comment", self.values.get("comment", ""))})
                return Change(Action.CHANGE, where, what, told(self.menu, kept))


def told(menu: Menu, values: Values) -> str:
    """A row in one line, its comment last; passwords are not shown."""
    words = [f"{name}={'…' if name in _HIDDEN else value}" for name, value in values.items() if name != "comment"]
    comment = values.get("comment", "")
    text = " ".join([*words, *([f"[{comment}]"] if comment else [])])
    return " ".join(text.encode("utf-8", "replace").decode().split()) or menu.name


def changes_of(menu: Menu, held: Values, wanted: Values) -> dict[str, str]:
    """What must be given so that a row says what is wanted; ``""`` takes a property away."""
    decided, now = settled(wanted), settled(held)
    given = {name: value for name, value in decided.items() if now.get(name, "") != value}
    if not menu.is_open:
        given |= {name: menu.defaults.get(name, "") for name in now if name not in decided and name != "network"}
    elif "disabled" in now and "disabled" not in decided:
        given["disabled"] = "no"
    return given
