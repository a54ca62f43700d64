"""The outer grammar: tables, chains, sets, and the commands that change them."""

from __future__ import annotations

from collections.abc import Callable

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.blocks import end_of_rule, read_chain_block, read_set_block, skip_object
from compiler.dialects.nftables.elements import is_name, read_elements
from compiler.dialects.nftables.simulated_sets import change_simulated
from compiler.dialects.nftables.state import ChainState, State, TableState
from compiler.dialects.nftables.tokens import END, Cursor
from compiler.errors import InputError

__all__ = ["read_commands"]

_FAMILIES = frozenset(facts.FAMILIES) | facts.FOREIGN_FAMILIES
_ACTIONS = frozenset({"add", "create", "insert", "delete", "destroy", "flush", "rename", "replace"})
_OBJECTS = frozenset({"counter", "quota", "limit", "ct", "secmark", "synproxy", "flowtable", "tunnel"})
_TRACKING = frozenset({"ct", "synproxy"})
"""Objects for whose sake the kernel tracks connections (nft_ct_helper_obj_init and its like)."""
_SEPARATORS = frozenset({"\n", ";"})


def read_commands(cursor: Cursor, *, simulate: bool = False) -> tuple[State, list[InputError]]:
    """All commands of the text, and what is wrong with them; rules are not looked into yet."""
    commands = _Commands(cursor)
    commands.state.simulate = simulate
    words = cursor.words
    while words[cursor.position] != END:
        if words[cursor.position] in _SEPARATORS:
            cursor.position += 1
            continue
        start = cursor.position
        try:
            commands.command()
            if words[cursor.position] not in (*_SEPARATORS, END):
                raise cursor.expected("the end of the command")
        except InputError as error:
            commands.errors.append(error)
            cursor.position = max(cursor.position, start + 1)
            _recover(cursor)
    return commands.state, commands.errors


def _recover(cursor: Cursor) -> None:
    """To the next line outside of brackets."""
    words = cursor.words
    depth = 0
    while words[cursor.position] != END and (depth > 0 or words[cursor.position] != "\n"):
        depth += (words[cursor.position] == "{") - (words[cursor.position] == "}")
        cursor.position += 1


class _Commands:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.state = State()
        self.errors: list[InputError] = []

    def command(self) -> None:
        cursor = self.cursor
        first = cursor.position
        word = cursor.words[first]
        action = "add"
        if word in _ACTIONS:
            action = word
            cursor.position += 1
        elif word in ("list", "monitor", "export", "import", "describe", "reset", "get"):
            raise cursor.fault(f"'{word}' shows something and configures nothing")
        noun = cursor.words[cursor.position]
        handler = self._handlers().get(noun)
        if handler is None and noun in _OBJECTS:
            self._object()
            return
        if handler is None:
            raise cursor.expected("table, chain, rule, set, map, element or flush ruleset")
        cursor.position += 1
        handler(action)

    def _handlers(self) -> dict[str, Callable[[str], None]]:
        return {
            "table": self._table,
            "chain": self._chain,
            "rule": self._rule,
            "set": self._set,
            "map": self._map,
            "element": self._element,
            "ruleset": self._ruleset,
        }

    # -- names -----------------------------------------------------------------

    def _name(self, what: str) -> str:
        word = self.cursor.words[self.cursor.position]
        if not is_name(word):
            raise self.cursor.expected(f"the name of a {what}")
        self.cursor.position += 1
        return word.strip('"')

    def _family(self) -> str:
        word = self.cursor.words[self.cursor.position]
        if word in _FAMILIES:
            self.cursor.position += 1
            return word
        return "ip"

    def _place(self) -> TableState:
        """``[family] table`` of a command about something in it."""
        family = self._family()
        first = self.cursor.position
        name = self._name("table")
        table = self.state.tables.get((family, name))
        if table is None:
            raise self.cursor.fault(f"there is no table {family} {name} here", first)
        return table

    # -- tables ------------------------------------------------------------------

    def _ruleset(self, action: str) -> None:
        if action != "flush":
            raise self.cursor.fault(f"'{action} ruleset': expected flush ruleset", self.cursor.position - 1)
        word = self.cursor.words[self.cursor.position]
        self.state.flush(self._family() if word in _FAMILIES else "")

    def _table(self, action: str) -> None:
        cursor = self.cursor
        family = self._family()
        first = cursor.position
        if cursor.words[first] == "handle":
            raise cursor.unmodelled("handles are numbers of a running kernel", first)
        key = family, self._name("table")
        table = self.state.tables.get(key)
        if action in ("delete", "destroy", "flush"):
            if table is None:
                return  # it speaks of what the kernel may hold; what the text leaves behind is the same
            if action == "flush":
                for chain in table.chains.values():
                    self.state.flush_chain(table, chain)
            else:
                self.state.delete_table(key)
            return
        if action not in ("add", "create"):
            raise cursor.fault(f"'{action} table' is no command", first)
        if table is None:
            table = TableState(family, key[1], simulate=self.state.simulate, span=cursor.span(first))
            self.state.tables[key] = table
        elif action == "create":
            raise cursor.fault(f"the table {family} {key[1]} exists already", first)
        if cursor.words[cursor.position] == "{":
            cursor.position += 1
            self._table_block(table)

    def _table_block(self, table: TableState) -> None:
        cursor = self.cursor
        words = cursor.words
        while words[cursor.position] != "}":
            word = words[cursor.position]
            if word in _SEPARATORS:
                cursor.position += 1
            elif word == END:
                raise cursor.expected("'}'")
            else:
                start = cursor.position
                try:
                    self._member(table, word)
                    if words[cursor.position] not in (*_SEPARATORS, "}"):
                        raise cursor.expected("'}'" if words[cursor.position] == END else "the end of the line")
                except InputError as error:
                    self.errors.append(error)
                    cursor.position = max(cursor.position, start + 1)
                    self._to_member_end()
        cursor.position += 1

    def _to_member_end(self) -> None:
        """After a fault: to the end of the line, or of the block that the line opened."""
        cursor = self.cursor
        words = cursor.words
        depth = 0
        while words[cursor.position] != END and (depth > 0 or words[cursor.position] not in ("\n", "}")):
            depth += (words[cursor.position] == "{") - (words[cursor.position] == "}")
            cursor.position += 1

    def _member(self, table: TableState, word: str) -> None:
        cursor = self.cursor
        if word == "flags":
            cursor.position += 1
            self._table_flags(table)
        elif word == "comment":
            if cursor.words[cursor.position + 1][:1] != '"':
                raise cursor.expected("a quoted comment", cursor.position + 1)
            cursor.position += 2
        elif word == "chain":
            cursor.position += 1
            read_chain_block(cursor, table, self._chain_of(table), self.errors)
        elif word in ("set", "map"):
            cursor.position += 1
            first = cursor.position
            name = self._name(word)
            read_set_block(cursor, table, name, is_map=word == "map", first=first)
        elif word in _OBJECTS:
            skip_object(cursor, table, tracks=word in _TRACKING)
        else:
            raise cursor.expected("chain, set, map, flags, comment or a named object")

    def _table_flags(self, table: TableState) -> None:
        cursor = self.cursor
        while True:
            word = cursor.words[cursor.position]
            if word not in ("dormant", "owner", "persist"):
                raise cursor.expected("dormant, owner or persist")
            table.dormant = table.dormant or word == "dormant"
            cursor.position += 1
            if cursor.words[cursor.position] != ",":
                return
            cursor.position += 1

    # -- chains and rules ----------------------------------------------------------

    def _chain_of(self, table: TableState) -> ChainState:
        """The chain named at the cursor, made when it is new."""
        first = self.cursor.position
        name = self._name("chain")
        chain = table.chains.get(name)
        if chain is None:
            chain = table.chains[name] = ChainState(name, span=self.cursor.span(first))
        return chain

    def _known_chain(self, table: TableState) -> ChainState:
        first = self.cursor.position
        name = self._name("chain")
        chain = table.chains.get(name)
        if chain is None:
            raise self.cursor.fault(f"table {table.family} {table.name} has no chain {name}", first)
        return chain

    def _chain(self, action: str) -> None:
        cursor = self.cursor
        table = self._place()
        if action in ("add", "create"):
            if action == "create" and cursor.words[cursor.position].strip('"') in table.chains:
                raise cursor.fault("the chain exists already")
            chain = self._chain_of(table)
            if cursor.words[cursor.position] == "{":
                read_chain_block(cursor, table, chain, self.errors)
        elif action == "rename":
            chain = self._known_chain(table)
            del table.chains[chain.name]
            chain.name = self._name("chain")
            table.chains[chain.name] = chain
        elif action in ("flush", "delete", "destroy"):
            if action == "destroy" and cursor.words[cursor.position].strip('"') not in table.chains:
                self._name("chain")
                return
            chain = self._known_chain(table)
            self.state.flush_chain(table, chain)
            if action != "flush":
                del table.chains[chain.name]
        else:
            raise cursor.fault(f"'{action} chain' is no command")

    def _rule(self, action: str) -> None:
        cursor = self.cursor
        if action not in ("add", "insert"):
            raise cursor.unmodelled(f"'{action} rule' needs the handles of a running kernel", cursor.position)
        table = self._place()
        chain = self._known_chain(table)
        where = len(chain.rules) if action == "add" else 0
        word = cursor.words[cursor.position]
        if word in ("handle", "position"):
            raise cursor.unmodelled("handles are numbers of a running kernel", cursor.position)
        if word == "index":
            number = cursor.words[cursor.position + 1]
            if not number.isdecimal() or len(number) > 9 or int(number) >= len(chain.rules):
                raise cursor.expected("the index of a rule", cursor.position + 1)
            where = int(number) + (action == "add")
            cursor.position += 2
        chain.rules.insert(where, cursor.position)
        cursor.position = end_of_rule(cursor)

    # -- sets ------------------------------------------------------------------------

    def _set(self, action: str, *, is_map: bool = False) -> None:
        cursor = self.cursor
        table = self._place()
        first = cursor.position
        name = self._name("map" if is_map else "set")
        if action in ("add", "create"):
            read_set_block(cursor, table, name, is_map=is_map, first=first)
        elif name not in table.sets:
            if action != "destroy":
                raise cursor.fault(f"table {table.family} {table.name} has no set {name}", first)
        elif action == "flush":
            table.sets[name].elements.clear()
            table.sets[name].values.clear()
        elif action in ("delete", "destroy"):
            del table.sets[name]
        else:
            raise cursor.fault(f"'{action}' is no command for sets", first)

    def _map(self, action: str) -> None:
        self._set(action, is_map=True)

    def _element(self, action: str) -> None:
        cursor = self.cursor
        table = self._place()
        first = cursor.position
        state = table.sets.get(self._name("set"))
        if state is None:
            raise cursor.fault(f"table {table.family} {table.name} has no set {cursor.words[first]}", first)
        if state.filled or state.data:
            change_simulated(cursor, state, action)
            return
        if state.unmodelled:
            raise cursor.unmodelled(f"the set {state.name!r}: {state.unmodelled}", first)
        if action in ("add", "create"):
            state.elements.extend(read_elements(cursor, state.kinds, is_map=state.is_map))
        elif action in ("delete", "destroy"):
            for element in read_elements(cursor, state.kinds, is_map=False):
                left = [one for one in state.elements if one.key != element.key]
                if len(left) == len(state.elements) and action == "delete":
                    raise cursor.fault("the set has no such element", first)
                state.elements[:] = left
        else:
            raise cursor.fault(f"'{action} element' is no command", first)

    def _object(self) -> None:
        """Named counters, quotas, helpers: known, and without effect on verdicts by themselves."""
        cursor = self.cursor
        noun = cursor.position
        cursor.position += 2 if cursor.words[noun] == "ct" else 1
        table = self._place()
        cursor.position -= 1
        skip_object(cursor, table, tracks=cursor.words[noun] in _TRACKING)
