"""Who reads a widget: the application says, by ``translate`` and ``language`` when it has them."""

from __future__ import annotations

from textual.dom import DOMNode

from appliance.console.words import Reader
from appliance.language import DEFAULT, _

__all__ = ["reader_of"]


def reader_of(node: DOMNode) -> Reader:
    """The words and the language of the application that the widget is in."""
    app = node.app
    return Reader(getattr(app, "translate", _), getattr(app, "language", DEFAULT))
