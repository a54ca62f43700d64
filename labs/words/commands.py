"""Words about commands that clients ran: how they ended, and what they said."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from fnmatch import fnmatchcase

from compiler.placed.quantities import format_duration
from labs.observation import CommandRecord, Observation, ProgramRecord
from labs.topology import Lab
from labs.words.showing import counted, several
from labs.words.word import ArgumentKind, Arguments, Judged, Parameter, Word

__all__ = ["WORDS", "how_it_ended", "last_lines", "show_fallen"]

_TIME = Parameter(ArgumentKind.DURATION)
_WINDOW = {"traffic": Parameter(ArgumentKind.TRAFFIC, required=True), "after": _TIME, "before": _TIME}
_SHOWN = 3
"""Lines of what a command said last, in a message."""


def how_it_ended(status: int | None) -> str:
    """``exited with 1``, ``ended by SIGTERM``, ``was stopped``."""
    if status is None:
        return "did not end in its time"
    if status >= 0:
        return f"exited with {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"


def last_lines(output: str, most: int = _SHOWN) -> str:
    """The last lines that are not empty, on one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(lines[-most:]) or "it said nothing"


def show_fallen(program: ProgramRecord) -> str:
    """A program that ended before the lab did: when, how, and what it said last."""
    when = "" if program.ended is None else f" at {format_duration(program.ended)}"
    how = f"{how_it_ended(program.status)}{when}, before the lab was over"
    return f"program {program.program} of {program.node} {how} [{last_lines(program.output)}]"


def _all_did(
    observation: Observation, arguments: Arguments, right: Callable[[CommandRecord], bool], said: str
) -> Judged:
    pattern = arguments.text("traffic")
    records = [one for one in observation.commands if fnmatchcase(one.traffic, pattern) and _is_within(one, arguments)]
    if not records:
        return Judged(False, f"{pattern} ran no command in that time, so none {said}")
    wrong = [_show(one) for one in records if not right(one)]
    if wrong:
        return Judged(False, f"{len(wrong):,} of {counted(len(records), 'command')} not so: {said}: {several(wrong)}")
    return Judged(True, f"{counted(len(records), 'command')} of {pattern} {said}")


def _is_within(record: CommandRecord, arguments: Arguments) -> bool:
    after, before = arguments.integer("after"), arguments.integer("before")
    return (after is None or record.started >= after) and (before is None or record.started < before)


def _show(record: CommandRecord) -> str:
    begun = f"{record.traffic}#{record.index} of {record.client} at {format_duration(record.started)}"
    return f"{begun} {how_it_ended(record.status)} [{last_lines(record.output)}]"


def _exited(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    wanted = arguments.integer("with") or 0
    return _all_did(observation, arguments, lambda record: record.status == wanted, f"exited with {wanted}")


def _said(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    text, pattern = arguments.text("contains"), arguments.text("matches")
    expression = re.compile(pattern, re.MULTILINE)
    wanted = [f"said {text!r}"] if text else []
    wanted += [f"said what matches {pattern!r}"] if pattern else []
    return _all_did(
        observation,
        arguments,
        lambda record: text in record.output and expression.search(record.output) is not None,
        " and ".join(wanted),
    )


WORDS: dict[str, Word] = {
    "exited": Word(
        "each command ended with this code (0 unless it is given)",
        "traffic",
        _WINDOW | {"with": Parameter(ArgumentKind.INTEGER)},
        _exited,
    ),
    "said": Word(
        "each command said this on one of its outputs; ^ and $ of an expression are a line's",
        "traffic",
        _WINDOW | {"contains": Parameter(ArgumentKind.TEXT), "matches": Parameter(ArgumentKind.EXPRESSION)},
        _said,
    ),
}
