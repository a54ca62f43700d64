"""Events as the short notices that a screen shows for some seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.app import App

from appliance.console.words import Reader
from appliance.contract.context import Event
from appliance.language import _

__all__ = ["Notice", "notice_of", "notify"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What is shown, plain. ``seconds`` is None for the application's own time."""

    title: str
    text: str
    severity: Literal["information", "warning", "error"]
    seconds: float | None = None


def notice_of(event: Event, reader: Reader) -> Notice | None:
    """The event in the reader's words; None for one that only makes screens look again."""
    if not event.template:
        return None
    text = reader.say(event.template, event.values)
    title = reader.say(event.service.replace("-", " ").capitalize())
    if event.urgent:
        return Notice(f"{title} · {reader.say(_('urgent'))}", text, "warning", 15.0)
    return Notice(title, text, "information")


def notify(app: App[object], notice: Notice) -> None:
    """Show it. Never as markup: values of an event are user text."""
    app.notify(notice.text, title=notice.title, severity=notice.severity, timeout=notice.seconds, markup=False)
