"""One item put to its check: whatever the check returns or raises becomes a result."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from compiler.errors import GerbangError, InputErrors
from compiler.testing.answer import Answer, PropertyFailed
from compiler.testing.sweeps.deadline import TookTooLong, deadline
from compiler.testing.sweeps.items import NamedItem, digest_of, identity_of, weight_of
from compiler.testing.sweeps.result import Cause, Outcome, Result

__all__ = ["Check", "broken", "judge"]

Check = Callable[[Any], object]
"""Is given an item (of a NamedItem the value). It returns

- nothing or True: it holds; False: it does not;
- an Answer, or several: all must hold;
- anything else that JSON can hold: a figure, kept in the result;

or raises PropertyFailed or any other AssertionError: a finding. Every other exception is an error of the check."""

_PARTICULARS = re.compile(r"\s+\(.*$|;.*$|^\d+ ", re.DOTALL)
_PLACE = re.compile(r":\d+(:\d+)?\b")
_FRAMES = -4
"""How much of a traceback is told: the innermost calls."""


def judge(item: object, check: Check, *, timeout: float | None = None, hard: bool = False) -> Result:
    """The result of one item. Raises KeyboardInterrupt and nothing else."""
    identity = identity_of(item)
    begun = perf_counter()
    try:
        with deadline(timeout, hard=hard):
            found = _understood(check(item.value if isinstance(item, NamedItem) else item), identity)
    except TookTooLong:
        found = _broken(identity, "took too long", f"it took longer than {timeout:g} s")
    except PropertyFailed as failure:
        found = _answered((failure.answer,), identity)
    except AssertionError as failure:
        said = str(failure) or "an assertion failed"
        where = [] if str(failure) else _innermost(failure)
        cause = Cause(_general(said, identity), (*said.splitlines(), *where))
        found = Result(identity, Outcome.FAILED, (cause,))
    except GerbangError as error:
        found = _broken(identity, _general(_first(error), identity), *error.render().splitlines())
    except (Exception, SystemExit) as error:
        reason = _general(f"{type(error).__name__}: {error}", identity)
        found = _broken(identity, reason, *_innermost(error))
    return _marked(found, item, perf_counter() - begun)


def broken(item: object, reason: str, *said: str) -> Result:
    """The result of an item that was never judged."""
    return _marked(_broken(identity_of(item), reason, *(said or (reason,))), item, 0.0)


def _broken(identity: str, reason: str, *said: str) -> Result:
    return Result(identity, Outcome.BROKEN, (Cause(reason, said),))


def _marked(found: Result, item: object, seconds: float) -> Result:
    return replace(found, weight=weight_of(item), digest=digest_of(item), seconds=seconds)


def _understood(returned: object, identity: str) -> Result:
    if returned is None or returned is True:
        return Result(identity, Outcome.HELD)
    if returned is False:
        return Result(identity, Outcome.FAILED, (Cause("the check said no", ("the check returned False",)),))
    if isinstance(returned, Answer):
        return _answered((returned,), identity)
    if isinstance(returned, Iterable) and not isinstance(returned, str | bytes | dict):
        several = list(returned)
        if several and all(isinstance(one, Answer) for one in several):
            return _answered(several, identity)
        returned = several
    try:
        value = json.loads(json.dumps(returned, default=_no_figure))
    except (TypeError, ValueError) as error:  # ValueError: it holds itself
        what = str(error) if isinstance(error, _NoFigure) else _a(returned)
        if isinstance(error, _NoFigure) and isinstance(returned, list | dict):
            what = f"{_a(returned)} with {what} in it"
        return _unknown(identity, what)
    return Result(identity, Outcome.HELD, value=value)


def _unknown(identity: str, what: str) -> Result:
    reason = f"the check returned {what}: expected True, False, an Answer or a figure"
    return _broken(identity, reason, reason)


class _NoFigure(TypeError):
    """What JSON cannot hold."""


def _no_figure(value: object) -> object:
    raise _NoFigure(_a(value))


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _answered(answers: Sequence[Answer], identity: str) -> Result:
    plain = tuple(answer.as_json() for answer in answers)
    wrong = [answer for answer in answers if not answer.held]
    if not wrong:
        return Result(identity, Outcome.HELD, answers=plain)
    causes = tuple(Cause(_reason(answer, identity), tuple(answer.lines())) for answer in wrong)
    return Result(identity, Outcome.FAILED, causes, plain)


def _reason(answer: Answer, identity: str) -> str:
    """The question and the kind of its answer: the packet, the place and the numbers belong to the item."""
    said = _PARTICULARS.sub("", answer.said)
    return _general(f"{answer.question}: {said}" if said else answer.question, identity)


def _first(error: GerbangError) -> str:
    return error.errors[0].message if isinstance(error, InputErrors) else str(error)


def _general(text: str, identity: str) -> str:
    """The first line, without the item's name and without places in files."""
    first = text.strip().splitlines()[0] if text.strip() else "no reason was given"
    return _PLACE.sub("", first.replace(identity, "…") if len(identity) > 2 else first)[:200]


def _innermost(error: BaseException) -> list[str]:
    told = traceback.format_exception(type(error), error, error.__traceback__, limit=_FRAMES, chain=False)
    return "".join(told).rstrip().splitlines()
