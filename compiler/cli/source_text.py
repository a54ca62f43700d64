"""Moved to :mod:`compiler.placed.source_text`."""

from compiler.placed.source_text import STANDARD_INPUT, SourceText, decode, read_source

__all__ = ["STANDARD_INPUT", "SourceText", "decode", "read_source"]
