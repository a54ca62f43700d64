"""What the live check says, as a list."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from appliance.language import Translate, _
from appliance.workbench.checking import Checked
from appliance.workbench.kinds import TITLES
from appliance.workbench.panels.lists import Line, Lines, toned
from appliance.workbench.remarks import Level

__all__ = ["FindingsPanel", "summary"]

MOST = 300
"""Remarks that are listed; the rest is counted."""
_SIGNS = {Level.ERROR: "●", Level.WARNING: "▲", Level.NOTE: "·"}
_COUNTED = {
    Level.ERROR: (_("{count} error"), _("{count} errors")),
    Level.WARNING: (_("{count} warning"), _("{count} warnings")),
    Level.NOTE: (_("{count} note"), _("{count} notes")),
}


def summary(checked: Checked, translate: Translate) -> str:
    """``IOS: 1 error, 2 warnings``."""
    parts = []
    for level, (one, several) in _COUNTED.items():
        count = checked.count(level)
        if count:
            parts.append(translate(one if count == 1 else several).format(count=f"{count:,}"))
    said = ", ".join(parts) or translate("nothing to say")
    return f"{TITLES[checked.kind]}: {said}{'' if checked.is_whole else ' …'}"


class FindingsPanel(Vertical):
    """Errors, warnings and notes in the order of their lines; Enter goes there."""

    DEFAULT_CSS = """
    FindingsPanel > #findings-summary { height: 1; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, translate: Translate) -> None:
        super().__init__()
        self._t = translate

    def compose(self) -> ComposeResult:
        """One line that counts, and the list."""
        yield Static(id="findings-summary")
        yield Lines(id="findings-list")

    def show(self, checked: Checked | None) -> None:
        """What was found in the text that is looked at; None: nothing is open."""
        words = "" if checked is None else summary(checked, self._t)
        self.query_one("#findings-summary", Static).update(toned(words, "faint"))
        self.query_one(Lines).show(self._lines(checked) if checked is not None else ())

    def _lines(self, checked: Checked) -> Iterator[Line]:
        for remark in checked.remarks[:MOST]:
            rule = f" [{remark.rule}]" if remark.rule else ""
            elsewhere = f"{remark.source}:{remark.line}: " if remark.source and remark.line else ""
            line = 0 if remark.source else remark.line
            yield Line(
                f"{elsewhere}{remark.message}{rule}", remark.level, _SIGNS[remark.level], line, max(remark.column, 1)
            )
        more = sum(count for _level, count in checked.counts) - min(len(checked.remarks), MOST)
        if more:
            yield Line(self._t("… and {count} more").format(count=f"{more:,}"), "faint")
