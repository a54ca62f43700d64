"""The entry for a reference: suggestions while it is typed, and a new record for one that is not there yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from textual import on
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from appliance.console.plain import plain
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.editors import NOTHING, PlainInput, TextEditor
from appliance.contract.fields import Field
from appliance.language import _

__all__ = ["Adding", "Lookup", "ReferenceEditor"]

Lookup = Callable[[str, str], Awaitable[Sequence[tuple[str, str]]]]
"""From what a reference refers to and the text typed so far to keys and titles."""
DEBOUNCE = 0.15
"""Seconds after the last key."""


@runtime_checkable
class Adding(Protocol):
    """A Lookup that can also make what is not there."""

    def may_add(self, refers: str) -> bool:
        """Whether the person may add one."""

    async def add(self, refers: str, typed: str) -> str | None:
        """Show the form of a new record; its key, or None when it was left."""


class ReferenceEditor(TextEditor):
    """The key of a record, with suggestions of keys and titles while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_list", _("Suggestions"), id="form.suggestions", tooltip=_("Choose from the suggestions")),
        Binding("ctrl+n", "add", _("New"), id="form.add-reference", tooltip=_("Add a record, and refer to it")),
        Binding("escape", "close", _("Close"), show=False, id="form.close-suggestions"),
    ]
    DEFAULT_CSS = """
    ReferenceEditor OptionList {
        height: auto; max-height: 8; overlay: screen; constrain: none inside;
        border: round $primary; background: $surface; color: $foreground; padding: 0;
    }
    """

    def __init__(self, field: Field, value: Any = NOTHING, lookup: Lookup | None = None) -> None:
        super().__init__(field, value)
        self._lookup = lookup
        self._timer: Timer | None = None
        self._keys: list[str] = []
        self._listed: OptionList | None = None
        """Below the line, once there were suggestions."""

    @on(Input.Changed)
    def _typed(self) -> None:
        if self._timer:
            self._timer.stop()
        if self._lookup and self.touched and self.query_one(PlainInput).has_focus and self.raw() not in self._keys:
            self._timer = self.set_timer(DEBOUNCE, self._ask)

    def _ask(self) -> None:
        self.run_worker(self._suggest(), group="lookup", exclusive=True, exit_on_error=False)

    async def _suggest(self) -> None:
        assert self._lookup is not None
        text = self.raw()
        try:
            found = await self._lookup(self.field.refers, text.strip())
        except Exception:  # suggestions are a help; the daemon checks the key when it is saved
            found = ()
        if text != self.raw():
            return
        self._keys = [str(key) for key, _title in found][:50]
        options = [Option(plain(f"{key}  {title}")) for key, title in found[:50]]
        if self._listed is None:
            self._listed = OptionList(*options)
            await self.mount(self._listed)
        else:
            self._listed.clear_options()
            self._listed.add_options(options)
        self._listed.display = bool(found) and self.has_focus_within

    @property
    def suggesting(self) -> bool:
        """Whether the suggestions are open."""
        return self._listed is not None and bool(self._listed.display)

    def action_to_list(self) -> None:
        """Open the suggestions, or go into them."""
        if self._listed is not None and self.suggesting:
            self._listed.focus()
            self._listed.highlighted = 0
        elif self._lookup:
            self._ask()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nobody may add one, there is no such key."""
        if action == "add":
            return isinstance(self._lookup, Adding) and self._lookup.may_add(self.field.refers)
        return True

    def action_add(self) -> None:
        """A new record in front of this form, which then refers to it."""
        self._hide()
        begin(self, self._add(), group="add")

    async def _add(self) -> None:
        assert isinstance(self._lookup, Adding)
        key = await self._lookup.add(self.field.refers, self.raw().strip())
        if key:
            self._put(key)
        self.query_one(PlainInput).focus()

    def action_close(self) -> None:
        """Close the suggestions; when they are closed, the key is the form's."""
        if not self.suggesting:
            raise SkipAction
        self._close()

    def _close(self) -> None:
        self._hide()
        self.query_one(PlainInput).focus()

    def _hide(self) -> None:
        if self._listed is not None:
            self._listed.display = False

    def on_descendant_blur(self) -> None:
        """A list that hides what is behind it goes with the focus."""
        self.call_after_refresh(self._close_unfocused)

    def _close_unfocused(self) -> None:
        if not self.has_focus_within:
            self._hide()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._put(self._keys[event.option_index])
        self._close()

    def _put(self, key: str) -> None:
        if key not in self._keys:
            self._keys.append(key)
        line = self.query_one(PlainInput)
        line.value = key
        line.cursor_position = len(key)
