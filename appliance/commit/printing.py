"""Plans, outcomes, generations and diagnoses as text for a terminal, in colour only when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from appliance.commit.results import (
    Action,
    CommitStatus,
    Diagnosis,
    Ending,
    GenerationLine,
    Outcome,
    Phase,
    Plan,
    Standing,
)
from appliance.contract.components import Finding, Severity
from appliance.contract.programs import State
from appliance.days import moment_written, values_written
from appliance.language import Translate, _
from compiler.visible import visible

__all__ = [
    "print_diagnosis",
    "print_generations",
    "print_outcome",
    "print_plan",
    "print_plan_from_the_top",
    "print_status",
]

_RED, _GREEN, _YELLOW, _BOLD, _OFF = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
_SIGNS = {Action.ADD: "+", Action.CHANGE: "~", Action.REMOVE: "-"}
_COLOURS = {Action.ADD: _GREEN, Action.CHANGE: _YELLOW, Action.REMOVE: _RED}
_REASONS = {
    "new": _("new"),
    "gone": _("no longer wanted"),
    "files": _("its files change"),
    "value": _("its settings change"),
    "upgrade": _("the appliance was upgraded"),
    "follows": _("what it follows acts"),
    "unfinished": _("it was left unfinished"),
}
_ENDINGS = {
    Ending.UNCHANGED: _("nothing to do: generation {standing} stands"),
    Ending.REFUSED: _("refused at {phase}: nothing was touched, generation {standing} stands"),
    Ending.UNCONFIRMED: _("generation {generation} serves; it is taken back at {deadline} unless you confirm it"),
    Ending.CONFIRMED: _("generation {generation} stands"),
    Ending.UNDONE: _("generation {generation} was taken back at {phase}: generation {standing} stands again"),
    Ending.BROKEN: _("generation {generation} was not wholly taken back: generation {standing} should stand"),
}
_PHASES = {
    Phase.VERIFY: _("verification"),
    Phase.RENDER: _("rendering"),
    Phase.PREFLIGHT: _("preflight"),
    Phase.SWITCH: _("the switch"),
    Phase.ACT: _("acting"),
    Phase.PROBE: _("the probes"),
    Phase.CONFIRM: _("the confirmation"),
    Phase.UNDO: _("undoing"),
}
_STANDINGS = {
    Standing.UNCONFIRMED: _("unconfirmed"),
    Standing.CONFIRMED: _("confirmed"),
    Standing.FAILED: _("failed"),
    Standing.UNDONE: _("taken back"),
    Standing.UNKNOWN: _("unknown"),
}


def print_plan(plan: Plan, *, colour: bool = False, translate: Translate = _) -> str:
    """What is wrong, what differs, and who would act in which order."""
    return "".join(f"{line}\n" for line in _plan(plan, _painter(colour), translate))


def print_plan_from_the_top(plan: Plan, *, colour: bool = False, translate: Translate = _) -> str:
    """The same for a screen, which is read from its first line: what differs comes last, and certificates in short."""
    paint = _painter(colour)
    lines = [
        *_findings(plan.findings, paint, translate),
        *_acts(plan, paint, translate),
        _verdict(plan, paint, translate),
    ]
    if plan.files:
        lines += ["", paint(translate(_("what would differ:")), _BOLD)]
    lines += _shortened(_files(plan, paint), translate)
    return "".join(f"{line}\n" for line in lines)


def print_outcome(outcome: Outcome, *, colour: bool = False, translate: Translate = _) -> str:
    """How it ended, in one line, and why."""
    return "".join(f"{line}\n" for line in _outcome(outcome, _painter(colour), translate))


def print_generations(lines: Sequence[GenerationLine], *, colour: bool = False, translate: Translate = _) -> str:
    """One a line, the current one marked ``*``; times in the reader's own zone."""
    paint = _painter(colour)
    rows = [
        (
            f"{'*' if line.current else ' '}{line.number:>5}",
            translate(_STANDINGS[line.standing]),
            _local(line.when, translate),
            visible(line.who),
            visible(line.note),
        )
        for line in lines
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    printed = []
    for line, row in zip(lines, rows, strict=True):
        text = "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4])).rstrip()
        printed.append(paint(text, _BOLD) if line.current else text)
    return "".join(f"{text}\n" for text in printed)


def print_status(status: CommitStatus, *, colour: bool = False, translate: Translate = _) -> str:
    """Where the appliance stands."""
    return "".join(f"{line}\n" for line in _status(status, _painter(colour), translate))


def print_diagnosis(diagnosis: Diagnosis, *, colour: bool = False, translate: Translate = _) -> str:
    """Status, programs, findings and the disk."""
    paint = _painter(colour)
    lines = list(_status(diagnosis.status, paint, translate))
    for program in diagnosis.programs:
        state = paint(str(program.state), _GREEN if program.state is State.READY else _RED)
        said = f": {visible(program.said)}" if program.said and program.state is not State.READY else ""
        lines.append(f"{visible(program.program)} {state}{said}")
    lines += _findings(diagnosis.findings, paint, translate)
    free, total = diagnosis.free_bytes // 1_000_000, diagnosis.total_bytes // 1_000_000
    lines.append(translate(_("{free} of {total} MB are free")).format(free=free, total=total))
    if diagnosis.well:
        lines.append(paint(translate(_("all is well")), _GREEN))
    return "".join(f"{line}\n" for line in lines)


Paint = Callable[[str, str], str]


def _painter(colour: bool) -> Paint:
    return (lambda text, code: f"{code}{text}{_OFF}") if colour else (lambda text, code: text)


def _local(when: datetime, translate: Translate) -> str:
    return moment_written(when.astimezone(), translate)


def _findings(findings: Iterable[Finding], paint: Paint, translate: Translate) -> Iterator[str]:
    for finding in findings:
        wrong = finding.severity is Severity.ERROR
        word = paint(translate(_("error")), _RED) if wrong else paint(translate(_("warning")), _YELLOW)
        place = " ".join(visible(one) for one in (finding.component, finding.place) if one)
        words = visible(translate(finding.template).format_map(values_written(finding.values, translate)))
        yield f"{word}: {place}: {words}" if place else f"{word}: {words}"


def _plan(plan: Plan, paint: Paint, translate: Translate) -> Iterator[str]:
    yield from _findings(plan.findings, paint, translate)
    yield from _files(plan, paint)
    yield from _acts(plan, paint, translate)
    yield _verdict(plan, paint, translate)


def _files(plan: Plan, paint: Paint) -> Iterator[str]:
    for change in plan.files:
        name = f"{visible(change.component)}/{visible(change.path)}"
        yield paint(f"{_SIGNS[change.action]} {name}{_mode(change.mode_before, change.mode)}", _COLOURS[change.action])
        for line in change.difference.split("\n")[:-1]:
            if not line.startswith(("--- ", "+++ ")):
                yield f"    {_painted(visible(line), paint)}"


def _acts(plan: Plan, paint: Paint, translate: Translate) -> Iterator[str]:
    if plan.acts:
        yield paint(translate(_("would act, in this order:")), _BOLD)
    for act in plan.acts:
        reason = translate(_REASONS[act.reason])
        yield paint(f"  {_SIGNS[act.action]} {visible(act.component)}", _COLOURS[act.action]) + f" ({reason})"


def _verdict(plan: Plan, paint: Paint, translate: Translate) -> str:
    if not plan.ok:
        return paint(translate(_("this would be refused")), _RED)
    if plan.empty:
        return translate(_("nothing to do: generation {standing} stands")).format(standing=plan.standing)
    words = translate(_("generation {generation} would replace generation {standing}"))
    return words.format(generation=plan.generation, standing=plan.standing)


def _shortened(lines: Iterable[str], translate: Translate) -> Iterator[str]:
    """Without what stands between BEGIN and END (RFC 7468): base64 says nothing to anybody."""
    within = 0
    for line in lines:
        if "-----END " in line and within:
            words = translate(_("    … {count} lines")).format(count=within - 1)
            yield from (words, line) if within > 1 else (line,)
            within = 0
        elif within:
            within += 1
        else:
            within = int("-----BEGIN " in line)
            yield line


def _painted(line: str, paint: Paint) -> str:
    codes = {"+": _GREEN, "-": _RED, "@": _BOLD}
    return paint(line, codes[line[0]]) if line[:1] in codes else line


def _mode(before: int, after: int) -> str:
    return f" (mode {before:04o} -> {after:04o})" if before and after and before != after else ""


def _outcome(outcome: Outcome, paint: Paint, translate: Translate) -> Iterator[str]:
    yield from _findings(outcome.findings, paint, translate)
    if outcome.undone:
        names = ", ".join(visible(name) for name in outcome.undone)
        yield translate(_("undone, in this order: {names}")).format(names=names)
    if outcome.not_undone:
        yield paint(translate(_("could not be undone, or does not serve again:")), _RED)
        yield from (f"  {line}" for line in _findings(outcome.not_undone, paint, translate))
    good = outcome.ending in {Ending.UNCHANGED, Ending.CONFIRMED}
    waits = outcome.ending is Ending.UNCONFIRMED
    words = translate(_ENDINGS[outcome.ending]).format(
        generation=outcome.generation,
        standing=outcome.standing,
        phase=translate(_PHASES[outcome.phase]) if outcome.phase else "",
        deadline=_local(outcome.deadline, translate) if outcome.deadline else "",
    )
    yield paint(words, _GREEN if good else _YELLOW if waits else _RED)


def _status(status: CommitStatus, paint: Paint, translate: Translate) -> Iterator[str]:
    yield translate(_("generation {current} serves, {confirmed} is confirmed")).format(
        current=status.current, confirmed=status.confirmed
    )
    if status.phase:
        words = translate(_("underway: {phase}")).format(phase=translate(_PHASES[status.phase]))
        if status.deadline:
            words += translate(_(", until {deadline}")).format(deadline=_local(status.deadline, translate))
        yield paint(words, _YELLOW)
    if status.holder:
        yield translate(_("held by {holder}")).format(holder=visible(status.holder))
    if status.unfinished:
        names = ", ".join(visible(name) for name in status.unfinished)
        yield paint(translate(_("not taken back: {names}")).format(names=names), _RED)
