"""The programs of a node and the commands of clients: words, environment, working folder, and when they are ready."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedSequence, PlacedValue, kind_of
from labs.programs import Command, Program, Ready, ReadyKind
from labs.reading.names import NAME
from labs.reading.services import port_named
from labs.topology import Node

__all__ = ["read_command", "with_programs"]

_SYSTEM = ("/", "/proc", "/sys", "/dev", "/usr", "/bin", "/lib", "/etc")
"""Empty, these would leave nothing to run."""
_STOP = 5_000_000_000


def with_programs(node: Node, fields: Fields, folder: Path) -> Node:
    """The node with its ``programs`` and ``private`` folders."""
    private = (parse(item, _private, fields.complaints) for item in as_items(fields.take("private")))
    found: dict[str, Program] = {}
    for item in as_items(fields.take("programs")):
        program = _program(item, fields.complaints, folder)
        if program is None:
            continue
        if program.name in found:
            fields.complaints.error(f"{node.name} has two programs {program.name!r}", item.span)
        found[program.name] = program
    return replace(node, programs=tuple(found.values()), private=tuple(dict.fromkeys(one for one in private if one)))


def read_command(value: PlacedValue, key: str, complaints: Complaints, folder: Path) -> Command | None:
    """``python3 send.py``, ``[python3, send.py]``, or ``{command: …, environment: …, folder: …, needs: …}``."""
    if not isinstance(value, PlacedMapping):
        words = _words(value, key, complaints)
        return Command(words=words, folder=folder) if words else None
    inner = Fields(value, key, complaints)
    if "command" not in inner:
        complaints.error(f"{key} has no 'command': what is run, such as python3 send.py", value.span)
    made = _command(inner, "command", folder)
    inner.done()
    return made


def _program(value: PlacedValue, complaints: Complaints, folder: Path) -> Program | None:
    """``{name: web, run: python3 -m http.server 80, ready: {port: http}}``."""
    fields = Fields(value, "a program", complaints)
    name = fields.required("name", "messages call it by that")
    if name and not NAME.match(name):
        complaints.error(f"{name!r} is no name: expected letters, digits, '-', '_' and '.'", fields.place("name"))
    if "run" not in fields:
        complaints.error("a program has no 'run': its words, such as python3 -m http.server 80", value.span)
    command = _command(fields, "run", folder)
    ready = fields.take("ready")
    made = Program(
        name=name,
        command=command or Command(words=()),
        ready=None if ready is None else _ready(ready, complaints),
        stop=fields.duration("stop", _STOP),
        span=value.span,
    )
    fields.done()
    return made if name else None


def _command(fields: Fields, key: str, folder: Path) -> Command | None:
    value = fields.take(key)
    words = () if value is None else _words(value, key, fields.complaints)
    inner = fields.take("environment")
    environment = () if inner is None else _environment(inner, fields.complaints)
    needs = (parse(item, str, fields.complaints) for item in as_items(fields.take("needs")))
    place = _folder(fields, folder)
    if not words:
        return None
    return Command(
        words=words, environment=environment, folder=place, needs=tuple(need for need in needs if need is not None)
    )


def _words(value: PlacedValue, key: str, complaints: Complaints) -> tuple[str, ...]:
    """Words as the shell would split them; no shell does more with them."""
    if isinstance(value, PlacedSequence):
        found = tuple(item.text for item in value.items if isinstance(item, PlacedScalar))
        if len(found) != len(value.items) or not found or not found[0]:
            complaints.error(f"{key}: expected words, such as [python3, send.py]", value.span)
            return ()
        return found
    if not isinstance(value, PlacedScalar) or not value.text.strip():
        complaints.error(f"{key}: expected a command, such as python3 send.py, not {kind_of(value)}", value.span)
        return ()
    try:
        return tuple(shlex.split(value.text))
    except ValueError as error:
        complaints.error(f"{key}: {value.text!r}: {str(error).lower()}", value.span)
        return ()


def _environment(value: PlacedValue, complaints: Complaints) -> tuple[tuple[str, str], ...]:
    fields = Fields(value, "environment", complaints)
    found = []
    for key, entry in fields.take_any():
        if not isinstance(entry, PlacedScalar):
            complaints.error(f"environment: {key.text}: expected one value, not {kind_of(entry)}", entry.span)
        elif not key.text.isidentifier():
            complaints.error(f"environment: {key.text!r} is no name of a variable", key.span)
        else:
            found.append((key.text, entry.text))
    return tuple(found)


def _folder(fields: Fields, folder: Path) -> Path:
    """Where the process begins: relative to the lab file, and there."""
    name = fields.optional("folder", str)
    if name is None:
        return folder
    place = folder / name
    if not place.is_dir():
        fields.complaints.error(f"there is no folder {name!r} in {folder}", fields.place("folder"))
    return place


def _ready(value: PlacedValue, complaints: Complaints) -> Ready | None:
    """``{port: smtp, within: 20 s}``, ``{socket: /run/x.sock}``, ``{file: …}``, ``{says: ready}``, ``{exits: 0}``."""
    fields = Fields(value, "ready", complaints)
    kinds = [kind for kind in ReadyKind if kind.value in fields]
    within = fields.duration("within", Ready(ReadyKind.FILE, "").within)
    found = {kind: fields.optional(kind.value, _READY[kind]) for kind in kinds}
    for kind in ReadyKind:
        fields.take(kind.value)
    fields.done()
    if len(kinds) != 1:
        words = ", ".join(kind.value for kind in ReadyKind)
        given = " and ".join(repr(kind.value) for kind in kinds) or "none of them"
        complaints.error(f"ready: one of {words} expected: here {given}", value.span)
        return None
    text = found[kinds[0]]
    return None if text is None else Ready(kinds[0], text, within)


def _private(text: str) -> str:
    path = _absolute(text)
    if path in _SYSTEM:
        raise ValueError(f"{text!r} cannot be empty: nothing could run")
    return path


def _absolute(text: str) -> str:
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{text!r}: expected a path from the root, such as /var/lib")
    return str(path)


def _port(text: str) -> str:
    return str(port_named(text))


def _code(text: str) -> str:
    if not (text.isascii() and text.isdigit() and int(text) < 256):
        raise ValueError(f"{text!r}: expected an exit code from 0 to 255")
    return str(int(text))


_READY: dict[ReadyKind, Callable[[str], str]] = {
    ReadyKind.PORT: _port,
    ReadyKind.SOCKET: _absolute,
    ReadyKind.FILE: _absolute,
    ReadyKind.LINE: str,
    ReadyKind.EXIT: _code,
}
