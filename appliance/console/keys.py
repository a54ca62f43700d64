"""Which keys work on a screen, in the reader's words, and which keys the user has put in their place.

``keys.yaml`` of the user's config folder holds the ids of actions, as the key
sheet shows them, and their keys::

    grid.sort: o
    console.palette: ctrl+p, f8
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from appliance.console.speaking import say

__all__ = ["KEYS_FILE", "ShownKey", "all_keys", "known_ids", "read_keymap", "shown_keys"]

KEYS_FILE = "keys.yaml"


class ShownKey(NamedTuple):
    """One key of a screen."""

    key: str
    """As people write it: ``Ctrl+P``."""
    words: str
    more: str
    """The tooltip, or why it does not work now."""
    enabled: bool
    identity: str
    """By which it is remapped; empty: it cannot be."""
    of: str
    """The class of the widget that has it."""
    action: str


NAMES = {
    "question_mark": "?", "slash": "/", "asterisk": "*", "minus": "-", "plus": "+", "less_than_sign": "<",
    "greater_than_sign": ">", "pageup": "PgUp", "pagedown": "PgDn", "delete": "Del", "insert": "Ins",
    "escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab", "left": "←", "right": "→", "up": "↑",
    "down": "↓", "home": "Home", "end": "End", "full_stop": ".", "comma": ",", "left_square_bracket": "[",
    "right_square_bracket": "]",
}  # fmt: skip


def written(key: str) -> str:
    """``ctrl+p`` as ``Ctrl+P``."""
    *modifiers, last = key.split("+")
    name = NAMES.get(last) or (last.upper() if modifiers or (last[:1] == "f" and last[1:].isdigit()) else last)
    return "+".join([*(one.capitalize() for one in modifiers), name])


def all_keys(screen: Screen[object]) -> list[ShownKey]:
    """Every key that works on the screen with its focus of now, one line an action."""
    found: dict[tuple[int, str], ShownKey] = {}
    for key, (node, binding, enabled, tooltip) in screen.active_bindings.items():
        # Bindings without an id are of Textual's own widgets, and as everybody expects them.
        if binding.system or not binding.description or not binding.id:
            continue
        place = id(node), binding.action
        name = written(key)
        if place in found:
            before = found[place]
            found[place] = before._replace(key=f"{before.key} {name}")
            continue
        reason = getattr(node, "why_not", lambda _action: "")(binding.action)
        more = reason or (say(node, tooltip) if tooltip else "")
        words = say(node, binding.description)
        works = enabled and not reason
        of = type(node).__name__
        found[place] = ShownKey(name, words, more, works, binding.id or "", of, binding.action)
    return list(found.values())


def shown_keys(screen: Screen[object]) -> list[ShownKey]:
    """Those for the line of keys, the most useful first."""
    found = {one.action: one for one in all_keys(screen)}
    shown: dict[str, tuple[int, ShownKey]] = {}
    for node, binding, _enabled, _tooltip in screen.active_bindings.values():
        one = found.get(binding.action)
        if binding.show and one is not None:
            shown.setdefault(binding.action, (_rank(node), one._replace(key=one.key.split(" ")[0])))
    ranked = [(0 if one.identity == "console.keys" else rank, one) for rank, one in shown.values()]
    return [one for _rank_of, one in sorted(ranked, key=lambda pair: pair[0])]


def _rank(node: DOMNode) -> int:
    """Help first, then what this screen alone can do, then its widgets, then the rest of the shell."""
    if isinstance(node, App):
        return 3
    return 1 if hasattr(node, "why_not") else 2


def known_ids(classes: Iterable[type]) -> frozenset[str]:
    """The ids of all bindings of these classes of widgets."""
    found = set()
    for one in classes:
        for binding in one.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                found.add(binding.id)
    return frozenset(found)


def read_keymap(folder: Path, known: frozenset[str]) -> dict[str, str]:
    """The user's keys by action id. Raises InputErrors, each with its place, for what cannot be read."""
    from compiler.errors import InputErrors, SyntaxFault
    from compiler.placed.places import PlacedMapping, PlacedScalar, compose, kind_of

    file = folder / KEYS_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n")):
        return {}
    tree = compose(text, str(file))
    lines = text.split("\n")
    if not isinstance(tree, PlacedMapping):
        raise InputErrors((SyntaxFault(f"ids of actions and their keys are expected, not {kind_of(tree)}", tree.span),))
    keymap, faults = {}, []
    ours = {one.partition(".")[0] for one in known}
    for name, value in tree.entries:
        if known and name.text not in known and name.text.partition(".")[0] in ours:
            faults.append(SyntaxFault(f"no action is called {name.text!r}", name.span, lines[name.span.line - 1]))
        elif not isinstance(value, PlacedScalar) or not value.text.strip():
            faults.append(SyntaxFault("a key is expected, as ctrl+p", value.span, lines[value.span.line - 1]))
        else:
            wrong = [one for one in value.text.split(",") if not _is_key(one.strip())]
            if wrong:
                said = f"{wrong[0].strip()!r} is no key; keys are written as ctrl+p, f8, delete, x"
                faults.append(SyntaxFault(said, value.span, lines[value.span.line - 1]))
            else:
                keymap[name.text] = value.text
    if faults:
        raise InputErrors(tuple(faults))
    return keymap


def _is_key(text: str) -> bool:
    from textual.keys import Keys

    *modifiers, last = text.split("+") if text != "+" else [text]
    named = {key.value for key in Keys} | set(NAMES)
    return all(one in {"ctrl", "shift", "alt"} for one in modifiers) and (len(last) == 1 or last in named)
