"""What happens to a rule that a target cannot say: refused, or bounded from below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from compiler.errors import Refusal
from compiler.policy.ruleset import Rule, Verdict

__all__ = ["Unsayable", "bounded"]


class Unsayable(Exception):
    """A field of one rule that the target's rules cannot express exactly.

    ``fields`` are names of Match fields that stand in the way: without them
    the rule could be said (and would match more).
    """

    def __init__(self, fields: tuple[str, ...], why: str) -> None:
        super().__init__(why)
        self.fields = fields
        self.why = why


def bounded(
    rule: Rule, say: Callable[[Rule], Iterable[Rule]], refusals: list[Refusal], *, bound: bool, what: str = ""
) -> Iterator[Rule]:
    """The rules that say ``rule``, in order; never wider than it.

    When ``say`` raises :class:`Unsayable`, the reason goes to ``refusals``.
    With ``bound``, a permit that cannot be said matches nothing, and a deny
    matches all that its sayable fields match. Jumps have no bound.
    """
    try:
        said = tuple(say(rule))
    except Unsayable as unsayable:
        refusals.append(Refusal(what or rule.comment or "rule", unsayable.why, rule.span))
        if not bound or rule.verdict not in (Verdict.DROP, Verdict.REJECT):
            return
        known = frozenset(unsayable.fields) & frozenset(
            name for name, value in rule.match._asdict().items() if value is not None
        )
        if not known:
            raise
        wider = rule.match
        for name in known:
            wider = wider._replace(**{name: None})
        yield from bounded(replace(rule, match=wider), say, refusals, bound=bound, what=what)
        return
    yield from said
