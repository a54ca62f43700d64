"""A value that a matcher cannot take; whoever knows its place makes it an error."""

from __future__ import annotations

from compiler.errors import InputError, SyntaxFault

__all__ = ["MatcherFault", "PropertyFault"]


class MatcherFault(Exception):
    """A value that cannot be read; ``kind`` is the error to raise."""

    def __init__(self, message: str, kind: type[InputError] = SyntaxFault) -> None:
        super().__init__(message)
        self.kind = kind


class PropertyFault(MatcherFault):
    """A fault of a rule's action; ``name`` is the property to blame."""

    def __init__(self, name: str, message: str, kind: type[InputError] = SyntaxFault) -> None:
        super().__init__(message, kind)
        self.name = name
