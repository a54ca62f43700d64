"""Master data: records that people add, change and remove, described once.

From one description come the table (``appliance.store.tables``), the commands
``rooms.add``, ``rooms.change``, ``rooms.remove`` and ``rooms.get``
(``appliance.services.master_data``), the listing ``rooms`` with its grid, and
the form (``appliance.console.master_data``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from functools import cached_property
from typing import Any

from appliance.contract.fields import Field, fields_of, title_of
from appliance.contract.kinds import Count, Line, Moment
from appliance.contract.records import STRICT

__all__ = ["SUMMARIES", "MasterData", "summary_of"]

SUMMARIES = {
    "get": "Look at {a} {title}.",
    "add": "Add {a} {title}.",
    "change": "Change {a} {title}.",
    "remove": "Remove {a} {title}.",
}
"""What the four commands do, by their last names."""
_NUMBER = ("id", Count | None, field(default=None))
"""Of clients that have looked at the row: its number, which stays when somebody gives it another key."""


def summary_of(command: str, title: str) -> str:
    """``Add an interface.``: "an" before a vowel, as the titles are plain English words."""
    return SUMMARIES[command].format(a="an" if title[:1].lower() in tuple("aeio") else "a", title=title)


@dataclass(frozen=True, kw_only=True)
class MasterData:
    """One type of record that people keep.

    A field with ``Refers("rooms")`` holds the key of another master data of the
    same service: the store refuses a key that is not there and the removal of a
    record that is referred to, and carries a changed key along.

    What more a service wants of an addition, a change or a removal stands in its
    ``commands.py`` as ``BEFORE``, functions that refuse::

        BEFORE = {"rooms.remove": refuse_while_somebody_stays}

    Each is called with the context and the command's arguments (the record,
    ``changed`` or ``removed`` below), in the transaction, and raises Refused. A
    command that is named as a derived one takes its place.
    """

    name: str
    """The plural, as in ``hotel.rooms``."""
    record: type
    key: str
    """The field by which people name one; unique."""
    see: frozenset[str]
    change: frozenset[str]
    unique: tuple[tuple[str, ...], ...] = ()
    """Further sets of fields of which no two records have the same values."""

    @property
    def title(self) -> str:
        """What people call one of these."""
        return title_of(self.record)

    @cached_property
    def key_field(self) -> Field:
        """The field by which people name one."""
        found = next((one for one in fields_of(self.record) if one.name == self.key), None)
        if found is None:
            raise TypeError(f"the key {self.key!r} of {self.name} is no field of {self.record.__name__}")
        return found

    @cached_property
    def named(self) -> type:
        """The arguments of ``get``: the key."""
        return self._argument("Named", (self.key, self.key_field.type))

    @cached_property
    def removed(self) -> type:
        """The arguments of ``remove``: the key and the version that was looked at."""
        return self._argument("Removed", (self.key, self.key_field.type), ("version", Count), _NUMBER)

    @cached_property
    def changed(self) -> type:
        """The arguments of ``change``: the key as it was, the version that was looked at, and the whole new record."""
        return self._argument(
            "Changed", (self.key, self.key_field.type), ("version", Count), ("row", self.record), _NUMBER
        )

    @cached_property
    def kept(self) -> type:
        """What ``get``, ``add`` and ``change`` answer: the record and its version."""
        return self._argument(
            "Kept", ("id", int), ("version", int), ("changed_by", Line), ("changed_at", Moment), ("row", self.record)
        )

    def _argument(self, suffix: str, *fields: tuple[str, Any] | tuple[str, Any, Any]) -> type:
        made = make_dataclass(
            f"{self.record.__name__}{suffix}",
            fields,
            frozen=True,
            kw_only=True,
            slots=True,
            namespace={"__pydantic_config__": STRICT},
        )
        made.__module__ = self.record.__module__
        return made
