"""The grammar of RouterOS scripts (``.rsc``): text -> statements.

::

    statement  = [path] [command] {argument}        ends at a line end or ";"
    path       = "/" word {(" " | "/") word} | word … | ".."
    argument   = name "=" value | "!" name | word | "[" find "]"
    value      = word | string | "[" … "]" | "(" … ")" | "{" … "}" | "$" name
    block      = "{" {statement} "}" | ":do {" {statement} "}" ["on-error={" … "}"]

A path without a command becomes the context of the statements that follow. A
backslash at a line's end joins the next line. The statements of a block that
runs once are statements like all; after one that changed the context paths have
to be written out, for no source says where the console is then. Source: MikroTik
documentation, "Scripting" and "Console". What the values mean is not known here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from compiler.dialects.routeros.quoting import BadEscape, linked, unquote
from compiler.errors import InputError, SyntaxFault, Unmodelled
from compiler.source import Span

__all__ = ["COMMANDS", "Opaque", "Path", "Script", "Statement", "Token", "Value", "parse"]

Path = tuple[str, ...]

COMMANDS = frozenset(
    {"add", "set", "remove", "move", "disable", "enable", "print", "comment", "find", "export", "unset", "edit"}
    | {"get", "reset-counters", "reset-counters-all"}
)
"""The commands of the menus that hold tables."""


_WITHOUT_COLON = frozenset(
    {"if", "for", "foreach", "while", "do", "local", "global", "return", "put", "delay", "error"}
)
"""Commands of the language that scripts also write without their colon, and that no menu has."""


class Opaque(NamedTuple):
    """A value that only a running router can compute: ``[…]``, ``(…)``, ``{…}``, ``$x``, ``"… $x"``."""

    text: str
    offset: int


Value = str | Opaque
Argument = tuple[str, Value]
"""``(name, value)``; the name is ``""`` for a bare word and ``"!"`` for ``!name``."""


class Statement(NamedTuple):
    """One command in its menu. ``start`` is its offset in the text, ``line`` its line."""

    path: Path
    command: str
    arguments: tuple[Argument, ...]
    start: int
    line: int


class Token(NamedTuple):
    """An argument with its place: offsets of its start and its end."""

    name: str
    value: Value
    start: int
    end: int


_SIMPLE = re.compile(
    r"[ \t]*+add((?:(?:[ \t]++|\\\r?\n)+[a-z][a-z0-9-]*+=(?:\\\r?\n[ \t]*+)?"
    r"(?:\"[^\"\\\n$]*+\"|[^\s;\"'\[\](){}$\\]*+))+)[ \t\r]*+(?:\n|\Z)"
)
"""Most commands of most exports: ``add`` with plain values. It reads them as the grammar below does, faster."""
_PAIR = re.compile(r"([a-z][a-z0-9-]*+)=(?:\\\r?\n[ \t]*+)?(?:\"([^\"]*+)\"|([^\s\"\\]*+))")

_GAP = re.compile(r"(?:[ \t\r\n;]++|\\\r?\n|#[^\n]*+)*")
"""Between statements."""
_BLANK = re.compile(r"(?:[ \t]++|\r(?=\n)|\\\r?\n)*")
"""Between the words of one statement."""
_JOIN = re.compile(r"(?:\\\r?\n[ \t]*+)*")
_NAME = re.compile(r"([A-Za-z0-9.][A-Za-z0-9_.-]*+)=")
_WORD = re.compile(r"[^\s;\"\[\](){}$\\]++")
_STRING = re.compile(r'"([^"\\]*+(?:\\(?:\r\n|.)[^"\\]*+)*)"', re.DOTALL)
_VARIABLE = re.compile(r"\$(?:[A-Za-z0-9_.-]+|\"[^\"\n]*\")?")
_NESTED = re.compile(r'[^"\[\](){}\\]++|\\.|"[^"\\]*+(?:\\.[^"\\]*+)*"|(["\[\](){}])', re.DOTALL)
_SAYS = frozenset({":put", ":log", ":error", ":delay"})
"""What the handler of a block that runs once may do: nothing to tables."""
_DEEPEST = 100
"""Blocks in each other: to find the end of each its inside is looked through."""
_UNKNOWN: Path = ("}",)
"""The context after a block that changed it."""
_CLOSES = {"[": "]", "(": ")", "{": "}"}


class _Block(NamedTuple):
    """A block whose statements are read: its offset, the context before it, where its last brace must
    stand (0: anywhere), and the offset after all that belongs to it."""

    start: int
    context: Path
    brace: int = 0
    after: int = 0


class Script:
    """A parsed text: its statements, its faults, and the places of both."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self.statements: list[Statement] = []
        self.faults: list[InputError] = []
        self.comments: list[str] = []
        """Comment lines before the first statement, without ``#``."""
        self._line_starts: list[int] | None = None
        self._located: tuple[int, list[Token]] = (-1, [])

    def span(self, start: int, end: int = 0) -> Span:
        """The place of an offset; ``end`` is cut at the line's end."""
        starts = self._starts()
        row = bisect_right(starts, start) - 1
        column = start - starts[row] + 1
        line_end = starts[row + 1] - 1 if row + 1 < len(starts) else len(self.text)
        end = max(min(end, line_end), start + 1)
        return Span(self.source, row + 1, column, end - starts[row] + 1)

    def line_text(self, line: int) -> str:
        """One physical line, for a highlight."""
        starts = self._starts()
        begin = starts[line - 1]
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[begin:end].rstrip("\r")

    def locate(self, statement: Statement, index: int | None = None) -> Span:
        """The place of one argument, or of the statement's first word."""
        if self._located[0] != statement.start:  # one row has many places
            self._located = (statement.start, _tokens(self, statement.start))
        tokens = self._located[1]
        if index is not None:
            arguments = tokens[len(tokens) - len(statement.arguments) :]
            tokens = arguments[index : index + 1] or tokens
        if not tokens:
            return self.span(statement.start)
        return self.span(tokens[0].start, tokens[0].end)

    def words(self, statement: Statement) -> list[Token]:
        """The words of a statement with their places, its path and its command included."""
        return _tokens(self, statement.start)

    def fault(self, message: str, start: int, end: int = 0, kind: type[InputError] = SyntaxFault) -> InputError:
        """An error at an offset of the text."""
        span = self.span(start, end)
        return kind(message, span, self.line_text(span.line))

    def fault_at(
        self, message: str, statement: Statement, index: int | None = None, kind: type[InputError] = SyntaxFault
    ) -> InputError:
        """An error at one argument of a statement."""
        span = self.locate(statement, index)
        return kind(message, span, self.line_text(span.line))

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            self._line_starts = [0, *(found.end() for found in re.finditer("\n", self.text))]
        return self._line_starts


def parse(text: str, source: str) -> Script:
    """Read a whole text. Faults of the grammar are collected, and reading goes on with the next line."""
    script = Script(text, source)
    context: Path = ()
    position, line = 0, 1
    statements = script.statements
    blocks: list[_Block] = []
    simple, pairs = _SIMPLE.match, _PAIR.findall
    length = len(text)
    while position < length:
        found = simple(text, position) if context is not _UNKNOWN else None
        if found is not None:
            arguments = tuple([(name, quoted or bare) for name, quoted, bare in pairs(found[1])])
            statements.append(Statement(context, "add", arguments, position, line))
            line += text.count("\n", position, found.end())
            position = found.end()
            continue
        gap = _GAP.match(text, position)
        assert gap is not None  # it matches the empty string too
        begin = gap.end()
        if not statements and not context:
            script.comments += [part.strip()[1:].strip() for part in gap[0].split("\n") if part.strip().startswith("#")]
        if begin > position:
            line += text.count("\n", position, begin)
            position = begin
            # An indented line may be a simple one again; its blanks are of no account.
            continue
        try:
            if text[position] == "{":
                end, opened = position + 1, _Block(position, context)
                blocks.append(opened)
            elif text[position] == "}":
                closed = _close(script, blocks, position)
                end, context = closed.after or position + 1, context if context == closed.context else _UNKNOWN
            else:
                tokens = _tokens(script, position)
                once = _runs_once(tokens, context) if len(blocks) < _DEEPEST else None
                if once is not None:
                    blocks.append(once)
                    end = tokens[1].start + 1
                else:
                    end = tokens[-1].end
                    context = _assemble(script, context, tokens, line)
        except InputError as fault:
            script.faults.append(fault)
            end = text.find("\n", position)
            if isinstance(fault, _Unclosed) or end < 0:
                return script
        line += text.count("\n", position, end)
        position = end
    if blocks:
        script.faults.append(_unclosed(script, "{", blocks[0].start))
    return script


def _close(script: Script, blocks: list[_Block], position: int) -> _Block:
    """The block that a brace closes."""
    if not blocks:
        raise script.fault("'}' closes nothing here", position)
    block = blocks.pop()
    if block.brace not in (0, position):
        why = "it cannot be told where this block ends: a brace stands in a comment"
        raise script.fault(why, block.start, 0, _Unclosed)
    return block


def _runs_once(tokens: list[Token], context: Path) -> _Block | None:
    """The block of ``:do { … }`` or ``:do { … } on-error={ … }`` whose handler only says something."""
    words = [token.value if isinstance(token.value, str) and not token.name else "" for token in tokens]
    if words[0] not in (":do", "do") or len(tokens) < 2 or tokens[1].name or not _is_block(tokens[1]):
        return None
    handler = None
    if (len(tokens) == 3 and tokens[2].name == "on-error") or (len(tokens) == 4 and words[2] == "on-error"):
        handler = tokens[-1]
    elif len(tokens) > 2:
        return None
    if handler is not None and not (_is_block(handler) and _only_says(handler)):
        return None
    return _Block(tokens[0].start, context, tokens[1].end - 1, tokens[-1].end)


def _is_block(token: Token) -> bool:
    return isinstance(token.value, Opaque) and token.value.text.startswith("{")


def _only_says(handler: Token) -> bool:
    assert isinstance(handler.value, Opaque)  # it is a block
    text = handler.value.text[1:-1]
    if "on-error" in text or "[" in text:
        return False
    inner = parse(text, "")
    return not inner.faults and all(statement.command in _SAYS for statement in inner.statements)


def _assemble(script: Script, context: Path, tokens: list[Token], line: int) -> Path:
    """Append the statement that the tokens make; the context for the next one."""
    start = tokens[0].start
    first = tokens[0].value
    if first in _WITHOUT_COLON and not tokens[0].name and script.text[start] != '"':
        first = f":{first}"
    if tokens[0].name or not isinstance(first, str) or first.startswith(":"):
        command = first if isinstance(first, str) and not tokens[0].name else script.text[start : tokens[0].end]
        script.statements.append(Statement(context, command or '""', _arguments(tokens[1:]), start, line))
        return context
    if context == _UNKNOWN and not first.startswith("/"):
        why = "the block before changed the menu, and none is said here: write the path out, as in /ip firewall mangle"
        raise script.fault(why, start, tokens[0].end, Unmodelled)
    path = [] if first.startswith("/") else list(context)
    for count, token in enumerate(tokens):
        if token.name or not isinstance(token.value, str) or script.text[token.start] in '"!*':
            script.statements.append(Statement(tuple(path), "", _arguments(tokens[count:]), start, line))
            return context
        words = [word for word in token.value.split("/") if word]
        for number, word in enumerate(words):
            if word in COMMANDS and number == len(words) - 1:
                rest = _arguments(tokens[count + 1 :])
                script.statements.append(Statement(tuple(path), word, rest, start, line))
                return context
            if word == "..":
                path = path[:-1]
            else:
                path.append(word)
    script.statements.append(Statement(tuple(path), "", (), start, line))
    return tuple(path)


def _arguments(tokens: list[Token]) -> tuple[Argument, ...]:
    return tuple((token.name, token.value) for token in tokens)


class _Unclosed(SyntaxFault):
    """A bracket or a quote that runs to the end of the text: nothing can be read after it."""


def _tokens(script: Script, position: int) -> list[Token]:
    """The words of the statement that begins at ``position``."""
    text = script.text
    tokens: list[Token] = []
    while True:
        blank = _BLANK.match(text, position)
        assert blank is not None  # it matches the empty string too
        position = blank.end()
        if position >= len(text) or text[position] in "\n;}":
            return tokens
        if text[position] == "#" and (blank[0] or not tokens):
            return tokens
        if tokens and not blank[0]:
            raise script.fault(f"{text[position]!r} stands here; expected a blank between words", position)
        token = _token(script, position)
        tokens.append(token)
        position = token.end


def _token(script: Script, start: int) -> Token:
    text = script.text
    named = _NAME.match(text, start)
    if named is None:
        if text[start] == "!":
            word = _WORD.match(text, start + 1)
            if word is not None:
                return Token("!", word[0], start, word.end())
        value, end = _value(script, start, expected="a word")
        return Token("", value, start, end)
    join = _JOIN.match(text, named.end())
    assert join is not None  # it matches the empty string too
    value, end = _value(script, join.end())
    return Token(named[1], value, start, end)


def _value(script: Script, start: int, expected: str = "") -> tuple[Value, int]:
    text = script.text
    character = text[start] if start < len(text) else ""
    if character == '"':
        string = _STRING.match(text, start)
        if string is None:
            raise _unclosed(script, '"', start)
        try:
            plain = unquote(string[1])
        except BadEscape as bad:
            place = start + 1 + bad.offset
            raise script.fault(str(bad), place, place + 2) from None
        return (Opaque(string[0], start) if linked(string[1]) else plain), string.end()
    if character in _CLOSES:
        end = _balanced(script, start)
        return Opaque(text[start:end], start), end
    if character == "$":
        variable = _VARIABLE.match(text, start)
        assert variable is not None  # the dollar sign stands there
        return Opaque(variable[0], start), variable.end()
    word = _WORD.match(text, start)
    if word is not None:
        return word[0], word.end()
    if expected:
        raise script.fault(f"{character!r} stands here; expected {expected}", start)
    return "", start


def _balanced(script: Script, start: int) -> int:
    """The offset after the bracket that closes the one at ``start``."""
    text = script.text
    stack: list[str] = []
    position = start
    while position < len(text):
        found = _NESTED.match(text, position)
        if found is None:
            raise _unclosed(script, text[position], position)
        bracket = found[1]
        if bracket == '"':
            raise _unclosed(script, '"', position)
        if bracket in _CLOSES:
            stack.append(_CLOSES[bracket])
        elif bracket:
            if stack.pop() != bracket:
                raise script.fault(f"{bracket!r} closes nothing here", found.start(1), 0, _Unclosed)
            if not stack:
                return found.end()
        position = found.end()
    raise _unclosed(script, text[start], start)


def _unclosed(script: Script, what: str, start: int) -> InputError:
    return script.fault(f"{what!r} is opened here and never closed", start, start + 1, _Unclosed)
