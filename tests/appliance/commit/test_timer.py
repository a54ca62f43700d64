"""The timer that takes back what nobody has confirmed, while we live."""

from __future__ import annotations

import threading

from appliance.commit.generations import Folder
from appliance.commit.results import Ending
from tests.appliance.commit.parts import ModelMachine, Part, commits_of, stands_whole

WEB = (Part(name="web", text="w1"),)


def test_the_timer_takes_back_while_we_live(tmp_path):
    machine = ModelMachine()
    told, heard = [], threading.Event()
    commits = commits_of(tmp_path, machine, told=lambda outcome: (told.append(outcome), heard.set()))
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=1)
    assert heard.wait(20)
    assert told[0].ending is Ending.UNDONE
    assert stands_whole(tmp_path, machine) == 1


def test_the_timer_tries_again_after_any_failure(tmp_path, monkeypatch, caplog):
    machine = ModelMachine()
    monkeypatch.setattr("appliance.commit.commits.AGAIN", 0.05)
    heard = threading.Event()
    commits = commits_of(tmp_path, machine, told=lambda outcome: heard.set())
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=1)
    prepare, failing = Folder.prepare, [OSError(5, "Input/output error"), ValueError("who knows")]

    def fails_first(folder):
        if failing and threading.current_thread() is not threading.main_thread():
            raise failing.pop()
        prepare(folder)

    monkeypatch.setattr(Folder, "prepare", fails_first)
    assert heard.wait(20)
    assert failing == []
    assert stands_whole(tmp_path, machine) == 1
    assert caplog.text.count("what nobody has confirmed could not be taken back") == 2
