"""IPv6 packets that are no later fragments: two rules of nft, one of the model.

``frag frag-off 0`` needs a fragment header, so packets without one are asked
for by a rule of their own, ``exthdr frag missing``. Together they say "not a
non-initial fragment"; alone each says what the model has no word for.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.dialects.nftables.rules import ReadRule
from compiler.dialects.nftables.tokens import Cursor
from compiler.errors import InputError, Unmodelled
from compiler.policy.ruleset import Rule

__all__ = ["join_fragment_rules"]


def join_fragment_rules(cursor: Cursor, read: list[ReadRule], errors: list[InputError]) -> tuple[Rule, ...]:
    """The rules of a chain with each pair made one; a rule without its partner is an error."""
    found: list[Rule] = []
    index = 0
    while index < len(read):
        one = read[index]
        if not one.fragment_header:
            found.extend(one.rules)
        else:
            partner = read[index + 1] if index + 1 < len(read) else None
            if partner is not None and _is_pair(one, partner):
                found.extend(replace(rule, match=rule.match._replace(noninitial=False)) for rule in one.rules)
                index += 1
            else:
                span = one.span
                errors.append(
                    Unmodelled(
                        "a test of the IPv6 fragment header: only frag frag-off != 0, or two rules alike but for "
                        "exthdr frag missing and frag frag-off 0, are modelled",
                        span,
                        cursor.line_of(span),
                    )
                )
        index += 1
    return tuple(found)


def _is_pair(one: ReadRule, other: ReadRule) -> bool:
    if {one.fragment_header, other.fragment_header} != {"missing", "initial"} or len(one.rules) != len(other.rules):
        return False
    return all(
        replace(mine, span=theirs.span, comment=theirs.comment) == theirs
        for mine, theirs in zip(one.rules, other.rules, strict=True)
    )
