"""What a command answered, shown to be read and copied: a one-time password, a number, a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.content import Content

from appliance.console.plain import plain_text
from appliance.console.told_screen import ToldScreen
from appliance.console.words import Reader
from appliance.contract.fields import Field, fields_of
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["answer_screen", "is_kept", "show_answer"]

KEPT = frozenset({"row", "id", "version", "changed_by", "changed_at"})


def show_answer(pane: Pane, title: str, answer: Any) -> None:
    """In front of the pane; nothing for an answer that says nothing."""
    if answer is None or answer is True or answer == {}:
        pane.shell.tell(_("Done."))
    else:
        found = _told(answer)
        pane.app.push_screen(answer_screen(pane.reader, pane.reader.say(title), found, _fields(pane, found)))


def answer_screen(reader: Reader, title: str, answer: Any, fields: Mapping[str, Field]) -> ToldScreen:
    """Names and values below each other. ``title`` is in the reader's language; ``fields`` say what the values are,
    as far as is known."""
    lines = [*_lines(answer)]
    shown = []
    for name, value in lines:
        field = fields.get(name)
        label = reader.label(field) if field else reader.say(name.replace("_", " ").capitalize()) if name else ""
        words = reader.shown(field, value) if field else plain_text(reader.value(value))
        shown.append(Content.assemble((f"{label:<20} ", "bold"), words))
    return ToldScreen(title, Content("\n").join(shown), "\n".join(f"{name}\t{value}" for name, value in lines))


def is_kept(answer: Any) -> bool:
    """Whether it is a record of a service with its version (``MasterData.kept``)."""
    return isinstance(answer, Mapping) and isinstance(answer.get("row"), Mapping) and "version" in answer


def _told(answer: Any) -> Any:
    """Of a record that was kept the record alone: who has changed it and when is clear."""
    if is_kept(answer):
        rest = {name: value for name, value in answer.items() if name not in KEPT}
        return {**answer["row"], **rest}
    return answer


def _fields(pane: Pane, answer: Any) -> dict[str, Field]:
    """By the names of the answer's values: those of the service's record that has the most of them."""
    if not isinstance(answer, Mapping):
        return {}
    service = next((one for one in pane.shell.installed() if one.name == pane.service), None)
    model = service.module("model") if service else None
    known: list[dict[str, Field]] = []
    for value in list(vars(model).values() if model else ()):
        if isinstance(value, type) and hasattr(value, "__record_title__"):
            with suppress(TypeError, NameError):  # a record with a value that no form and no grid shows
                known.append({field.name: field for field in fields_of(value)})
    best = max(known, key=lambda fields: len(fields.keys() & answer.keys()), default={})
    return {name: field for name, field in best.items() if name in answer}


def _lines(answer: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(answer, Mapping):
        return [line for name, value in answer.items() for line in _lines(value, str(name))]
    if isinstance(answer, list | tuple) and any(isinstance(one, Mapping) for one in answer):
        return [(prefix, json.dumps(one, ensure_ascii=False)) for one in answer]
    return [(prefix, ", ".join(map(str, answer)) if isinstance(answer, list | tuple) else answer)]
