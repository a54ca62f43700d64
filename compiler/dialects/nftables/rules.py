"""One rule: from its words to the rules of the model that it stands for.

A rule of nft is one conjunction. A concatenation or a verdict map holds
several, so it is read as several rules, one for each element.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import NamedTuple

from compiler.dialects.nftables.blocks import read_anonymous_block
from compiler.dialects.nftables.conditions import MOST_ALTERNATIVES, concatenation, condition
from compiler.dialects.nftables.draft import Alternative, Conflict, Draft, TooMuch
from compiler.dialects.nftables.elements import SetState, UnknownMembers, read_verdict
from compiler.dialects.nftables.keys import KEYS, RAW_KEYS, UNMODELLED_WORDS, Key, unmodelled_reason
from compiler.dialects.nftables.statements import TRANSLATIONS, comment, statement, translation
from compiler.dialects.nftables.tokens import END, Cursor
from compiler.dialects.nftables.unmodelled import ALTERING, SINGLE_KEYS, check_symbols, clause_end, is_unmodelled
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.match import Match
from compiler.policy.ruleset import Rule, Verdict
from compiler.source import Span

__all__ = ["ReadRule", "RuleReader"]

_ENDS = frozenset({"\n", ";", "}", END})
_TCP = IntegerSet.values(6)


class ReadRule(NamedTuple):
    """The rules that one line stands for, and what else it means.

    ``fragment_header``: ``missing`` or ``initial`` where the rule asks for an
    IPv6 fragment header; only a pair of such rules has a form in the model.
    """

    rules: tuple[Rule, ...]
    span: Span
    fragment_header: str = ""
    tracks: frozenset[Family] = frozenset()
    """Families whose connections the kernel tracks for it: it puts their fragments together first."""


class RuleReader:
    """Reads the rules of one table; ``keep`` keeps clauses outside the model instead of refusing them."""

    def __init__(
        self,
        cursor: Cursor,
        family: Family | None,
        sets: Mapping[str, SetState],
        *,
        keep: bool,
        translate: bool = False,
    ) -> None:
        self.cursor = cursor
        self.family = family
        self.sets = sets
        self.keep = keep
        self.translate = translate
        self.tracks: frozenset[Family] = frozenset()
        self.anonymous: list[tuple[str, list[int]]] = []
        """Chains without a name that rules read so far jump to: name, and where their rules begin."""

    def read(self, start: int) -> ReadRule:
        """The rule whose first word was token ``start`` when the cursor was settled. Raises InputError."""
        cursor = self.cursor
        start = cursor.moved(start)
        words = cursor.words
        cursor.position = start
        draft = Draft(self.family)
        self.tracks = frozenset()
        first = start
        try:
            while words[cursor.position] not in _ENDS:
                first = cursor.position
                self._clause(draft)
            first = start
            return self._finish(draft, start)
        except Conflict as conflict:
            raise cursor.fault(f"{conflict}: nft refuses them together", first) from None
        except TooMuch as too_much:
            raise cursor.unmodelled(str(too_much), first, max(first, cursor.position - 1)) from None

    def _clause(self, draft: Draft) -> None:
        cursor = self.cursor
        words = cursor.words
        word = words[cursor.position]
        if word == "comment":
            draft.comment = comment(cursor)
            if words[cursor.position] not in _ENDS:
                raise cursor.expected("the end of the rule (the comment is last)")
            return
        if draft.verdict is not None:
            raise cursor.expected("the end of the rule or a comment (a verdict is last)")
        if self._condition(draft, word):
            return
        if word in ("jump", "goto") and words[cursor.position + 1] == "{":
            self._anonymous_chain(draft, word)
            return
        if statement(cursor, draft):
            return
        if word in TRANSLATIONS:
            self._translation(draft)
        elif word[:1] == "@":
            self._raw(draft)
        elif word in ("ip", "frag", "exthdr") and self._fragment(draft):
            pass
        elif word == "mark" or word in UNMODELLED_WORDS or is_unmodelled(word):
            self._unmodelled(draft)
        else:
            raise cursor.expected("a match or statement of nft")

    def _anonymous_chain(self, draft: Draft, word: str) -> None:
        """``jump { … }``: a chain without a name, which gets one."""
        cursor = self.cursor
        cursor.position += 1
        starts = read_anonymous_block(cursor)
        draft.verdict = Verdict.JUMP if word == "jump" else Verdict.GOTO
        draft.target = f"__chain{cursor.span(starts[0] if starts else cursor.position - 1).line}_{len(self.anonymous)}"
        self.anonymous.append((draft.target, [cursor.unmoved(one) for one in starts]))

    # -- conditions ----------------------------------------------------------

    def _condition(self, draft: Draft, word: str) -> bool:
        """Read a condition on a field of the model; False when none begins here."""
        cursor = self.cursor
        seconds = KEYS.get(word)
        if seconds is None:
            return False
        second = "" if "" in seconds else cursor.words[cursor.position + 1]
        key = seconds.get(second)
        if key is None or (second and cursor.words[cursor.position + 2] == "set"):
            return False
        first = cursor.position
        if key.field == "tcp_flags" and self._is_flag_map(first):
            return False
        cursor.position += 2 if second else 1
        self._narrow(draft, key, first)
        return True

    def _narrow(self, draft: Draft, key: Key, first: int) -> None:
        """Read what follows the key; a set that holds what nobody knows makes it a clause outside the model."""
        cursor = self.cursor
        try:
            if cursor.words[cursor.position] == ".":
                self._concatenation(draft, key)
            else:
                condition(cursor, draft, key, self.sets)
        except UnknownMembers as unknown:
            last = cursor.position
            if not self.keep or cursor.words[last - 1] == "vmap":
                raise cursor.unmodelled(str(unknown), first, last) from None
            cursor.position = last + 1
            draft.unmodelled = (*draft.unmodelled, Clause(cursor.text(first, last + 1), cursor.span(first, last)))

    def _is_flag_map(self, first: int) -> bool:
        """Whether ``tcp flags [& mask] vmap`` stands there."""
        words = self.cursor.words
        if words[first + 2] not in ("vmap", "&", "and"):
            return False
        return "vmap" in words[first : clause_end(self.cursor, first)]

    def _key(self) -> Key:
        """The key at the cursor, inside a concatenation."""
        cursor = self.cursor
        word = cursor.words[cursor.position]
        seconds = KEYS.get(word, {})
        second = "" if "" in seconds else cursor.words[cursor.position + 1]
        key = seconds.get(second)
        if key is None:
            if is_unmodelled(word) or second in UNMODELLED_WORDS.get(word, ()):
                raise cursor.unmodelled(f"'{word} {second}' in a concatenation", cursor.position, cursor.position + 1)
            raise cursor.expected("an expression like ip saddr or tcp dport")
        cursor.position += 2 if second else 1
        return key

    def _concatenation(self, draft: Draft, key: Key) -> None:
        keys = [key]
        while self.cursor.words[self.cursor.position] == ".":
            self.cursor.position += 1
            keys.append(self._key())
        concatenation(self.cursor, draft, tuple(keys), self.sets)

    def _raw(self, draft: Draft) -> None:
        """``@nh,8,8`` and the like: only where it is a field of the model, and certainly so."""
        cursor = self.cursor
        words, first = cursor.words, cursor.position
        base, comma, offset, second, length = words[first : first + 5] + [END] * max(0, first + 5 - len(words))
        if base in ("@nh", "@th", "@ll", "@ih") and (comma != "," or second != ","):
            raise cursor.expected("',' as in @nh,8,8", first + 1)
        key = RAW_KEYS.get((base, offset, length))
        certain = key is not None and (key.family is None or draft.family is key.family)
        if base == "@th" and (offset, length) == ("104", "8") and draft.fields.get("protocol") == _TCP:
            key, certain = KEYS["tcp"]["flags"], False
        if key is None or not certain or words[first + 5] == ".":
            if base in ("@nh", "@th", "@ll", "@ih"):
                self._unmodelled(draft)
                return
            raise cursor.expected("a match or statement of nft")
        cursor.position = first + 5
        self._narrow(draft, key, first)

    def _fragment(self, draft: Draft) -> bool:
        """Tests of the fragment offset, in IPv4 and in the fragment header of IPv6."""
        cursor = self.cursor
        words, first = cursor.words, cursor.position
        head = tuple(words[first : first + 3])
        if head[:2] == ("ip", "frag-off") and head[2] in ("&", "and") and words[first + 3] in ("0x1fff", "8191"):
            family, index = Family.IPV4, first + 4
        elif head[:2] == ("frag", "frag-off"):
            family, index = Family.IPV6, first + 2
        elif head == ("exthdr", "frag", "missing"):
            draft.require_family(Family.IPV6)
            draft.fragment_header = "missing" if not draft.fragment_header else "both"
            cursor.position += 3
            return True
        else:
            return False
        # nft 1.1 lists it as 0x0.
        words = ["0" if word == "0x0" else word for word in words[index : index + 2]]
        asked = _OFFSETS.get(tuple(words)) or _OFFSETS.get(tuple(words[:1]))
        if asked is None:
            return False
        draft.require_family(family)
        wants_noninitial, length = asked
        if family is Family.IPV6 and not wants_noninitial:
            draft.fragment_header = "initial" if not draft.fragment_header else "both"
        else:
            draft.narrow("noninitial", wants_noninitial)
        cursor.position = index + length
        return True

    def _translation(self, draft: Draft) -> None:
        self.tracks |= self._translated(draft)
        translation(self.cursor)
        draft.nat = True
        draft.verdict = Verdict.CONTINUE

    def _families(self) -> frozenset[Family]:
        return frozenset(Family) if self.family is None else frozenset((self.family,))

    def _translated(self, draft: Draft) -> frozenset[Family]:
        """Tracked for a translation: for ``dnat ip to`` in an inet table IPv4 alone (nft_nat_init)."""
        words, first = self.cursor.words, self.cursor.position
        if self.family is None and words[first] in ("snat", "dnat"):
            if words[first + 1] in ("ip", "ip6"):
                return frozenset((Family.IPV4 if words[first + 1] == "ip" else Family.IPV6,))
            if draft.family is not None:
                return frozenset((draft.family,))
        return self._families()

    # -- what is outside the model ---------------------------------------------

    def _unmodelled(self, draft: Draft) -> None:
        cursor = self.cursor
        words, first = cursor.words, cursor.position
        word, second = words[first], words[first + 1]
        known = UNMODELLED_WORDS.get(word)
        alone = word in SINGLE_KEYS or is_unmodelled(word)
        if known is not None and not alone and second not in known and second not in KEYS.get(word, ()):
            raise cursor.expected(f"a field of {word}", first + 1)
        end = clause_end(cursor, first)
        text = cursor.text(first, end)
        if word == "flow" or "ct" in words[first:end]:  # ``meta mark set ct mark`` tracks too
            self.tracks = self._families()
        if word == "ct":
            check_symbols(cursor, first, end)
        sets_field = "set" in words[first + 1 : end] and word not in ("add", "update", "delete")
        harmless = word in ("ct", "meta", "mark") or (word, second) == ("tcp", "option")
        if not self.keep or word in ALTERING or (word, second) == ("xt", "target") or (sets_field and not harmless):
            raise cursor.unmodelled(_why(text, word, second, sets_field), first, end - 1)
        if "vmap" in words[first:end]:
            self._unmodelled_map(draft, words.index("vmap", first), end)
            return
        draft.unmodelled = (*draft.unmodelled, Clause(text, cursor.span(first, end - 1)))
        cursor.position = end

    def _unmodelled_map(self, draft: Draft, vmap: int, end: int) -> None:
        """``ct state vmap { … }``: an alternative for each element, under an unknown condition."""
        cursor = self.cursor
        words, first = cursor.words, cursor.position
        if words[vmap + 1] != "{":
            raise cursor.unmodelled("a named verdict map over what is not modelled", vmap, end - 1)
        found = []
        start = cursor.position = vmap + 2
        while cursor.position < end:
            word = words[cursor.position]
            if word == ":":
                key_end = cursor.position
                cursor.position += 1
                text = f"{cursor.text(first, vmap)} {cursor.text(start, key_end)}"
                verdict, target = read_verdict(cursor)
                clause = Clause(text, cursor.span(start, key_end - 1))
                found.append(Alternative((), verdict, target, clause))
                start = cursor.position + 1
                if words[cursor.position] not in (",", "}", "\n"):
                    raise cursor.expected("',' or '}'")
            else:
                cursor.position += 1
        cursor.position = end
        draft.choices.append(tuple(found))
        draft.verdict = Verdict.CONTINUE

    # -- the end -----------------------------------------------------------------

    def _finish(self, draft: Draft, start: int) -> ReadRule:
        cursor = self.cursor
        last = cursor.position - 1
        if last < start:
            raise cursor.expected("a rule", start)
        if draft.fragment_header == "both":
            raise cursor.unmodelled("two tests of the fragment header in one rule", start, last)
        if draft.nat and not self.translate:
            raise cursor.unmodelled("a translation of addresses in a filter chain", start, last)
        span = cursor.span(start, last)
        if not draft.choices:
            match = draft.match()
            assert match is not None
            rule = _rule(draft, match, draft.verdict, draft.target, draft.unmodelled, span)
            return ReadRule((rule,), span, draft.fragment_header, self.tracks)
        if prod(len(choice) for choice in draft.choices) > MOST_ALTERNATIVES:
            raise cursor.unmodelled(f"a rule that stands for more than {MOST_ALTERNATIVES}", start, last)
        rules = []
        for combination in product(*draft.choices):
            fields = tuple(pair for alternative in combination for pair in alternative.fields)
            verdict, target = draft.verdict, draft.target
            clauses = draft.unmodelled
            for alternative in combination:
                if alternative.verdict is not None:
                    verdict, target = alternative.verdict, alternative.target
                if alternative.clause is not None:
                    clauses = (*clauses, alternative.clause)
            one = draft.match(fields)
            if one is not None:
                rules.append(_rule(draft, one, verdict, target, clauses, span))
        return ReadRule(tuple(rules), span, draft.fragment_header, self.tracks)


def _rule(
    draft: Draft, match: Match, verdict: Verdict | None, target: str, clauses: tuple[Clause, ...], span: Span
) -> Rule:
    return Rule(
        match,
        Verdict.CONTINUE if verdict is None else verdict,
        target,
        draft.log,
        draft.answer,
        draft.comment,
        False,
        draft.source_set if match.source is not None else "",
        draft.destination_set if match.destination is not None else "",
        clauses,
        span,
    )


def _why(text: str, word: str, second: str, sets_field: bool) -> str:
    reason = unmodelled_reason(word, second)
    if sets_field or word in ("notrack", "reset"):
        reason = "no rule may change fields or state"
    elif word in ("add", "update", "delete", "meter"):
        reason = "the set changes with the packets"
    return f"'{text}' is not modelled" + (f": {reason}" if reason else "")


_OFFSETS: dict[tuple[str, ...], tuple[bool, int]] = {
    ("==", "0"): (False, 2),
    ("eq", "0"): (False, 2),
    ("0",): (False, 1),
    ("!=", "0"): (True, 2),
    ("ne", "0"): (True, 2),
    (">", "0"): (True, 2),
    ("gt", "0"): (True, 2),
    ("1-8191",): (True, 1),
}
"""What is said of the fragment offset: whether it is not zero, and in how many words."""
