"""The tables of a router while a script runs: add, set, remove, move, enable, disable.

Tables are empty when the script begins. Source: MikroTik documentation,
"Console" (general commands, item names and numbers).
"""

from __future__ import annotations

from compiler.dialects.routeros.find import NotFind, parse_find
from compiler.dialects.routeros.script import Opaque, Path, Script, Statement
from compiler.errors import InputError, InputErrors, SyntaxFault, Unmodelled
from compiler.source import Span

__all__ = ["Item", "Table"]

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


class Item:
    """One row: its properties as text, and the statement that each came from."""

    __slots__ = ("_later", "properties", "statement")

    def __init__(self, properties: dict[str, str], statement: Statement) -> None:
        self.properties = properties
        self.statement = statement
        self._later: dict[str, tuple[Statement, int]] | None = None

    @property
    def disabled(self) -> bool:
        """Whether the row does nothing."""
        return _YES_NO.get(self.properties.get("disabled", "no"), False)

    def put(self, name: str, value: str, statement: Statement, index: int) -> None:
        """Set a property after the row was added."""
        self.properties[name] = value
        self._later = self._later or {}
        self._later[name] = (statement, index)

    def span(self, script: Script, name: str = "") -> Span:
        """The place of a property, or of the whole row."""
        statement, index = self._place(name)
        return script.locate(statement, index)

    def offset(self, name: str) -> int:
        """Where the statement begins that gave a property its value."""
        return self._place(name)[0].start

    def fault(self, script: Script, message: str, name: str = "", kind: type[InputError] = SyntaxFault) -> InputError:
        """An error at a property."""
        statement, index = self._place(name)
        return script.fault_at(message, statement, index, kind)

    def _place(self, name: str) -> tuple[Statement, int | None]:
        if self._later and name in self._later:
            return self._later[name]
        for index, (argument, value) in enumerate(self.statement.arguments):
            if argument == name or (argument == "!" and value == name):
                return self.statement, index
        return self.statement, None


class Table:
    """One menu's rows in order. ``known`` are the properties that they may have, ``required`` must have."""

    texts: frozenset[str] = frozenset()
    """Text properties to find rows by, beside those of the firewall."""

    def __init__(self, path: Path, known: frozenset[str], required: tuple[str, ...]) -> None:
        self.path = path
        self.known = known
        self.required = required
        self.items: list[Item] = []

    def run(self, script: Script, statement: Statement) -> None:
        """Carry out one statement. Raises InputError."""
        command = statement.command
        if command == "add":
            self._add(script, statement)
        elif command in ("set", "comment"):
            self._set(script, statement)
        elif command == "remove":
            chosen = set(map(id, self._chosen(script, statement)))
            self.items = [item for item in self.items if id(item) not in chosen]
        elif command in ("disable", "enable"):
            for item in self._chosen(script, statement):
                item.put("disabled", "yes" if command == "disable" else "no", statement, 0)
        elif command == "move":
            self._move(script, statement)
        elif command == "unset":
            self._unset(script, statement)
        elif command not in ("print", "export", "reset-counters", "reset-counters-all"):
            raise script.fault_at(f"{command} asks a running router: not modelled", statement, kind=Unmodelled)

    def _add(self, script: Script, statement: Statement) -> None:
        arguments = statement.arguments
        properties = dict(arguments)
        if len(properties) != len(arguments) or not properties.keys() <= self.known:
            properties = self._checked(script, statement)
        before = properties.pop("place-before", None)
        for name, value in properties.items():
            if not isinstance(value, str):
                raise self._opaque(script, statement, name, value)
        missing = [name for name in self.required if not properties.get(name)]
        if missing:
            raise script.fault_at(f"add without {' and '.join(missing)}", statement)
        item = Item(properties, statement)  # type: ignore[arg-type]  # the loop above saw that all are text
        if before is None:
            self.items.append(item)
            return
        index = _index(statement, "place-before")
        anchors = self._resolve(script, statement, index, before)
        if not anchors:
            raise script.fault_at("place-before names no item", statement, index)
        self.items.insert(self._position(anchors[0]), item)

    def _checked(self, script: Script, statement: Statement) -> dict[str, str | Opaque]:
        """The arguments of ``add`` one by one, for what is not plain."""
        properties: dict[str, str | Opaque] = {}
        for index, (name, value) in enumerate(statement.arguments):
            if name == "copy-from":
                raise script.fault_at("copy-from is not modelled", statement, index, Unmodelled)
            if name == "!":
                self._know(script, statement, index, str(value))
                continue  # left out is unset
            if not name:
                raise self._stray(script, statement, index)
            self._know(script, statement, index, name)
            if name in properties:
                raise script.fault_at(f"{name} stands twice in one command", statement, index)
            properties[name] = value
        return properties

    def _know(self, script: Script, statement: Statement, index: int, name: str) -> None:
        if name in self.known:
            return
        from difflib import get_close_matches

        near = get_close_matches(name, sorted(self.known), 1)
        hint = f"; did you mean {near[0]}?" if near else f"; expected {', '.join(sorted(self.known)[:12])}, …"
        raise script.fault_at(f"{name!r} is no property of /{' '.join(self.path)}{hint}", statement, index)

    def want_known(self, script: Script, statement: Statement) -> None:
        """Raises InputErrors with every property of the statement that the menu does not have."""
        faults: list[InputError] = []
        for index, (name, value) in enumerate(statement.arguments):
            if not name or name == "numbers":
                continue
            try:
                self._know(script, statement, index, str(value) if name == "!" else name)
            except InputError as fault:
                faults.append(fault)
        if faults:
            raise InputErrors(tuple(faults))

    def _stray(self, script: Script, statement: Statement, index: int) -> InputError:
        value = statement.arguments[index][1]
        if isinstance(value, Opaque):
            return self._opaque(script, statement, index, value)
        from difflib import get_close_matches

        near = get_close_matches(value, sorted(self.known), 1)
        hint = f"; did you mean {near[0]}=…?" if near else ""
        return script.fault_at(f"{value!r} stands here; expected NAME=VALUE{hint}", statement, index)

    def _opaque(self, script: Script, statement: Statement, where: str | int, value: object) -> InputError:
        index = _index(statement, where) if isinstance(where, str) else where
        text = value.text if isinstance(value, Opaque) else str(value)
        short = text if len(text) <= 40 else text[:40] + "…"
        if text.startswith("{{"):
            return script.fault_at(f"{short} is a placeholder: fill in the template first", statement, index)
        return script.fault_at(
            f"{short} can only be known on a running router: not modelled", statement, index, Unmodelled
        )

    def _set(self, script: Script, statement: Statement) -> None:
        chosen = self._chosen(script, statement)
        for index, (name, value) in enumerate(statement.arguments):
            if not name or name == "numbers":
                continue
            if not isinstance(value, str):
                raise self._opaque(script, statement, index, value)
            changed, text = (value, "") if name == "!" else (name, value)
            self._know(script, statement, index, changed)
            for item in chosen:
                item.put(changed, text, statement, index)

    def _unset(self, script: Script, statement: Statement) -> None:
        words = [
            (index, value) for index, (name, value) in enumerate(statement.arguments) if name in ("", "value-name")
        ]
        chosen = self._resolve(script, statement, words[0][0], words[0][1]) if words else []
        if len(words) < 2:
            raise script.fault_at("unset: expected items and the name of a property", statement)
        for index, value in words[1:]:
            self._know(script, statement, index, str(value))
            for item in chosen:
                item.put(str(value), "", statement, index)

    def _move(self, script: Script, statement: Statement) -> None:
        words = [index for index, (name, _) in enumerate(statement.arguments) if name in ("", "numbers", "destination")]
        if not words or len(words) != len(statement.arguments) or len(words) > 2:
            raise script.fault_at("move: expected items, and the item they are moved before", statement)
        moved = self._resolve(script, statement, words[0], statement.arguments[words[0]][1])
        anchor: Item | None = None
        if len(words) == 2:
            anchors = self._resolve(script, statement, words[1], statement.arguments[words[1]][1])
            if not anchors:
                raise script.fault_at("the item to move before is not there", statement, words[1])
            anchor = anchors[0]
        marked = set(map(id, moved))
        position = len(self.items) if anchor is None else self._position(anchor)
        head = [item for item in self.items[:position] if id(item) not in marked]
        tail = [item for item in self.items[position:] if id(item) not in marked]
        self.items = [*head, *moved, *tail]

    def _chosen(self, script: Script, statement: Statement) -> list[Item]:
        """The items a command is about: its first bare word, ``numbers=``, or ``[find …]``."""
        chosen: list[Item] | None = None
        for index, (name, value) in enumerate(statement.arguments):
            if name not in ("", "numbers"):
                continue
            if chosen is not None:
                raise self._stray(script, statement, index)
            chosen = self._resolve(script, statement, index, value)
        if chosen is None:
            raise script.fault_at(f"{statement.command} without items: expected [find …] or numbers", statement)
        return chosen

    def _resolve(self, script: Script, statement: Statement, index: int | None, value: str | Opaque) -> list[Item]:
        if isinstance(value, Opaque):
            try:
                finder = parse_find(value.text, self.texts)
            except NotFind as why:
                raise script.fault_at(f"{why}: not modelled", statement, index, Unmodelled) from None
            if finder.path not in ((), self.path):
                raise script.fault_at("find in another menu is not modelled", statement, index, Unmodelled)
            return [item for item in self.items if finder.test(item.properties)]
        if value == "":
            return []
        found = []
        for part in value.split(","):
            if part.startswith("*"):
                raise script.fault_at(
                    f"{part} is a number that the router gave: not modelled", statement, index, Unmodelled
                )
            if not (part.isascii() and part.isdigit() and len(part) < 9):
                raise script.fault_at(f"{part!r} stands here; expected [find …] or numbers", statement, index)
            if int(part) >= len(self.items):
                raise script.fault_at(f"no such item: {part}; the table has {len(self.items)} here", statement, index)
            found.append(self.items[int(part)])
        return found

    def _position(self, wanted: Item) -> int:
        return next(index for index, item in enumerate(self.items) if item is wanted)


def _index(statement: Statement, name: str) -> int | None:
    return next((index for index, (argument, _) in enumerate(statement.arguments) if argument == name), None)
