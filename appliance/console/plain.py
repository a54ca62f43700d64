"""User text for a screen: no markup, and nothing in it that moves a cursor or disguises what is read.

Textual reads ``[...]`` in a ``str`` as markup, and ends on ``[/x]``. A Content
is taken as it is. Its own constructor drops only BEL, BS, VT, FF and CR: an ESC
would reach the terminal.
"""

from __future__ import annotations

import re

from textual.content import Content

__all__ = ["plain", "plain_lines", "plain_text"]

_DISGUISE = re.compile(
    "[\x00-\x1f\x7f-\x9f]"  # controls of ISO 6429, ESC and CSI among them
    "|[\u2028\u2029]"  # ends of lines of Unicode
    "|[\u202a-\u202e\u2066-\u2069]"  # they turn the text that follows round (UAX 9, "Explicit Directional Formatting")
    "|[\u00ad\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"  # of no width: two names look like one
    "|[\ud800-\udfff]"  # halves of surrogate pairs, which no terminal's encoding holds
)
TAB = 4
"""Cells from one tab stop to the next."""


def plain_text(text: str) -> str:
    """The text on one line, each unseen character replaced by one that is seen."""
    if text.isascii() and text.isprintable():
        return text
    return _DISGUISE.sub(_seen, text)


def plain(text: str) -> Content:
    """The text on one line, for any place of Textual that takes content."""
    return Content(plain_text(text))


def plain_lines(text: str) -> list[str]:
    """The text's lines, each as by ``plain_text``; tabs become blanks up to the next stop."""
    return [plain_text(line.expandtabs(TAB)) for line in re.split("\r\n|\r|\n", text)]


def _seen(found: re.Match[str]) -> str:
    """Unicode's own pictures of control characters where they exist, else the number: ``‹202E›``."""
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"‹{code:04X}›"
