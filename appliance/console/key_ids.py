"""All actions whose keys can be remapped: those of the shell, its screens and the shared widgets.

Services' own actions (``hotel.book``) are made with their screens. Their ids are
not known before, and pass.
"""

from __future__ import annotations

from importlib import import_module

from textual.dom import DOMNode

from appliance.console.keys import known_ids

__all__ = ["all_ids"]

MODULES = (
    "answers", "app", "dialog", "home", "jump", "key_sheet", "listing_screen", "login", "master_data", "papers",
    "passwords", "report_screen", "settings_screen", "shell", "working", "widgets.calendar", "widgets.dialogs",
    "widgets.document", "widgets.form", "widgets.grid", "widgets.grid_body", "widgets.plot", "widgets.work",
)  # fmt: skip


def all_ids() -> frozenset[str]:
    """The ids, in no order."""
    classes = []
    for name in MODULES:
        module = import_module(f"appliance.console.{name}")
        classes += [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, DOMNode)]
    return known_ids(classes)
