"""The exceptions of Gerbang, one tree.

::

    GerbangError            exit code 2 unless a subclass says otherwise
    ├── InputError          a text that cannot be read: has a place and a highlight
    │   ├── SyntaxFault     a word that the grammar does not know here
    │   └── Unmodelled      known to the dialect, but outside what Gerbang models
    ├── InputErrors         several InputErrors of one text, in order
    ├── UsageError          a wrong option, a missing partner, an unknown name
    └── CannotSay           (exit code 1) the target dialect cannot express the source
"""

from __future__ import annotations

from dataclasses import dataclass

from compiler.source import NOWHERE, Span

__all__ = [
    "CannotSay",
    "GerbangError",
    "InputError",
    "InputErrors",
    "Refusal",
    "SyntaxFault",
    "Unmodelled",
    "UsageError",
]


class GerbangError(Exception):
    """What went wrong, said to the user without a traceback."""

    exit_code = 2

    def render(self) -> str:
        """The text for standard error."""
        return str(self)


class InputError(GerbangError):
    """A place in a source that cannot be read.

    ``message`` says what stands there and what was expected; ``text`` is the
    whole source line, for the highlight.
    """

    def __init__(self, message: str, span: Span = NOWHERE, text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.text = text

    def render(self) -> str:
        """``file:line:column: message``, the line, and a caret under the place."""
        if self.span is NOWHERE:
            return self.message
        head = f"{self.span}: {self.message}"
        if not self.text:
            return head
        # Tabs become single blanks so that the caret stands where the eye looks.
        line = "".join(" " if character.isspace() else character for character in self.text)
        start = max(self.span.column - 1, 0)
        width = max(self.span.end - self.span.column, 1)
        if len(line) > 160:  # a window of a very long line, around the place
            cut = max(start - 60, 0)
            line, start = line[cut : cut + 160], start - cut
            width = min(width, max(160 - start, 1))
        return f"{head}\n    {line}\n    {' ' * start}{'^' * width}"

    def __str__(self) -> str:
        return f"{self.span}: {self.message}" if self.span is not NOWHERE else self.message


class SyntaxFault(InputError):
    """A word that the grammar does not know at this place."""


class Unmodelled(InputError):
    """A clause that the dialect knows and Gerbang does not model."""


class InputErrors(GerbangError):
    """All that is wrong with one text, in the order of its lines."""

    def __init__(self, errors: tuple[InputError, ...]) -> None:
        super().__init__("; ".join(str(error) for error in errors[:3]))
        self.errors = errors

    def render(self) -> str:
        """Each error with its highlight; at most forty."""
        parts = [error.render() for error in self.errors[:40]]
        if len(self.errors) > 40:
            parts.append(f"… and {len(self.errors) - 40} more errors")
        return "\n".join(parts)


class UsageError(GerbangError):
    """Wrong use: an option, a name, a pair that does not exist."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that a target cannot say, and why."""

    what: str
    why: str
    span: Span = NOWHERE

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span is not NOWHERE else ""
        return f"{place}{self.what}: {self.why}"


class CannotSay(GerbangError):
    """The target dialect has no words for parts of the source: nothing is written."""

    exit_code = 1

    def __init__(self, target: str, refusals: tuple[Refusal, ...]) -> None:
        super().__init__(f"{target} cannot say {len(refusals)} thing(s) of the source")
        self.target = target
        self.refusals = refusals

    def render(self) -> str:
        """One line a refusal, at most forty."""
        lines = [f"{self.target} cannot say this:"]
        lines += [f"  {refusal}" for refusal in self.refusals[:40]]
        if len(self.refusals) > 40:
            lines.append(f"  … and {len(self.refusals) - 40} more")
        return "\n".join(lines)
