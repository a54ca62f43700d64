"""How far a clause reaches that nft knows and the model does not.

The clause must be told apart from what follows it, so that messages quote it
whole and so that, when a bound is asked for, the rest of the rule is kept.
"""

from __future__ import annotations

import re

from compiler.dialects.nftables.facts import word_set
from compiler.dialects.nftables.flags import COMPARISONS
from compiler.dialects.nftables.keys import KEYS, UNMODELLED_WORDS
from compiler.dialects.nftables.tokens import END, Cursor

__all__ = ["ALTERING", "SINGLE_KEYS", "STATEMENTS", "balanced_end", "check_symbols", "clause_end", "is_unmodelled"]

SINGLE_KEYS = word_set(
    """mark skuid skgid nftrace rtclassid pkttype cpu iiftype oiftype iifgroup oifgroup cgroup ibriport obriport
    ibrname obrname hour day time random priority"""
)
"""Keys of ``meta`` that may stand without it."""

STATEMENTS = word_set(
    "queue notrack dup fwd tproxy synproxy flow add update delete set meter reset secmark xt quota limit"
)
ALTERING = word_set("dup fwd tproxy synproxy notrack reset queue")
"""Statements after which the model of the packet's way or form no longer holds."""

_EXPRESSIONS = word_set("ct fib socket osf numgen jhash symhash ipsec exthdr")
_LIMIT_WORD = re.compile(
    r"[0-9]+(?:/.*)?|/|over|until|used|burst|packets?|(?:[kmg]?bytes)(?:/.*)?|rate|second|minute|hour|day|week",
    re.ASCII,
)
_JOINTS = frozenset({",", "|", "&", "^", "<<", ">>", "/", "-", ".", "and", "or", "xor"})
_WHOLE_STATEMENTS = word_set("queue tproxy synproxy dup fwd reset")
_ENDING = {"set": "@", "flow": "@", "meter": "{", "xt": '"', "secmark": '"'}
"""Statements that a verdict may follow, and how the last word of each begins."""
_OPTION_FIELDS = word_set("size count left right tsval tsecr kind length type flags value ptr addr subtype")
_CONNECTION_SYMBOLS = {
    "state": word_set("invalid established related new untracked"),
    "status": word_set("expected assured confirmed snat dnat dying"),
    "direction": word_set("original reply"),
}
"""The symbols of conntrack's own data types (nft(8), "ct expression"); ``seen-reply`` is no single word."""
_OPERATOR_WORDS = word_set("and or xor eq ne in not")
_CLOSING = {"{": "}", "(": ")"}
_RULE_ENDS = frozenset({"\n", ";", "}", END})


def is_unmodelled(word: str) -> bool:
    """Whether a clause or statement outside the model may begin so."""
    return word in _EXPRESSIONS or word in STATEMENTS or word in SINGLE_KEYS or word in ("@nh", "@th", "@ll", "@ih")


def balanced_end(cursor: Cursor, start: int) -> int:
    """The index after the bracket that closes the one at ``start``."""
    words = cursor.words
    opening, closing = words[start], _CLOSING[words[start]]
    depth = 0
    for index in range(start, len(words)):
        if words[index] == opening:
            depth += 1
        elif words[index] == closing:
            depth -= 1
            if not depth:
                return index + 1
    raise cursor.fault(f"'{opening}' is never closed", start)


def clause_end(cursor: Cursor, start: int) -> int:
    """The index after the clause that begins at ``start``."""
    words = cursor.words
    word = words[start]
    if word in ("limit", "quota"):
        return _rate_end(words, start + 1)
    if word in ("add", "update", "delete"):
        if words[start + 1][:1] != "@" or words[start + 2] != "{":
            raise cursor.expected("a set and its element: @name { … }", start + 1)
        return balanced_end(cursor, start + 2)
    if word in _WHOLE_STATEMENTS:
        return _statement_end(cursor, start + 1)
    if word == "notrack":
        return start + 1
    if word in _ENDING:
        return _named_end(cursor, start)
    return _right_side_end(cursor, min(_expression_end(cursor, start), len(words) - 1))


def check_symbols(cursor: Cursor, start: int, end: int) -> None:
    """A fault where ``ct state``, ``status`` or ``direction`` is compared with a word that nft does not know."""
    words = cursor.words
    known = _CONNECTION_SYMBOLS.get(words[start + 1])
    if known is None or not {"set", "map", "vmap"}.isdisjoint(words[start:end]):
        return
    for index in range(start + 2, end):
        if words[index].isalpha() and words[index] not in known and words[index] not in _OPERATOR_WORDS:
            raise cursor.expected(f"one of {', '.join(sorted(known))}", index)


def _expression_end(cursor: Cursor, start: int) -> int:
    """Behind the left side of a condition."""
    words = cursor.words
    word, index = words[start], start + 1
    if word == "ct":
        if words[index] in ("original", "reply"):
            index += 1 + (words[index + 1] in ("ip", "ip6"))
        return index + 1 + (words[index + 1] == "over")
    if word in ("numgen", "jhash", "symhash"):
        return _modulus_end(cursor, index)
    if word == "fib":
        while words[index + 1] == ".":
            index += 2
        return index + 2
    if word in ("osf", "ipsec"):
        index += 2 if words[index] in ("ttl", "in", "out") else 0
        index += 2 if words[index] == "spnum" else 0
        return index + 1
    if words[index] in ("option", "chunk") or (word == "rt" and words[index] in ("ip", "ip6")):
        index += 2
        index += words[index] in _OPTION_FIELDS
    elif word[:1] == "@":
        index += 4  # @base comma offset comma length
    elif word == "socket" and words[index] == "cgroupv2":
        index += 3
    else:
        index += word in UNMODELLED_WORDS or word in ("exthdr", "socket")
    return index


def _rate_end(words: list[str], index: int) -> int:
    if words[index] == "name" or words[index][:1] == '"':
        return index + 1 + (words[index] == "name")
    while _LIMIT_WORD.fullmatch(words[index]):
        index += 1
    return index


def _statement_end(cursor: Cursor, index: int) -> int:
    words = cursor.words
    while words[index] not in _RULE_ENDS and words[index] != "comment":
        index = balanced_end(cursor, index) if words[index] in _CLOSING else index + 1
    return index


def _named_end(cursor: Cursor, start: int) -> int:
    """Behind the set, flow table, block or name that closes the statement."""
    words = cursor.words
    last, index = _ENDING[words[start]], start + 1
    while words[index][:1] != last:
        if words[index] in _RULE_ENDS:
            raise cursor.expected("the rest of the statement", index)
        index = balanced_end(cursor, index) if words[index] in _CLOSING else index + 1
    return balanced_end(cursor, index) if last == "{" else index + 1


def _modulus_end(cursor: Cursor, index: int) -> int:
    words = cursor.words
    while words[index] != "mod":
        if words[index] in _RULE_ENDS:
            raise cursor.expected("'mod' and a number", index)
        index += 1
    index += 2
    while words[index] in ("offset", "seed"):
        index += 2
    return index


def _right_side_end(cursor: Cursor, index: int) -> int:
    """Behind ``[operator] value``, lists, masks and maps."""
    words = cursor.words
    if words[index] == "set":
        index += 1
    elif words[index] in ("exists", "missing"):
        return index + 1
    while words[index] in _JOINTS and words[index] != ",":  # a mask or shift of the left side
        index = _atom_end(cursor, index + 1)
    if words[index] in ("vmap", "map"):
        return _atom_end(cursor, index + 1)
    if words[index] in COMPARISONS or words[index] in ("!", "not"):
        index += 1
    index = _atom_end(cursor, index)
    while words[index] in _JOINTS or words[index] in COMPARISONS or words[index] in ("map", "vmap"):
        index = _atom_end(cursor, index + 1)
    return index


def _atom_end(cursor: Cursor, index: int) -> int:
    words = cursor.words
    word = words[index]
    if word in ("rt", "ct", "meta"):
        return index + 2  # a value taken from elsewhere: ``set rt mtu``
    seconds = KEYS.get(word)
    if seconds is not None and words[index + 1] in seconds and words[index + 2] in (".", "map", "vmap", "and", "&"):
        return index + 2  # a key whose value is looked up: ``set tcp dport map { … }``
    if word in _CLOSING:
        return balanced_end(cursor, index)
    if word in _RULE_ENDS:
        raise cursor.expected("a value", index)
    return index + 1
