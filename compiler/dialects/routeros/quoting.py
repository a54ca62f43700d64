"""Strings of the RouterOS scripting language: quotes and escapes.

Source: MikroTik documentation, "Scripting", constant escape sequences. An
export breaks long strings with a backslash at the end of the line and indents
the next line; the indent is not part of the string. A blank that would stand
there is written ``\\_``.
"""

from __future__ import annotations

import re

__all__ = ["BadEscape", "linked", "quote", "unquote"]

_NAMED = {
    '"': '"',
    "\\": "\\",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "$": "$",
    "?": "?",
    "_": " ",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}

_KNOWN = " ".join(f"\\{letter}" for letter in _NAMED) + " \\XX (two upper-case hexadecimal digits)"
_ESCAPE = re.compile(r"\\\r?\n[ \t]*|((?:\\[0-9A-F]{2})+)|\\(.)|\\", re.DOTALL)
_LINKED = re.compile(r"(?:[^\\$]++|\\(?:\r\n|.)|\$(?![A-Za-z0-9\[(]))*\$(?=[A-Za-z0-9\[(])", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_.:/,-]+")
_NOT_PRINTED = re.compile(r"[^ !#%-;=@-\[\]-~<>]")  # all but printable ASCII, and: " $ ? and the backslash
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "$": "\\$"}


class BadEscape(ValueError):
    """An escape that the language does not have; ``offset`` counts from the string's first character."""

    def __init__(self, escape: str, offset: int) -> None:
        super().__init__(f"{escape} is not an escape; expected one of {_KNOWN}")
        self.offset = offset


def linked(body: str) -> bool:
    """Whether the inside of a quoted string links a variable or an expression: ``$x``, ``$(…)``, ``$[…]``."""
    return "$" in body and _LINKED.match(body) is not None


def unquote(body: str) -> str:
    """The text that stands for ``body``, the inside of a quoted string. Raises :class:`BadEscape`.

    ``\\XX`` are bytes in upper-case hexadecimal, read as UTF-8 where that is
    possible and as Latin-1 where not: a router keeps bytes and no encoding.
    """
    return _ESCAPE.sub(_unescape, body) if "\\" in body else body


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        octets = bytes.fromhex(found[1].replace("\\", ""))
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return octets.decode("latin-1")
    if found[2] is None:
        if len(found[0]) == 1:
            raise BadEscape("\\", found.start())
        return ""  # a broken line and its indent
    try:
        return _NAMED[found[2]]
    except KeyError:
        raise BadEscape(found[0], found.start()) from None


def quote(text: str) -> str:
    """``text`` as a value: bare where that is safe, else in quotes with escapes."""
    if _PLAIN.fullmatch(text):
        return text
    return '"' + _NOT_PRINTED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    # A lone surrogate cannot come from a decoded file; it would not survive UTF-8.
    return "".join(f"\\{octet:02X}" for octet in character.encode("utf-8", "replace"))
