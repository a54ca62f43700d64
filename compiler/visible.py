"""Text from a repository, fit for a terminal or a comment: names of files may hold any byte but NUL and the slash."""

from __future__ import annotations

import re

__all__ = ["visible"]

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029]+"  # controls of ISO 6429, ESC and CSI among them; ends of lines of Unicode
    "|[\u202a-\u202e\u2066-\u2069]+"  # they turn the text that follows round (UAX 9, "Explicit Directional Formatting")
    "|[\ud800-\udfff]+"  # no characters: bytes that were not UTF-8
)


def visible(text: str) -> str:
    """The text with one blank for each run of control characters: it is one line, and moves no cursor."""
    return _UNSEEN.sub(" ", text)
