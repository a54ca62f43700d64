"""Regular expressions must mean the same on every Python that we run on.

Before 3.11.5 a possessive repeat of a *group* (``(?:a|b)*+``) may match wrongly
(https://github.com/python/cpython/issues/106052), and Debian 12 has 3.11.2. Of
one character or class (``[^"]*+``) it is right everywhere.
"""

import ast
import re
from pathlib import Path
from re import _constants, _parser  # the tree of a pattern is not public
from typing import Any

import pytest

import appliance
import compiler
import labs

ROOMS = [Path(room.__file__).parent for room in (appliance, compiler, labs)]
USING = [file for room in ROOMS for file in sorted(room.rglob("*.py")) if "re." in file.read_text()]


def patterns(text: str) -> list[str]:
    """The texts that a module hands to ``re``."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    asked = [
        call for call in calls if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "re"
    ]
    texts = [node for call in asked for argument in call.args[:1] for node in ast.walk(argument)]
    return [node.value for node in texts if isinstance(node, ast.Constant) and isinstance(node.value, str)]


SINGLE = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY)


def faulty(tree: Any) -> bool:
    """Whether a pattern's tree has an atomic group, or a possessive repeat of more than one character."""
    if isinstance(tree, tuple) and tree[:1] == (_constants.ATOMIC_GROUP,):
        return True
    if isinstance(tree, tuple) and tree[:1] == (_constants.POSSESSIVE_REPEAT,):
        _, (_, _, body) = tree
        return len(body) != 1 or body[0][0] not in SINGLE
    return isinstance(tree, tuple | list | _parser.SubPattern) and any(map(faulty, tree))


def wrong(pattern: str) -> bool:
    """Of a part of a pattern, which may not stand alone, the text is looked at, without its classes."""
    try:
        return faulty(_parser.parse(pattern))
    except re.error:
        return re.search(r"(?<!\\)\)[*+?]\+|\(\?>", re.sub(r"\[\^?\]?(?:\\.|[^]\\])*\]", "", pattern)) is not None


def test_it_is_seen():
    assert wrong(patterns('import re\nre.compile(r"x(?:(?:ab|c)*+)?")')[0])
    assert wrong(patterns('import re\nre.match(r"x" r"(?>a)", text)')[0])
    assert not wrong(patterns(r're.compile(r"[^\)]*+\)+(a)+[()*+]x++")')[0])


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_no_group_is_repeated_possessively(room):
    found = {
        str(file.relative_to(room)): pattern
        for file in USING
        if file.is_relative_to(room)
        for pattern in patterns(file.read_text())
        if wrong(pattern)
    }
    assert found == {}
