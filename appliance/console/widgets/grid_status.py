"""The line of counts below a grid."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.console.words import Reader
from appliance.language import _

__all__ = ["Standing", "status_parts"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a grid stands."""

    count: int
    everything: int | None
    """The rows without a question, None until they were counted."""
    row: int
    """From 1."""
    marked: int
    search: str
    conditions: int
    asking: bool


def status_parts(reader: Reader, now: Standing) -> list[str]:
    """How many rows, which one, and what narrows them."""
    parts = []
    if now.everything is not None and now.everything != now.count:
        parts.append(reader.say(_("{count} of {all}"), {"count": now.count, "all": now.everything}))
    else:
        parts.append(reader.say(_("1 row") if now.count == 1 else _("{count} rows"), {"count": now.count}))
    if now.count:
        parts.append(reader.say(_("row {row}"), {"row": now.row}))
    if now.marked:
        parts.append(reader.say(_("{count} marked"), {"count": now.marked}))
    if now.search:
        parts.append(reader.say(_("search: {text}"), {"text": now.search}))
    if now.conditions:
        one = _("1 condition") if now.conditions == 1 else _("{count} conditions")
        parts.append(reader.say(one, {"count": now.conditions}))
    if now.asking:
        parts.append(reader.say(_("reading …")))
    return parts
