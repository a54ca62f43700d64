"""What a terminal shows of plans, outcomes, generations and diagnoses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from appliance.commit.printing import (
    print_diagnosis,
    print_generations,
    print_outcome,
    print_plan,
    print_plan_from_the_top,
    print_status,
)
from appliance.commit.results import Action, CommitStatus, Ending, FileChange, Outcome, Phase, Plan, PlannedAct
from appliance.contract.components import Finding, Severity
from appliance.language import translator
from tests.appliance.commit.parts import ModelClock, ModelMachine, Part, commits_of


@pytest.fixture
def commits(tmp_path):
    return commits_of(tmp_path, ModelMachine(), ModelClock())


def test_a_plan(commits):
    commits.commit(
        (Part(name="db", text="one\ntwo\n"), Part(name="key", text="x", secret=True), Part(name="old")), "ana"
    )
    plan = commits.plan((Part(name="db", text="one\n2\n"), Part(name="key", text="y", secret=True), Part(name="new")))
    assert print_plan(plan) == (
        "~ db/etc/config\n"
        "    @@ -1,2 +1,2 @@\n"
        "     one\n"
        "    -two\n"
        "    +2\n"
        "~ key/etc/config\n"
        "    changed\n"
        "+ new/etc/config\n"
        "- old/etc/config\n"
        "would act, in this order:\n"
        "  - old (no longer wanted)\n"
        "  ~ db (its files change)\n"
        "  ~ key (its files change)\n"
        "  + new (new)\n"
        "generation 2 would replace generation 1\n"
    )


def test_a_plan_for_a_screen_says_first_who_acts_and_shortens_certificates(commits):
    certificate = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n"
    plan = commits.plan((Part(name="tls", text=f"one\n{certificate}two\n"),))
    assert print_plan_from_the_top(plan) == (
        "would act, in this order:\n"
        "  + tls (new)\n"
        "generation 1 would replace generation 0\n"
        "\n"
        "what would differ:\n"
        "+ tls/etc/config\n"
        "    @@ -0,0 +1,6 @@\n"
        "    +one\n"
        "    +-----BEGIN CERTIFICATE-----\n"
        "    … 2 lines\n"
        "    +-----END CERTIFICATE-----\n"
        "    +two\n"
    )
    assert "MIIB" in print_plan(plan)


def test_a_plan_that_would_be_refused_or_does_nothing(commits):
    text = print_plan(commits.plan((Part(name="a", text="unwanted"),)))
    assert text.startswith("error: a: is not wanted\n")
    assert text.endswith("this would be refused\n")
    commits.commit((), "ana")
    assert print_plan(commits.plan(())) == "nothing to do: generation 1 stands\n"


def test_outcomes(commits):
    wrong = Finding(component="web", severity=Severity.ERROR, template="says {what}", values={"what": "no\x1b[2J"})
    undone = Outcome(
        ending=Ending.UNDONE, generation=7, standing=6, phase=Phase.PROBE, findings=(wrong,), undone=("web", "db")
    )
    assert print_outcome(undone) == (
        "error: web: says no [2J\n"
        "undone, in this order: web, db\n"
        "generation 7 was taken back at the probes: generation 6 stands again\n"
    )
    broken = replace(undone, ending=Ending.BROKEN, not_undone=(wrong,))
    assert "could not be undone, or does not serve again:\n  error: web: says" in print_outcome(broken)
    waits = Outcome(ending=Ending.UNCONFIRMED, generation=7, standing=7, deadline=datetime.now(UTC))
    assert re.search(r"taken back at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d unless you confirm", print_outcome(waits))


@pytest.mark.parametrize("ending", Ending)
def test_every_ending_has_its_words(ending):
    outcome = Outcome(ending=ending, generation=2, standing=1, phase=Phase.ACT, deadline=datetime.now(UTC))
    (line,) = print_outcome(outcome).splitlines()
    assert "{" not in line
    (translated,) = print_outcome(outcome, translate=lambda words: f"<{words}>").splitlines()
    assert translated.startswith("<")


def test_generations_status_and_diagnosis(commits):
    commits.commit((Part(name="a"),), "ana", "the first\nline")
    commits.commit((), "ben", confirm_within=600)
    lines = print_generations(commits.generations()).splitlines()
    assert re.fullmatch(r"\*    2  unconfirmed  [-0-9]+ [:0-9]+  ben", lines[0])
    assert re.fullmatch(r"     1  confirmed    [-0-9]+ [:0-9]+  ana  the first line", lines[1])
    assert print_status(commits.status()).startswith(
        "generation 2 serves, 1 is confirmed\nunderway: the confirmation, until "
    )
    assert print_diagnosis(commits.diagnose()).endswith("all is well\n")
    commits.close()
    assert print_generations(()) == ""
    assert print_status(CommitStatus(current=0, confirmed=0, phase=None)) == "generation 0 serves, 0 is confirmed\n"


def test_colours_only_when_asked_and_nothing_from_files_reaches_the_terminal(commits):
    plan = commits.plan((Part(name="a", text="\x1b]0;title\x07\n"),))
    assert "\x1b" not in print_plan(plan)
    coloured = print_plan(plan, colour=True)
    assert set(re.findall("\x1b\\[[0-9]*m", coloured)) == {"\x1b[32m", "\x1b[1m", "\x1b[0m"}
    assert re.sub("\x1b\\[[0-9]*m", "", coloured) == print_plan(plan)


def test_modes_are_shown_when_they_change():
    change = FileChange(component="a", path="key", action=Action.CHANGE, mode=0o600, mode_before=0o640)
    act = PlannedAct(component="a", action=Action.CHANGE, reason="files")
    text = print_plan(Plan(generation=2, standing=1, files=(change,), acts=(act,)))
    assert text.startswith("~ a/key (mode 0640 -> 0600)\n")


def test_days_are_written_as_the_reader_writes_them():
    """A component says a day as JSON has it, for its words are not those of one reader."""
    ends = Finding(
        severity=Severity.WARNING,
        component="certificates.printer",
        template="it ends in {days} days, on {day}",
        values={"days": 16, "day": "2026-12-10"},
    )
    plan = Plan(generation=2, standing=1, findings=(ends,), files=(), acts=())
    assert "on 2026-12-10" in print_plan(plan)
    assert "10/12/2026" in print_plan(plan, translate=translator("id"))
    when = datetime(2026, 12, 10, 14, 30, 5).astimezone()
    waits = Outcome(ending=Ending.UNCONFIRMED, generation=2, standing=1, deadline=when)
    assert "2026-12-10 14:30:05" in print_outcome(waits)
    assert "10/12/2026 14.30.05" in print_outcome(waits, translate=translator("id"))
