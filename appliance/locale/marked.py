"""What the code marks with ``_("…")``, found by Babel's reader of Python and Jinja2's of templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Message", "marked"]

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "t": None, "_t": None}
"""``t`` and ``_t`` are what the workbench calls its translation, which it has without an application around it."""


class Message(NamedTuple):
    """A text to translate, and where it stands."""

    text: str
    place: str
    """A file or a record; no line, so that the catalogue changes only when texts do."""


def marked(root: Path = ROOT) -> Iterator[Message]:
    """All marked texts of the appliance's code and its templates, in the order of the files."""
    from babel.messages.extract import extract

    for folder, pattern, method in (
        ("appliance", "*.py", "python"),
        ("templates", "*.j2", "jinja2.ext:babel_extract"),
    ):
        for file in sorted((root / folder).rglob(pattern)):
            with file.open("rb") as source:
                for _line, text, _comments, _context in extract(method, source, KEYWORDS):
                    if isinstance(text, str) and text:
                        yield Message(text, file.relative_to(root).as_posix())
