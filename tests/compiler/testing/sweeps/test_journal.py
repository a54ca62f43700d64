"""A sweep goes on where it stopped, whatever stopped it, and believes no result of another question."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UsageError
from compiler.testing.sweeps import NamedItem, sweep
from compiler.testing.sweeps.journal import Journal
from compiler.testing.sweeps.result import Cause, Outcome, Result
from tests.compiler.testing.sweeps import checks

ROOT = Path(__file__).parents[4]

HUNDRED = range(1, 101)


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "night.jsonl"


def swept(journal, check=checks.refuses_sevens, items=HUNDRED, **words):
    return list(sweep(items, check, processes=0, journal=journal, **words))


def test_what_was_found_is_not_asked_again(journal):
    results = sweep(HUNDRED, checks.refuses_sevens, processes=0, journal=journal)
    early = [next(results) for _ in range(30)]
    results.close()
    found = swept(journal)
    assert sorted(int(one.identity) for one in found) == list(HUNDRED)
    assert {one.identity for one in found if one.resumed} >= {one.identity for one in early}
    assert not all(one.resumed for one in found)
    fresh = {one.substance for one in sweep(HUNDRED, checks.refuses_sevens, processes=0)}
    assert {one.substance for one in found} == fresh
    assert all(one.resumed for one in swept(journal))


def test_the_journal_of_another_question_is_refused_or_begun_anew(journal):
    swept(journal)
    before = journal.read_bytes()
    with pytest.raises(UsageError, match="refuses_sevens"):
        swept(journal, checks.counts)
    with pytest.raises(UsageError, match="begin a new one"):
        swept(journal, partial(checks.kills_its_worker_once, mark="x"))
    assert journal.read_bytes() == before
    assert not any(one.resumed for one in swept(journal, checks.counts, anew=True))


def test_a_check_whose_module_changed_is_another_question(journal, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = tmp_path / "changing_check.py"
    module.write_text("def check(item): return True\n")
    import changing_check

    swept(journal, changing_check.check)
    module.write_text("def check(item): return item > 3\n")
    with pytest.raises(UsageError, match="asked it otherwise"):
        swept(journal, changing_check.check)


def test_a_changed_item_is_asked_again(journal):
    def items(value):
        return [NamedItem("a", 1, digest="1"), NamedItem("b", value, digest=str(value))]

    assert [one.held for one in swept(journal, items=items(2))] == [True, True]
    found = {one.identity: one for one in swept(journal, items=items(7))}
    assert (found["a"].resumed, found["b"].resumed, found["b"].held) == (True, False, False)


def test_what_broke_is_tried_again(journal):
    swept(journal, checks.explodes, range(8))
    resumed = {one.identity: one.resumed for one in swept(journal, checks.explodes, range(8))}
    assert {identity for identity, was in resumed.items() if not was} == {"2", "4", "6"}


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_last_line_that_was_torn_is_left_out(journal, cut):
    swept(journal)
    os.truncate(journal, journal.stat().st_size - cut)
    found = swept(journal)
    assert len(found) == 100
    assert sum(not one.resumed for one in found) == 1
    assert len([json.loads(line) for line in journal.read_text().splitlines()]) == 101


def test_a_torn_first_line_begins_anew(journal):
    swept(journal)
    journal.write_bytes(journal.read_bytes()[:20])
    assert not any(one.resumed for one in swept(journal))


@pytest.mark.parametrize("text", ["hello\n", "{}\n", "hostname router", '{"gerbang-sweep": 1}\n'])
def test_another_file_is_not_taken_for_a_journal_nor_harmed(journal, text):
    journal.write_text(text)
    with pytest.raises(UsageError, match="not the journal"):
        swept(journal)
    assert journal.read_text() == text


def test_a_broken_line_in_the_middle_is_said(journal):
    swept(journal)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:50], "what is this\n", *lines[50:]]))
    with pytest.raises(UsageError, match="not the journal"):
        swept(journal)


def test_two_sweeps_do_not_write_one_journal(journal):
    results = sweep(HUNDRED, checks.refuses_sevens, processes=0, journal=journal)
    next(results)
    with pytest.raises(UsageError, match="another sweep"):
        swept(journal)
    results.close()


TEXTS = st.text(max_size=8)
PLAIN = st.none() | st.booleans() | st.integers() | TEXTS | st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2))
RESULTS = st.builds(
    Result,
    identity=TEXTS,
    outcome=st.sampled_from(Outcome),
    causes=st.lists(st.builds(Cause, TEXTS, st.lists(TEXTS, max_size=3).map(tuple)), max_size=2).map(tuple),
    value=PLAIN,
    weight=st.integers(0, 5),
    digest=TEXTS,
    number=st.integers(0),
)


@settings(max_examples=50)
@given(result=RESULTS)
def test_a_result_comes_back_as_it_was(result):
    assert Result.from_json(json.loads(json.dumps(result.as_json()))) == result


@settings(max_examples=25)
@given(results=st.lists(RESULTS, max_size=3), data=st.data())
def test_any_prefix_of_a_journal_holds_whole_results_only(results, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "j"
    written = Journal(path, "what", "asked")
    written.write(results)
    written.close()
    os.truncate(path, data.draw(st.integers(0, path.stat().st_size)))
    again = Journal(path, "what", "asked")
    last = {result.identity: result for result in results}
    for identity in {result.identity for result in results}:
        found = again.find(identity, last[identity].digest)
        assert found is None or any(found == one for one in results)
    again.close()


PROGRAM = """
import sys
from compiler.testing.sweeps import sweep
from tests.compiler.testing.sweeps import checks

if __name__ == "__main__":
    for result in sweep(range(1, 1001), checks.waits, processes=2, journal=sys.argv[1]):
        print(result.identity, flush=True)
"""


def test_kill_9_takes_nothing_that_was_told_and_leaves_nobody_behind(journal, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        [sys.executable, program, journal],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the tracker of resources speaks of semaphores that nobody gave back
        text=True,
        env=environment,
        start_new_session=True,
    ) as child:
        told = [child.stdout.readline().strip() for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read().split()
    until = time.monotonic() + 20
    while _session_is_alive(child.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _session_is_alive(child.pid)
    kept = {json.loads(line)["identity"] for line in journal.read_text().splitlines()[1:] if line.endswith("}")}
    assert set(told) <= kept
    results = sweep(range(1, 101), checks.waits, processes=2, journal=journal)
    found = list(results)
    assert sorted(int(one.identity) for one in found) == list(HUNDRED)
    assert {one.identity for one in found if one.resumed} == kept & {str(number) for number in HUNDRED}


def _session_is_alive(session):
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True
