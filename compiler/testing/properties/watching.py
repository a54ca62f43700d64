"""A pytest plugin that ``gerbang verify`` adds: what each test asked, as lines of JSON in a file.

It travels in the tests' user properties, so that it comes back from the workers of pytest-xdist too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiler.errors import GerbangError
from compiler.testing.answer import PropertyFailed
from compiler.testing.recording import recorder, recording

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.analysis.traffic.situations import Situation
    from compiler.policy.access_list import Device
    from compiler.policy.packet import Packet
    from compiler.policy.ruleset import Ruleset
    from compiler.semantics.decision import Decision
    from compiler.semantics.machine import Stage
    from compiler.source import Span
    from compiler.testing.answer import Answer
    from compiler.testing.recording import Recorder

__all__ = ["OPTION"]

OPTION = "--gerbang-results"
_KEY = "gerbang_test"
_MOST = 20
"""Questions of one test that are told one by one; a test of Hypothesis asks hundreds, and is one property."""


class _Watching:
    """Notes the answers of one test, and passes everything on to who listened before."""

    def __init__(self, before: Recorder | None) -> None:
        self._before = before
        self.answers: dict[str, Answer] = {}

    def answered(self, answer: Answer) -> None:
        if len(self.answers) <= _MOST:
            self.answers[answer.question] = answer
        if self._before is not None:
            self._before.answered(answer)

    def asked(self, tree: Device | Ruleset, situation: Situation, region: BDDFunction) -> None:
        if self._before is not None:
            self._before.asked(tree, situation, region)

    def decided(self, tree: Device | Ruleset, stages: tuple[Stage, ...], packet: Packet, decision: Decision) -> None:
        if self._before is not None:
            self._before.decided(tree, stages, packet, decision)

    def proved(self, tree: Device | Ruleset) -> None:
        if self._before is not None:
            self._before.proved(tree)

    @property
    def follows_packets(self) -> bool:
        return self._before is not None and self._before.follows_packets

    def met(self, policy: Device | Ruleset, span: Span) -> None:
        if self._before is not None:
            self._before.met(policy, span)


_ASKED = pytest.StashKey[frozenset[Path]]()
"""What pytest was told to run; it looks at the folders above and beside it too."""
_FOLDERS = pytest.StashKey[dict[Path, Path]]()
"""Each folder, and by which way it was come to first."""
_WATCHED = pytest.StashKey[_Watching]()


class _Results:
    """The results of a session, in the process that reports. pytest has the last word on how a test went."""

    def __init__(self, file: Path, root: Path) -> None:
        self.file = file
        self.root = root
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = dict(report.user_properties).get(_KEY)
        if report.when == "call" and isinstance(told, str):
            self.lines.append(json.dumps(_corrected(json.loads(told), report)))
        elif report.when != "call" and not report.passed:
            status = "skipped" if report.skipped else "BROKEN"
            file, line, _ = report.location
            self._note(file, (line or 0) + 1, report.nodeid.rpartition("::")[2], status, report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(report.nodeid.partition("::")[0], 1, report.nodeid, "BROKEN", report.longreprtext)

    def pytest_sessionfinish(self) -> None:
        self.file.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")

    def _note(self, file: str, line: int, name: str, status: str, error: str) -> None:
        place = {"file": str(self.root / file), "line": line}
        self.lines.append(json.dumps({**place, "name": name, "status": status, "error": error, "answers": []}))


def _corrected(told: dict[str, object], report: pytest.TestReport) -> dict[str, object]:
    """A failure that was expected is skipped, and one that pytest sees alone (a strict xfail that passes) is one."""
    if report.skipped:
        return told | {"status": "skipped"}
    if report.failed and told["status"] == "held":
        return told | {"status": "FAILED", "error": report.longreprtext}
    return told


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the results go."""
    parser.addoption(OPTION, metavar="FILE", default="", help="for gerbang verify: write what each test asked")


def pytest_configure(config: pytest.Config) -> None:
    """Workers of pytest-xdist watch, their controller writes."""
    here = config.invocation_params.dir
    asked = {Path(os.path.abspath(here / argument.partition("::")[0])) for argument in config.args}
    config.stash[_ASKED] = frozenset(asked)
    config.stash[_FOLDERS] = {place.resolve(): place for place in asked}
    file = config.getoption(OPTION)
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Results(Path(file), config.rootpath), "gerbang-results")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a folder that was come to by another way, or that a link makes lie in itself: each test runs once."""
    first_ways = config.stash[_FOLDERS]
    asked = config.stash[_ASKED]
    if collection_path in asked or asked.isdisjoint(collection_path.parents) or not collection_path.is_dir():
        return None
    folder = collection_path.resolve()
    if collection_path.is_symlink() and folder in (collection_path.parent.resolve() / "link").parents:
        return True
    return True if first_ways.setdefault(folder, collection_path) != collection_path else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Listen while the test itself runs."""
    item.stash[_WATCHED] = watching = _Watching(recorder())
    with recording(watching):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What became of it, once it has run."""
    if call.when == "call":
        item.user_properties.append((_KEY, json.dumps(_told(item, call))))
    yield


def _told(item: pytest.Item, call: pytest.CallInfo[None]) -> dict[str, object]:
    asked = item.stash[_WATCHED].answers if _WATCHED in item.stash else {}
    held = [answer for answer in asked.values() if answer.held]
    failure = call.excinfo.value if call.excinfo is not None else None
    status, error, answers = "held", "", held
    if isinstance(failure, PropertyFailed):
        status, answers = "FAILED", [*held, failure.answer]
    elif isinstance(failure, pytest.skip.Exception):
        status, error = "skipped", str(failure)
    elif isinstance(failure, GerbangError):
        status, error = "BROKEN", failure.render()
    elif failure is not None:
        status, error = "FAILED", f"{type(failure).__name__}: {failure}"
    doc = (getattr(getattr(item, "function", None), "__doc__", "") or "").strip().partition("\n")[0]
    return {
        "file": str(item.path),
        "line": (item.location[1] or 0) + 1,
        "name": item.name,
        "because": doc,
        "status": status,
        "error": error,
        "seconds": call.duration,
        "many": len(asked) > _MOST,
        "answers": [answer.as_json() for answer in answers],
    }
