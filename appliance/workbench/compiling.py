"""A compile as a value: the texts, and their proof, or the packets that speak against it, or what cannot be said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance.workbench.kinds import Kind, kind_of
from appliance.workbench.remarks import Level, Remark, refused, remarks_of
from compiler.errors import CannotSay, GerbangError, InputError, InputErrors, UsageError

if TYPE_CHECKING:
    from compiler.analysis.equivalence.report import Report
    from compiler.balancing.compilation import BalanceCompilation
    from compiler.lowering.options import Options

__all__ = ["BALANCE_TARGETS", "TARGETS", "Choice", "Compiled", "Outcome", "Shown", "compile_text", "pairs_of"]

TARGETS = ("nftables", "routeros7", "routeros6", "ios")
"""What a configuration is compiled to."""
BALANCE_TARGETS = ("linux", "routeros7", "routeros6")
"""What an intent is compiled to."""


class Outcome(StrEnum):
    """How a compile ended."""

    PROVED = "proved"
    """Equal to its source over all packets."""
    NARROWER = "narrower"
    """Bounds were taken: proved never wider than its source."""
    DISPROVED = "disproved"
    """The text that was written does something else: a mistake of the compiler. It is not shown as a result."""
    CANNOT_SAY = "cannot say"
    UNREADABLE = "unreadable"
    WRONG_USE = "wrong use"
    """An option is missing or does not fit."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose. See ``compiler.lowering.options`` for what the words mean."""

    target: str
    interfaces: tuple[tuple[str, str], ...] = ()
    deny: str = "drop"
    place: str = "early"
    fragments: str = "exact"
    bound: bool = False
    """Take bounds: for clauses that are not modelled, and for what the target cannot say."""
    lists: tuple[str, ...] = ()


class Shown(NamedTuple):
    """A packet that two configurations decide differently, with both verdicts in words."""

    packet: str
    left: str
    right: str
    left_line: int = 0
    """The line of the left text that decided; 0 when none did."""
    right_line: int = 0


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of it."""

    outcome: Outcome
    target: str
    files: tuple[tuple[str, str], ...] = ()
    """The end of each file's name and its text: two for Linux, else one. None unless proved."""
    proof: tuple[str, ...] = ()
    """The theorem, its claims and assumptions, a line each."""
    size: str = ""
    """How much the proof looked at."""
    witnesses: tuple[Shown, ...] = ()
    remarks: tuple[Remark, ...] = ()
    """Errors and refusals with their places; bounds that were taken."""
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)


def compile_text(text: str, name: str, choice: Choice, tell: Callable[[tuple[int, int]], Any]) -> Compiled:
    """Read, compile, read back, prove. ``tell`` hears contexts done and in all.

    Never raises for what a user can mend.
    """
    began = time.perf_counter()
    try:
        if not text.strip():
            raise UsageError(f"{name} is empty")
        kind = kind_of(text, name)
        if kind is Kind.BALANCE:
            done = _balance(text, name, choice)
        elif kind in (Kind.LAB, Kind.PROPERTIES, Kind.YAML, Kind.JSON):
            raise UsageError(f"{name} is no configuration and no intent: there is nothing to compile")
        else:
            done = _configuration(text, name, kind, choice, tell)
    except CannotSay as error:
        done = Compiled(Outcome.CANNOT_SAY, choice.target, remarks=remarks_of(error, name))
    except (InputError, InputErrors) as error:
        done = Compiled(Outcome.UNREADABLE, choice.target, remarks=remarks_of(error, name))
    except GerbangError as error:
        done = Compiled(Outcome.WRONG_USE, choice.target, remarks=remarks_of(error, name))
    return Compiled(
        done.outcome,
        done.target,
        done.files,
        done.proof,
        done.size,
        done.witnesses,
        done.remarks,
        done.notes,
        time.perf_counter() - began,
    )


def pairs_of(text: str) -> tuple[tuple[str, str], ...]:
    """``A=B C=D`` as pairs. UsageError for a word without both halves, or a name with two partners."""
    from compiler.cli.arguments import mapping

    pairs = []
    for word in text.replace(",", " ").split():
        left, equals, right = word.partition("=")
        if not (left and equals and right):
            raise UsageError(f"{word!r}: expected SOURCE=TARGET, the interface's name here and on the target")
        pairs.append((left, right))
    return tuple(mapping(pairs).items())


def witnesses_of(report: Report, left: str, right: str) -> Iterator[Shown]:
    """The packets that speak against the report's claims; ``left`` and ``right`` name the texts, for their lines."""
    for claim in report.claims:
        for witness in claim.witnesses:
            packet, here, there = witness.lines(report.left, report.right)
            yield Shown(
                packet.removeprefix("packet").strip(),
                here.strip(),
                there.strip(),
                witness.left.span.line if witness.left.span.source == left else 0,
                witness.right.span.line if witness.right.span.source == right else 0,
            )


def size_of(report: Report) -> str:
    """``128 steps in 40 contexts``: how much was compared."""
    entries, contexts = (sum(getattr(claim, what) for claim in report.claims) for what in ("entries", "contexts"))
    return f"{entries:,} steps in {contexts:,} contexts"


def _configuration(
    text: str, name: str, kind: Kind, choice: Choice, tell: Callable[[tuple[int, int]], Any]
) -> Compiled:
    from compiler.analysis.compilation import FailedProof, compile_tree
    from compiler.dialects import read

    target, options = _options(choice)
    tree = read(text, name, dialect=kind.value, unmodelled="bound" if choice.bound else "refuse")
    try:
        done = compile_tree(tree, target, options, progress=lambda number, total: tell((number, total)))
    except FailedProof as failed:
        report = failed.report
        return Compiled(
            Outcome.DISPROVED,
            choice.target,
            proof=_without_witnesses(report),
            size=size_of(report),
            witnesses=tuple(witnesses_of(report, name, "")),
        )
    assert done.report is not None
    return Compiled(
        Outcome.NARROWER if done.refusals else Outcome.PROVED,
        choice.target,
        (("", done.text),),
        tuple(done.report.lines()),
        size_of(done.report),
        remarks=tuple(refused(one, name, Level.WARNING) for one in done.refusals),
        notes=done.notes,
    )


def _without_witnesses(report: Report) -> tuple[str, ...]:
    return tuple(line for line in report.lines() if not line.startswith("    "))


def _options(choice: Choice) -> tuple[str, Options]:
    from compiler.lowering.options import Deny, Fragments, Options, Placement

    if choice.target not in TARGETS:
        raise UsageError(f"a configuration is compiled to one of {', '.join(TARGETS)}, not to {choice.target}")
    routeros = int(choice.target[-1]) if choice.target.startswith("routeros") else 7
    options = Options(
        interfaces=dict(choice.interfaces),
        deny=Deny(choice.deny),
        placement=Placement(choice.place),
        fragments=Fragments(choice.fragments),
        bound=choice.bound,
        routeros=routeros,
        lists=choice.lists,
    )
    return choice.target.rstrip("67"), options


def _balance(text: str, name: str, choice: Choice) -> Compiled:
    from compiler.balancing.compilation import compile_balance
    from compiler.balancing.proof import FailedBalance

    if choice.target not in BALANCE_TARGETS:
        raise UsageError(f"an intent is compiled to one of {', '.join(BALANCE_TARGETS)}, not to {choice.target}")
    try:
        done = compile_balance(text, name, choice.target)
    except FailedBalance as failed:
        witnesses = tuple(Shown(one.witness or "(no packet)", one.claim, "") for one in failed.proof.findings)
        return Compiled(Outcome.DISPROVED, choice.target, size=f"{failed.proof.cases:,} cases", witnesses=witnesses)
    return Compiled(Outcome.PROVED, choice.target, done.files, tuple(done.lines()), _cases(done))


def _cases(done: BalanceCompilation) -> str:
    return f"{done.proof.cases:,} cases" if done.proof is not None else ""
