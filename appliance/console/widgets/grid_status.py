"""The line of counts below a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.console.words import Reader
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.widgets.grid import Grid

__all__ = ["status_parts"]


def status_parts(reader: Reader, grid: Grid, everything: int | None, *, asking: bool) -> list[str]:
    """How many rows, which one, and what narrows them. ``everything``: the rows without a question, None until
    they were counted."""
    parts = []
    if everything is not None and everything != grid.count:
        parts.append(reader.say(_("{count} of {all}"), {"count": grid.count, "all": everything}))
    else:
        parts.append(reader.say(_("{count} rows"), {"count": grid.count}))
    if grid.count:
        parts.append(reader.say(_("row {row}"), {"row": grid.body.cursor + 1}))
    if grid.body.marks:
        parts.append(reader.say(_("{count} marked"), {"count": len(grid.body.marks)}))
    if grid.search:
        parts.append(reader.say(_("search: {text}"), {"text": grid.search}))
    if grid.conditions:
        one = _("1 condition") if len(grid.conditions) == 1 else _("{count} conditions")
        parts.append(reader.say(one, {"count": len(grid.conditions)}))
    if asking:
        parts.append(reader.say(_("reading …")))
    return parts
