"""Reading what the user named: a file, or ``-`` for standard input."""

from __future__ import annotations

import codecs
import re
import sys
from typing import NamedTuple

__all__ = ["STANDARD_INPUT", "SourceText", "decode", "read_source"]

STANDARD_INPUT = "<stdin>"
"""How standard input is called in messages."""

_LINE_END = re.compile(r"\r+\n|\r")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class SourceText(NamedTuple):
    """A text with the name that messages give it. ``note`` says how it was decoded, when that is worth saying."""

    name: str
    text: str
    note: str = ""


def read_source(argument: str) -> SourceText:
    """The text of a file, or of standard input for ``-``.

    Raises UsageError for what cannot be opened and for binary files.
    """
    name = STANDARD_INPUT if argument == "-" else argument
    return decode(_bytes(argument), name)


def decode(content: bytes, name: str) -> SourceText:
    """UTF-8 (or UTF-16 with its mark, as PowerShell redirects write), else Latin-1 with a note; ``\\n`` ends lines."""
    note = ""
    if content.startswith(_UTF16):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise _binary(name) from error
    else:
        if b"\0" in content:
            raise _binary(name)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            text = content.decode("latin-1")
            note = f"{name}:{line}: not UTF-8, read as Latin-1"
    return SourceText(name, _LINE_END.sub("\n", text), note)


def _bytes(argument: str) -> bytes:
    from compiler.errors import UsageError

    if argument == "-":
        if sys.stdin is None:  # closed by the caller
            raise UsageError("standard input is closed")
        return sys.stdin.buffer.read()
    try:
        with open(argument, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {argument!r}: {reason}") from error


def _binary(name: str) -> Exception:
    from compiler.errors import UsageError

    return UsageError(f"{name} is a binary file, not the text of a configuration")
