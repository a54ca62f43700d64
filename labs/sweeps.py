"""Sweeps of labs, for ``gerbang sweep``: all sets of up to k failures, and seeds in the simulator."""

from __future__ import annotations

import os
import shlex
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler.cli.sweep_source import Plan, Source
from labs.cli.settings import add_settings

if TYPE_CHECKING:
    from compiler.testing.answer import Answer
    from labs.assertions import Verdict
    from labs.lab_file import LabFile
    from labs.topology import Lab

__all__ = ["SeedCheck", "failures", "seeds"]


def _add_lab(parser: ArgumentParser) -> None:
    parser.add_argument("lab", metavar="DIR", help="the lab's folder, or its file")
    parser.add_argument("--variant", default="", metavar="NAME", help="a variant that the lab names")
    add_settings(parser)


def _read(arguments: Namespace) -> LabFile:
    from compiler.cli.output import note
    from labs.lab_file import read_lab_file

    found = read_lab_file(arguments.lab, dict(arguments.settings), arguments.variant)
    note(*(warning.render() for warning in found.warnings))
    return found


# -- failures -------------------------------------------------------------------------------


def _configure_failures(parser: ArgumentParser) -> None:
    _add_lab(parser)
    parser.add_argument("--most", type=_whole, default=1, metavar="K", help="dead at the same time (default: 1)")
    parser.add_argument(
        "--among",
        action="append",
        default=[],
        metavar="PATTERN",
        help="nodes and links that may die (default: all but hosts and their own links); may be repeated",
    )
    parser.add_argument(
        "--check",
        action="append",
        default=[],
        dest="checks",
        metavar="PROPERTY",
        help="what must hold under each: 'reachable anna server tcp/80', 'isolated guest lan', 'no_loop', "
        "'via anna server firewall'; may be repeated",
    )


def _plan_failures(arguments: Namespace) -> Plan:
    from compiler.errors import UsageError
    from compiler.testing.sweeps.failing import FailureCheck, FailureSets
    from compiler.testing.sweeps.properties import network_property
    from labs.testing.models import model_of

    if not arguments.checks:
        raise UsageError("say what must hold: --check 'reachable FROM TO SERVICE', --check no_loop, …")
    properties = tuple(network_property(text) for text in arguments.checks)
    model = model_of(_read(arguments).lab)
    return Plan(FailureSets(model, arguments.most, tuple(arguments.among)), FailureCheck(model, properties))


failures = Source(
    "properties of a lab's network under every set of up to K dead nodes and links",
    _configure_failures,
    _plan_failures,
    ("sweep failures labs/two-isps --most 2 --check 'reachable lan-1 server tcp/80'",),
)


# -- seeds ----------------------------------------------------------------------------------


def _configure_seeds(parser: ArgumentParser) -> None:
    _add_lab(parser)
    parser.add_argument("--seeds", type=_whole, default=100, metavar="N", help="how many (default: 100)")
    parser.add_argument("--first", type=_whole, default=1, metavar="S", help="the first of them (default: 1)")


def _plan_seeds(arguments: Namespace) -> Plan:
    from compiler.errors import UsageError

    lab = _read(arguments).lab
    if not any("simulator" in assertion.worlds for assertion in lab.assertions):
        raise UsageError(f"{lab.name} has no assertion that the simulator can judge")
    words = ["gerbang", "lab", "run", arguments.lab]
    words += ["--variant", arguments.variant] if arguments.variant else []
    for name, value in arguments.settings:
        words += ["--set", f"{name}={value}"]
    check = SeedCheck(lab, tuple(words), _fingerprint(lab, words))
    return Plan(range(arguments.first, arguments.first + arguments.seeds), check)


def _fingerprint(lab: Lab, words: list[str]) -> str:
    """Of every file of the lab, and of its parameters."""
    from compiler.testing.sweeps.items import fingerprint

    parts: list[str | bytes] = [*words]
    for here, folders, files in os.walk(lab.folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(files):
            with open(os.path.join(here, name), "rb") as file:
                parts += [name, file.read()]
    return fingerprint(*parts)


@dataclass(frozen=True, slots=True)
class SeedCheck:
    """Runs a lab in the simulator with a seed, and has its assertions judged. ``words`` is the command that does."""

    lab: Lab
    words: tuple[str, ...]
    fingerprint: str

    @property
    def question(self) -> str:
        """The lab's assertions."""
        return f"the assertions of {shlex.join(self.words[3:])}"

    def __call__(self, seed: int) -> list[Answer]:
        """An answer for each assertion that the simulator can judge."""
        from labs.assertions import VerdictState, captured_links, judge_all
        from labs.simulated import run

        if captured_links(self.lab):
            from tempfile import TemporaryDirectory

            with TemporaryDirectory() as folder:
                from pathlib import Path

                observation = run(self.lab, seed=seed, captures=captured_links(self.lab), folder=Path(folder))
                verdicts = judge_all(self.lab, observation)
        else:
            verdicts = judge_all(self.lab, run(self.lab, seed=seed))
        return [self._answer(one, seed) for one in verdicts if one.state is not VerdictState.SKIPPED]

    def _answer(self, verdict: Verdict, seed: int) -> Answer:
        from compiler.testing.answer import Answer, Sureness, Witness
        from labs.assertions import VerdictState, say

        held = verdict.state is VerdictState.HELD
        command = shlex.join([*self.words, "--seed", str(seed)])
        witness = None if held else Witness(verdict.message, command=command)
        return Answer(say(verdict.assertion), held, Sureness.TESTED, f"in the simulator, seed {seed}", witness=witness)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise ArgumentTypeError(f"{text!r}: expected a whole number from 0")
    return int(text)


seeds = Source(
    "a lab's assertions, in the simulator, with one seed after another",
    _configure_seeds,
    _plan_seeds,
    ("sweep seeds labs/hospital --seeds 1000 --journal seeds.jsonl",),
)
