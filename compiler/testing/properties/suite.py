"""The pytest properties of a folder: pytest in a process of its own, its results as ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from compiler.errors import UsageError
from compiler.source import Span
from compiler.testing.answer import Answer, DecidingRule, Hop, Sureness, Witness
from compiler.testing.properties.result import Result, Status, exit_code

if TYPE_CHECKING:
    from compiler.testing.coverage import RuleCoverage

__all__ = ["Suite", "run_suite", "shown"]

_WATCHING = "compiler.testing.properties.watching"
_PLUGIN = "compiler.testing.plugin"
_RAN = (0, 1, 2, 5)
"""Exit codes after which there are results: passed, failed, broken while collecting, nothing collected."""

_WRONG = (1, 2)


class Suite(NamedTuple):
    """What pytest said. ``output`` is its own report."""

    results: tuple[Result, ...]
    rules: tuple[RuleCoverage, ...]
    output: str


def run_suite(target: Path, *, coverage: bool = False) -> Suite:
    """Run pytest over a folder or file. Raises UsageError where pytest is missing or does not come to its tests.

    A process of its own: a suite may change whatever it likes, and its settings
    (``pytest.ini``, ``PYTEST_ADDOPTS``) hold as when it is run by hand.
    """
    from importlib.util import find_spec

    if find_spec("pytest") is None:
        raise UsageError(f"{target} has tests for pytest, which is not installed: pip install 'gerbang[verify]'")
    with tempfile.TemporaryDirectory(prefix="gerbang-") as scratch:
        results, rules = Path(scratch, "results.jsonl"), Path(scratch, "rules.json")
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            _WATCHING,
            "--continue-on-collection-errors",
            f"--gerbang-results={results}",
        ]
        words += [] if _is_registered() else ["-p", _PLUGIN]
        words += [f"--policy-coverage-file={rules}"] if coverage else []
        done = subprocess.run(
            [*words, str(target)], capture_output=True, text=True, errors="replace", check=False, env=_environment()
        )
        output = done.stdout + done.stderr
        last = "\n".join(output.strip().splitlines()[-12:])
        if done.returncode not in _RAN or not results.exists():
            raise UsageError(f"pytest did not run the tests of {target} (exit code {done.returncode}):\n{last}")
        lines = results.read_text(encoding="utf-8").splitlines()
        told = [result for line in lines for result in _results(json.loads(line))]
        found = tuple(sorted(told, key=lambda one: one.span[:2]))  # workers of pytest-xdist end in any order
        if done.returncode in _WRONG and not exit_code(found):
            raise UsageError(f"pytest failed for another reason than its tests:\n{last}")
        return Suite(found, _rules(rules), output)


def _is_registered() -> bool:
    """Whether pytest finds our plugin by itself; to name it again would be an error."""
    from importlib.metadata import entry_points

    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return False
    return any(entry.value == _PLUGIN for entry in entry_points(group="pytest11"))


def _environment() -> dict[str, str]:
    """Ours, with the folders that this process imports from: the suite sees the same gerbang."""
    here = str(Path(__file__).parents[3])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _rules(file: Path) -> tuple[RuleCoverage, ...]:
    from compiler.testing.coverage import RuleCoverage

    if not file.exists():
        return ()
    return tuple(RuleCoverage(**one) for one in json.loads(file.read_text(encoding="utf-8")))


def _results(told: dict[str, Any]) -> Iterator[Result]:
    """One for each question of a test, the failed one last; one for a test that asked none of ours, or very many."""
    span = Span(shown(told["file"]), told["line"])
    status = Status(told["status"])
    answers = [_answer(one) for one in told["answers"]]
    because, seconds = told.get("because", ""), told.get("seconds", 0.0)
    failed = next((one for one in answers if not one.held), None)
    if told.get("many") or status in (Status.BROKEN, Status.SKIPPED) or not answers:
        answer = failed or next(iter(answers), None)
        yield Result(span, told["name"], status, answer, because, told["error"], seconds)
        return
    for number, answer in enumerate(answers):
        spent = seconds if number == 0 else 0.0
        yield Result(span, answer.question, Status.HELD if answer.held else Status.FAILED, answer, because, "", spent)
    if status is Status.FAILED and failed is None:  # by an assertion of the test's own, after our words held
        yield Result(span, told["name"], status, None, because, told["error"])


def shown(path: str) -> str:
    """From the current folder where it lies below, as a person would write it."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def _here(text: str) -> str:
    """Without the current folder before file names."""
    return text.replace(f"{os.getcwd()}{os.sep}", "")


def _answer(told: dict[str, Any]) -> Answer:
    """What :meth:`Answer.as_json` wrote."""
    witness = told["witness"] and Witness(
        told["witness"]["packet"],
        tuple(
            Hop(
                _here(hop["node"]),
                hop["in"],
                hop["out"],
                tuple(
                    DecidingRule(
                        Span(shown(rule["file"]) if rule["file"] else "", rule["line"]), rule["text"], rule["did"]
                    )
                    for rule in hop["rules"]
                ),
            )
            for hop in told["witness"]["path"]
        ),
        _here(told["witness"]["command"]),
    )
    return Answer(
        _here(told["question"]), told["held"], Sureness(told["sureness"]), _here(told["decided"]), told["said"], witness
    )
