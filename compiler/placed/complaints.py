"""What is wrong with a file: collected, so that one reading tells all of it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from compiler.errors import InputError, InputErrors, SyntaxFault
from compiler.source import Span

__all__ = ["Complaints", "near"]


class Complaints:
    """Errors and warnings of one file, with their places."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines
        self._errors: list[InputError] = []
        self._warnings: list[InputError] = []

    def error(self, message: str, span: Span) -> None:
        """Something that cannot be read. The same words about the same place are said once."""
        error = SyntaxFault(message, span, self._text(span))
        if not any(error.span == other.span and error.message == other.message for other in self._errors):
            self._errors.append(error)

    def warn(self, message: str, span: Span) -> None:
        """Something that can be read, and is probably not what was meant."""
        self._warnings.append(InputError(f"warning: {message}", span, self._text(span)))

    def adopt(self, errors: Iterable[InputError]) -> None:
        """Errors of another text, such as a device configuration."""
        self._errors.extend(errors)

    @property
    def warnings(self) -> tuple[InputError, ...]:
        """The warnings, in the order of their lines."""
        return tuple(sorted(self._warnings, key=_place))

    def __bool__(self) -> bool:
        return bool(self._errors)

    def errors(self) -> InputErrors:
        """The errors, in the order of their lines, as one exception."""
        return InputErrors(tuple(sorted(self._errors, key=_place)))

    def raise_all(self) -> None:
        """Raise InputErrors when there is an error."""
        if self._errors:
            raise self.errors()

    def _text(self, span: Span) -> str:
        return self._lines[span.line - 1] if 0 < span.line <= len(self._lines) else ""


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or what there is when nothing is near and that is not much."""
    names = sorted(set(known))
    found = get_close_matches(word, names, 1)
    if found:
        return f"; did you mean {found[0]!r}?"
    if not names:
        return "; there is none"
    shown = ", ".join(names[:12])
    return f"; expected {'one of ' if len(names) > 1 else ''}{shown}{' …' if len(names) > 12 else ''}"


def _place(error: InputError) -> tuple[str, int, int]:
    return error.span.source, error.span.line, error.span.column
