"""Words before the first paint: ``words.Reader`` needs the kinds of fields, and those need pydantic (0.1 s)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.dom import DOMNode

from appliance.console.plain import plain_text
from appliance.language import Translate, _

__all__ = ["say", "speaker"]


def speaker(node: DOMNode) -> Translate:
    """The application's translator of now."""
    translate: Translate = getattr(node.app, "translate", _)
    return translate


def say(node: DOMNode, template: str, values: Mapping[str, Any] | None = None) -> str:
    """The template in the reader's language with its values, on one line."""
    if not values:
        return plain_text(speaker(node)(template))
    from appliance.console.widgets.reading import reader_of

    return reader_of(node).say(template, values)
