"""The pytest plugin: fixtures ``policy`` and ``network``, failures without our own frames, coverage of rules.

::

    def test_only_two_clients_reach_ftp(policy):
        edge = policy("edge.cfg", list="101")
        edge.reachable("172.16.6.4/31", "10.0.0.2", "tcp/21")

Files are looked for beside the test, then in pytest's root folder. A failed
property shows the packet, its way, the rules that decided and a command that
repeats it; JUnit reports have the same as properties. ``--policy-coverage``
tells which rules no property has met; with pytest-xdist all workers are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

import pytest

from compiler.testing.answer import hides

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
    from compiler.testing.coverage import Coverage, RuleCoverage
    from compiler.testing.networks.model import NetworkModel
    from compiler.testing.policies import Policy

__all__ = ["beside"]

__tracebackhide__ = hides

_OUTPUT = "gerbang_coverage"
_TALLY = "gerbang_answers"


def beside(request: pytest.FixtureRequest, name: str | Path) -> Path:
    """The file or folder of that name, beside the test or in pytest's root folder. UsageError when there is none."""
    from compiler.errors import UsageError

    folders = [request.path.parent, request.config.rootpath]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    places = " or ".join(str(folder) for folder in dict.fromkeys(folders))
    raise UsageError(f"there is no {name} in {places}")


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Callable[..., Policy]:
    """``policy("edge.cfg", list="101")``: see :func:`compiler.testing.policies.read_policy`."""
    from compiler.testing.policies import read_policy

    def read(
        name: str | Path,
        *,
        list: str | None = None,
        ingress: str | None = None,
        egress: str | None = None,
        dialect: str | None = None,
        unmodelled: Literal["refuse", "bound"] = "refuse",
    ) -> Policy:
        path = beside(request, name)
        return read_policy(path, list=list, ingress=ingress, egress=egress, dialect=dialect, unmodelled=unmodelled)

    return read


@pytest.fixture
def network() -> Callable[..., NetworkModel]:
    """``network().host(…).router(…).cable(…)``: see :mod:`compiler.testing.networks.model`."""
    from compiler.testing.networks.model import network as empty

    return empty


# -- what is told ------------------------------------------------------------------------------


class _Recorder:
    """What one process saw: how often each kind of answer was given, and the coverage if it is wanted."""

    def __init__(self, coverage: Coverage | None) -> None:
        self.coverage = coverage
        self.tally: Counter[str] = Counter()

    def answered(self, answer: Answer) -> None:
        self.tally[answer.sureness.value if answer.held else "failed"] += 1

    def asked(self, tree: Device | Ruleset, situation: Situation, region: BDDFunction) -> None:
        if self.coverage is not None:
            self.coverage.asked(tree, situation, region)

    def proved(self, tree: Device | Ruleset) -> None:
        if self.coverage is not None:
            self.coverage.proved(tree)

    def decided(self, tree: Device | Ruleset, stages: tuple[Stage, ...], packet: Packet, decision: Decision) -> None:
        if self.coverage is not None:
            self.coverage.decided(tree, stages, packet, decision)

    @property
    def follows_packets(self) -> bool:
        return self.coverage is not None

    def met(self, policy: Device | Ruleset, span: Span) -> None:
        if self.coverage is not None:
            self.coverage.met(policy, span)


class _Plugin:
    """The state of one pytest session: of the controller, or of one of its workers."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        wanted = config.getoption("policy_coverage") or config.getoption("policy_coverage_file")
        coverage = None
        if wanted:
            from compiler.testing.coverage import Coverage

            coverage = Coverage()
        self.recorder = _Recorder(coverage)
        self.parts: list[list[RuleCoverage]] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        from compiler.testing.recording import recording

        with recording(self.recorder):
            yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        from compiler.errors import GerbangError
        from compiler.testing.answer import PropertyFailed

        failure = call.excinfo.value if call.excinfo is not None else None
        if call.excinfo is not None and isinstance(failure, PropertyFailed | GerbangError):
            _hide_ourselves(call.excinfo, whole=self.config.getoption("fulltrace"))
        if call.excinfo is not None and isinstance(failure, PropertyFailed):
            answer = failure.answer
            item.user_properties.append(("gerbang_property", answer.question))
            if answer.witness is not None:
                item.user_properties.append(("gerbang_packet", answer.witness.packet))
                item.user_properties.append(("gerbang_repeat", answer.witness.command))
        yield

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(self.config, "workeroutput", None)
        rules = list(self.recorder.coverage.rules()) if self.recorder.coverage is not None else []
        if output is not None:
            output[_OUTPUT] = json.dumps(rules)
            output[_TALLY] = dict(self.recorder.tally)
        else:
            self.parts.append(rules)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """What a worker saw (pytest-xdist)."""
        from compiler.testing.coverage import RuleCoverage

        output = getattr(node, "workeroutput", {})
        self.recorder.tally.update(output.get(_TALLY, {}))
        self.parts.append([RuleCoverage(*one) for one in json.loads(output.get(_OUTPUT, "[]"))])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        tally = self.recorder.tally
        if tally:
            told = ", ".join(
                f"{tally[word]} {word}" for word in ("proved", "tested", "observed", "failed") if tally[word]
            )
            terminalreporter.write_line(f"properties: {told}")
        if self.config.getoption("policy_coverage") or self.config.getoption("policy_coverage_file"):
            self._report(terminalreporter)

    def _report(self, terminalreporter: pytest.TerminalReporter) -> None:
        from compiler.testing.coverage import as_json, as_lcov, joined, lines_of_report

        rules = joined(self.parts)
        if self.config.getoption("policy_coverage"):
            terminalreporter.section("policy coverage")
            for line in lines_of_report(rules):
                terminalreporter.write_line(line)
            if not rules:
                terminalreporter.write_line("no property was asked of any policy")
        file = self.config.getoption("policy_coverage_file")
        if file:
            text = as_json(rules) if file.endswith(".json") else as_lcov(rules)
            try:
                Path(file).write_text(text, encoding="utf-8")
            except OSError as error:
                terminalreporter.write_line(f"policy coverage was not written: {error}", red=True)
            else:
                terminalreporter.write_line(f"policy coverage written to {file}")


_OWN = Path(__file__).resolve().parents[1]
"""The folder of the package: its frames tell a tester nothing about a policy."""


def _hide_ourselves(excinfo: pytest.ExceptionInfo[BaseException], *, whole: bool) -> None:
    """Leave the tester's own frames in the traceback, unless all are wanted (``--full-trace``)."""
    if whole:
        return
    kept = [one for one in _frames(excinfo.tb) if _OWN not in Path(one.tb_frame.f_code.co_filename).parents]
    for one, following in zip(kept, [*kept[1:], None], strict=True):
        one.tb_next = following
    excinfo.value.__cause__ = None
    excinfo.value.__suppress_context__ = True


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--policy-coverage``."""
    group = parser.getgroup("gerbang", "properties of network policies")
    group.addoption(
        "--policy-coverage", action="store_true", help="tell which rules of the policies no property has met"
    )
    group.addoption(
        "--policy-coverage-file",
        metavar="FILE",
        default="",
        help="write the coverage of rules: for lcov(1), or as JSON when the name ends in .json",
    )


def pytest_configure(config: pytest.Config) -> None:
    """One state a session. Raises pytest.UsageError for a file that cannot be written, before any test is run."""
    file = config.getoption("policy_coverage_file")
    if file and not Path(file).absolute().parent.is_dir():
        raise pytest.UsageError(f"--policy-coverage-file: there is no folder for {file}")
    config.pluginmanager.register(_Plugin(config), "gerbang-session")
