"""Statements: verdicts, answers, logs, counters, comments, translations of addresses."""

from __future__ import annotations

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.draft import Draft
from compiler.dialects.nftables.elements import VERDICTS, read_counts, read_verdict
from compiler.dialects.nftables.tokens import END, Cursor, shown
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.ruleset import Verdict

__all__ = ["TRANSLATIONS", "comment", "statement", "translation"]

TRANSLATIONS = frozenset({"masquerade", "snat", "dnat", "redirect"})

_AFTER_TRANSLATION = frozenset({"\n", ";", "}", END, "comment"})
_TRANSLATION_WORDS = facts.word_set(
    """ip ip6 to addr port prefix interval random persistent map saddr daddr tcp udp th sctp dccp sport dport meta
    mark ct numgen inc mod offset jhash symhash seed iifname oifname iif oif numgen counter log fib"""
)
_TCP = IntegerSet.values(6)
_LOG_FLAGS = frozenset({"all", "tcp", "sequence", "options", "ip", "skuid", "ether", ","})
_ANSWERS = {
    "icmp": (facts.ICMP_CODES, Family.IPV4),
    "icmpv6": (facts.ICMPV6_CODES, Family.IPV6),
    "icmpx": (facts.ICMPX_CODES, None),
}

_DEFAULT_ANSWERS = {
    Family.IPV4: "icmp port-unreachable",
    Family.IPV6: "icmpv6 port-unreachable",
    None: "icmpx port-unreachable",
}


def statement(cursor: Cursor, draft: Draft) -> bool:
    """Read one statement of the model at the cursor; False when none begins here."""
    word = cursor.words[cursor.position]
    if word in VERDICTS or word == "queue":
        draft.verdict, draft.target = read_verdict(cursor)
    elif word == "counter":
        cursor.position += 1
        _counter(cursor)
    elif word == "log":
        cursor.position += 1
        _log(cursor, draft)
    elif word == "reject":
        cursor.position += 1
        draft.verdict = Verdict.REJECT
        draft.answer = _answer(cursor, draft)
    elif word == "last":
        cursor.position += 1
        if cursor.words[cursor.position] == "used":
            cursor.position += 2
    else:
        return False
    return True


def comment(cursor: Cursor) -> str:
    """The text of ``comment "…"``; the cursor stands on ``comment``."""
    text = cursor.words[cursor.position + 1]
    if text[:1] != '"' or len(text) < 2:
        raise cursor.expected("a quoted comment", cursor.position + 1)
    if len(text.encode()) - 2 > facts.COMMENT_BYTES:
        raise cursor.fault(f"a comment longer than {facts.COMMENT_BYTES} bytes", cursor.position + 1)
    cursor.position += 2
    return text[1:-1]


def _counter(cursor: Cursor) -> None:
    if cursor.words[cursor.position] == "name":
        cursor.position += 1
        if cursor.words[cursor.position] in ("\n", ";", "}", "{"):
            raise cursor.expected("the name of a counter")
        cursor.position += 1
    elif cursor.words[cursor.position][:1] == '"':
        cursor.position += 1
    else:
        read_counts(cursor)


def _log(cursor: Cursor, draft: Draft) -> None:
    words = cursor.words
    draft.log = draft.log or ""
    while True:
        word, value = words[cursor.position], words[min(cursor.position + 1, len(words) - 1)]
        if word == "prefix":
            if value[:1] != '"':
                raise cursor.expected("a quoted prefix", cursor.position + 1)
            draft.log = value[1:-1]
        elif word == "level":
            if value not in facts.LOG_LEVELS:
                raise cursor.expected(f"a level ({' '.join(sorted(facts.LOG_LEVELS))})", cursor.position + 1)
        elif word in ("group", "snaplen", "queue-threshold"):
            if not value.isdecimal():
                raise cursor.expected("a number", cursor.position + 1)
        elif word == "flags":
            if value not in _LOG_FLAGS:
                raise cursor.expected("flags to log (all, tcp sequence, options, ip options, skuid, ether)")
            cursor.position += 1
            while words[cursor.position] in _LOG_FLAGS:
                # ``ip`` and ``tcp`` begin a condition too, where no flag follows.
                if words[cursor.position] in ("ip", "tcp") and words[cursor.position + 1] not in _LOG_FLAGS:
                    break
                cursor.position += 1
            continue
        else:
            return
        cursor.position += 2


def _answer(cursor: Cursor, draft: Draft) -> str:
    """What ``reject`` sends, as nft lists it; nothing for the default of the family."""
    words = cursor.words
    if words[cursor.position] != "with":
        return ""
    cursor.position += 1
    word = words[cursor.position]
    if word == "tcp":
        if words[cursor.position + 1] != "reset":
            raise cursor.expected("'reset'", cursor.position + 1)
        cursor.position += 2
        draft.require_protocols(_TCP)
        return "tcp reset"
    if word not in _ANSWERS:
        raise cursor.expected("icmp, icmpv6, icmpx or tcp reset")
    codes, family = _ANSWERS[word]
    if family is None and draft.table_family is not None:
        raise cursor.fault("icmpx is for tables of the family inet")
    cursor.position += 1
    if words[cursor.position] == "type":
        cursor.position += 1
    code = words[cursor.position]
    names = {str(number): name for name, number in reversed(codes.items())}
    if code not in codes and code not in names:
        raise cursor.expected(f"an answer ({' '.join(codes)})")
    cursor.position += 1
    if family is not None:
        draft.require_family(family)
    text = f"{word} {names.get(code, code)}"
    return "" if text == _DEFAULT_ANSWERS[draft.table_family] else text


def translation(cursor: Cursor) -> None:
    """``masquerade``, ``snat to …``, ``dnat ip addr . port to … map { … }``: only its words are checked."""
    words, first = cursor.words, cursor.position
    cursor.position += 1
    depth = 0
    while depth or words[cursor.position] not in _AFTER_TRANSLATION:
        word = words[cursor.position]
        if word == END:
            raise cursor.fault("'{' is never closed", first)
        depth += (word == "{") - (word == "}")
        if depth < 0:
            break
        if not depth and word in VERDICTS:
            raise cursor.fault(f"{shown(word)} after a translation, which already decides")
        if not depth and word.isalpha() and word not in _TRANSLATION_WORDS:
            raise cursor.expected("an address, a port, a map or a flag of the translation")
        cursor.position += 1
    if words[first] in ("snat", "dnat") and cursor.position == first + 1:
        raise cursor.expected("'to' and an address")
