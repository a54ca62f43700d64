"""How a command says no: one small tree, each with the words for the user and a code for a program.

::

    Refused                 the command was understood and is not done
    ├── NotAllowed          the caller's roles do not reach it
    ├── NotFound            a record that is not there
    ├── AlreadyThere        a second record of the same key
    ├── InUse               a record that others refer to is not removed
    ├── Conflict            somebody else changed the record first
    └── RuleBroken          a rule of the service; also raised by a record's own ``__post_init__``

The words are a template in English and its values, never a finished sentence: who reads it chooses the language.
The values ``what`` and ``records`` are what one record, and a list of them, is called, English too: both are
translated.
"""

from __future__ import annotations

from datetime import datetime

from appliance.language import _

__all__ = ["AlreadyThere", "Conflict", "InUse", "NotAllowed", "NotFound", "Refused", "RuleBroken", "Value"]

Value = str | int | float | bool | None
"""What stands in a template's place."""


class Refused(Exception):
    """A command that was not done. ``template`` is English with ``{names}``; ``field`` is the argument at fault."""

    code = "refused"

    def __init__(self, template: str, *, field: str = "", **values: Value) -> None:
        self.template = template
        self.field = field
        self.values = values
        super().__init__(template.format_map(values) if values else template)


class NotAllowed(Refused):
    """None of the caller's roles reaches this command."""

    code = "not-allowed"


class NotFound(Refused):
    """A record that was named and is not there."""

    code = "not-found"

    def __init__(self, what: str, key: str | int) -> None:
        super().__init__(_("there is no {what} {key}"), what=what, key=key)


class AlreadyThere(Refused):
    """A record with this key exists."""

    code = "already-there"

    def __init__(self, what: str, key: str | int, *, field: str = "") -> None:
        super().__init__(_("there is a {what} {key} already"), field=field, what=what, key=key)


class InUse(Refused):
    """A record that others refer to."""

    code = "in-use"

    def __init__(self, what: str, key: str | int, count: int, by: str) -> None:
        super().__init__(_("{what} {key} is used by {count} {records}"), what=what, key=key, count=count, records=by)


class Conflict(Refused):
    """The record is no longer the one that the caller looked at."""

    code = "conflict"

    def __init__(
        self,
        what: str,
        key: str | int,
        *,
        changed_by: str,
        changed_at: datetime,
        version: int,
        renamed: str | int | None = None,
    ) -> None:
        """``renamed`` is its key now, when that was changed too."""
        values: dict[str, Value] = {
            "what": what,
            "key": key,
            "changed_by": changed_by,
            "changed_at": changed_at.isoformat(timespec="seconds"),
            "version": version,
        }
        template = _("{what} {key} was changed by {changed_by} at {changed_at}; look at it again, then change it")
        if renamed is not None:
            values["renamed"] = renamed
            template = _(
                "{what} {key} was changed by {changed_by} at {changed_at} and is now {renamed};"
                " look at it again, then change it"
            )
        super().__init__(template, field="", **values)


class RuleBroken(Refused, ValueError):
    """A rule of the service does not allow this. A ValueError too, so that a record can raise it while it is made."""

    code = "rule-broken"
