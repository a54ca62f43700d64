"""What stands between the brackets of a chain, a set or a map."""

from __future__ import annotations

import re

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.datatypes import DATATYPES, DataType
from compiler.dialects.nftables.elements import SetState, is_name, read_elements
from compiler.dialects.nftables.keys import KEYS, UNMODELLED_WORDS
from compiler.dialects.nftables.simulated_sets import duration, keep_for_simulation
from compiler.dialects.nftables.state import ChainState, TableState
from compiler.dialects.nftables.tokens import END, Cursor
from compiler.dialects.nftables.unmodelled import balanced_end
from compiler.errors import InputError
from compiler.policy.ruleset import Verdict

__all__ = ["end_of_rule", "read_anonymous_block", "read_chain_block", "read_set_block", "skip_object"]

_SEPARATORS = frozenset({"\n", ";"})
_RULE_ENDS = frozenset({"\n", ";", "}", END})
_NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_SPLIT_OFFSET = re.compile(r"([a-z]+)([+-])([0-9]{1,10})", re.ASCII)
_FOREIGN_TYPES = facts.word_set("ether_addr mark ct_state ct_label ct_id time hour day realm uid gid cgroupsv2")


def end_of_rule(cursor: Cursor) -> int:
    """The index of the token that ends the rule at the cursor: outside of brackets."""
    words, index = cursor.words, cursor.position
    while words[index] not in _RULE_ENDS:
        index = balanced_end(cursor, index) if words[index] == "{" else index + 1
    return index


def read_chain_block(cursor: Cursor, table: TableState, chain: ChainState, errors: list[InputError]) -> None:
    """``{ type … ; policy …; rules }``; notes where rules begin."""
    words = cursor.words
    if words[cursor.position] != "{":
        raise cursor.expected("'{'")
    cursor.position += 1
    while words[cursor.position] != "}":
        word = words[cursor.position]
        if word in _SEPARATORS:
            cursor.position += 1
            continue
        if word == END:
            raise cursor.expected("'}'")
        if word == "type":
            _base_chain(cursor, table, chain)
        elif word == "policy":
            _policy(cursor, chain)
        elif word == "flags":
            raise cursor.unmodelled("flags of a chain (hardware offload)", cursor.position)
        elif word in ("devices", "device"):
            raise cursor.unmodelled("a chain on a device: only the hooks of IP are modelled", cursor.position)
        elif word == "comment":  # of the chain: a rule needs a statement
            cursor.position += 1
            chain.comment = _quoted(cursor)
        else:
            start = cursor.position
            try:
                end = end_of_rule(cursor)
            except InputError as error:
                errors.append(error)
                raise
            chain.rules.append(start)
            cursor.position = end
        if words[cursor.position] not in _RULE_ENDS:
            raise cursor.expected("';' or the end of the line")
    cursor.position += 1


def read_anonymous_block(cursor: Cursor) -> list[int]:
    """``{ rules }`` behind jump or goto: where the rules begin; the cursor ends behind the bracket."""
    words = cursor.words
    starts = []
    cursor.position += 1
    while words[cursor.position] != "}":
        if words[cursor.position] in _SEPARATORS:
            cursor.position += 1
            continue
        if words[cursor.position] == END:
            raise cursor.expected("'}'")
        starts.append(cursor.position)
        cursor.position = end_of_rule(cursor)
    cursor.position += 1
    return starts


def _base_chain(cursor: Cursor, table: TableState, chain: ChainState) -> None:
    """``type filter hook forward priority filter - 5``."""
    words, first = cursor.words, cursor.position
    kind, hook = words[first + 1], words[first + 3]
    if kind not in ("filter", "nat", "route"):
        raise cursor.expected("filter, nat or route", first + 1)
    if words[first + 2] != "hook":
        raise cursor.expected("'hook'", first + 2)
    cursor.position = first + 4
    chain.kind = kind
    if table.is_foreign:
        while words[cursor.position] not in _RULE_ENDS:
            cursor.position = (
                balanced_end(cursor, cursor.position) if words[cursor.position] == "{" else (cursor.position + 1)
            )
        return
    if hook not in facts.HOOKS:
        if hook in ("ingress", "egress"):
            raise cursor.unmodelled(f"the hook {hook}: only the hooks of IP are modelled", first + 3)
        raise cursor.expected(f"a hook ({' '.join(facts.HOOKS)})", first + 3)
    chain.hook = facts.HOOKS[hook]
    if words[cursor.position] != "priority":
        raise cursor.expected("'priority'")
    cursor.position += 1
    chain.priority = _priority(cursor)


def _priority(cursor: Cursor) -> int:
    words = cursor.words
    word = words[cursor.position]
    if _NUMBER.fullmatch(word):
        cursor.position += 1
        return int(word)
    if word == "-" and _NUMBER.fullmatch(words[cursor.position + 1]):
        cursor.position += 2
        return -int(words[cursor.position - 1])
    joined = _SPLIT_OFFSET.fullmatch(word)
    if joined and joined[1] in facts.PRIORITIES:
        cursor.position += 1
        return facts.PRIORITIES[joined[1]] + int(joined[2] + joined[3])
    if word not in facts.PRIORITIES:
        raise cursor.expected(f"a number or one of {' '.join(facts.PRIORITIES)}")
    cursor.position += 1
    sign, offset = words[cursor.position], words[min(cursor.position + 1, len(words) - 1)]
    if sign in ("+", "-") and offset.isdecimal() and len(offset) <= 10:
        cursor.position += 2
        return facts.PRIORITIES[word] + int(sign + offset)
    if sign[:1] in ("+", "-") and sign[1:].isdecimal() and len(sign) <= 11:
        cursor.position += 1
        return facts.PRIORITIES[word] + int(sign)
    return facts.PRIORITIES[word]


def _policy(cursor: Cursor, chain: ChainState) -> None:
    word = cursor.words[cursor.position + 1]
    if word not in ("accept", "drop"):
        raise cursor.expected("accept or drop", cursor.position + 1)
    if not chain.kind:
        raise cursor.fault("a policy in a chain without a hook")
    chain.policy = Verdict.ACCEPT if word == "accept" else Verdict.DROP
    cursor.position += 2


def read_set_block(cursor: Cursor, table: TableState, name: str, *, is_map: bool, first: int) -> None:
    """``{ type …; flags …; elements = { … } }`` of a set or map."""
    words = cursor.words
    state = SetState(name, (), is_map, span=cursor.span(first))
    if words[cursor.position] != "{":
        raise cursor.expected("'{'")
    cursor.position += 1
    elements = typed = 0
    while words[cursor.position] != "}":
        word = words[cursor.position]
        if word in _SEPARATORS:
            cursor.position += 1
            continue
        if word == END:
            raise cursor.expected("'}'")
        table.tracks = table.tracks or word == "ct"
        if word in ("type", "typeof"):
            typed = cursor.position
        elements = _set_line(cursor, state, word) or elements
        if words[cursor.position] not in _RULE_ENDS:
            raise cursor.expected("';' or the end of the line")
    end = cursor.position + 1
    if not state.kinds and not state.unmodelled:
        raise cursor.fault(f"{'map' if is_map else 'set'} {name} has no type", first)
    if elements and not state.unmodelled:
        cursor.position = elements
        before = len(words)
        state.elements = read_elements(cursor, state.kinds, is_map=is_map)
        end += len(words) - before  # a word such as ``22:accept`` was cut in three
    if table.simulate and state.unmodelled and typed:
        before = len(words)
        keep_for_simulation(cursor, state, typed, elements)
        end += len(words) - before
    cursor.position = end
    have = table.sets.get(name)
    if have is not None and have.kinds == state.kinds and have.is_map == is_map:
        have.elements.extend(state.elements)
        have.values.extend(state.values)
    else:
        table.sets[name] = state


def _set_line(cursor: Cursor, state: SetState, word: str) -> int:
    """One line of a set; the index of its elements when it is that line."""
    words = cursor.words
    cursor.position += 1
    if word in ("type", "typeof"):
        _set_type(cursor, state, expressions=word == "typeof")
    elif word == "flags":
        _set_flags(cursor, state)
    elif word == "elements":
        if words[cursor.position] != "=":
            raise cursor.expected("'='")
        start = cursor.position + 1
        if words[start] != "{":
            raise cursor.expected("'{'", start)
        cursor.position = balanced_end(cursor, start)
        return start
    elif word in ("timeout", "gc-interval", "size", "policy"):
        if word == "timeout":
            state.unmodelled = "its elements come and go"
            state.timeout, state.expires = duration(cursor), True
        cursor.position += 1
    elif word == "comment":
        state.comment = _quoted(cursor)
    elif word in ("limit", "quota", "ct", "last"):
        state.unmodelled = f"its elements have a {word}"
        while words[cursor.position] not in _RULE_ENDS:
            cursor.position += 1
    elif word not in ("counter", "auto-merge"):
        cursor.position -= 1
        raise cursor.expected("type, typeof, flags, elements, size, timeout, policy, auto-merge or comment")
    return 0


def _quoted(cursor: Cursor) -> str:
    word = cursor.words[cursor.position]
    if word[:1] != '"' or len(word) < 2:
        raise cursor.expected("a quoted comment")
    cursor.position += 1
    return word[1:-1]


def _set_flags(cursor: Cursor, state: SetState) -> None:
    words = cursor.words
    while True:
        word = words[cursor.position]
        if word not in ("constant", "interval", "dynamic", "timeout"):
            raise cursor.expected("constant, interval, dynamic or timeout")
        state.expires = state.expires or word == "timeout"
        if word in ("dynamic", "timeout"):
            state.unmodelled = "its elements come and go"
        cursor.position += 1
        if words[cursor.position] != ",":
            return
        cursor.position += 1


def _set_type(cursor: Cursor, state: SetState, *, expressions: bool) -> None:
    """``ipv4_addr . inet_service`` or, after typeof, ``ip saddr . tcp dport``; for maps ``: verdict``."""
    words = cursor.words
    kinds: list[DataType] = []
    while True:
        kind = _expression_type(cursor, state) if expressions else _named_type(cursor, state)
        if kind is not None:
            kinds.append(kind)
        if words[cursor.position] != ".":
            break
        cursor.position += 1
    if words[cursor.position] == ":":
        cursor.position += 1
        if words[cursor.position] == "verdict":
            cursor.position += 1
        else:
            state.unmodelled = "a map to values, not to verdicts"
            while words[cursor.position] not in _RULE_ENDS:
                cursor.position += 1
    elif state.is_map:
        raise cursor.expected("': verdict' or another type")
    state.kinds = tuple(kinds)


def _named_type(cursor: Cursor, state: SetState) -> DataType | None:
    word = cursor.words[cursor.position]
    kind = DATATYPES.get(word)
    if kind is None and word not in _FOREIGN_TYPES:
        raise cursor.expected(f"a type of sets ({' '.join(DATATYPES)})")
    if kind is None:
        state.unmodelled = f"it holds {word}"
    cursor.position += 1
    return kind


def _expression_type(cursor: Cursor, state: SetState) -> DataType | None:
    words = cursor.words
    word, second = words[cursor.position], words[min(cursor.position + 1, len(words) - 1)]
    seconds = KEYS.get(word, {})
    key = seconds.get("") or seconds.get(second)
    if key is not None:
        cursor.position += 1 if "" in seconds else 2
        return key.kind
    if second not in UNMODELLED_WORDS.get(word, ()) and word not in ("ct", "numgen", "jhash", "vlan", "ether", "mark"):
        raise cursor.expected("an expression like ip saddr")
    state.unmodelled = f"it holds {word} {second}"
    while words[cursor.position] not in (*_RULE_ENDS, ".", ":"):
        cursor.position += 1
    return None


def skip_object(cursor: Cursor, table: TableState, *, tracks: bool) -> None:
    """A named counter, quota, limit, helper or flowtable: it decides nothing until a rule names it."""
    words = cursor.words
    helper = table.simulate and words[cursor.position] == "ct" and words[cursor.position + 1] == "helper"
    cursor.position += 2 if words[cursor.position] == "ct" else 1
    if not is_name(words[cursor.position]):
        raise cursor.expected("the name of the object")
    name = words[cursor.position].strip('"')
    cursor.position += 1
    if words[cursor.position] == "{":
        start, cursor.position = cursor.position, balanced_end(cursor, cursor.position)
        if helper:
            table.helpers[name] = _helper(cursor, start)
    else:
        while words[cursor.position] not in _RULE_ENDS:
            cursor.position += 1
    table.tracks = table.tracks or tracks


def _helper(cursor: Cursor, start: int) -> tuple[str, int]:
    """``{ type "ftp" protocol tcp; l3proto ip; }``: what helps, and for which protocol."""
    words, end = cursor.words, cursor.position
    if "type" not in words[start:end] or "protocol" not in words[start:end]:
        raise cursor.fault("a helper without type and protocol", start)
    protocol = words[words.index("protocol", start) + 1]
    if protocol not in facts.PROTOCOLS:
        raise cursor.fault(f"the protocol {protocol!r} of a helper", start)
    return words[words.index("type", start) + 1].strip('"'), facts.PROTOCOLS[protocol]
