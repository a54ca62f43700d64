"""YAML with places: scalars as they are written, sequences and mappings, each with its line and column.

Nothing is guessed from the look of a word, so that YAML 1.1's traps do not
exist here: ``on``, ``no`` and ``1:30`` are texts until the schema asks for a
truth value or a time. A key that stands twice in a mapping is an error, tags
are refused, anchors and merge keys (``<<``) work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler.errors import InputErrors, SyntaxFault
from compiler.source import Span

if TYPE_CHECKING:
    import yaml

__all__ = ["PlacedMapping", "PlacedScalar", "PlacedSequence", "PlacedValue", "compose", "kind_of"]

_MOST_VALUES = 200_000
"""Values after aliases are followed: a few lines of YAML can name billions."""

_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"})


@dataclass(frozen=True, slots=True)
class PlacedScalar:
    """A text. ``literal`` is a block after ``|``, whose first line stands one below ``span``."""

    text: str
    span: Span
    literal: bool = False
    plain: bool = True


@dataclass(frozen=True, slots=True)
class PlacedSequence:
    """A list."""

    items: tuple[PlacedValue, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlacedMapping:
    """Keys, each once, in their order."""

    entries: tuple[tuple[PlacedScalar, PlacedValue], ...]
    span: Span


PlacedValue = PlacedScalar | PlacedSequence | PlacedMapping


def kind_of(value: PlacedValue) -> str:
    """What a value is, for messages."""
    if isinstance(value, PlacedMapping):
        return "a mapping"
    if isinstance(value, PlacedSequence):
        return "a list"
    return f"{value.text!r}" if value.text else "nothing"


def compose(text: str, source: str) -> PlacedValue:
    """The tree of a YAML document. Raises InputErrors."""
    import yaml

    lines = text.split("\n")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise InputErrors((_fault(error, source, lines),)) from error
    if root is None:
        raise InputErrors((SyntaxFault("the file is empty", Span(source, 1)),))
    converter = _Converter(source, lines)
    value = converter.value(root, ())
    if converter.errors:
        raise InputErrors(tuple(sorted(converter.errors, key=lambda error: error.span)))
    return value


def _fault(error: yaml.YAMLError, source: str, lines: list[str]) -> SyntaxFault:
    """YAML's own error, with a hint where beginners stumble."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is None:
        return SyntaxFault(f"not YAML: {problem}", Span(source, 1))
    line = lines[mark.line] if mark.line < len(lines) else ""
    here = line[mark.column : mark.column + 1]
    if "\t" in line[: mark.column + 1]:
        problem = "a tab: YAML indents with blanks only"
    elif ("{" in line[: mark.column + 1] and ".." in line) or here in "{}":
        problem += " (inside [ ] and { }, quote a text that has braces)"
    context = getattr(error, "context", None)
    said = f"{context}: {problem}" if context else problem
    return SyntaxFault(f"not YAML: {said}", Span(source, mark.line + 1, mark.column + 1), line)


class _Converter:
    def __init__(self, source: str, lines: list[str]) -> None:
        self._source = source
        self._lines = lines
        self._count = 0
        self.errors: list[SyntaxFault] = []

    def value(self, node: yaml.Node, above: tuple[int, ...]) -> PlacedValue:
        import yaml

        span = self._span(node)
        self._count += 1
        if id(node) in above:
            self._complain("an alias that contains itself", span)
            return PlacedScalar("", span)
        if self._count > _MOST_VALUES:
            raise InputErrors((SyntaxFault(f"more than {_MOST_VALUES:,} values", span),))
        if node.tag not in _PLAIN_TAGS:
            self._complain(f"tags such as {node.tag.rpartition(':')[2]!r} are not used here", span)
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, span, above)
        if isinstance(node, yaml.SequenceNode):
            return PlacedSequence(tuple(self.value(item, above) for item in node.value), span)
        style = getattr(node, "style", None)
        return PlacedScalar(node.value, span, literal=style == "|", plain=style is None)

    def _mapping(self, node: yaml.MappingNode, span: Span, above: tuple[int, ...]) -> PlacedMapping:
        own: dict[str, tuple[PlacedScalar, PlacedValue]] = {}
        merged: dict[str, tuple[PlacedScalar, PlacedValue]] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node, above)
            value = self.value(value_node, above)
            if not isinstance(key, PlacedScalar):
                self._complain(f"a key must be a word, not {kind_of(key)}", key.span)
            elif key.text == "<<" and key.plain:
                for entry in self._merged(value):
                    merged.setdefault(entry[0].text, entry)
            elif key.text in own:
                first = own[key.text][0].span
                self._complain(f"{key.text!r} stands twice in this mapping (first in line {first.line})", key.span)
            else:
                own[key.text] = key, value
        return PlacedMapping(tuple((merged | own).values()), span)

    def _merged(self, value: PlacedValue) -> tuple[tuple[PlacedScalar, PlacedValue], ...]:
        """What ``<<`` brings in: a mapping, or several of which the earlier win (yaml.org, "Merge Key")."""
        if isinstance(value, PlacedMapping):
            return value.entries
        if isinstance(value, PlacedSequence) and all(isinstance(item, PlacedMapping) for item in value.items):
            return tuple(entry for item in value.items for entry in self._merged(item))
        self._complain(f"'<<' merges a mapping, not {kind_of(value)}", value.span)
        return ()

    def _complain(self, message: str, span: Span) -> None:
        self.errors.append(SyntaxFault(message, span, self._lines[span.line - 1]))

    def _span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        same = end.line == start.line
        return Span(self._source, start.line + 1, start.column + 1, end.column + 1 if same else 0)
