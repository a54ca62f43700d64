"""One commit and its parts: what is refused, what acts, in which order, and what is undone."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from appliance.commit.commits import NothingToConfirm, NothingToRollBackTo, Unconfirmed
from appliance.commit.lock import Busy
from appliance.commit.results import Action, Ending, Outcome, Phase, Plan, Standing
from appliance.contract.components import RenderedFile
from appliance.contract.context import Cancelled
from tests.appliance.commit.parts import ModelClock, ModelMachine, Part, commits_of, stands_whole

WEB = (Part(name="web", text="w1", requires=("php", "db")), Part(name="php", text="p1"), Part(name="db", text="d1"))


@pytest.fixture
def machine() -> ModelMachine:
    return ModelMachine()


def test_the_first_commit_starts_all_in_the_order_of_what_they_require(tmp_path, machine):
    outcome = commits_of(tmp_path, machine).commit(WEB, "ana", "first")
    assert (outcome.ending, outcome.generation, outcome.standing) == (Ending.CONFIRMED, 1, 1)
    assert outcome.acted == ("db", "php", "web")
    assert stands_whole(tmp_path, machine) == 1


def test_only_what_changed_acts(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    changed = (WEB[0], Part(name="php", text="p2"), WEB[2])
    plan = commits.plan(changed)
    assert [(act.component, act.action, act.reason) for act in plan.acts] == [("php", Action.CHANGE, "files")]
    assert commits.commit(changed, "ana").acted == ("php",)
    assert commits.commit(changed, "ana").ending is Ending.UNCHANGED


def test_a_value_alone_makes_a_component_act_and_so_does_what_it_follows(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    parts = (Part(name="cert", text="c1"), Part(name="web", text="w", requires=("cert",), follows=("cert",)))
    commits.commit(parts, "ana")
    assert commits.commit((Part(name="cert", text="c2"), parts[1]), "ana").acted == ("cert", "web")
    unfollowed = Part(name="web", text="w", requires=("cert",))
    plan = commits.plan((Part(name="cert", text="c2"), unfollowed))
    assert [(act.component, act.reason) for act in plan.acts] == [("web", "value")]


def test_preflight_is_of_those_to_whom_something_is_new(tmp_path, machine):
    data, other = Part(name="accounts", text="a1"), Part(name="other")
    mail = Part(name="mail", text="m1", requires=("accounts", "other"), follows=("accounts", "other"),
                trusts=("accounts",))  # fmt: skip

    def checked(*parts: Part) -> list[str]:
        machine.checked.clear()
        outcome = commits.commit(parts, "ana")
        assert "mail" in outcome.acted
        return sorted(machine.checked)

    commits = commits_of(tmp_path, machine)
    assert checked(data, other, mail) == ["accounts", "mail", "other"]
    # Accounts alone: mail reads them again, and they have been judged.
    data = replace(data, text="a2")
    assert checked(data, other, mail) == ["accounts"]
    # Something that it does not trust, or its own configuration, is judged with it.
    other = replace(other, text="o2")
    assert checked(data, other, mail) == ["mail", "other"]
    mail, data = replace(mail, text="m2"), replace(data, text="a3")
    assert checked(data, other, mail) == ["accounts", "mail"]


def test_those_that_read_new_data_anew_do_so_at_the_same_time(tmp_path, machine):
    """Each waits for the other to have begun; a third, which requires one of them, comes after."""
    data = Part(name="accounts", text="a1")
    first, second = (
        Part(name=name, requires=("accounts",), follows=("accounts",), trusts=("accounts",)) for name in "fs"
    )
    third = replace(first, name="third", requires=("accounts", "f"))
    commits = commits_of(tmp_path, machine)
    commits.commit((data, first, second, third), "ana")
    both, start, began = threading.Barrier(2, timeout=60), machine.start, []

    def together(program, files):
        if program in "fs":
            both.wait()
        began.append(program)
        return start(program, files)

    machine.start = together
    outcome = commits.commit((replace(data, text="a2"), first, second, third), "ana")
    assert outcome.ending is Ending.CONFIRMED
    assert outcome.acted == ("accounts", "f", "s", "third")
    assert (began[0], set(began[1:3]), began[3]) == ("accounts", {"f", "s"}, "third")

    def one_fails(program, files):
        if program == "f":
            raise OSError("no more memory")
        return start(program, files)

    machine.start = one_fails
    outcome = commits.commit((replace(data, text="a3"), first, second, third), "ana")
    assert (outcome.ending, outcome.phase) == (Ending.BROKEN, Phase.ACT)
    machine.start = start
    assert commits.status().current == 2


def test_what_is_gone_stops_after_those_that_needed_it_and_before_newcomers(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit((*WEB, Part(name="zz")), "ana")
    outcome = commits.commit((Part(name="web", text="w2", requires=("db",)), WEB[2], Part(name="aa")), "ana")
    assert outcome.acted == ("zz", "aa", "web", "php")
    assert stands_whole(tmp_path, machine) == 2


@pytest.mark.parametrize("verb", ["check", "shadow", "start", "started", "probe"])
@pytest.mark.parametrize("program", ["db", "web"])
def test_a_failure_anywhere_leaves_the_old_generation(tmp_path, machine, verb, program):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    machine.faults.add((verb, program))
    machine.did.clear()
    outcome = commits.commit([Part(name=p.name, text="new", requires=p.requires) for p in WEB], "ben")
    touched = verb not in {"check", "shadow"}
    assert outcome.ending is (Ending.UNDONE if touched else Ending.REFUSED)
    assert outcome.findings[0].component == program
    assert outcome.undone == tuple(reversed(outcome.acted))
    assert (outcome.standing, stands_whole(tmp_path, machine)) == (1, 1)
    assert bool(machine.did) is touched
    assert [line.standing for line in commits.generations()] == [Standing.FAILED, Standing.CONFIRMED]
    assert commits.commit(WEB, "ana").ending is Ending.UNCHANGED


def test_what_cannot_be_undone_is_said_and_tried_again(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    machine.lasting = True
    machine.faults |= {("probe", "web"), ("stop", "extra")}
    outcome = commits.commit((*WEB[1:], Part(name="web", text="w2"), Part(name="extra")), "ben")
    assert outcome.ending is Ending.BROKEN
    assert {finding.component for finding in outcome.not_undone} == {"extra", "web"}  # web's probe fails still
    assert commits.status().unfinished == ("extra",)
    assert "extra" in machine.running
    assert not commits.diagnose().well
    machine.faults.clear()
    assert commits.resume("ana").ending is Ending.UNCHANGED
    assert commits.status().unfinished == ()
    assert stands_whole(tmp_path, machine) == 1


def test_an_unfinished_component_acts_in_the_next_commit(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    machine.lasting = True
    machine.faults |= {("start", "web")}
    changed = [Part(name=p.name, text="new", requires=p.requires) for p in WEB]
    assert commits.commit(changed, "ben").ending is Ending.BROKEN
    machine.faults.clear()
    machine.running["web"] = "half"
    outcome = commits.commit((WEB[0], WEB[1], Part(name="db", text="d2")), "ana")
    assert outcome.ending is Ending.CONFIRMED
    assert stands_whole(tmp_path, machine) == outcome.generation


def test_all_findings_come_at_once(tmp_path, machine):
    parts = (
        Part(name="a", requires=("b",)),
        Part(name="b", requires=("a",)),
        Part(name="c", requires=("gone",)),
        Part(name="d"),
        Part(name="d"),
        Part(name="../up"),
        Part(name="manifest.json"),
        Part(name="e", text="unrenderable"),
        Part(name="f", follows=("a",)),
    )
    plan = commits_of(tmp_path, machine).plan(parts)
    said = [str(finding) for finding in plan.findings]
    assert said == [
        "d: there are two components of this name",
        "../up: ../up is no name for a component",
        "manifest.json: manifest.json is no name for a component",
        "c: requires gone, which is not there",
        "f: follows a, which it does not require",
        "a: requires itself: a -> b -> a",
        "e: cannot be rendered",
    ]
    outcome = commits_of(tmp_path, machine).commit(parts, "ana")
    assert (outcome.ending, outcome.phase, outcome.generation) == (Ending.REFUSED, Phase.VERIFY, 0)
    assert [str(finding) for finding in outcome.findings] == said


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../other/config", "a/../../b", "a//b", "./a", "", "a/", "a\0b", "x" * 256, ".."]
)
def test_paths_that_lead_out_are_refused(tmp_path, machine, path, monkeypatch):
    monkeypatch.setattr(Part, "render", lambda self: (RenderedFile(path=path, content=b""),))
    plan = commits_of(tmp_path, machine).plan([Part(name="a")])
    assert [finding.template for finding in plan.findings] == ["{path} is no path inside the component's folder"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([RenderedFile(path="a", content=b"", mode=0o4755)], "no mode"),
        ([RenderedFile(path="a", content=b"", mode=0o666)], "lets others in"),
        ([RenderedFile(path="a", content=b"", mode=0o644, secret=True)], "lets others in"),
        ([RenderedFile(path="a", content=b""), RenderedFile(path="a", content=b"")], "twice"),
        ([RenderedFile(path="a", content=b""), RenderedFile(path="a/b", content=b"")], "lies in a file"),
    ],
)
def test_files_that_cannot_be_or_must_not_be_are_refused(tmp_path, machine, files, words, monkeypatch):
    monkeypatch.setattr(Part, "render", lambda self: files)
    plan = commits_of(tmp_path, machine).plan([Part(name="a")])
    assert [words in str(finding) for finding in plan.findings] == [True]


def test_modes_are_exact_and_others_are_kept_out(tmp_path, machine):
    before = os.umask(0)
    try:
        commits_of(tmp_path / "store", machine).commit(WEB, "ana")
    finally:
        os.umask(before)
    for path in (tmp_path / "store").rglob("*"):
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0, path
    assert stat.S_IMODE((tmp_path / "store/current/web/etc/config").stat().st_mode) == 0o600


def test_nothing_at_all_is_a_generation_too(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    assert commits.recover() is None
    assert commits.generations() == ()
    assert commits.diagnose().well
    assert commits.commit((), "ana").generation == 1
    assert commits.commit((), "ana").ending is Ending.UNCHANGED
    assert commits.commit(WEB, "ana").generation == 2
    assert commits.commit((), "ana").acted == ("web", "db", "php")
    assert machine.running == {}


def test_an_edit_by_hand_is_found_and_stops_a_commit_until_it_is_overwritten(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    current = tmp_path / "current"
    (current / "db/etc/config").write_text("by hand")
    (current / "php/etc/config").unlink()
    (current / "web/etc/more").symlink_to("config")
    os.chmod(current / "web/etc/config", 0o644)
    edits = [(edit.component, edit.path, edit.action) for edit in commits.plan(WEB).edits]
    assert edits == [
        ("db", "etc/config", Action.CHANGE),
        ("php", "etc/config", Action.REMOVE),
        ("web", "etc/config", Action.CHANGE),
        ("web", "etc/more", Action.ADD),
    ]
    changed = (*WEB[:2], Part(name="db", text="d2"))
    refused = commits.commit(changed, "ben")
    assert refused.ending is Ending.REFUSED
    assert commits.commit(changed, "ben", overwrite=True).ending is Ending.CONFIRMED
    assert commits.plan(changed).edits == ()


def test_differences_are_unified_and_keep_secrets(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit((Part(name="a", text="one\ntwo\n"), Part(name="s", text="hush", secret=True)), "ana")
    plan = commits.plan((Part(name="a", text="one\n2"), Part(name="s", text="quiet"), Part(name="n", text="x\n")))
    differences = {change.component: change.difference for change in plan.files}
    assert differences["a"].splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        " one",
        "-two",
        "+2",
        "\\ No newline at end of file",
    ]
    assert differences["s"] == "changed\n"
    assert differences["n"].splitlines()[-1] == "+x"
    assert "hush" not in str(plan)
    assert "quiet" not in str(plan)


def test_a_second_commit_is_told_who_holds_the_lock(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    inside, go_on = threading.Event(), threading.Event()

    def wait(progress):
        inside.set()
        go_on.wait(10)

    first = threading.Thread(target=commits.commit, args=(WEB, "ana", "", 0, wait))
    first.start()
    inside.wait(10)
    try:
        with pytest.raises(Busy, match=r"^ana, since 20"):
            commits_of(tmp_path, machine).commit((), "ben")
        assert commits.status().holder.startswith("ana, since 20")
    finally:
        go_on.set()
        first.join()
    assert commits.status().holder == ""
    assert stands_whole(tmp_path, machine) == 1


def test_cancelling_undoes(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")

    def cancel(progress):
        if progress.doing == "act web":
            raise Cancelled

    with pytest.raises(Cancelled):
        commits.commit([Part(name=p.name, text="new", requires=p.requires) for p in WEB], "ben", progress=cancel)
    assert stands_whole(tmp_path, machine) == 1


def test_unconfirmed_until_somebody_confirms(tmp_path, machine):
    clock = ModelClock()
    commits = commits_of(tmp_path, machine, clock)
    commits.commit(WEB, "ana")
    with pytest.raises(NothingToConfirm):
        commits.confirm("ana")
    outcome = commits.commit((), "ana", "empty", confirm_within=600)
    assert (outcome.ending, outcome.standing, machine.running) == (Ending.UNCONFIRMED, 2, {})
    assert outcome.deadline == commits.status().deadline
    assert [line.standing for line in commits.generations()] == [Standing.UNCONFIRMED, Standing.CONFIRMED]
    with pytest.raises(Unconfirmed, match="generation 2 of ana waits"):
        commits.commit(WEB, "ben")
    clock.seconds += 599
    assert commits.expire() is None
    assert commits.confirm("ben").standing == 2
    clock.seconds += 2
    assert commits.expire() is None
    assert stands_whole(tmp_path, machine) == 2


@pytest.mark.parametrize("how", ["time", "boot", "rollback", "confirm too late"])
def test_what_nobody_confirms_comes_back(tmp_path, machine, how):
    clock = ModelClock()
    commits = commits_of(tmp_path, machine, clock)
    commits.commit(WEB, "ana")
    commits.commit((Part(name="web", text="w2"),), "ana", confirm_within=600)
    clock.wall_offset = -86400.0  # somebody sets the clock: it does not count
    if how == "boot":
        clock.boots += 1
    elif how != "rollback":
        clock.seconds += 600
    commits.close()
    again = commits_of(tmp_path, machine, clock)
    if how == "rollback":
        assert again.rollback(who="ana").ending is Ending.UNDONE
    elif how == "confirm too late":
        with pytest.raises(NothingToConfirm):
            again.confirm("ana")
    else:
        outcome = again.recover()
        assert outcome is not None
        assert outcome.ending is Ending.UNDONE
    assert stands_whole(tmp_path, machine) == 1
    assert again.generations()[0].standing is Standing.UNDONE


def test_rolling_back_to_older_ones(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    with pytest.raises(NothingToRollBackTo):
        commits.rollback(who="ana")
    for text in ("1", "2", "3"):
        commits.commit((Part(name="a", text=text), Part(name=f"only{text}")), "ana")
    assert commits.rollback(who="ana").standing == 2
    assert (stands_whole(tmp_path, machine), set(machine.running)) == (2, {"a", "only2"})
    assert commits.rollback(3, who="ana").standing == 3
    assert commits.rollback(3, who="ana").ending is Ending.UNCHANGED
    with pytest.raises(NothingToRollBackTo):
        commits.rollback(9, who="ana")
    (tmp_path / "generations/1/a/etc/config").write_text("by hand")
    assert commits.rollback(1, who="ana").ending is Ending.REFUSED
    machine.faults.add(("start", "a"))
    assert commits.rollback(2, who="ana").ending is Ending.UNDONE
    assert stands_whole(tmp_path, machine) == 3
    assert {line.standing for line in commits.generations()} == {Standing.CONFIRMED}
    assert commits.rollback(0, who="ana").standing == 0
    assert (stands_whole(tmp_path, machine), machine.running) == (0, {})


def test_old_generations_are_pruned_and_never_what_is_needed(tmp_path, machine):
    commits = commits_of(tmp_path, machine, keep=2)
    for number in range(1, 6):
        commits.commit((Part(name="a", text=str(number)),), "ana")
    assert [line.number for line in commits.generations()] == [5, 4]
    commits.rollback(4, who="ana")
    commits.commit((Part(name="a", text="6"),), "ana")
    assert [line.number for line in commits.generations()] == [6, 5]
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["0", "5", "6"]


def test_results_are_json(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    plan = commits.plan((*WEB, Part(name="x", text="unwanted")))
    assert TypeAdapter(Plan).validate_json(TypeAdapter(Plan).dump_json(plan)) == plan
    outcome = commits.commit(WEB, "ana", confirm_within=60)
    commits.close()
    assert TypeAdapter(Outcome).validate_json(TypeAdapter(Outcome).dump_json(outcome)) == outcome
    assert TypeAdapter(object).dump_json((commits.status(), commits.diagnose(), commits.generations()))


def test_a_disk_that_fills_leaves_nothing_half(tmp_path, machine, monkeypatch):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    names = sorted(path.name for path in (tmp_path / "generations").iterdir())
    real, left = os.write, [0]

    def full(descriptor, data):
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    changed = [Part(name=p.name, text="new", requires=p.requires) for p in WEB]
    for room in range(40):
        left[0] = room
        outcome = commits.commit(changed, "ben")
        if outcome.ending is Ending.CONFIRMED:
            break
        assert outcome.ending in {Ending.REFUSED, Ending.UNDONE}, outcome
        assert "No space left" in str(outcome.findings[0])
        assert stands_whole(tmp_path, machine) == 1
        assert not [path for path in tmp_path.rglob(".*") if path.name != ".journal.json.new"]
    assert 5 < room < 39
    assert names == ["0", "1"]
    assert Path(tmp_path / "current").readlink() == Path(f"generations/{outcome.generation}")
